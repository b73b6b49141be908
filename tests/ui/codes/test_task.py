# SPDX-License-Identifier: EUPL-1.2
"""Changing a code as a state machine: every way it can go, without Qt and without a card."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sithsapp.card.model import Card, CardsState, PinRole, PinState, Slot, SlotStatus
from sithsapp.failures import Failure, SithsError
from sithsapp.ui.codes.task import CodeTask, Done, Enter, Kind, Send, Stopped, WaitForCard, Wish
from tests.ui import samples

CHANGE = Wish(Kind.CHANGE, PinRole.AUTH)
UNBLOCK = Wish(Kind.UNBLOCK, PinRole.AUTH)


def _cards(*cards: Card) -> CardsState:
    return CardsState(True, tuple(Slot(card.id.reader, SlotStatus.READY, card) for card in cards))


def _with(role: PinRole, **changes: object) -> Card:
    """Return the sample card with one code changed."""
    pins = tuple(replace(pin, **changes) if pin.role is role else pin for pin in samples.CARD.pins)  # type: ignore[arg-type] # fields of PinState
    return replace(samples.CARD, pins=pins)


def _entering(task: CodeTask) -> Enter:
    assert isinstance(task.view, Enter), task.view
    return task.view


def test_a_change_asks_for_the_code_and_an_unlocking_for_the_puk() -> None:
    change = _entering(CodeTask(CHANGE, samples.CARD_ID, samples.READY))
    unblock = _entering(CodeTask(UNBLOCK, samples.CARD_ID, samples.READY))
    assert (change.known.role, change.code.role) == (PinRole.AUTH, PinRole.AUTH)
    assert (unblock.known.role, unblock.code.role) == (PinRole.PUK, PinRole.AUTH)


def test_without_a_card_it_waits_and_takes_the_first_that_comes() -> None:
    task = CodeTask(CHANGE, None, samples.EMPTY)
    assert task.view == WaitForCard(samples.EMPTY)
    task.follow(samples.READY)
    assert _entering(task).card == samples.CARD
    assert task.card == samples.CARD_ID


def test_the_chosen_card_is_taken_when_none_is_named() -> None:
    cards = replace(_cards(samples.CARD, samples.OTHER_CARD), chosen_id=samples.OTHER_CARD.id)
    view = _entering(CodeTask(CHANGE, None, cards))
    assert view.card == samples.OTHER_CARD
    assert view.several


def test_a_card_that_leaves_is_waited_for_and_another_is_not_taken_for_it() -> None:
    task = CodeTask(CHANGE, samples.CARD_ID, samples.READY)
    task.follow(samples.EMPTY)
    assert task.view == WaitForCard(samples.EMPTY, Failure.CARD_REMOVED)
    other = _cards(replace(samples.OTHER_CARD, id=replace(samples.OTHER_CARD.id, reader=samples.READER)))
    task.follow(other)
    assert task.view == WaitForCard(other, Failure.CARD_CHANGED)
    task.follow(samples.READY)
    assert _entering(task).card.id == samples.CARD_ID


def test_a_card_that_comes_back_in_another_reader_is_known() -> None:
    task = CodeTask(CHANGE, samples.CARD_ID, samples.READY)
    moved = replace(samples.CARD, id=replace(samples.CARD_ID, reader="another"))
    task.follow(_cards(moved))
    assert task.card == moved.id


@pytest.mark.parametrize(
    ("wish", "card", "view"),
    [
        (CHANGE, _with(PinRole.AUTH, blocked=True), Stopped(Failure.PIN_LOCKED, puk_helps=True)),
        (UNBLOCK, _with(PinRole.PUK, blocked=True), Stopped(Failure.PUK_LOCKED)),
        (UNBLOCK, _with(PinRole.AUTH, unblocked_by=None), Stopped(Failure.UNBLOCK_NOT_POSSIBLE)),
        (UNBLOCK, replace(samples.CARD, pins=samples.CARD.pins[:2]), Stopped(Failure.UNBLOCK_NOT_POSSIBLE)),
        (CHANGE, replace(samples.CARD, pins=()), Stopped(Failure.CARD_ERROR)),
    ],
)
def test_what_cannot_be_is_said_at_once(wish: Wish, card: Card, view: Stopped) -> None:
    assert CodeTask(wish, card.id, _cards(card)).view == view


def test_a_locked_code_is_not_offered_the_puk_when_that_is_locked_too() -> None:
    pins = tuple(replace(pin, blocked=True) for pin in samples.CARD.pins)
    card = replace(samples.CARD, pins=pins)
    assert CodeTask(CHANGE, card.id, _cards(card)).view == Stopped(Failure.PIN_LOCKED, puk_helps=False)


def test_a_locked_code_can_be_unlocked() -> None:
    card = _with(PinRole.AUTH, blocked=True, tries_left=0)
    assert _entering(CodeTask(UNBLOCK, card.id, _cards(card))).code.blocked


def test_a_wrong_code_is_asked_for_again_with_the_tries_that_the_card_told() -> None:
    task = CodeTask(CHANGE, samples.CARD_ID, samples.READY)
    task.sent()
    assert task.view == Send()
    task.failed(SithsError(Failure.PIN_WRONG, tries_left=2))
    view = _entering(task)
    assert (view.failure, view.known.tries_left) == (Failure.PIN_WRONG, 2)
    task.follow(_cards(_with(PinRole.AUTH, tries_left=2)))
    assert _entering(task).failure is Failure.PIN_WRONG


def test_while_the_card_works_nothing_else_counts() -> None:
    task = CodeTask(CHANGE, samples.CARD_ID, samples.READY)
    task.sent()
    task.follow(samples.EMPTY)
    assert task.is_at_work
    task.failed(SithsError(Failure.CARD_REMOVED))
    assert task.view == WaitForCard(samples.EMPTY, Failure.CARD_REMOVED)


def test_a_locked_code_ends_it() -> None:
    task = CodeTask(CHANGE, samples.CARD_ID, samples.READY)
    task.sent()
    task.failed(SithsError(Failure.PIN_LOCKED, tries_left=0))
    assert task.view == Stopped(Failure.PIN_LOCKED, puk_helps=True)
    task.follow(samples.EMPTY)
    assert task.has_ended


def test_after_success_the_other_undelivered_code_is_named() -> None:
    pins = tuple(replace(pin, never_changed=pin.role is not PinRole.PUK) for pin in samples.CARD.pins)
    card = replace(samples.CARD, pins=pins)
    task = CodeTask(CHANGE, card.id, _cards(card))
    task.sent()
    after = PinState(PinRole.AUTH, 1, 3, blocked=False, min_length=6, max_length=8)
    task.succeeded(after)
    assert task.view == Done(after, (PinRole.SIGN,))


def test_any_other_failure_leaves_the_codes_to_be_entered_again() -> None:
    task = CodeTask(CHANGE, samples.CARD_ID, samples.READY)
    task.sent()
    task.failed(SithsError(Failure.CARD_IN_USE))
    assert _entering(task).failure is Failure.CARD_IN_USE
