# SPDX-License-Identifier: EUPL-1.2
"""`siths settings`: the same rules as the page, in JSON and in words."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sithsapp.cli import main
from sithsapp.cli import settings as commands
from sithsapp.failures import Failure
from sithsapp.locale import set_language
from sithsapp.settings.sources import Authority, JsonFile
from sithsapp.settings.store import NAMES, SettingsStore
from sithsapp.settings.user_file import UserFile


class Home:
    """Settings of the test's own, with a policy that belongs to nobody in particular."""

    def __init__(self, directory: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.user = directory / "config" / "sithsapp" / "settings.json"
        self.policy = directory / "policy.json"
        self._capsys = capsys

    def open(self, _directory: Path) -> SettingsStore:
        return SettingsStore([JsonFile(Authority.POLICY, self.policy)], UserFile(self.user))

    def run(self, *arguments: str) -> tuple[int, str, str]:
        code = main.main(["settings", *arguments])
        shown = self._capsys.readouterr()
        return code, shown.out, shown.err

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json")[1])


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Home]:
    for name in ("CONFIG", "STATE", "CACHE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "xdg"))
    monkeypatch.setenv("LANGUAGE", "en")
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    root.handlers.clear()
    made = Home(tmp_path, capsys)
    monkeypatch.setattr(commands, "open_store", made.open)
    yield made
    for handler in root.handlers:
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raising
    set_language("system")


def test_all_settings_are_listed_with_who_set_them(home: Home) -> None:
    home.policy.write_text('{"theme": "dark"}')
    home.run("set", "done_seconds", "5")
    code, shown, _ = home.run("list")
    assert code == 0
    assert [line.split()[0] for line in shown.splitlines()] == list(NAMES)
    assert any(line.startswith("theme") and "set by your organisation" in line for line in shown.splitlines())
    listed = {each["name"]: each for each in home.json("list")["settings"]}
    assert (listed["theme"]["value"], listed["theme"]["set_by"], listed["theme"]["locked"]) == (
        "dark",
        "policy",
        True,
    )
    assert (listed["done_seconds"]["value"], listed["done_seconds"]["set_by"]) == (5, "user")
    assert listed["language"]["set_by"] == "default"


@pytest.mark.parametrize(("text", "value"), [("sv", "sv"), ('"sv"', "sv")], ids=["a word as it is", "a word as JSON"])
def test_a_word_needs_no_quotes(home: Home, text: str, value: str) -> None:
    assert home.run("set", "language", text)[0] == 0
    assert home.json("get", "language")["value"] == value
    assert home.run("get", "language")[1] == f'"{value}"\n'


def test_numbers_truth_and_nothing_are_json(home: Home) -> None:
    for name, text, value in (("done_seconds", "0", 0), ("keypad", "true", True), ("virtual_card", "null", None)):
        assert home.run("set", name, text)[0] == 0
        assert home.json("get", name)["value"] == value


@pytest.mark.parametrize(
    ("arguments", "failure"),
    [
        (("set", "language", "fi"), Failure.SETTINGS_INVALID),
        (("set", "nothing", "1"), Failure.SETTINGS_INVALID),
        (("get", "nothing"), Failure.SETTINGS_INVALID),
        (("reset", "nothing"), Failure.SETTINGS_INVALID),
        (("set", "keypad", "yes"), Failure.SETTINGS_INVALID),
        (("set", "theme", "dark"), Failure.SETTING_LOCKED),
        (("set", "language", "[" * 100_000), Failure.SETTINGS_INVALID),
    ],
)
def test_what_cannot_be_is_a_numbered_failure(home: Home, arguments: tuple[str, ...], failure: Failure) -> None:
    home.policy.write_text('{"theme": "light"}')
    code, shown, told = home.run(*arguments)
    assert (code, shown) == (failure.exit_code, "")
    assert failure.number in told
    assert not home.user.exists()


def test_settings_are_taken_back_one_by_one_or_all(home: Home) -> None:
    for name, text in (("language", "sv"), ("keypad", "true"), ("done_seconds", "9")):
        home.run("set", name, text)
    home.run("reset", "language")
    assert json.loads(home.user.read_text()) == {"keypad": True, "done_seconds": 9}
    home.run("reset", "--all")
    assert json.loads(home.user.read_text()) == {}


@pytest.mark.parametrize("arguments", [(), ("language", "--all")])
def test_all_is_said_and_never_meant_by_silence(home: Home, arguments: tuple[str, ...]) -> None:
    home.run("set", "language", "en")
    assert home.run("reset", *arguments)[0] == 2
    assert json.loads(home.user.read_text()) == {"language": "en"}


def test_starting_at_log_in_takes_effect_without_the_app(home: Home, tmp_path: Path) -> None:
    entry = tmp_path / "config" / "autostart" / "sithsapp.desktop"
    home.run("set", "autostart", "true")
    assert "--hidden" in entry.read_text()
    home.run("reset", "autostart")
    assert not entry.exists()


def test_what_waits_for_the_next_start_is_said(home: Home) -> None:
    assert "restarted" in home.run("set", "pkcs11", "false")[2]
    assert home.run("set", "keypad", "true")[2] == ""
