# SPDX-License-Identifier: EUPL-1.2
"""Files go where each platform wants them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sithsapp.desktop import paths


def test_linux_follows_the_base_directories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/x/config")
    monkeypatch.setenv("XDG_STATE_HOME", "/x/state")
    monkeypatch.setenv("XDG_DATA_HOME", "/x/data")
    assert paths.config_dir() == Path("/x/config/sithsapp")
    assert paths.log_dir() == Path("/x/state/sithsapp/log")
    assert paths.data_dir() == Path("/x/data")


@pytest.mark.parametrize("value", ["", "relative/path"])
def test_unusable_base_directories_are_ignored(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", "/home/x")
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert paths.cache_dir() == Path("/home/x/.cache/sithsapp")


def test_windows_and_macos(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "win32")
    monkeypatch.setenv("APPDATA", "/roaming")
    monkeypatch.setenv("LOCALAPPDATA", "/local")
    assert paths.config_dir() == Path("/roaming/sithsapp")
    assert paths.cache_dir() == Path("/local/sithsapp/cache")
    monkeypatch.setattr("sys.platform", "darwin")
    monkeypatch.setenv("HOME", "/Users/x")
    assert paths.log_dir() == Path("/Users/x/Library/Logs/sithsapp")
