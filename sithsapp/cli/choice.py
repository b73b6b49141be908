# SPDX-License-Identifier: EUPL-1.2
"""Which card a command is about, and why there is none."""

from __future__ import annotations

from sithsapp.card.model import Card, CardsState, Slot
from sithsapp.failures import Failure, SithsError


def why_not_ready(state: CardsState) -> Failure | None:
    """Return why no card can be used, None if one can."""
    if state.cards:
        return None
    if not state.service_running:
        return state.failure or Failure.NO_READER_SERVICE
    if not state.slots:
        return Failure.NO_READER
    return next((slot.failure for slot in state.slots if slot.failure is not None), Failure.NO_CARD)


def chosen_slots(state: CardsState, reader: str | None) -> tuple[Slot, ...]:
    """Return the reader of that name, or all; raises NO_READER_SERVICE and NO_READER."""
    if reader is None:
        return state.slots
    named = tuple(slot for slot in state.slots if slot.reader == reader)
    if not named:
        failure = Failure.NO_READER if state.service_running else state.failure or Failure.NO_READER_SERVICE
        raise SithsError(failure, "no reader has that name")
    return named


def chosen_cards(state: CardsState, reader: str | None) -> tuple[Card, ...]:
    """Return the cards that are ready, in that reader or in all; raises what keeps the first from being ready."""
    slots = chosen_slots(state, reader)
    failure = why_not_ready(CardsState(state.service_running, slots, state.failure))
    if failure is not None:
        raise SithsError(failure)
    return tuple(slot.card for slot in slots if slot.card is not None)


def chosen_card(state: CardsState, reader: str | None) -> Card:
    """Return the card that is meant: in that reader, the active one, or the only one.

    Raises as `chosen_cards`, and CHOICE_NEEDED.
    """
    cards = chosen_cards(state, reader)
    if reader is None and state.chosen is not None:
        return state.chosen
    if len(cards) > 1:
        raise SithsError(Failure.CHOICE_NEEDED, f"{len(cards)} cards")
    return cards[0]
