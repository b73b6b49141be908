# SPDX-License-Identifier: EUPL-1.2
"""Changing codes as a person does, with a card service of the test's own: what is sent, and what never is."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QFocusEvent, QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sithsapp.card.model import CardId, CardsState, PinRole, PinState, Slot, SlotStatus
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.ui.codes.codes import Codes
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.codes.window import CodesWindow
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import DARK, LIGHT
from sithsapp.ui.widgets.button import Button
from sithsapp.ui.widgets.pin_edit import PinEdit
from sithsapp.ui.widgets.text import Text
from tests.ui import samples
from tests.ui.pointing import button, visible

if TYPE_CHECKING:
    from sithsapp.card.service import CardService

OLD, NEW, PUK_CODE = "804913", "275918", "39517284"
CHANGE, UNBLOCK = Wish(Kind.CHANGE, PinRole.AUTH), Wish(Kind.UNBLOCK, PinRole.AUTH)
AFTER = PinState(PinRole.AUTH, 1, 3, blocked=False, min_length=6, max_length=8)


class Cards:
    """A card service that remembers what it was given, and answers when the test says so."""

    def __init__(self) -> None:
        self.state: CardsState = samples.READY
        self.sent: list[tuple[str, PinRole, tuple[str, ...], bool]] = []
        self.answer: Future[PinState] = Future()
        self.entry: PadEntry | None = None

    def change_pin(
        self, card: CardId, role: PinRole, old: Pin, new: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        return self._take("change", role, (old, new), last_try_ok)

    def unblock(
        self, card: CardId, role: PinRole, puk: Pin, new: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        return self._take("unblock", role, (puk, new), last_try_ok)

    def change_pin_on_pad(
        self, card: CardId, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        self.entry = entry
        return self._take("pad", role, (), last_try_ok)

    def _take(self, what: str, role: PinRole, pins: tuple[Pin, ...], last_try_ok: bool) -> Future[PinState]:
        codes = []
        for pin in pins:
            with pin.once() as digits:
                codes.append(digits.decode())
        self.sent.append((what, role, tuple(codes), last_try_ok))
        self.answer = Future()
        return self.answer


class Bench:
    """A code window over `Cards`."""

    def __init__(self, qtbot: QtBot) -> None:
        self.cards = Cards()
        self.window = CodesWindow(samples.describe, Theme(LIGHT))
        qtbot.addWidget(self.window)
        self.codes = Codes(cast("CardService", self.cards), lambda: self.window)

    def begin(self, wish: Wish = CHANGE) -> None:
        self.codes.begin(wish, samples.CARD_ID)
        QTest.qWaitForWindowActive(self.window)
        self.settle()

    def settle(self) -> None:
        """Let the quiet time be over, without waiting."""
        self.window._quiet._until = 0.0

    def fields(self) -> list[PinEdit]:
        return visible(self.window, PinEdit)

    def type(self, *codes: str) -> None:
        for field, code in zip(self.fields(), codes, strict=True):
            field.setFocus()
            field.wipe()
            QTest.keyClicks(field, code)

    def confirm(self, label: str = "Change code") -> None:
        button(self.window, label).click()

    def become(self, state: CardsState) -> None:
        self.cards.state = state
        self.codes.follow(state)

    def fail(self, failure: Failure, tries: int | None = None) -> None:
        self.cards.answer.set_exception(SithsError(failure, tries_left=tries))

    def texts(self) -> str:
        return "\n".join(text.text() for text in visible(self.window, Text))


@pytest.fixture
def bench(qtbot: QtBot) -> Iterator[Bench]:
    made = Bench(qtbot)
    yield made
    made.window.hide()


def _ready(*pins: PinState) -> CardsState:
    card = replace(samples.CARD, pins=pins or samples.CARD.pins)
    return CardsState(True, (Slot(samples.READER, SlotStatus.READY, card),))


def test_a_code_is_changed(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    assert bench.cards.sent == [("change", PinRole.AUTH, (OLD, NEW), False)]
    assert "Changing the code" in bench.texts()
    bench.cards.answer.set_result(AFTER)
    assert "The code is changed" in bench.texts()
    button(bench.window, "Close").click()
    assert not bench.window.isVisible()


def test_a_code_is_unlocked(bench: Bench) -> None:
    bench.begin(UNBLOCK)
    bench.type(PUK_CODE, NEW, NEW)
    bench.confirm("Unlock")
    assert bench.cards.sent == [("unblock", PinRole.AUTH, (PUK_CODE, NEW), False)]
    bench.cards.answer.set_result(AFTER)
    assert "Log in again with the new code." in bench.texts()


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        (("", NEW, NEW), "Enter your identification code."),
        ((OLD[:4], NEW, NEW), "The code is too short. It has at least 6 digits. No attempt was counted."),
        ((OLD, "", NEW), "Enter the new identification code."),
        ((OLD, NEW, NEW[::-1]), "The codes differ. Enter the same code in both fields."),
        ((OLD, OLD, OLD), "The new code is the same as the old one."),
        ((OLD, "123456", "123456"), "neither a run such as 123456"),
        ((OLD, "777777", "777777"), "neither a run such as 123456"),
        ((OLD, "556000", "556000"), "not part of your HSA-id"),
    ],
)
def test_what_breaks_a_rule_never_reaches_the_card(bench: Bench, codes: tuple[str, ...], text: str) -> None:
    bench.begin()
    bench.type(*codes)
    bench.confirm()
    assert bench.cards.sent == []
    assert text in bench.texts()


def test_a_code_that_is_easy_to_guess_may_be_insisted_on(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, "123456", "123456")
    bench.confirm()
    assert "Press the button again" in bench.texts()
    bench.confirm()
    assert bench.cards.sent == [("change", PinRole.AUTH, (OLD, "123456"), False)]


def test_insisting_does_not_hold_for_another_code(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, "123456", "123456")
    bench.confirm()
    bench.type(OLD, "777777", "777777")
    bench.confirm()
    assert bench.cards.sent == []


def test_the_organisation_may_refuse_codes_that_are_easy_to_guess(bench: Bench) -> None:
    bench.window.set_policy(EntryPolicy(), refuse_easy=True)
    bench.begin()
    bench.type(OLD, "123456", "123456")
    for _ in range(3):
        bench.confirm()
    assert bench.cards.sent == []
    assert "Press the button again" not in bench.texts()


def test_a_wrong_code_is_told_and_every_field_is_empty(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    bench.fail(Failure.PIN_WRONG, tries=2)
    assert "Wrong identification code. You have 2 attempts left." in bench.texts()
    assert [field.count for field in bench.fields()] == [0, 0, 0]


def test_the_last_try_needs_a_yes(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    bench.fail(Failure.PIN_WRONG, tries=1)
    assert bench.fields() == []
    button(bench.window, "Use the last attempt").click()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    assert bench.cards.sent[-1] == ("change", PinRole.AUTH, (OLD, NEW), True)


def test_a_locked_code_leads_to_the_puk(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    bench.cards.state = _ready(replace(samples.AUTH_PIN, blocked=True, tries_left=0), samples.SIGN_PIN, samples.PUK)
    bench.fail(Failure.PIN_LOCKED, tries=0)
    assert "6XX" in bench.texts()
    button(bench.window, "Unlock with PUK code").click()
    assert bench.window.windowTitle() == "Unlock identification code"
    assert len(bench.fields()) == 3


def test_a_card_that_leaves_takes_what_was_typed_with_it(bench: Bench) -> None:
    bench.begin()
    fields = bench.fields()
    bench.type(OLD, NEW, NEW)
    bench.become(samples.EMPTY)
    assert "The card was removed" in bench.texts()
    assert [field.count for field in fields] == [0, 0, 0]
    bench.become(samples.READY)
    assert len(bench.fields()) == 3


def test_another_card_is_not_written_to(bench: Bench) -> None:
    bench.begin()
    other = replace(samples.OTHER_CARD, id=replace(samples.OTHER_CARD.id, reader=samples.READER))
    bench.become(CardsState(True, (Slot(samples.READER, SlotStatus.READY, other),)))
    assert "Another card was inserted" in bench.texts()
    assert bench.fields() == []


def test_a_state_that_changes_nothing_here_leaves_what_is_typed_alone(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, NEW, NEW)
    bench.become(CardsState(True, (*samples.READY.slots, Slot("another", SlotStatus.EMPTY))))
    assert [field.count for field in bench.fields()] == [6, 6, 6]


def test_while_the_card_works_the_window_stays(bench: Bench) -> None:
    bench.begin()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    bench.window.close()
    QTest.keyClick(bench.window, Qt.Key.Key_Escape)
    assert bench.window.isVisible()
    bench.codes.begin(UNBLOCK)
    assert "Changing the code" in bench.texts()
    bench.cards.answer.set_result(AFTER)
    QTest.keyClick(bench.window, Qt.Key.Key_Escape)


def test_escape_forgets_what_was_typed(bench: Bench) -> None:
    bench.begin()
    fields = bench.fields()
    bench.type(OLD, NEW, NEW)
    QTest.keyClick(bench.window, Qt.Key.Key_Escape)
    assert not bench.window.isVisible()
    assert [field.count for field in fields] == [0, 0, 0]


def test_nothing_is_taken_before_the_window_has_settled(bench: Bench) -> None:
    bench.codes.begin(CHANGE, samples.CARD_ID)
    field = bench.fields()[0]
    QTest.keyClicks(field, OLD)
    assert field.count == 0


def test_a_locked_session_closes_and_forgets(bench: Bench) -> None:
    bench.begin()
    fields = bench.fields()
    bench.type(OLD, NEW, NEW)
    bench.codes.session_locked()
    assert not bench.window.isVisible()
    assert [field.count for field in fields] == [0, 0, 0]


def test_return_goes_on_and_sends_at_the_end(bench: Bench) -> None:
    bench.begin()
    known, new, again = bench.fields()
    bench.type(OLD, NEW, NEW)
    known.setFocus()
    QTest.keyClick(known, Qt.Key.Key_Return)
    assert new.hasFocus()
    QTest.keyClick(new, Qt.Key.Key_Return)
    assert again.hasFocus()
    QTest.keyClick(again, Qt.Key.Key_Return)
    assert len(bench.cards.sent) == 1


def test_both_delivered_codes_are_changed_one_after_the_other(bench: Bench) -> None:
    pins = [replace(pin, never_changed=pin.role is not PinRole.PUK) for pin in samples.CARD.pins]
    bench.cards.state = _ready(*pins)
    bench.begin()
    assert "must be changed before use" in bench.texts()
    bench.type(OLD, NEW, NEW)
    bench.confirm()
    bench.cards.answer.set_result(AFTER)
    button(bench.window, "Go on").click()
    assert bench.window.windowTitle() == "Change signing code"


class TestOnReader:
    """A reader with keys of its own."""

    @pytest.fixture(autouse=True)
    def _pad(self, bench: Bench) -> None:
        card = replace(samples.CARD, pin_pad=PinPad(changes=True))
        bench.cards.state = CardsState(True, (Slot(samples.READER, SlotStatus.READY, card),))

    def test_no_digit_is_typed_here(self, bench: Bench) -> None:
        bench.begin()
        assert bench.fields() == []
        bench.confirm()
        assert bench.cards.sent == [("pad", PinRole.AUTH, (), False)]
        assert "Enter the codes on the card reader" in bench.texts()
        bench.cards.answer.set_result(AFTER)
        assert "The code is changed" in bench.texts()

    def test_it_can_be_given_up(self, bench: Bench) -> None:
        bench.begin()
        bench.confirm()
        button(bench.window, "Cancel").click()
        assert bench.cards.entry is not None
        assert not bench.cards.entry.wanted
        assert bench.window.isVisible()
        bench.fail(Failure.CANCELLED_BY_USER)
        assert button(bench.window, "Change code").isVisible()

    def test_a_wrong_code_is_told(self, bench: Bench) -> None:
        bench.begin()
        bench.confirm()
        bench.fail(Failure.PIN_WRONG, tries=2)
        assert "You have 2 attempts left." in bench.texts()


class TestPolicy:
    """What settings say of the entry of codes."""

    def test_keys_on_the_screen_type_into_the_entry_in_use(self, bench: Bench) -> None:
        bench.window.set_policy(EntryPolicy(keypad=True), refuse_easy=False)
        bench.begin()
        known, new, _ = bench.fields()
        known.setFocus()
        for digit in OLD:
            button(bench.window, digit).click()
        new.setFocus()
        button(bench.window, "7").click()
        button(bench.window, "7").click()
        button(bench.window, "Take the last digit back").click()
        assert (known.count, new.count) == (6, 1)

    def test_every_key_is_large_enough_for_a_finger(self, bench: Bench) -> None:
        bench.window.set_policy(EntryPolicy(keypad=True), refuse_easy=False)
        bench.begin()
        keys = [key for key in visible(bench.window, Button) if key.accessibleName() in set("0123456789")]
        assert len(keys) == 10
        assert all(min(key.width(), key.height()) >= 44 for key in keys)

    def test_keys_may_stand_in_another_order(self, bench: Bench) -> None:
        bench.window.set_policy(EntryPolicy(keypad=True, shuffled=True), refuse_easy=False)
        orders = set()
        for _ in range(12):
            bench.window._form.keypad.arrange(shuffled=True)
            grid = bench.window._form.keypad._grid
            orders.add(tuple(str(grid.itemAtPosition(0, place).widget().accessibleName()) for place in range(3)))  # type: ignore[union-attr] # each place has a key
        assert len(orders) > 1

    def test_a_code_may_be_pasted_or_not(self, bench: Bench) -> None:
        QGuiApplication.clipboard().setText(OLD)
        bench.begin()
        field = bench.fields()[0]
        QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        assert field.count == 6
        field.wipe()
        bench.window.set_policy(EntryPolicy(allow_paste=False), refuse_easy=False)
        QTest.keyClick(field, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
        assert field.count == 0
        assert "A code cannot be pasted here." in bench.texts()
        QGuiApplication.clipboard().clear()

    @pytest.mark.parametrize(("wipes", "left"), [(True, 0), (False, 6)])
    def test_a_code_may_be_forgotten_when_another_window_is_used(self, bench: Bench, wipes: bool, left: int) -> None:
        bench.window.set_policy(EntryPolicy(wipe_when_left=wipes), refuse_easy=False)
        bench.begin()
        field = bench.fields()[0]
        QTest.keyClicks(field, OLD)
        field.focusOutEvent(QFocusEvent(QEvent.Type.FocusOut, Qt.FocusReason.ActiveWindowFocusReason))
        assert field.count == left

    def test_looking_at_the_code_may_be_forbidden(self, bench: Bench) -> None:
        bench.window.set_policy(EntryPolicy(allow_show=False), refuse_easy=False)
        bench.begin()
        assert not [b for b in visible(bench.window, Button) if "Show the code" in b.accessibleName()]


def test_language_and_theme_follow(bench: Bench) -> None:
    bench.begin()
    set_language("sv")
    bench.window.retranslate()
    bench.window.apply_theme(Theme(DARK))
    assert "Nuvarande legitimeringskod" in bench.texts()


def test_the_entry_is_kept_out_of_pictures_of_the_screen(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    excluded: list[bool] = []
    monkeypatch.setattr("sithsapp.ui.paged.exclude_from_capture", lambda window, wanted: excluded.append(wanted))
    bench.begin()
    assert excluded[-1]
    bench.become(samples.EMPTY)
    assert not excluded[-1]
