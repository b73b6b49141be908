# SPDX-License-Identifier: EUPL-1.2
"""Tray, orders and overview together, with a card service and a flow of the test's own."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon
from pytestqt.qtbot import QtBot

from sithsapp.card.model import CardsState, PinRole
from sithsapp.desktop.presence import Presence
from sithsapp.desktop.single_instance import Message
from sithsapp.failures import Failure
from sithsapp.oob.interaction import (
    CancelRequested,
    Event,
    Finished,
    Opening,
    SessionLocked,
    UserInteraction,
    View,
    Working,
)
from sithsapp.oob.protocol.launch import LaunchUrl
from sithsapp.oob.protocol.secret import Secret
from sithsapp.support.state import Glyph, ServiceHealth
from sithsapp.ui.app import App
from sithsapp.ui.main.place import Place
from sithsapp.ui.order.orders import Orders
from sithsapp.ui.order.window import OrderWindow
from sithsapp.ui.tray.icons import PICTURE, SIZES, tray_icon
from sithsapp.ui.tray.painting import paint_all
from sithsapp.ui.tray.tasks import TrayTask
from sithsapp.ui.tray.tray import Tray
from sithsapp.ui.widgets.button import Button
from sithsapp.ui.widgets.text import Text
from tests.parts.settings import store_of
from tests.ui import samples
from tests.ui.pointing import button, order_window, settle, visible

if TYPE_CHECKING:
    from sithsapp.card.service import CardService

LINK = "siths:start?v=1&s=demo&t=" + "A" * 43


class Cards:
    """A card service that says what it is told to."""

    def __init__(self) -> None:
        self.state = CardsState()
        self.reread_readers: list[str] = []
        self.closed = False
        self.refreshed = 0
        self._listeners: list[Callable[[CardsState], None]] = []

    def start(self) -> None:
        """Begin nothing."""

    def close(self) -> None:
        self.closed = True

    def subscribe(self, listener: Callable[[CardsState], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def reread(self, reader: str) -> None:
        self.reread_readers.append(reader)

    def refresh(self) -> None:
        self.refreshed += 1

    def become(self, state: CardsState) -> None:
        """Tell of `state` from another thread, as card threads do."""
        self.state = state
        thread = threading.Thread(target=lambda: [listener(state) for listener in self._listeners])
        thread.start()
        thread.join(5)


class Flow:
    """A flow that shows what the test says."""

    def __init__(self, start: LaunchUrl, interaction: UserInteraction) -> None:
        self.interaction = interaction
        self.events: list[Event] = []
        self.started = False

    def start(self) -> None:
        self.started = True
        self.show(Opening())

    def post(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, CancelRequested):
            self.show(Finished(samples.opened(), Failure.CANCELLED_BY_USER))

    def join(self, timeout: float | None = None) -> bool:
        return True

    def show(self, view: View) -> None:
        """Show from a thread of its own, as flows do."""
        thread = threading.Thread(target=self.interaction.show, args=(view,))
        thread.start()
        thread.join(5)


@pytest.fixture
def cards() -> Cards:
    return Cards()


@pytest.fixture
def flows() -> list[Flow]:
    return []


@pytest.fixture
def app(qtbot: QtBot, cards: Cards, flows: list[Flow], monkeypatch: pytest.MonkeyPatch) -> Iterator[App]:
    def make(_app: App, start: LaunchUrl, interaction: UserInteraction) -> Flow:
        flows.append(Flow(start, interaction))
        return flows[-1]

    monkeypatch.setattr(App, "_make_flow", make)
    made = App(store_of(environment="demo", language="en"), cast("CardService", cards), Tray())
    yield made
    made.close()
    codes = made._codes.window if made._codes is not None else None
    for window in (made._main, made._orders.window, codes):
        if window is not None:
            window.hide()
            window.deleteLater()
    _end(made)


def _end(app: App) -> None:
    """Let go of an app, which would follow the desktop's changes in the tests that come."""
    app.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def _start(app: App, launch: Message, *, hidden: bool) -> None:
    """Start, and let what follows the icon happen."""
    app.start(launch, hidden=hidden)
    for _ in range(3):
        QApplication.processEvents()


