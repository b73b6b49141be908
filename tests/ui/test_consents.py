# SPDX-License-Identifier: EUPL-1.2
"""A program asks for the card: the window says who and what for, and every way out ends the wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sithsapp.card.model import CardId, CardsState, PinRole, Slot, SlotStatus
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure
from sithsapp.mtls.interaction import CardWanted, KeyGranted, KeyRequest, Program
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.mtls.consents import Consents, Question
from sithsapp.ui.mtls.window import ConsentWindow
from sithsapp.ui.order.window import OrderWindow
from sithsapp.ui.paged import code_is_asked
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets.pin_edit import PinEdit
from sithsapp.ui.widgets.text import Text
from tests.ui import samples
from tests.ui.mtls_samples import PURPOSE, request
from tests.ui.pointing import button, code_field, order_window, show, visible


class Screen:
    """The consents with their window; a question is asked from a thread, as the helper does."""

    def __init__(self, qtbot: QtBot) -> None:
        self.qtbot = qtbot
        self.busy = False
        self.consents = Consents(self._make, lambda: self.busy, lambda: samples.EMPTY)
        self.answers: list[KeyGranted | None] = []

    def _make(self) -> ConsentWindow:
        window = ConsentWindow(samples.describe, Theme(LIGHT), session_seconds=3600)
        self.qtbot.addWidget(window)
        return window

    @property
    def window(self) -> ConsentWindow:
        window = self.consents.window
        assert window is not None
        return window

    def ask(self, asked: KeyRequest | None = None, *, shown: bool = True) -> threading.Thread:
        thread = threading.Thread(target=lambda: self.answers.append(self.consents.ask(asked or request())))
        thread.start()
        if shown:
            self.qtbot.waitUntil(lambda: self.consents.window is not None and self.window.isVisible())
            self.window._quiet._until = 0.0
        return thread

    def finish(self, thread: threading.Thread) -> KeyGranted | None:
        self.qtbot.waitUntil(lambda: not thread.is_alive())
        return self.answers[-1]

    def texts(self) -> str:
        return "\n".join(text.text() for text in visible(self.window, Text))


@pytest.fixture
def screen(qtbot: QtBot) -> Screen:
    return Screen(qtbot)


def digits(granted: KeyGranted | None) -> bytes:
    assert granted is not None
    assert isinstance(granted.pin, Pin)
    with granted.pin.once() as code:
        return bytes(code)


def test_the_window_names_program_server_and_how_long(screen: Screen) -> None:
    thread = screen.ask()
    texts = screen.texts()
    assert "journal.example.se" in texts
    assert "curl wants to log in there with your card" in texts
    assert "/usr/bin/curl (process 4711)" in texts
    assert "60 minutes, or until the card is removed" in texts
    assert screen.window.windowTitle() == "curl wants to reach journal.example.se with your card"
    screen.consents.close()
    assert screen.finish(thread) is None


def test_a_code_is_the_consent(screen: Screen) -> None:
    thread = screen.ask()
    QTest.keyClicks(code_field(screen.window), "804913")
    QTest.keyClick(code_field(screen.window), Qt.Key.Key_Return)
    assert digits(screen.finish(thread)) == b"804913"
    assert "Identifying …" in screen.texts()
    screen.consents.ended(PURPOSE, None)
    screen.qtbot.waitUntil(lambda: not screen.window.isVisible())


@pytest.mark.parametrize(
    "leave", [lambda window: button(window, "Cancel").click(), lambda w: QTest.keyClick(w, Qt.Key.Key_Escape)]
)
def test_a_refusal_ends_the_wait(screen: Screen, leave: Callable[[ConsentWindow], None]) -> None:
    thread = screen.ask()
    leave(screen.window)
    assert screen.finish(thread) is None
    assert not screen.window.isVisible()


def test_the_title_bars_button_refuses(screen: Screen) -> None:
    thread = screen.ask()
    screen.window.close()
    assert screen.finish(thread) is None


def test_time_runs_out(screen: Screen) -> None:
    thread = screen.ask(request(seconds=1.5))
    assert screen.finish(thread) is None
    screen.qtbot.waitUntil(lambda: not screen.window.isVisible())


def test_a_code_that_comes_too_late_is_wiped_and_not_used() -> None:
    question, late = Question(request()), Pin(bytearray(b"804913"))
    question.settle(None)
    question.settle(KeyGranted(late))
    assert question.wait() is None
    assert len(late) == 0


def test_a_card_that_goes_takes_the_question_with_it(screen: Screen) -> None:
    thread = screen.ask()
    screen.consents.cards_changed(samples.READY)
    assert screen.consents.is_open
    screen.consents.cards_changed(samples.EMPTY)
    assert screen.finish(thread) is None
    screen.consents.ended(PURPOSE, Failure.CANCELLED_BY_USER)  # what the helper makes of it
    QTest.qWait(0)
    assert "The card was removed" in screen.texts()


def test_leaving_the_screen_refuses_and_wipes(screen: Screen) -> None:
    thread = screen.ask()
    field = code_field(screen.window)
    QTest.keyClicks(field, "8049")
    screen.consents.give_up()
    assert screen.finish(thread) is None
    assert field.count == 0


def test_a_wrong_code_is_told_in_the_same_window(screen: Screen) -> None:
    thread = screen.ask(request(failure=Failure.PIN_WRONG, pin=replace(samples.AUTH_PIN, tries_left=2)))
    assert "You have 2 attempts left." in screen.texts()
    screen.consents.close()
    screen.finish(thread)


def test_the_last_try_is_asked_for_first(screen: Screen) -> None:
    thread = screen.ask(request(pin=replace(samples.AUTH_PIN, tries_left=1)))
    button(screen.window, "Use the last attempt").click()
    QTest.keyClicks(code_field(screen.window), "804913")
    button(screen.window, "Identify").click()
    granted = screen.finish(thread)
    assert granted is not None
    assert granted.last_try_ok
    granted.pin.wipe()


def test_a_failure_afterwards_says_why(screen: Screen) -> None:
    thread = screen.ask()
    QTest.keyClicks(code_field(screen.window), "804913")
    button(screen.window, "Identify").click()
    granted = screen.finish(thread)
    assert granted is not None
    granted.pin.wipe()
    screen.consents.ended(PURPOSE, Failure.PIN_LOCKED)
    screen.qtbot.waitUntil(lambda: "P302" in screen.texts())
    wishes: list[tuple[Wish, CardId | None]] = []
    screen.window.code_wanted.connect(lambda wish, card: wishes.append((wish, card)))
    button(screen.window, "Unlock with PUK code").click()
    assert wishes == [(Wish(Kind.UNBLOCK, PinRole.AUTH), samples.CARD.id)]
    assert not screen.window.isVisible()


def test_a_failure_without_a_question_opens_no_window(screen: Screen) -> None:
    screen.consents.ended(PURPOSE, Failure.PIN_LOCKED)
    QTest.qWait(0)
    assert screen.consents.window is None


def test_a_question_waits_while_another_window_asks(screen: Screen) -> None:
    screen.busy = True
    thread = screen.ask(shown=False)
    screen.qtbot.waitUntil(lambda: screen.consents.is_open)
    assert screen.consents.window is None
    screen.consents.other_window_closed()
    assert screen.consents.window is None
    screen.busy = False
    screen.consents.other_window_closed()
    assert screen.window.isVisible()
    screen.consents.close()
    assert screen.finish(thread) is None


def test_a_question_never_comes_between_a_person_and_another_code(screen: Screen) -> None:
    other = order_window()
    screen.qtbot.addWidget(other)
    screen.consents._is_busy = lambda: code_is_asked(ConsentWindow)
    show(other, samples.enter())
    thread = screen.ask(shown=False)
    screen.qtbot.waitUntil(lambda: screen.consents.is_open)
    assert screen.consents.window is None
    other.hide()
    screen.qtbot.waitUntil(lambda: screen.consents.window is not None and screen.window.isVisible())
    assert code_is_asked(OrderWindow)
    assert not code_is_asked(ConsentWindow)
    screen.consents.close()
    assert screen.finish(thread) is None
    assert not screen.consents._look.isActive()


def test_a_program_that_is_refused_again_and_again_is_muted(screen: Screen) -> None:
    for _ in range(3):
        thread = screen.ask()
        button(screen.window, "Cancel").click()
        screen.finish(thread)
    thread = screen.ask(shown=False)
    assert screen.finish(thread) is None
    assert not screen.window.isVisible()
    other = replace(PURPOSE, program=Program("/usr/bin/git", 12))
    thread = screen.ask(request(purpose=other))
    assert "/usr/bin/git (process 12)" in screen.texts()
    screen.consents.close()
    screen.finish(thread)


def test_a_card_is_asked_for_and_its_coming_ends_that(screen: Screen) -> None:
    wanted = CardWanted(PURPOSE, Failure.NO_CARD, time.monotonic() + 60)
    assert screen.consents.card_wanted(wanted)
    screen.qtbot.waitUntil(lambda: screen.consents.is_open)
    assert "Insert your card" in screen.texts()
    assert "/usr/bin/curl (process 4711)" in screen.texts()
    screen.consents.cards_changed(CardsState(True, (Slot(samples.READER, SlotStatus.READING),)))
    assert "Reading the card …" in screen.texts()
    wanted.settle()
    assert wanted.wait() is True
    screen.consents.cards_changed(samples.READY)
    thread = screen.ask()
    screen.qtbot.waitUntil(lambda: "Identification code" in screen.texts())
    screen.consents.close()
    screen.finish(thread)


def test_a_card_that_leads_to_no_question_closes_the_window(screen: Screen) -> None:
    wanted = CardWanted(PURPOSE, Failure.NO_CARD, time.monotonic() + 60)
    screen.consents.card_wanted(wanted)
    screen.qtbot.waitUntil(lambda: screen.consents.is_open)
    screen.consents.cards_changed(samples.READY)  # the window hears of the card before the wish is settled
    wanted.settle()
    screen.consents.ended(PURPOSE, None)
    screen.qtbot.waitUntil(lambda: not screen.window.isVisible(), timeout=10_000)


def test_a_card_that_will_not_do_is_told(screen: Screen) -> None:
    wanted = CardWanted(PURPOSE, Failure.NO_CARD, time.monotonic() + 60)
    screen.consents.card_wanted(wanted)
    screen.qtbot.waitUntil(lambda: screen.consents.is_open)
    wanted.settle()
    screen.consents.ended(PURPOSE, Failure.NO_SUITABLE_CERTIFICATE)
    screen.qtbot.waitUntil(lambda: Failure.NO_SUITABLE_CERTIFICATE.number in screen.texts())


def test_a_wish_that_was_met_before_it_was_seen_opens_no_window(screen: Screen) -> None:
    wanted = CardWanted(PURPOSE, Failure.NO_CARD, time.monotonic() + 60)
    wanted.settle()
    screen.consents.card_wanted(wanted)
    QTest.qWait(0)
    assert screen.consents.window is None


@pytest.mark.parametrize("how", ["button", "escape", "left", "closed"])
def test_no_card_is_a_refusal_however_it_is_said(screen: Screen, how: str) -> None:
    wanted = CardWanted(PURPOSE, Failure.NO_CARD, time.monotonic() + 60)
    screen.consents.card_wanted(wanted)
    screen.qtbot.waitUntil(lambda: screen.consents.is_open)
    screen.window._quiet._until = 0.0
    match how:
        case "button":
            button(screen.window, "Cancel").click()
        case "escape":
            QTest.keyClick(screen.window, Qt.Key.Key_Escape)
        case "left":
            screen.consents.give_up()
        case "closed":
            screen.consents.close()
    assert wanted.wait() is False
    assert not screen.window.isVisible()
    assert screen.consents.card_wanted(wanted) is (how != "closed")


def test_a_wish_for_a_card_ends_with_its_time(screen: Screen) -> None:
    wanted = CardWanted(PURPOSE, Failure.NO_CARD, time.monotonic() - 1)
    screen.consents.card_wanted(wanted)
    screen.qtbot.waitUntil(lambda: screen.consents.window is not None and screen.window.isVisible())
    assert wanted.wait() is None
    screen.consents.ended(PURPOSE, Failure.CANCELLED_BY_USER)
    screen.qtbot.waitUntil(lambda: not screen.window.isVisible())


def test_a_program_may_have_a_hostile_name(screen: Screen) -> None:
    hostile = Program("/tmp/<b>journal</b>\n\u202egnp.exe" + "x" * 500, 1)
    thread = screen.ask(request(purpose=replace(PURPOSE, program=hostile)))
    assert "\u202e" not in screen.texts()
    assert all(label.textFormat() is Qt.TextFormat.PlainText for label in visible(screen.window, Text))
    assert screen.window.width() == 456
    screen.consents.close()
    screen.finish(thread)


def test_typing_meant_for_another_window_does_not_consent(screen: Screen) -> None:
    thread = screen.ask()
    screen.window._quiet.begin()
    QTest.keyClicks(code_field(screen.window), "804913")
    QTest.keyClick(code_field(screen.window), Qt.Key.Key_Return)
    assert thread.is_alive()
    assert code_field(screen.window).count == 0
    screen.consents.close()
    assert screen.finish(thread) is None


def test_a_language_changes_under_the_question(screen: Screen) -> None:
    from sithsapp.locale import set_language

    thread = screen.ask()
    set_language("sv")
    screen.window.retranslate()
    assert "curl vill logga in där med ditt kort" in screen.texts()
    screen.consents.close()
    screen.finish(thread)


def test_on_a_reader_with_keys_the_code_is_typed_there(screen: Screen) -> None:
    asked = request()
    thread = screen.ask(replace(asked, card=replace(asked.card, pin_pad=PinPad(changes=False))))
    assert "You enter your identification code on the card reader." in screen.texts()
    assert not visible(screen.window, PinEdit)
    button(screen.window, "Identify").click()
    granted = screen.finish(thread)
    assert granted is not None
    assert isinstance(granted.pin, PadEntry)
    assert "Enter the code on the card reader" in screen.texts()
