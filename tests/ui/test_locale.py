# SPDX-License-Identifier: EUPL-1.2
"""Every text has a Swedish form with the same placeholders, and the language can be chosen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from sithsapp.failures import Failure
from sithsapp.locale import language, ngettext, set_language, tr

_PACKAGE = Path(__file__).parents[2] / "sithsapp"
_KEYWORDS = {"tr": None, "_": None, "ngettext": (1, 2)}
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def _catalogue() -> Catalog:
    with (_PACKAGE / "locale" / "sv" / "LC_MESSAGES" / "sithsapp.po").open("rb") as file:
        return read_po(file, locale="sv")


def _used() -> set[str | tuple[str, ...]]:
    found = extract_from_dir(_PACKAGE, method_map=[("**.py", "python")], keywords=_KEYWORDS)
    return {each[2] for each in found if each[2]}


def _forms(text: object) -> tuple[str, ...]:
    return (text,) if isinstance(text, str) else tuple(text)  # type: ignore[arg-type] # babel: str or a tuple of them


def test_every_text_has_a_swedish_form() -> None:
    catalogue = _catalogue()
    missing = []
    for used in _used():
        message = catalogue.get(_forms(used)[0])
        if message is None or not all(_forms(message.string)) or message.fuzzy:
            missing.append(used)
    assert missing == []


def test_no_swedish_form_is_left_over() -> None:
    used = {_forms(text)[0] for text in _used()}
    assert [m.id for m in _catalogue() if m.id and _forms(m.id)[0] not in used] == []


def _disagrees(message: Message) -> bool:
    wanted = {name for form in _forms(message.id) for name in _PLACEHOLDER.findall(form)}
    return any(set(_PLACEHOLDER.findall(form)) != wanted for form in _forms(message.string))


def test_placeholders_agree() -> None:
    assert [m.id for m in _catalogue() if m.id and _disagrees(m)] == []


def test_swedish_texts_keep_the_house_style() -> None:
    texts = [form for message in _catalogue() if message.id for form in _forms(message.string)]
    assert [text for text in texts if "!" in text or "vänlig" in text.lower()] == []


def test_tr_is_never_hidden_in_an_f_string() -> None:
    """The extractor does not look into f-strings, so such a text would miss its translation in silence."""
    hidden = re.compile(r"""\{(?:tr|ngettext)\(['"]""")
    assert [str(path) for path in _PACKAGE.rglob("*.py") if hidden.search(path.read_text())] == []


def test_failures_speak_swedish() -> None:
    set_language("sv")
    for failure in Failure:
        for text in (failure.title, failure.cause, failure.remedy):
            assert tr(text) != text


def test_plurals() -> None:
    set_language("en")
    assert ngettext("{n} attempt left", "{n} attempts left", 1) == "{n} attempt left"
    assert ngettext("{n} attempt left", "{n} attempts left", 2) == "{n} attempts left"
    set_language("sv")
    assert ngettext("{n} attempt left", "{n} attempts left", 1) == "{n} försök kvar"


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("LANG", "sv_SE.UTF-8", "sv"),
        ("LANGUAGE", "sv:en", "sv"),
        ("LC_ALL", "en_GB.UTF-8", "en"),
        ("LANG", "C", "en"),
    ],
)
def test_system_language(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, expected: str) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    set_language("system")
    assert language() == expected


def test_an_empty_text_stays_empty() -> None:
    set_language("sv")
    assert tr("") == ""
