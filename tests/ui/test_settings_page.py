# SPDX-License-Identifier: EUPL-1.2
"""The settings page: what it shows, what a person changes, and what she cannot."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAccessible, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QScrollArea, QWidget
from pytestqt.qtbot import QtBot

from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.oob.reach import Attempt, Reached
from sithsapp.oob.transport import HttpTransport
from sithsapp.settings import profile
from sithsapp.settings.schema import DisplayName, Settings
from sithsapp.settings.sources import Authority
from sithsapp.settings.store import SettingsStore
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.settings.page import SettingsPage
from sithsapp.ui.settings.presenter import ChoiceRow, SwitchRow, present_settings
from sithsapp.ui.settings.rows import SettingRow
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets.choice_box import ChoiceBox
from sithsapp.ui.widgets.switch import Switch
from tests.parts.settings import Values, store_of
from tests.ui.hosting import services

NAMES = DisplayName(sv="Region Exempel", en="Example Region")
SERVICE = {
    "id": "demo",
    "origin": "http://localhost:8080",
    "display_name": {"sv": "Region Exempel", "en": "Example Region"},
    "environment": "demo",
    "order_keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "A" * 43, "y": "A" * 43}],
}


class Starting:
    """What starts at log-in, in memory."""

    def __init__(self) -> None:
        self.on = False
        self.refuses = False

    def enabled(self) -> bool:
        return self.on

    def set(self, enabled: bool) -> None:
        if self.refuses:
            raise SithsError(Failure.AUTOSTART_NOT_CHANGED, "no")
        self.on = enabled

    def reset(self) -> None:
        self.on = False


def _no_transports(*, local_http: bool) -> HttpTransport:
    raise AssertionError("nothing is sent here")


class Answers(Attempt):
    """An attempt with answers of the test's own, which comes when the test lets it."""

    def __init__(self, *answers: Reached) -> None:
        super().__init__(Settings(), _no_transports)
        self.answers = answers
        self.go = threading.Event()
        self.cancelled = False

    def run(self) -> Iterator[Reached]:
        assert self.go.wait(20)
        if not self.cancelled:
            yield from self.answers

    def cancel(self) -> None:
        self.cancelled = True
        self.go.set()


class Bench:
    """A page in a window, and what it works on."""

    def __init__(self, qtbot: QtBot, store: SettingsStore, attempt: Attempt | None = None, body: float = 15) -> None:
        self.store, self.starting = store, Starting()
        given = services(theme=Theme(LIGHT, body))
        given.store = store
        self.page = SettingsPage(given, autostart=self.starting, make_attempt=lambda settings: attempt or Answers())
        self.window = QScrollArea(widgetResizable=True)
        qtbot.addWidget(self.window)
        self.window.setWidget(self.page)
        self.window.resize(620, 500)
        self.page.retranslate()
        for child in self.page.findChildren(QWidget):
            if hasattr(child, "apply_theme"):
                child.apply_theme(Theme(LIGHT, body))
        self.window.show()

    def switch(self, name: str) -> Switch:
        control = self.page._rows[name].control
        assert isinstance(control, Switch)
        return control

    def choice(self, name: str) -> ChoiceBox:
        control = self.page._rows[name].control
        assert isinstance(control, ChoiceBox)
        return control

    def pick(self, name: str, position: int) -> None:
        """Choose as a person does with the keyboard."""
        box = self.choice(name)
        box.setCurrentIndex(position)
        box.activated.emit(position)

    def notice(self) -> str:
        """Return what the banner says, empty without one."""
        return self.page._banner.accessibleName() if self.page._banner.isVisible() else ""


def test_every_row_is_a_setting_and_says_what_is_in_force() -> None:
    store = store_of(keypad=True, done_seconds=10)
    view = present_settings(store, starts_itself=True)
    assert len(set(view.names)) == len(view.names)
    assert set(view.names) <= set(Settings.__struct_fields__)
    rows = {row.name: row for group in view.groups for row in group.rows}
    assert isinstance(rows["keypad"], SwitchRow)
    assert rows["keypad"].on
    assert rows["autostart"].on  # type: ignore[union-attr] # a switch
    done = rows["done_seconds"]
    assert isinstance(done, ChoiceRow)
    assert done.options[done.current].label == "10 seconds"


