# SPDX-License-Identifier: EUPL-1.2
"""The one sentence of the app, from every state of readers and cards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sithsapp.card.model import CardsState, Credential, PinRole, Slot, SlotStatus
from sithsapp.failures import Failure
from sithsapp.ui.state import Condition, Glyph, app_state
from tests.ui import samples

NOW = datetime(2026, 11, 25, tzinfo=UTC)


def _good(credential: Credential) -> datetime | None:
    return NOW + timedelta(days=500)


def _slot(status: SlotStatus, failure: Failure | None = None) -> CardsState:
    card = samples.CARD if status is SlotStatus.READY else None
    return CardsState(True, (Slot(samples.READER, status, card, failure),))


def _blocked(*roles: PinRole) -> CardsState:
    pins = tuple(replace(pin, blocked=pin.role in roles) for pin in samples.CARD.pins)
    return CardsState(True, (Slot(samples.READER, SlotStatus.READY, replace(samples.CARD, pins=pins)),))


@pytest.mark.parametrize(
    ("cards", "condition", "glyph", "title"),
    [
        (CardsState(False), Condition.NO_SERVICE, Glyph.WARNING, "The smart card service is not running"),
        (CardsState(), Condition.NO_READER, Glyph.NO_READER, "No card reader"),
        (_slot(SlotStatus.EMPTY), Condition.NO_CARD, Glyph.NO_CARD, "No card in the reader"),
        (_slot(SlotStatus.READING), Condition.READING, Glyph.READING, "Reading the card …"),
        (
            _slot(SlotStatus.FAILED, Failure.CARD_MUTE),
            Condition.PROBLEM,
            Glyph.ERROR,
            "The card does not answer",
        ),
        (_slot(SlotStatus.READY), Condition.READY, Glyph.READY, "The card is ready"),
        (_blocked(PinRole.AUTH), Condition.LOCKED, Glyph.LOCKED, "The identification code is locked"),
        (_blocked(PinRole.SIGN), Condition.LOCKED, Glyph.LOCKED, "The signing code is locked"),
        (_blocked(PinRole.AUTH, PinRole.PUK), Condition.DEAD, Glyph.ERROR, "The PUK code is locked"),
        (_blocked(PinRole.PUK), Condition.READY, Glyph.READY, "The card is ready"),
    ],
)
def test_conditions(cards: CardsState, condition: Condition, glyph: Glyph, title: str) -> None:
    state = app_state(cards, _good, NOW)
    assert (state.condition, state.glyph, state.title) == (condition, glyph, title)


@pytest.mark.parametrize(
    ("ends", "condition"),
    [
        (timedelta(days=-1), Condition.EXPIRED),
        (timedelta(0), Condition.EXPIRED),
        (timedelta(days=1), Condition.EXPIRING),
        (timedelta(days=29), Condition.EXPIRING),
        (timedelta(days=30), Condition.READY),
    ],
)
def test_validity(ends: timedelta, condition: Condition) -> None:
    assert app_state(samples.READY, lambda _: NOW + ends, NOW).condition is condition


def test_a_renewed_certificate_counts_and_the_old_one_does_not() -> None:
    old = replace(samples.AUTH, id="9")
    card = replace(samples.CARD, credentials=(old, samples.AUTH, samples.SIGN))
    cards = CardsState(True, (Slot(samples.READER, SlotStatus.READY, card),))
    state = app_state(cards, lambda c: NOW - timedelta(days=1) if c.id == "9" else _good(c), NOW)
    assert state.condition is Condition.READY


def test_an_unreadable_certificate_does_not_count() -> None:
    assert app_state(samples.READY, lambda _: None, NOW).condition is Condition.READY


def test_the_best_of_several_readers_is_told() -> None:
    slots = (
        Slot("one", SlotStatus.EMPTY),
        Slot("two", SlotStatus.FAILED, failure=Failure.CARD_MUTE),
        *_blocked(PinRole.AUTH).slots,
        Slot("four", SlotStatus.READY, samples.OTHER_CARD),
    )
    state = app_state(CardsState(True, slots), _good, NOW)
    assert state.slot is not None
    assert state.slot.reader == "four"


def test_a_card_in_a_reader_of_ours_counts_without_the_smart_card_service() -> None:
    cards = replace(samples.READY, service_running=False)
    assert app_state(cards, _good, NOW).condition is Condition.READY


def test_days_are_counted_in_words() -> None:
    assert "1 day" in app_state(samples.READY, lambda _: NOW + timedelta(days=1, hours=2), NOW).title
    assert "2 days" in app_state(samples.READY, lambda _: NOW + timedelta(days=2, hours=2), NOW).title
