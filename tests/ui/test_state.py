# SPDX-License-Identifier: EUPL-1.2
"""The one sentence of the app, from every state of readers and cards."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sithsapp.card.model import CardsState, Credential, PinRole, Slot, SlotStatus
from sithsapp.failures import Failure
from sithsapp.support.state import (
    Condition,
    Glyph,
    OrderPhase,
    ServiceHealth,
    app_state,
    health_after,
    with_order,
    with_service,
)
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
            Condition.MUTE,
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


@pytest.mark.parametrize(
    ("failure", "condition"),
    [
        (Failure.CARD_IN_USE, Condition.IN_USE),
        (Failure.CARD_NOT_SUPPORTED, Condition.UNSUPPORTED),
        (Failure.CARD_DATA_INVALID, Condition.PROBLEM),
    ],
)
def test_what_is_wrong_with_a_card_is_told_apart(failure: Failure, condition: Condition) -> None:
    state = app_state(_slot(SlotStatus.FAILED, failure), _good, NOW)
    assert (state.condition, state.failure) == (condition, failure)


def test_several_cards_are_said_until_one_is_chosen() -> None:
    slots = (*samples.READY.slots, Slot(samples.OTHER_CARD.id.reader, SlotStatus.READY, samples.OTHER_CARD))
    cards = CardsState(True, slots)
    assert app_state(cards, _good, NOW).condition is Condition.SEVERAL
    chosen = app_state(replace(cards, chosen_id=samples.OTHER_CARD.id), _good, NOW)
    assert chosen.condition is Condition.READY
    assert chosen.slot is not None
    assert chosen.slot.card == samples.OTHER_CARD


def test_a_delivered_code_is_to_be_changed_first() -> None:
    pins = tuple(replace(pin, never_changed=pin.role is PinRole.SIGN) for pin in samples.CARD.pins)
    card = replace(samples.CARD, pins=pins)
    cards = CardsState(True, (Slot(samples.READER, SlotStatus.READY, card),))
    assert app_state(cards, _good, NOW).condition is Condition.MUST_CHANGE


READY = app_state(samples.READY, _good, NOW)


def test_without_the_service_a_ready_card_cannot_log_in() -> None:
    advised = with_service(READY, ServiceHealth.ADVISES_UPDATE, "1.2.3")
    assert (advised.condition, advised.glyph, advised.title) == (READY.condition, READY.glyph, READY.title)
    assert "newer version" in advised.text
    offline = with_service(READY, ServiceHealth.OFFLINE, "1.2.3")
    assert (offline.condition, offline.glyph) == (Condition.OFFLINE, Glyph.WARNING)
    assert offline.slot == READY.slot
    empty = app_state(_slot(SlotStatus.EMPTY), _good, NOW)
    assert with_service(empty, ServiceHealth.OFFLINE, "1.2.3") == empty


def test_a_version_that_is_refused_is_said_whatever_the_card() -> None:
    for cards in (samples.READY, CardsState(), _slot(SlotStatus.EMPTY)):
        state = with_service(app_state(cards, _good, NOW), ServiceHealth.REFUSES_VERSION, "1.2.3")
        assert state.condition is Condition.UPDATE_REQUIRED
        assert "1.2.3" in state.text


@pytest.mark.parametrize(
    ("phase", "condition", "glyph"),
    [
        (OrderPhase.NONE, Condition.READY, Glyph.READY),
        (OrderPhase.WAITING, Condition.REQUEST, Glyph.REQUEST),
        (OrderPhase.SIGNING, Condition.SIGNING, Glyph.REQUEST),
        (OrderPhase.DONE, Condition.DONE, Glyph.READY),
        (OrderPhase.FAILED, Condition.FAILED, Glyph.WARNING),
    ],
)
def test_an_order_goes_before_the_card(phase: OrderPhase, condition: Condition, glyph: Glyph) -> None:
    state = with_order(READY, phase)
    assert (state.condition, state.glyph) == (condition, glyph)
    assert state.slot == READY.slot


@pytest.mark.parametrize(
    ("failure", "before", "after"),
    [
        (None, ServiceHealth.OFFLINE, ServiceHealth.FINE),
        (Failure.SERVICE_UNREACHABLE, ServiceHealth.FINE, ServiceHealth.OFFLINE),
        (Failure.PROXY_FAILED, ServiceHealth.FINE, ServiceHealth.OFFLINE),
        (Failure.CLIENT_TOO_OLD, ServiceHealth.FINE, ServiceHealth.REFUSES_VERSION),
        (Failure.ORDER_EXPIRED, ServiceHealth.OFFLINE, ServiceHealth.FINE),
        (Failure.CANCELLED_BY_USER, ServiceHealth.OFFLINE, ServiceHealth.OFFLINE),
    ],
)
def test_the_end_of_an_order_says_how_the_service_is(
    failure: Failure | None, before: ServiceHealth, after: ServiceHealth
) -> None:
    assert health_after(failure, before) is after


def test_no_sentence_names_a_person() -> None:
    states = [with_order(with_service(READY, health, "1"), phase) for health in ServiceHealth for phase in OrderPhase]
    assert not any("Anna" in state.title + state.text or "1A2B" in state.title + state.text for state in states)


def test_the_state_needs_no_qt() -> None:
    code = "import sys, sithsapp.support.state; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=30).returncode == 0
