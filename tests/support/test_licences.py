# SPDX-License-Identifier: EUPL-1.2
"""The licences of all that the app is made of, with or without Python's package data."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sithsapp.support import licences as module
from sithsapp.support.licences import collect, licences, main


def test_every_part_has_a_name_a_version_and_a_licence() -> None:
    found = collect()
    names = [each.name for each in found]
    assert names[:2] == ["SITHS eID-app", "Python"]
    assert {"PySide6_Essentials", "shiboken6", "cryptography", "cffi", "msgspec", "pyscard", "python-pkcs11"} <= set(
        names
    )
    assert len(names) == len(set(names))
    assert all(each.version and each.licence for each in found)
    assert "European Union Public Licence" in found[0].text


def test_programs_for_developers_are_no_part_of_it() -> None:
    assert not {"pytest", "ruff", "mypy", "babel"} & {each.name.lower() for each in collect()}


def test_a_package_brings_its_own_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["licences", str(tmp_path / "licences.json")])
    assert main() == 0
    monkeypatch.setattr(module, "_FILE", tmp_path / "licences.json")
    monkeypatch.setattr(module, "collect", lambda: pytest.fail("the list was there"))
    assert licences()[0].name == "SITHS eID-app"


@pytest.mark.parametrize("text", ["", "{", '[{"name": 1}]', "[" * 100_000])
def test_a_list_that_is_none_is_made_anew(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "licences.json").write_text(text)
    monkeypatch.setattr(module, "_FILE", tmp_path / "licences.json")
    assert len(licences()) > 5


def test_wrong_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["licences"])
    assert main() == 2
