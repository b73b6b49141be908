# SPDX-License-Identifier: EUPL-1.2
"""The main window: pages at their first visit, keyboard, language, theme and narrow screens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from sithsapp import __version__
from sithsapp.locale import set_language, tr
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.catalogue import PAGES, Entry
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.services import Services
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.tokens import DARK, LIGHT
from sithsapp.ui.widgets.button import Button
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column
from tests.ui import hosting
from tests.ui.pointing import button, visible


class Page(MainPage):
    """A page that counts what it is told."""

    made: ClassVar[list[Page]] = []

    def __init__(self, services: Services, lines: int = 1) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.text = Text(TextStyle.BODY)
        self.lines = lines
        layout = column(self)
        layout.addWidget(self.text)
        Page.made.append(self)

    def title(self) -> str:
        return tr("Close")

    def retranslate(self) -> None:
        self.calls.append("retranslate")
        self.text.setText("\n".join([tr("Cancel")] * self.lines))

    def shown(self) -> None:
        self.calls.append("shown")

    def refresh(self) -> None:
        self.calls.append("refresh")


_ENTRIES = {
    Place.OVERVIEW: Entry(Icon.HOME, lambda: tr("Overview"), PAGES[Place.OVERVIEW].make),
    Place.SETTINGS: Entry(Icon.GEAR, lambda: tr("Language"), Page),
    Place.HELP: Entry(Icon.LIFEBUOY, lambda: tr("Quit"), lambda services: Page(services, lines=80)),
}


@pytest.fixture
def window(qtbot: QtBot) -> Iterator[MainWindow]:
    Page.made.clear()
    made = MainWindow(hosting.services(), _ENTRIES)
    qtbot.addWidget(made)
    made.open()
    yield made
    made.hide()


def _texts(parent: QWidget) -> list[str]:
    return [text.text() for text in visible(parent, Text)]


def test_a_page_is_made_at_its_first_visit_and_kept(window: MainWindow) -> None:
    assert Page.made == []
    window.go(Place.SETTINGS)
    window.go(Place.OVERVIEW)
    window.go(Place.SETTINGS)
    assert len(Page.made) == 1
    assert Page.made[0].calls == ["retranslate", "refresh", "shown", "shown"]
    assert Page.made[0].theme.tokens is LIGHT
    assert window.place is Place.SETTINGS


def test_an_unknown_place_changes_nothing(window: MainWindow) -> None:
    window.go(Place.CERTIFICATES)
    assert window.place is Place.OVERVIEW


def test_one_page_is_marked_as_chosen(window: MainWindow) -> None:
    button(window, "Language").click()
    chosen = [b.accessibleName() for b in visible(window, Button) if b.isChecked()]
    assert chosen == ["Language"]
    assert "Close" in _texts(window)


def test_assistive_technology_chooses_a_page_without_a_click(window: MainWindow) -> None:
    interface = QAccessible.queryAccessibleInterface(button(window, "Language"))
    assert interface.role() is QAccessible.Role.RadioButton
    actions = interface.actionInterface()
    actions.doAction(actions.actionNames()[0])
    assert window.place is Place.SETTINGS
    assert Page.made[0].calls.count("shown") == 1


def test_the_keyboard_reaches_every_page(window: MainWindow) -> None:
    visited = []
    QTest.keyClick(window, Qt.Key.Key_2, Qt.KeyboardModifier.ControlModifier)
    visited.append(window.place)
    button(window, "Language").setFocus()
    for name, key in (("Language", Qt.Key.Key_Down), ("Quit", Qt.Key.Key_Down), ("Overview", Qt.Key.Key_Up)):
        QTest.keyClick(button(window, name), key)
        visited.append(window.place)
    assert visited == [Place.SETTINGS, Place.HELP, Place.OVERVIEW, Place.HELP]


def test_escape_closes(window: MainWindow) -> None:
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isVisible()


def test_language_and_theme_change_live(window: MainWindow) -> None:
    window.go(Place.SETTINGS)
    set_language("sv")
    window.retranslate()
    assert {"Stäng", "Avbryt"} <= set(_texts(window))
    window.apply_theme(Theme(DARK))
    assert Page.made[0].theme.tokens is DARK


def test_version_and_environment_are_told(window: MainWindow) -> None:
    assert f"Version {__version__}" in _texts(window)
    window.show_environment("Test")
    assert "Test" in _texts(window)
    window.show_environment("")
    assert "Test" not in _texts(window)


def test_a_long_page_scrolls_and_the_heading_stays(window: MainWindow) -> None:
    window.go(Place.HELP)
    QApplication.processEvents()
    host = window._hosts[Place.HELP]
    assert host.area.verticalScrollBar().maximum() > 0
    before = host._heading.mapTo(window, QPoint(0, 0))
    host.area.verticalScrollBar().setValue(200)
    assert host._heading.mapTo(window, QPoint(0, 0)) == before


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_the_window_fits_its_screen_and_no_page_is_wider_than_its_place(qtbot: QtBot, scale: float) -> None:
    theme = Theme(LIGHT, 15 * scale)
    window = MainWindow(hosting.services(theme=theme), _ENTRIES)
    qtbot.addWidget(window)
    window.open()
    free = window.screen().availableGeometry()
    assert window.width() <= free.width()
    assert window.height() <= free.height()
    for place in _ENTRIES:
        window.go(place)
        QApplication.processEvents()
        host = window._hosts[place]
        assert host.page.width() <= host.area.viewport().width()
    window.hide()


def test_a_narrow_window_keeps_the_icons_of_its_navigation(window: MainWindow) -> None:
    window.setMinimumSize(100, 100)
    window.resize(480, 500)
    QApplication.processEvents()
    assert [b.text() for b in visible(window._navigation, Button)] == ["", "", ""]
    assert [b.accessibleName() for b in visible(window._navigation, Button)] == ["Overview", "Language", "Quit"]
    window.resize(880, 676)
    QApplication.processEvents()
    assert visible(window._navigation, Button)[0].text().strip() == "Overview"


def test_every_button_has_a_name(window: MainWindow) -> None:
    for place in _ENTRIES:
        window.go(place)
        assert all(b.accessibleName() for b in visible(window, Button))
