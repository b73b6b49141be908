# SPDX-License-Identifier: EUPL-1.2
"""Finds the certificate for a server, and gives a person time to put the card into the reader."""

from __future__ import annotations

import threading
import time
from typing import Final

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.card.service import CardService
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.choosing import Chosen, choose
from sithsapp.mtls.flight import Turns
from sithsapp.mtls.interaction import CardWanted, MtlsInteraction, Purpose

READING_SECONDS: Final = 3.0
"""How long a card that is being read is waited for in silence."""
_COMES: Final = frozenset({Failure.NO_CARD, Failure.NO_READER, Failure.NO_READER_SERVICE})


class CardWaiting:
    """Chooses among the cards in the readers of `cards`. Thread-safe."""

    def __init__(self, cards: CardService, interaction: MtlsInteraction, *, ask_seconds: float) -> None:
        """Have a person asked for a card for `ask_seconds` where there is none."""
        self._cards, self._interaction, self._ask_seconds = cards, interaction, ask_seconds
        self._turns = Turns()

    def choose(self, purpose: Purpose) -> Chosen:
        """Return the certificate to use.

        Raises `SithsError` as `choosing.choose` does, and CANCELLED_BY_USER if the person will not insert a card.
        Several connections lead to one question, and share its end.
        """
        came = time.monotonic()
        try:
            return choose(self._cards.state)
        except SithsError as error:
            if error.failure not in _COMES:
                raise
        with self._turns.turn(came):
            try:
                return self._choose_when_there(purpose)
            except SithsError as error:
                self._turns.note(error)
                raise

    def _choose_when_there(self, purpose: Purpose) -> Chosen:
        try:
            return choose(self._once_read())
        except SithsError as error:
            missing = error
        if missing.failure not in _COMES:
            raise missing
        wanted = CardWanted(purpose, missing.failure, time.monotonic() + self._ask_seconds)
        unsubscribe = self._cards.subscribe(lambda state: wanted.settle() if _has_card(state) else None)
        try:
            if not self._interaction.card_wanted(wanted):
                raise missing
            if _has_card(self._cards.state):
                wanted.settle()
            answer = wanted.wait()
        finally:
            unsubscribe()
        if answer is None:
            self._interaction.ended(purpose, Failure.CANCELLED_BY_USER)
            raise missing
        if not answer:
            raise SithsError(Failure.CANCELLED_BY_USER, "the person refused to insert a card")
        return self._choose_what_came(purpose)

    def _choose_what_came(self, purpose: Purpose) -> Chosen:
        """Choose on the card that the person inserted, and tell her whether it will do."""
        try:
            chosen = choose(self._once_read())
        except SithsError as error:
            self._interaction.ended(purpose, error.failure)
            raise
        self._interaction.ended(purpose, None)
        return chosen

    def _once_read(self) -> CardsState:
        """Return the state once no card is being read any more, or after a while."""
        still = threading.Event()
        unsubscribe = self._cards.subscribe(lambda state: None if _is_reading(state) else still.set())
        try:
            if _is_reading(self._cards.state):
                still.wait(READING_SECONDS)
        finally:
            unsubscribe()
        return self._cards.state


def _is_reading(state: CardsState) -> bool:
    return any(slot.status is SlotStatus.READING for slot in state.slots)


def _has_card(state: CardsState) -> bool:
    """Tell whether a card is there that was read, for better or worse."""
    return any(slot.status in (SlotStatus.READY, SlotStatus.FAILED) for slot in state.slots)
