# SPDX-License-Identifier: EUPL-1.2
"""What others write into settings files is in force soon after."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sithsapp.settings.sources import Authority, JsonFile
from sithsapp.settings.store import SettingsStore
from sithsapp.settings.user_file import UserFile
from sithsapp.ui.settings_files import SettingsFiles


class Place:
    """Settings files of the test's own, followed."""

    def __init__(self, directory: Path) -> None:
        self.user, self.policy = directory / "user" / "settings.json", directory / "etc" / "policy.json"
        for path in (self.user, self.policy):
            path.parent.mkdir()
        self.store = SettingsStore([JsonFile(Authority.POLICY, self.policy)], UserFile(self.user))
        self.files = SettingsFiles(self.store)


@pytest.fixture
def place(qtbot: QtBot, tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_another_process_of_the_user(qtbot: QtBot, place: Place) -> None:
    other = SettingsStore([], UserFile(place.user))
    for theme in ("dark", "light", "dark"):  # each time the file is replaced by a new one
        other.set("theme", theme)
        qtbot.waitUntil(lambda theme=theme: place.store.settings.theme == theme, timeout=5000)  # type: ignore[misc] # bound


def test_an_editor_that_writes_the_file_over(qtbot: QtBot, place: Place) -> None:
    for number in (4, 5):
        place.user.write_text(json.dumps({"done_seconds": number}))
        qtbot.waitUntil(lambda number=number: place.store.settings.done_seconds == number, timeout=5000)  # type: ignore[misc] # bound


def test_a_policy_that_comes_and_goes(qtbot: QtBot, place: Place) -> None:
    place.policy.write_text('{"theme": "dark"}')
    qtbot.waitUntil(lambda: place.store.locked("theme"), timeout=5000)
    place.policy.unlink()
    qtbot.waitUntil(lambda: not place.store.locked("theme"), timeout=5000)


def test_a_directory_that_is_made_later(qtbot: QtBot, tmp_path: Path) -> None:
    path = tmp_path / "much" / "later" / "settings.json"
    store = SettingsStore([], UserFile(path))
    files = SettingsFiles(store)
    SettingsStore([], UserFile(path)).set("theme", "dark")
    qtbot.waitUntil(lambda: store.settings.theme == "dark", timeout=5000)
    # What others keep beside the app's directory is no longer looked at.
    assert files._watcher.directories() == [str(path.parent)]
