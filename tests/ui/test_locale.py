# SPDX-License-Identifier: EUPL-1.2
"""Every text has a Swedish form, what is wrong with a catalogue is found, and the language can be chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.texts import CATALOGUE, PACKAGE, faults
from sithsapp.failures import Failure
from sithsapp.locale import language, ngettext, set_language, tr


def test_every_text_has_a_swedish_form_and_every_form_a_text() -> None:
    """Also: no entry twice, the same placeholders, the house style, nothing hidden from the extractor."""
    assert list(faults()) == []


_ENTRY = 'msgid "Hello {name}"\nmsgstr "Hej {name}"\n\n'


@pytest.mark.parametrize(
    ("code", "entries", "fault"),
    [
        ('tr("Other")', _ENTRY, "no Swedish form: 'Other'"),
        ("", _ENTRY, "left over: 'Hello {name}'"),
        ("", _ENTRY.replace("Hej {name}", ""), "no Swedish form: 'Hello {name}'"),
        ("", _ENTRY * 2, "twice: 'Hello {name}'"),
        ("", _ENTRY.replace("Hej {name}", "Hej {namn}"), "other placeholders than in English: 'Hej {namn}'"),
        ("", _ENTRY.replace("Hej", "Hej!"), "against the house style: 'Hej! {name}'"),
        ("f\"{tr('Hello {name}')}\"", _ENTRY, "a text is hidden in an f-string: code/module.py"),
    ],
)
def test_faults_are_found(tmp_path: Path, code: str, entries: str, fault: str) -> None:
    package, catalogue = tmp_path / "code", tmp_path / "sv.po"
    package.mkdir()
    greeting = "" if "left over" in fault else 'tr("Hello {name}")\n'
    (package / "module.py").write_text(greeting + code)
    catalogue.write_text('msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n' + entries)
    assert list(faults(package, catalogue)) == [fault]


def test_the_texts_that_are_looked_through_are_the_apps() -> None:
    assert (PACKAGE / "failures.py").exists()
    assert CATALOGUE.is_relative_to(PACKAGE)


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
