# SPDX-License-Identifier: EUPL-1.2
"""Colours, contrast and motion follow the desktop at once: a portal of the test's own says what the desktop wants."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from PySide6.QtGui import QFont, QGuiApplication
from pytestqt.qtbot import QtBot

from sithsapp.desktop import motion as platform_motion
from sithsapp.ui.appearance import Appearance
from sithsapp.ui.motion import Motion, means_stillness
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets import spinner as spinner_module
from sithsapp.ui.widgets.spinner import Spinner
from tests.desktop.test_dbus_wire import SYSTEM_PYTHON, has_glib
from tests.parts import dbus, xvfb
from tests.parts.lines import ROOT, Child

APPEARANCE = "org.freedesktop.appearance"
_THEME = """
import sys
from PySide6.QtCore import QSocketNotifier
from PySide6.QtWidgets import QApplication
from sithsapp.ui import tokens
from sithsapp.ui.appearance import Appearance
from sithsapp.ui.theme import current
application = QApplication([])
names = {id(tokens.LIGHT): "light", id(tokens.DARK): "dark", id(tokens.HIGH_CONTRAST): "high contrast"}
def say(choice="system"):
    sys.stdout.write(names[id(current(choice).tokens)] + "\\n")
    sys.stdout.flush()
appearance = Appearance()
appearance.changed.connect(say)
say()
notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
notifier.activated.connect(application.quit)
sys.exit(application.exec())
"""
_MOTION = """
import sys
from PySide6.QtCore import QCoreApplication, QSocketNotifier
from sithsapp.ui.motion import motion
application = QCoreApplication([])
moving = motion()
def say():
    sys.stdout.write("still\\n" if moving.is_reduced else "moving\\n")
    sys.stdout.flush()
moving.changed.connect(say)
say()
notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
notifier.activated.connect(application.quit)
sys.exit(application.exec())
"""
Start = Callable[..., Child]


@pytest.fixture
def start() -> Iterator[Start]:
    """Start programs on one private bus; the first is the portal."""
    if not (dbus.is_installed() and has_glib()):
        pytest.skip("needs dbus-daemon and python3-gi")
    with ExitStack() as parts:
        bus = parts.enter_context(dbus.private_bus())

        def begin(*command: str, **environment: str) -> Child:
            child = Child(command, os.environ | bus.environment | environment)
            parts.callback(child.end)
            return child

        yield begin


@pytest.fixture
def portal(start: Start) -> Child:
    made = start(SYSTEM_PYTHON, str(ROOT / "tests" / "parts" / "fake_portal.py"))
    assert made.hear() == "ready"
    return made


@pytest.mark.e2e
def test_the_theme_follows_the_desktop_at_once(portal: Child, start: Start, tmp_path: Path) -> None:
    if not xvfb.is_installed():
        pytest.skip("needs Xvfb")
    with xvfb.xvfb(tmp_path) as screen:
        # GNOME's platform theme, as the app itself chooses on that desktop.
        environment = screen.environment | {"QT_QPA_PLATFORM": "xcb", "QT_QPA_PLATFORMTHEME": "gnome"}
        environment = {k: v for k, v in environment.items() if not k.startswith("DBUS_")}
        app = start(sys.executable, "-c", _THEME, **environment)
        assert app.hear() == "light"
        for key, value, theme in (
            ("color-scheme", 1, "dark"),
            ("contrast", 1, "high contrast"),
            ("color-scheme", 2, "high contrast"),
            ("contrast", 0, "light"),
        ):
            portal.say(f"{APPEARANCE} {key} u {value}")
            assert app.hear() == theme
        app.end()


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("setting", "still", "moving"),
    [
        (f"{APPEARANCE} reduced-motion u", "1", "0"),
        ("org.gnome.desktop.interface enable-animations b", "false", "true"),
        ("org.kde.kdeglobals.KDE AnimationDurationFactor s", "0", "1.0"),
    ],
)
def test_motion_follows_the_desktop_at_once(
    portal: Child, start: Start, setting: str, still: str, moving: str
) -> None:
    portal.say(f"{setting} {still}")
    app = start(sys.executable, "-c", _MOTION)
    assert app.hear() == "moving"  # nothing waits for the desktop's answer
    assert app.hear() == "still"
    portal.say(f"{setting} {moving}")
    assert app.hear() == "moving"
    portal.say(f"{setting} {still}")
    assert app.hear() == "still"


@pytest.mark.parametrize(
    ("namespace", "value", "still"),
    [
        (APPEARANCE, 1, True),
        (APPEARANCE, 0, False),
        (APPEARANCE, "1", False),
        ("org.gnome.desktop.interface", False, True),
        ("org.gnome.desktop.interface", 0, False),
        ("org.kde.kdeglobals.KDE", 0.0, True),
        ("org.kde.kdeglobals.KDE", "0.5", False),
        ("org.kde.kdeglobals.KDE", [0], False),
    ],
)
def test_what_values_mean(namespace: str, value: object, still: bool) -> None:
    assert means_stillness(namespace, value) is still


@pytest.mark.parametrize(("answer", "still"), [(0, True), (1, False), (None, False)])
def test_windows_tells_by_one_parameter(answer: int | None, still: bool) -> None:
    asked: list[int] = []

    def ask(number: int) -> int | None:
        asked.append(number)
        return answer

    assert platform_motion.windows_wants_stillness(ask) is still
    assert asked == [0x1042]


def test_a_spinner_stands_still_for_who_wants_that(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Motion()
    monkeypatch.setattr(spinner_module, "motion", lambda: moving)
    spinner = Spinner()
    qtbot.addWidget(spinner)
    spinner.apply_theme(Theme(LIGHT))
    spinner.show()
    assert spinner._timer.isActive()
    moving._note(APPEARANCE, "reduced-motion", 1)
    assert not spinner._timer.isActive()
    spinner.hide()
    moving._note(APPEARANCE, "reduced-motion", 0)
    assert not spinner._timer.isActive()
    spinner.show()
    assert spinner._timer.isActive()
    assert not spinner.grab().toImage().isNull()


def test_a_new_font_is_a_new_theme(qtbot: QtBot) -> None:
    application = QGuiApplication.instance()
    assert isinstance(application, QGuiApplication)
    appearance, before = Appearance(), application.font()
    bigger = QFont(before)
    bigger.setPointSize(before.pointSize() + 4)
    try:
        with qtbot.waitSignal(appearance.changed, timeout=3000):
            application.setFont(bigger)
    finally:
        application.setFont(before)
