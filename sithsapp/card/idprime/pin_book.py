# SPDX-License-Identifier: EUPL-1.2
"""What is known of the codes of one card, and what must be asked before one of them is sent."""

from __future__ import annotations

from collections.abc import Callable

from sithsapp.card.idprime import pins
from sithsapp.card.idprime.contents import pin_state
from sithsapp.card.idprime.files import PinDescription, parse_pin_description
from sithsapp.card.idprime.profile import PINS, PinSlot
from sithsapp.card.idprime.record import CardRecord
from sithsapp.card.iso7816 import Channel, StatusKind
from sithsapp.card.model import PinRole, PinState
from sithsapp.failures import Failure, SithsError


class PinBook:
    """Asks for the tries left with as few commands as it takes. Needs a transaction around each call.

    `identify` selects the application again and checks the card; it is called when the card does not know a question
    that it answered before: another program selected another application, or reset the card.
    """

    def __init__(self, channel: Channel, record: CardRecord, identify: Callable[[], None]) -> None:
        self._channel = channel
        self._record = record
        self._identify = identify

    def refresh_all(self) -> None:
        """Bring the states of all codes up to date, and learn those that are not known yet."""
        for slot in PINS:
            self._refresh(slot)

    def current(self, slot: PinSlot) -> PinState:
        """Return a code's state, read now; raises `SithsError(CARD_ERROR)` if the card has no such code."""
        state = self._refresh(slot)
        if state is None:
            raise SithsError(Failure.CARD_ERROR, f"the card has no {slot.role.value} code")
        return state

    def may_send(self, slot: PinSlot, *, last_try_ok: bool) -> PinDescription:
        """Read the tries left of a code that is about to be sent; return how it is stored.

        Raises PIN_LOCKED, PUK_LOCKED and LAST_TRY_NOT_CONFIRMED.
        """
        state = self.current(slot)
        if state.tries_left == 0:
            locked = Failure.PUK_LOCKED if slot.role is PinRole.PUK else Failure.PIN_LOCKED
            raise SithsError(locked, tries_left=0)
        if state.tries_left == 1 and not last_try_ok:
            raise SithsError(Failure.LAST_TRY_NOT_CONFIRMED, tries_left=1)
        return self.describe(slot)

    def describe(self, slot: PinSlot) -> PinDescription:
        """Return the card's description of a code, asked for if need be; raises as `current`."""
        description = self._record.contents.description(slot.reference)
        if description is None:
            self.current(slot)
            description = self._record.contents.description(slot.reference)
        if description is None:
            raise SithsError(Failure.CARD_ERROR, f"the card does not describe the {slot.role.value} code")
        return description

    def note(self, slot: PinSlot, tries_left: int | None) -> PinState:
        """Keep the tries left that the card has just told."""
        state = self._record.states[slot.role] = pin_state(slot, self.describe(slot), tries_left)
        return state

    def changed(self, slot: PinSlot) -> None:
        """Take note of a new code: its description may have said that it was never changed."""
        if self.describe(slot).never_changed:
            self._learn(slot)

    def _refresh(self, slot: PinSlot) -> PinState | None:
        """Ask for the tries left: one command, or the whole description where that is not known or not enough."""
        known = dict(self._record.contents.pins).get(slot.reference)
        if known == b"":
            return None
        if known is None or slot.role in self._record.habits.no_status or parse_pin_description(known).never_changed:
            return self._learn(slot)
        status = pins.read_status(self._channel, slot)
        if status.kind is StatusKind.REFUSED:
            self._identify()
            status = pins.read_status(self._channel, slot)
            if status.kind is StatusKind.REFUSED:
                self._record.habits.no_status |= {slot.role}
        if pins.counts_tries(status):
            return self.note(slot, status.tries_left)
        return self._learn(slot)

    def _learn(self, slot: PinSlot) -> PinState | None:
        try:
            answer = pins.read_description(self._channel, slot)
        except SithsError as error:
            if error.failure is not Failure.CARD_ERROR:
                raise
            self._identify()
            answer = pins.read_description(self._channel, slot)
        self._record.contents = self._record.contents.with_description(slot.reference, answer)
        return self.note(slot, parse_pin_description(answer).tries_left) if answer else None
