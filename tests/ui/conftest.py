# SPDX-License-Identifier: EUPL-1.2
"""Qt without a display, in English, with the Swedish catalogue compiled."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

# A screen of 1366x768, the smallest that the windows are made for.
os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).with_name('offscreen.json')}"
os.environ.setdefault("QT_ACCESSIBILITY", "1")

_CATALOGUE = Path(__file__).parents[2] / "sithsapp" / "locale" / "sv" / "LC_MESSAGES" / "sithsapp.po"


@pytest.fixture(scope="session", autouse=True)
def _catalogue() -> None:
    """Compile the Swedish texts if they are newer than what was compiled; `./dev` does the same."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = _CATALOGUE.with_suffix(".mo")
    if compiled.exists() and compiled.stat().st_mtime >= _CATALOGUE.stat().st_mtime:
        return
    with _CATALOGUE.open("rb") as source:
        catalogue = read_po(source, locale="sv")
    fresh = compiled.with_suffix(f".{os.getpid()}")
    with fresh.open("wb") as target:
        write_mo(target, catalogue)
    fresh.replace(compiled)


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    """Begin and end each test in English, whatever the machine speaks."""
    from sithsapp.locale import set_language

    set_language("en")
    yield
    set_language("en")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no test read or change what the app remembers on this computer."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))


@pytest.fixture(scope="session")
def qapp_cls() -> type:
    """Use the style that the app uses."""
    from PySide6.QtWidgets import QApplication

    class Application(QApplication):
        def __init__(self, arguments: list[str]) -> None:
            super().__init__(arguments)
            self.setStyle("Fusion")

    return Application


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the offscreen platform say what it cannot do; every other Qt warning fails a test."""
    lacking = (
        "This plugin does not support (propagateSizeHints|raise|grabbing the keyboard)",
        "No such signal QPlatformNativeInterface",
    )
    harmless = pytest.mark.qt_log_ignore(*lacking, extend=True)
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(harmless)
