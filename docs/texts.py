# SPDX-License-Identifier: EUPL-1.2
"""Look through the code for texts, and through the Swedish catalogue for what is wrong with it.

`python docs/texts.py` prints a line for each fault and ends with 1 if there is one: a text without a Swedish form, a
form without a text, an entry that stands there twice, other placeholders than in English, against the house style,
or a text that the extractor cannot see.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

PACKAGE = Path(__file__).resolve().parent.parent / "sithsapp"
CATALOGUE = PACKAGE / "locale" / "sv" / "LC_MESSAGES" / "sithsapp.po"
_KEYWORDS = {"tr": None, "_": None, "ngettext": (1, 2)}
_PLACEHOLDER = re.compile(r"\{(\w*)\}")
_ENTRY = re.compile(r'^msgid ((?:".*"\n)+)', re.MULTILINE)
_HIDDEN = re.compile(r"""\{(?:tr|ngettext)\(['"]""")


def faults(package: Path = PACKAGE, catalogue: Path = CATALOGUE) -> Iterator[str]:
    """Yield what is wrong with the texts of `package` and their Swedish forms."""
    with catalogue.open("rb") as file:
        swedish = read_po(file, locale="sv")
    used = _used(package)
    yield from (f"no Swedish form: {text!r}" for text in sorted(used) if not _has_form(swedish, text))
    for message in swedish:
        if message.id:
            yield from _faults_of(message, used)
    yield from _twice(catalogue.read_text("utf-8"))
    yield from _hidden(package)


def _used(package: Path) -> set[str]:
    found = extract_from_dir(package, method_map=[("**.py", "python")], keywords=_KEYWORDS)
    return {_forms(each[2])[0] for each in found if each[2]}


def _forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type] # babel: str or a tuple of them


def _has_form(swedish: Catalog, text: str) -> bool:
    message = swedish.get(text)
    return message is not None and all(_forms(message.string)) and not message.fuzzy


def _faults_of(message: Message, used: set[str]) -> Iterator[str]:
    english = _forms(message.id)
    if english[0] not in used:
        yield f"left over: {english[0]!r}"
    wanted = {name for form in english for name in _PLACEHOLDER.findall(form)}
    for form in filter(None, _forms(message.string)):
        if set(_PLACEHOLDER.findall(form)) != wanted:
            yield f"other placeholders than in English: {form!r}"
        if "!" in form or "vänlig" in form.lower():
            yield f"against the house style: {form!r}"


def _twice(source: str) -> Iterator[str]:
    """Yield entries that stand there twice; the reader of catalogues takes the last one in silence."""
    counted = Counter("".join(re.findall(r'"(.*)"', entry)) for entry in _ENTRY.findall(source))
    yield from (f"twice: {text!r}" for text, count in counted.items() if count > 1)


def _hidden(package: Path) -> Iterator[str]:
    """Yield modules with a text in an f-string, where the extractor does not look."""
    found = (path for path in package.rglob("*.py") if _HIDDEN.search(path.read_text("utf-8")))
    yield from (f"a text is hidden in an f-string: {path.relative_to(package.parent)}" for path in found)


def main() -> int:
    """Print the faults; 1 if there are any."""
    found = list(faults())
    for fault in found:
        sys.stdout.write(f"{fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
