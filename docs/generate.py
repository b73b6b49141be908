# SPDX-License-Identifier: EUPL-1.2
"""Write the documentation that is made from code: failures and settings.

`python docs/generate.py` writes the files, `--check` only tells whether they are up to date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from sithsapp.failures import Failure
from sithsapp.locale import set_language, tr
from sithsapp.settings.schema import Settings

DOCS = Path(__file__).resolve().parent
AREAS = {
    "R": "Reader and service",
    "C": "Card",
    "P": "Code",
    "N": "Network",
    "S": "Service and order",
    "A": "App",
}


def _in_language(language: str, texts: list[str]) -> list[str]:
    set_language(language)
    return [tr(text) for text in texts]


def _failure_rows(letter: str) -> Iterator[str]:
    for failure in Failure:
        if failure.number.startswith(letter):
            texts = [failure.title, failure.cause, failure.remedy]
            english, swedish = _in_language("en", texts), _in_language("sv", texts)
            cells = [
                f"**{e}**<br>{s}" if n == 0 else f"{e}<br>{s}"
                for n, (e, s) in enumerate(zip(english, swedish, strict=True))
            ]
            retriable = "yes" if failure.retriable else "no"
            yield f"| {failure.number} | {' | '.join(cells)} | {retriable} | {failure.exit_code} |"


def failures() -> str:
    """Return the page of numbered failures, both languages."""
    lines = [
        "# Failures",
        "",
        "Every error that a person sees has one of these numbers. The letter names the area.",
        "The exit code is that of `siths`.",
        "Made from `sithsapp/failures.py` by `docs/generate.py`.",
    ]
    for letter, area in AREAS.items():
        lines += ["", f"## {letter}: {area}", ""]
        lines += ["| number | what | why | what to do | may be retried | exit code |", "|---|---|---|---|---|---|"]
        lines += _failure_rows(letter)
    return "\n".join(lines) + "\n"


def _type_text(schema: dict[str, object]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])  # type: ignore[attr-defined] # JSON schema: a list
    if "anyOf" in schema:
        return " or ".join(_type_text(each) for each in schema["anyOf"])  # type: ignore[attr-defined] # JSON schema: a list
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    text = str(schema.get("type", ""))
    if "minimum" in schema and "maximum" in schema:
        text += f" {schema['minimum']} to {schema['maximum']}"
    if text == "array":
        text = f"list of {_type_text(schema['items'])}"  # type: ignore[arg-type] # JSON schema: a schema
    pattern = str(schema.get("pattern", "")).removeprefix("^(?:").removesuffix(")$(?!\\n)")
    return text + (f" matching `{pattern}`" if pattern else "")


def _settings_rows(schema: dict[str, object]) -> Iterator[str]:
    required = schema.get("required", [])
    for name, member in schema["properties"].items():  # type: ignore[attr-defined] # JSON schema: an object
        default = "required" if name in required else f"`{json.dumps(member.get('default'))}`"  # type: ignore[operator] # JSON schema: a list
        yield f"| `{name}` | {_type_text(member)} | {default} |"


def settings() -> str:
    """Return the page of settings, made from the schema's own JSON Schema."""
    _, components = msgspec.json.schema_components([Settings], ref_template="{name}")
    order = ["Settings", *sorted(name for name in components if name != "Settings")]
    lines = ["# Settings reference", "", "Made from `sithsapp/settings/schema.py` by `docs/generate.py`."]
    for name in order:
        component = components[name]
        lines += ["", f"## {name}", "", str(component.get("description", "")), ""]
        lines += ["| setting | value | default |", "|---|---|---|", *_settings_rows(component)]
    return "\n".join(lines) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "administrator/failures.md": failures,
    "administrator/settings-reference.md": settings,
}


def main() -> int:
    """Write or check the pages; 1 if a page is out of date."""
    check = sys.argv[1:] == ["--check"]
    stale = 0
    for name, make in PAGES.items():
        path, content = DOCS / name, make()
        if check and (not path.exists() or path.read_text() != content):
            sys.stderr.write(f"docs/{name} is out of date: run docs/generate.py\n")
            stale = 1
        elif not check:
            path.write_text(content)
    return stale


if __name__ == "__main__":
    sys.exit(main())