def test_values_outside_the_usual_ones_are_shown_too() -> None:
    store = store_of(done_seconds=7, proxy="http://proxy.example:3128")
    rows = {row.name: row for group in present_settings(store, starts_itself=False).groups for row in group.rows}
    for name, label in (("done_seconds", "7 seconds"), ("proxy", "http://proxy.example:3128")):
        row = rows[name]
        assert isinstance(row, ChoiceRow)
        assert row.options[row.current].label == label


def test_the_environment_is_offered_where_the_package_has_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "environment" in present_settings(store_of(), starts_itself=False).names
    monkeypatch.setattr(profile, "ENVIRONMENTS", ("production",))
    assert "environment" not in present_settings(store_of(), starts_itself=False).names


def test_a_switch_changes_the_setting_at_once(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    QTest.mouseClick(bench.switch("keypad"), Qt.MouseButton.LeftButton)
    assert bench.store.settings.keypad
    assert bench.switch("keypad").isChecked()
    QTest.keyClick(bench.switch("keypad"), Qt.Key.Key_Space)
    assert not bench.store.settings.keypad


def test_a_click_on_the_words_moves_the_switch(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    QTest.mouseClick(bench.page._rows["keypad"], Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert bench.store.settings.keypad


def test_a_choice_changes_the_setting_at_once(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    bench.pick("theme", 2)
    assert bench.store.settings.theme == "dark"
    bench.pick("done_seconds", 4)
    assert bench.store.settings.done_seconds == 0


def test_the_wheel_changes_nothing_on_its_way(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    box = bench.choice("theme")
    box.setFocus()
    middle = box.rect().center().toPointF()
    none = Qt.KeyboardModifier.NoModifier
    wheel = QWheelEvent(
        middle, middle, QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton, none, Qt.ScrollPhase.NoScrollPhase, False
    )
    box.wheelEvent(wheel)
    assert not wheel.isAccepted()
    assert bench.store.settings.theme == "system"


def test_what_the_organisation_set_is_locked_and_says_so(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of({"allow_show_pin": False, "theme": "dark"}))
    for control in (bench.switch("allow_show_pin"), bench.choice("theme")):
        assert not control.isEnabled()
        assert control.accessibleDescription() == "This setting is managed by your organisation."
    QTest.mouseClick(bench.page._rows["allow_show_pin"], Qt.MouseButton.LeftButton, pos=QPoint(20, 20))
    assert not bench.store.settings.allow_show_pin
    assert bench.page._rows["allow_show_pin"]._lock.isVisible()
    assert not bench.page._rows["keypad"]._lock.isVisible()


def test_what_cannot_be_saved_is_told_and_the_switch_stays(qtbot: QtBot) -> None:
    own = Values(Authority.USER, {})
    bench = Bench(qtbot, SettingsStore([], own))
    own.failing = SithsError(Failure.SETTINGS_NOT_SAVED, "disk full")
    bench.switch("keypad").click()
    assert not bench.switch("keypad").isChecked()
    assert "A961" in bench.notice()
    own.failing = None
    bench.switch("keypad").click()
    assert bench.switch("keypad").isChecked()
    assert bench.notice() == ""


def test_a_file_that_cannot_be_used_is_told(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of(unknown=1))
    assert "A904" in bench.notice()
    assert "not in use" in bench.notice()


def test_a_change_from_elsewhere_is_drawn(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    bench.store.set("keypad", True)
    assert bench.switch("keypad").isChecked()


def test_autostart_is_the_desktops_and_kept_as_the_persons_choice(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    bench.switch("autostart").click()
    assert bench.starting.on
    assert bench.store.settings.autostart is True
    bench.switch("autostart").click()
    assert not bench.starting.on
    assert bench.store.settings.autostart is False


def test_what_the_desktop_refuses_is_not_kept(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    bench.starting.refuses = True
    bench.switch("autostart").click()
    assert "A962" in bench.notice()
    assert bench.store.settings.autostart is None
    assert not bench.switch("autostart").isChecked()


def test_resetting_asks_first(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of(keypad=True, theme="dark", log_level="debug"))
    reset = bench.page._reset
    reset.ask.click()
    assert bench.window.focusWidget() is reset.cancel
    reset.cancel.click()
    assert bench.store.settings.keypad
    reset.ask.click()
    reset.reset.click()
    assert (bench.store.settings.keypad, bench.store.settings.theme) == (False, "system")
    assert bench.store.settings.log_level == "debug"  # not of this page
    assert reset.ask.isVisible()


def test_the_page_speaks_both_languages(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    set_language("sv")
    bench.page.retranslate()
    assert bench.page.title() == "Inställningar"
    assert bench.switch("keypad").accessibleName() == "Visa knappsats för pekskärm"
    assert bench.choice("theme").currentText() == "Samma som systemet"


def test_controls_have_names_and_roles(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of())
    for row in bench.page._rows.values():
        seen = QAccessible.queryAccessibleInterface(row.control)
        assert seen is not None
        wanted = QAccessible.Role.CheckBox if isinstance(row.control, Switch) else QAccessible.Role.ComboBox
        assert (seen.role(), bool(seen.text(QAccessible.Text.Name))) == (wanted, True)


def test_every_control_can_be_reached_with_tab(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of({"theme": "dark"}))
    wanted = [row.control for row in bench.page._rows.values() if row.control.isEnabled()]
    wanted[0].setFocus()
    reached = [bench.page.focusWidget()]
    for _ in range(len(wanted) + 3):
        QTest.keyClick(reached[-1], Qt.Key.Key_Tab)
        reached.append(bench.page.focusWidget())
    assert [widget for widget in reached if widget in wanted][: len(wanted)] == wanted
    assert bench.page._test.button in reached
    assert bench.page._reset.ask in reached


def test_nothing_is_cut_off_at_twice_the_size(qtbot: QtBot) -> None:
    bench = Bench(qtbot, store_of({"allow_show_pin": False}), body=30)
    rows = bench.page._rows.values()
    qtbot.waitUntil(lambda: not any(map(_breaks_a_word, rows)), timeout=5000)
    for row in rows:
        assert row.control.geometry().right() <= row.width()
        assert row.control.height() >= row.control.sizeHint().height()
        assert row._label.height() >= row._label.heightForWidth(row._label.width())


def _breaks_a_word(row: SettingRow) -> bool:
    words = row._label.text().split()
    return row._label.width() < max(map(row._label.fontMetrics().horizontalAdvance, words))


class TestConnection:
    """The button that tries the services."""

    def test_each_answer_is_shown_as_it_comes(self, qtbot: QtBot) -> None:
        attempt = Answers(Reached(NAMES, None), Reached(NAMES, Failure.SERVICE_UNREACHABLE))
        bench = Bench(qtbot, store_of(environment="demo", services=[SERVICE]), attempt)
        test = bench.page._test
        test.button.click()
        assert not test.button.isEnabled()
        attempt.go.set()
        qtbot.waitUntil(test.button.isEnabled, timeout=5000)
        good, bad = test._results()
        assert good == (True, "Example Region: The connection works")
        assert not bad[0]
        assert "N403" in bad[1]
        assert test._lines.count() == 2

    def test_without_services_it_says_whom_to_ask(self, qtbot: QtBot) -> None:
        bench = Bench(qtbot, store_of())
        assert [words for _, words in bench.page._test._results()] == [
            "No authentication service is set up. Contact local IT."
        ]

    def test_answers_for_other_settings_are_forgotten(self, qtbot: QtBot) -> None:
        attempt = Answers(Reached(NAMES, None))
        bench = Bench(qtbot, store_of(environment="demo", services=[SERVICE]), attempt)
        bench.page._test.button.click()
        bench.store.set("proxy", "none")
        assert attempt.cancelled
        assert bench.page._test.button.isEnabled()
        assert bench.page._test._results() == []


def test_the_main_window_leads_to_the_page(qtbot: QtBot) -> None:
    window = MainWindow(services())
    qtbot.addWidget(window)
    window.open(Place.SETTINGS)
    assert isinstance(window.page(Place.SETTINGS), SettingsPage)
    focused = window.focusWidget()
    assert focused is not None
    assert focused.accessibleName() == "Settings"