def _launch(orders: Orders, *, may_stay_silent: bool = True) -> None:
    orders.launch(LaunchUrl("demo", Secret("A" * 43)), may_stay_silent=may_stay_silent)
    QApplication.processEvents()


def _words(app: App) -> list[str]:
    """Return what can be read in the main window."""
    assert app._main is not None
    return [text.text() for text in visible(app._main, Text)]


def _tooltip(app: App) -> str:
    return app._tray._icon.toolTip()


def test_the_tray_follows_the_cards(qtbot: QtBot, app: App, cards: Cards) -> None:
    _start(app, Message(), hidden=True)
    assert "Starting" in _tooltip(app)
    cards.become(CardsState())
    qtbot.waitUntil(lambda: "No card reader" in _tooltip(app), timeout=3000)
    cards.become(samples.READY)
    qtbot.waitUntil(lambda: "The card" in _tooltip(app) or "certificates" in _tooltip(app), timeout=3000)
    cards.become(samples.EMPTY)
    qtbot.waitUntil(lambda: "No card in the reader" in _tooltip(app), timeout=3000)


def test_tooltip_and_menu_never_name_the_holder(
    qtbot: QtBot, app: App, cards: Cards, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sithsapp.ui.app.describe", samples.describe)
    monkeypatch.setattr("sithsapp.ui.app.valid_until", lambda credential: samples.HOLDER.valid_until)
    _start(app, Message(), hidden=False)
    cards.become(samples.READY)
    qtbot.waitUntil(lambda: "The card is ready" in _tooltip(app), timeout=3000)
    assert app._main is not None
    assert "Anna Andersson" in _words(app)
    words = [action.text() for action in app._tray._menu.actions()]
    assert not any("Anna" in text or "1A2B" in text for text in (*words, _tooltip(app)))


def test_hidden_means_hidden(app: App) -> None:
    _start(app, Message(), hidden=True)
    assert app._main is None
    assert not [widget for widget in QApplication.topLevelWidgets() if widget.isVisible() and not _is_menu(widget)]


def _is_menu(widget: object) -> bool:
    return isinstance(widget, QMenu)


def test_a_second_start_opens_the_main_window(qtbot: QtBot, app: App) -> None:
    _start(app, Message(), hidden=True)
    app.arrivals.take_message(Message())
    qtbot.waitUntil(lambda: app._main is not None and app._main.isVisible(), timeout=3000)
    assert app._main is not None
    app._main.close()
    app.arrivals.take_message(Message())
    qtbot.waitUntil(app._main.isVisible, timeout=3000)


def test_a_link_opens_an_order_and_the_tray_says_so(qtbot: QtBot, app: App, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    assert [flow.started for flow in flows] == [True]
    assert "A service is waiting for you" in _tooltip(app)
    flows[0].show(samples.enter())
    window = app._orders.window
    assert window is not None
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Journalen"), timeout=3000)
    flows[0].show(Finished(samples.opened(), Failure.ORDER_EXPIRED))
    qtbot.waitUntil(lambda: "waiting" not in _tooltip(app), timeout=3000)
    assert window.isVisible()


def test_a_bad_link_opens_no_order_and_says_so(qtbot: QtBot, app: App, flows: list[Flow]) -> None:
    _start(app, Message(), hidden=True)
    app.arrivals.take_message(Message("siths:other"))
    QApplication.processEvents()
    assert flows == []
    window = app._orders.window
    assert window is not None
    assert "The link cannot be opened" in [text.text() for text in visible(window, Text)]


def test_a_second_link_while_one_is_open_brings_the_first_forward(app: App, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    app._receive(Message(LINK))
    assert len(flows) == 1


def _another(letter: str) -> Message:
    return Message(LINK[:-1] + letter)


def test_another_link_waits_for_the_end_of_the_first(qtbot: QtBot, app: App, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    qtbot.waitUntil(lambda: len(flows) == 1)
    flows[0].show(samples.enter())
    app._receive(_another("E"))
    app._receive(_another("E"))
    window = app._orders.window
    assert window is not None
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Journalen"))
    assert "1 more request waiting" in [text.text() for text in visible(window, Text)]
    flows[0].show(Finished(samples.opened()))
    qtbot.waitUntil(lambda: not app._orders.is_open)
    assert len(flows) == 1  # the end of the first one is still on the screen
    window.hide()
    qtbot.waitUntil(lambda: len(flows) == 2)
    assert window.isVisible()


def test_an_update_is_advised_after_an_order_until_the_service_is_content(
    qtbot: QtBot, app: App, cards: Cards, flows: list[Flow]
) -> None:
    cards.state = samples.READY
    advised = replace(samples.opened(), update_advised=True)
    for opened, health in ((advised, ServiceHealth.ADVISES_UPDATE), (samples.opened(), ServiceHealth.FINE)):
        _launch(app._orders)
        flows[-1].show(Finished(opened))
        qtbot.waitUntil(lambda: not app._orders.is_open)
        assert app._orders.health is health


def test_links_that_wait_are_bounded_and_go_with_the_person(qtbot: QtBot, app: App, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    qtbot.waitUntil(lambda: len(flows) == 1)
    for letter in "EIMQUY":
        app._receive(_another(letter))
    assert len(app._orders._waiting) == 3
    app._orders.session_locked()
    flows[0].show(Finished(samples.opened(), Failure.SESSION_LOCKED))
    qtbot.waitUntil(lambda: not app._orders.is_open)
    assert app._orders.window is not None
    app._orders.window.hide()
    QApplication.processEvents()
    assert len(flows) == 1


def test_links_that_wait_fall_silent_after_repeated_declines(
    qtbot: QtBot, app: App, flows: list[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tray, "is_available", staticmethod(lambda: True))
    _start(app, Message(LINK), hidden=True)
    qtbot.waitUntil(lambda: len(flows) == 1)
    for letter in "EIM":
        app._receive(_another(letter))
    for number in range(3):
        qtbot.waitUntil(lambda number=number: len(flows) == number + 1)  # type: ignore[misc] # bound to the round
        assert app._orders.window is not None
        app._orders.window.reject()
        qtbot.waitUntil(lambda number=number: not app._orders.is_open or len(flows) > number + 1)  # type: ignore[misc] # bound to the round
    QApplication.processEvents()
    assert len(flows) == 3
    assert app._orders.is_waiting


def test_the_activation_token_reaches_qt(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("XDG_ACTIVATION_TOKEN", "before")
    _start(app, Message(), hidden=True)
    app._receive(Message(None, "token-7"))
    assert os.environ["XDG_ACTIVATION_TOKEN"] == "token-7"


def test_closing_gives_the_order_up_and_lets_go_of_the_cards(app: App, cards: Cards, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    app.close()
    assert flows[0].events == [CancelRequested()]
    assert cards.closed


def test_the_card_can_be_read_again(qtbot: QtBot, app: App, cards: Cards) -> None:
    _start(app, Message(), hidden=True)
    cards.become(samples.EMPTY)
    qtbot.waitUntil(lambda: "No card in" in _tooltip(app), timeout=3000)
    app._tray._reread.trigger()
    assert cards.reread_readers == [samples.READER]


def test_the_language_changes_at_once(app: App) -> None:
    _start(app, Message(), hidden=False)
    app._tray._language_actions["sv"].trigger()
    assert "Ingen kortläsare" in _tooltip(app)
    assert app._tray._quit.text() == "Avsluta"
    assert app._main is not None
    assert "Ingen kortläsare" in _words(app)


def test_the_environment_is_told(app: App) -> None:
    _start(app, Message(), hidden=True)
    assert "Demo" in _tooltip(app)


class TestOrders:
    """Orders one after another."""

    @pytest.fixture
    def orders(self, qtbot: QtBot, flows: list[Flow]) -> Orders:
        def make(start: LaunchUrl, interaction: UserInteraction) -> Flow:
            flows.append(Flow(start, interaction))
            return flows[-1]

        window = order_window()
        qtbot.addWidget(window)
        return Orders(make, lambda: window)

    @staticmethod
    def _decline(qtbot: QtBot, orders: Orders, flow: Flow) -> None:
        flow.post(CancelRequested())
        qtbot.waitUntil(lambda: not orders.is_open, timeout=3000)

    def test_after_repeated_declines_a_link_waits_silently(
        self, qtbot: QtBot, orders: Orders, flows: list[Flow]
    ) -> None:
        for number in range(3):
            _launch(orders)
            self._decline(qtbot, orders, flows[number])
        _launch(orders)
        assert len(flows) == 3
        assert orders.is_waiting
        assert orders.bring_forward()
        qtbot.waitUntil(lambda: len(flows) == 4, timeout=3000)

    def test_without_a_tray_no_link_stays_silent(self, qtbot: QtBot, orders: Orders, flows: list[Flow]) -> None:
        for number in range(4):
            _launch(orders, may_stay_silent=False)
            self._decline(qtbot, orders, flows[number])
        assert len(flows) == 4

    def test_a_locked_session_ends_the_order(self, orders: Orders, flows: list[Flow]) -> None:
        orders.session_locked()
        _launch(orders)
        orders.session_locked()
        assert flows[0].events == [SessionLocked()]

    def test_a_late_view_of_an_ended_order_is_not_shown(
        self, qtbot: QtBot, orders: Orders, flows: list[Flow]
    ) -> None:
        _launch(orders)
        first = flows[0]
        self._decline(qtbot, orders, first)
        _launch(orders)
        flows[1].show(samples.enter())
        window = orders.window
        assert window is not None
        qtbot.waitUntil(lambda: window.windowTitle().startswith("Journalen"), timeout=3000)
        assert orders.is_open


@pytest.mark.parametrize("glyph", Glyph)
def test_tray_icons_have_every_size_and_differ(glyph: Glyph) -> None:
    icon = tray_icon(glyph)
    assert {size.width() for size in icon.availableSizes()} == set(SIZES)
    others = [tray_icon(other).pixmap(24, 24).toImage() for other in Glyph if other is not glyph]
    assert icon.pixmap(24, 24).toImage() not in others


def test_the_picture_of_the_icons_is_what_is_painted(qtbot: QtBot) -> None:
    painted, kept = paint_all(), QImage(str(PICTURE))
    assert painted.size() == kept.size()
    pixels = [(x, y) for x in range(0, kept.width(), 3) for y in range(0, kept.height(), 3)]
    assert all(abs(painted.pixelColor(*p).alpha() - kept.pixelColor(*p).alpha()) <= 2 for p in pixels)


def test_views_are_shown_in_the_thread_of_the_window(
    qtbot: QtBot, app: App, flows: list[Flow], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[threading.Thread] = []
    monkeypatch.setattr(OrderWindow, "show_view", lambda window, view: seen.append(threading.current_thread()))
    _start(app, Message(LINK), hidden=True)
    flows[0].show(samples.enter())
    qtbot.waitUntil(lambda: len(seen) == 2, timeout=3000)
    assert set(seen) == {threading.main_thread()}


def test_the_tray_is_asked_for_only_where_there_is_one(app: App) -> None:
    assert app._tray.is_available() == QSystemTrayIcon.isSystemTrayAvailable()


def test_no_state_of_cards_breaks_the_overview(qtbot: QtBot, app: App, cards: Cards) -> None:
    _start(app, Message(), hidden=False)
    pins = tuple(replace(pin, blocked=True, tries_left=0) for pin in samples.CARD.pins)
    for slot in (*samples.READY.slots, *samples.EMPTY.slots):
        for failure in (None, Failure.CARD_MUTE):
            card = None if slot.card is None else replace(slot.card, pins=pins)
            app._show_cards(CardsState(True, (replace(slot, card=card, failure=failure),)))
            assert app._main is not None
            assert app._state.title in _words(app)


class TestNotes:
    """What the desktop is asked to tell."""

    @pytest.fixture
    def notes(self, app: App, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Let the app believe in a tray, and return the titles of the notes shown there."""
        shown: list[str] = []
        monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "")
        monkeypatch.setattr(Tray, "is_available", staticmethod(lambda: True))
        monkeypatch.setattr(Tray, "is_shown", True)
        monkeypatch.setattr(Tray, "show_message", lambda tray, title, text: shown.append(title))
        return shown

    def test_certificates_that_end_soon_are_told_of_and_the_note_leads_to_the_overview(
        self, qtbot: QtBot, app: App, cards: Cards, notes: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ends = datetime.now(UTC) + timedelta(days=20, hours=1)
        monkeypatch.setattr("sithsapp.ui.app.valid_until", lambda credential: ends)
        _start(app, Message(), hidden=True)
        cards.become(samples.READY)
        qtbot.waitUntil(lambda: notes == ["The certificates expire in 20 days"], timeout=3000)
        cards.become(samples.EMPTY)
        cards.become(samples.READY)
        QApplication.processEvents()
        assert len(notes) == 1
        app._tray.message_clicked.emit()
        assert app._main is not None
        assert app._main.isVisible()
        assert app._main.place.value == "overview"

    def test_who_wants_no_reminders_gets_none(
        self, app: App, cards: Cards, notes: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        app._store.set("expiry_reminder", False)
        monkeypatch.setattr("sithsapp.ui.app.valid_until", lambda c: datetime.now(UTC) + timedelta(days=5))
        app._show_cards(samples.READY)
        assert notes == []
        assert app._notes._telling is None

    def test_a_request_that_waits_silently_is_told_of_and_opened_from_the_note(
        self, qtbot: QtBot, app: App, flows: list[Flow], notes: list[str]
    ) -> None:
        for number in range(3):
            app._receive(Message(LINK))
            QApplication.processEvents()
            flows[number].post(CancelRequested())
            qtbot.waitUntil(lambda: not app._orders.is_open, timeout=3000)
        app._receive(Message(LINK))
        assert notes == ["A service is waiting for you"]
        app._tray.message_clicked.emit()
        qtbot.waitUntil(lambda: len(flows) == 4, timeout=3000)

    def test_closing_the_window_the_first_time_is_explained(self, app: App, notes: list[str]) -> None:
        _start(app, Message(), hidden=False)
        for _ in range(2):
            assert app._main is not None
            app._main.close()
            app.open()
        assert notes == ["The app runs in the background"]


class TestSession:
    """Whether the person is at the screen."""

    def test_who_leaves_gives_the_order_up_and_who_returns_finds_fresh_readers(
        self, app: App, cards: Cards, flows: list[Flow]
    ) -> None:
        _start(app, Message(LINK), hidden=True)
        assert app._session is not None
        app._session.notice(Presence.LEFT)
        assert flows[0].events == [SessionLocked()]
        assert cards.refreshed == 0
        app._session.notice(Presence.RETURNED)
        app._session.notice(Presence.RETURNED)
        assert cards.refreshed == 1


class TestSettings:
    """What changes while the app runs."""

    def test_language_theme_and_options_follow_the_store(self, app: App, flows: list[Flow]) -> None:
        _start(app, Message(LINK), hidden=False)
        window = app._orders.window
        assert window is not None
        before = window._theme
        app._store.set("theme", "dark")
        app._store.set("language", "sv")
        app._store.set("done_seconds", 0)
        assert window._theme != before
        assert app._tray._quit.text() == "Avsluta"
        assert window._options.done_seconds == 0

    def test_a_choice_in_the_menu_is_kept(self, app: App) -> None:
        _start(app, Message(), hidden=True)
        app._tray._language_actions["sv"].trigger()
        assert app._store.settings.language == "sv"

    def test_the_environment_is_chosen_in_the_menu(self, app: App) -> None:
        _start(app, Message(), hidden=True)
        menu = app._tray._environments.menu
        assert menu.menuAction().isVisible()
        assert [(a.text(), a.isChecked()) for a in menu.actions()] == [
            ("Production", False),
            ("QA", False),
            ("Test", False),
            ("Demo", True),
        ]
        next(action for action in menu.actions() if action.data() == "test").trigger()
        assert app._store.settings.environment == "test"
        assert "Test" in _tooltip(app)

    def test_a_fixed_environment_is_not_offered(self, qtbot: QtBot, cards: Cards) -> None:
        store = store_of({"environment": "qa", "language": "en"})
        made = App(store, cast("CardService", cards), Tray())
        _start(made, Message(), hidden=True)
        assert not made._tray._environments.menu.menuAction().isVisible()
        assert not made._tray._languages.isEnabled()
        assert "QA" in _tooltip(made)
        made.close()
        _end(made)

    def test_the_icon_can_be_left_out(self, app: App) -> None:
        _start(app, Message(), hidden=True)
        app._tray.show()
        app._store.set("tray_icon", False)
        assert not app._tray._icon.isVisible()
        app._store.set("tray_icon", True)
        assert app._tray._icon.isVisible()

    def test_the_log_tells_as_much_as_the_setting_says(self, app: App) -> None:
        level = logging.getLogger().level
        try:
            app._store.set("log_level", "debug")
            assert logging.getLogger().level == logging.DEBUG
        finally:
            logging.getLogger().setLevel(level)

    def test_requests_lie_on_top_if_the_setting_says_so(self, app: App, flows: list[Flow]) -> None:
        app._store.set("on_top", False)
        _start(app, Message(LINK), hidden=True)
        window = app._orders.window
        assert window is not None
        assert not window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint
        window.hide()
        app._store.set("on_top", True)
        window.bring_forward()
        assert window.windowFlags() & Qt.WindowType.WindowStaysOnTopHint

    def test_starting_at_log_in_follows_the_setting(
        self, app: App, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "none"))
        app._store.set("autostart", True)
        assert (tmp_path / "autostart" / "sithsapp.desktop").is_file()
        app._store.reset(["autostart"])
        assert not (tmp_path / "autostart" / "sithsapp.desktop").exists()

    def test_what_the_organisation_decides_of_starting_is_done_at_the_next_start(
        self, cards: Cards, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
        monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "none"))
        made = App(store_of({"autostart": True, "language": "en"}), cast("CardService", cards), Tray())
        _start(made, Message(), hidden=True)
        assert (tmp_path / "autostart" / "sithsapp.desktop").is_file()
        made.close()
        _end(made)


def test_a_bad_link_never_takes_the_place_of_an_order(qtbot: QtBot, app: App, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    flows[0].show(samples.enter())
    window = app._orders.window
    assert window is not None
    qtbot.waitUntil(lambda: window.windowTitle().startswith("Journalen"), timeout=3000)
    app.arrivals.take_message(Message("siths:other"))
    QApplication.processEvents()
    assert window.windowTitle().startswith("Journalen")


def test_the_tray_leads_to_codes_and_pages(qtbot: QtBot, app: App, cards: Cards) -> None:
    _start(app, Message(), hidden=True)
    actions = app._tray._tasks._actions
    assert not actions[TrayTask.CHANGE_AUTH].isEnabled()
    assert not actions[TrayTask.UNLOCK].isEnabled()
    cards.become(samples.READY)
    qtbot.waitUntil(actions[TrayTask.CHANGE_AUTH].isEnabled, timeout=3000)
    actions[TrayTask.CHANGE_AUTH].trigger()
    assert app._codes is not None
    assert app._codes.window is not None
    assert app._codes.window.windowTitle() == "Change identification code"
    actions[TrayTask.UNLOCK].trigger()
    assert app._codes.window.windowTitle() == "Unlock identification code"
    app._codes.window.hide()
    for task in (TrayTask.CERTIFICATES, TrayTask.SETTINGS, TrayTask.HELP):
        actions[task].trigger()
        assert app._main is not None
        assert app._main.place is Place(task.value)


def test_the_tray_unlocks_the_code_that_is_locked(qtbot: QtBot, app: App, cards: Cards) -> None:
    _start(app, Message(), hidden=True)
    pins = tuple(replace(pin, blocked=pin.role is PinRole.SIGN) for pin in samples.CARD.pins)
    card = replace(samples.CARD, pins=pins)
    cards.become(replace(samples.READY, slots=(replace(samples.READY.slots[0], card=card),)))
    qtbot.waitUntil(app._tray._tasks._actions[TrayTask.UNLOCK].isEnabled, timeout=3000)
    app._tray._tasks._actions[TrayTask.UNLOCK].trigger()
    assert app._codes is not None
    assert app._codes.window is not None
    assert app._codes.window.windowTitle() == "Unlock signing code"
    app._codes.window.hide()


def test_a_locked_code_in_an_order_leads_to_the_puk(qtbot: QtBot, app: App, cards: Cards, flows: list[Flow]) -> None:
    cards.state = samples.READY
    _start(app, Message(LINK), hidden=True)
    flows[0].show(samples.enter())
    flows[0].show(Finished(samples.opened(), Failure.PIN_LOCKED))
    window = app._orders.window
    assert window is not None
    qtbot.waitUntil(lambda: not app._orders.is_open, timeout=3000)
    settle(window)
    button(window, "Unlock with PUK code").click()
    assert not window.isVisible()
    assert app._codes is not None
    assert app._codes.window is not None
    assert app._codes.window.windowTitle() == "Unlock identification code"
    app._codes.window.hide()


def test_the_tray_tells_how_far_an_order_is(qtbot: QtBot, app: App, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=True)
    flows[0].show(Working(samples.opened()))
    qtbot.waitUntil(lambda: "The card is working" in _tooltip(app), timeout=3000)
    flows[0].show(Finished(samples.opened(), None))
    qtbot.waitUntil(lambda: "The request is done" in _tooltip(app), timeout=3000)
    assert app._orders.window is not None
    app._orders.window.hide()
    qtbot.waitUntil(lambda: "done" not in _tooltip(app), timeout=3000)


def test_what_an_order_said_of_the_service_stays(qtbot: QtBot, app: App, cards: Cards, flows: list[Flow]) -> None:
    _start(app, Message(LINK), hidden=False)
    flows[0].show(Finished(samples.opened(), Failure.CLIENT_TOO_OLD))
    qtbot.waitUntil(lambda: not app._orders.is_open, timeout=3000)
    assert app._orders.window is not None
    app._orders.window.hide()
    qtbot.waitUntil(lambda: "The app must be updated" in _tooltip(app), timeout=3000)
    app.open_main()
    assert "The app must be updated" in _words(app)


def test_a_request_that_failed_leads_to_a_report_about_it(app: App, flows: list[Flow], qtbot: QtBot) -> None:
    app.start(Message(LINK, ""), hidden=True)
    qtbot.waitUntil(lambda: bool(flows) and flows[0].started)
    flows[0].show(Finished(samples.opened(), Failure.SERVICE_UNREACHABLE))
    QApplication.processEvents()
    window = app._orders.window
    assert window is not None
    settle(window)
    button(window, "Create an error report …").click()
    assert app._reporting is not None
    report = app._reporting.window
    assert report is not None
    qtbot.waitUntil(lambda: bool(report.parts()), timeout=30_000)
    assert report.parts()[0].text.startswith("N403 ")
    assert not window.isVisible()
    report.close()


@pytest.mark.parametrize("has_icon", [True, False])
def test_the_window_offers_to_quit_where_no_icon_does(
    app: App, monkeypatch: pytest.MonkeyPatch, has_icon: bool
) -> None:
    monkeypatch.setattr(app._tray, "is_available", lambda: has_icon)
    ended: list[int] = []
    monkeypatch.setattr(QApplication, "exit", ended.append)
    _start(app, Message(), hidden=False)
    assert app._main is not None
    offered = [b for b in visible(app._main, Button) if b.accessibleName() == "Quit"]
    assert bool(offered) is not has_icon
    for each in offered:
        each.click()
    assert ended == [0] * (not has_icon)


def test_no_window_is_imported_before_it_is_shown() -> None:
    code = (
        "import sys\n"
        "import sithsapp.ui.main_loop\n"
        "windows = ('main', 'codes', 'overview', 'settings', 'certificates', 'support', 'mtls')\n"
        "found = [w for w in windows if f'sithsapp.ui.{w}' in sys.modules]\n"
        "heavy = ('sithsapp.ui.theme', 'sithsapp.ui.order.window', 'cryptography')\n"
        "found += [m for m in heavy if m in sys.modules]\n"
        "sys.exit(' '.join(found) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_test_of_the_connection_says_how_the_service_is(qtbot: QtBot, app: App, cards: Cards) -> None:
    _start(app, Message(), hidden=False)
    cards.become(samples.READY)
    qtbot.waitUntil(lambda: app._state.slot is not None, timeout=3000)
    assert app._services is not None
    app._services.service_tried(Failure.SERVICE_UNREACHABLE)
    assert "No contact with the authentication service" in _tooltip(app)
    assert app._main is not None
    button(app._main, "Test the connection").click()
    assert app._main.place is Place.SETTINGS
    app._services.service_tried(None)
    assert "No contact" not in _tooltip(app)
