# SPDX-License-Identifier: EUPL-1.2
"""Rules that a code must keep before anything is sent to a card: none of them costs a try (siths-domain 1.4)."""

from __future__ import annotations

from sithsapp.card.model import PinRole, PinState
from sithsapp.card.pin import Pin
from sithsapp.failures import Failure, SithsError


def check_tries(state: PinState, *, last_try_ok: bool) -> None:
    """Raise PIN_LOCKED or PUK_LOCKED for a code without tries, LAST_TRY_NOT_CONFIRMED for the last one unallowed."""
    if state.blocked:
        raise SithsError(Failure.PUK_LOCKED if state.role is PinRole.PUK else Failure.PIN_LOCKED, tries_left=0)
    if state.tries_left == 1 and not last_try_ok:
        raise SithsError(Failure.LAST_TRY_NOT_CONFIRMED, "give --last-try-ok", tries_left=1)


def check_length(pin: Pin, state: PinState) -> None:
    """Raise PIN_FORMAT unless the code is as long as the card's description of it allows."""
    if not state.min_length <= len(pin) <= state.max_length:
        raise SithsError(Failure.PIN_FORMAT, f"{state.min_length} to {state.max_length} digits")


def check_new(new: Pin, state: PinState, *others: Pin) -> None:
    """Raise PIN_FORMAT for a length that the card does not take, NEW_PIN_SAME for the digits of one of `others`.

    A trivial code is not refused here: `Pin.is_trivial` tells, and a person may insist.
    """
    check_length(new, state)
    if any(new.agrees_with(other) for other in others):
        raise SithsError(Failure.NEW_PIN_SAME)
