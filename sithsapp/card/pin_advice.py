# SPDX-License-Identifier: EUPL-1.2
"""Whom to turn to with a locked code (siths-domain 8.3).

The product code is printed on the card and cannot be read from the chip, so both ways are told.
"""

from __future__ import annotations

from sithsapp.card.model import PinRole, PinState
from sithsapp.failures import Failure
from sithsapp.locale import tr


def advice_for(failure: Failure) -> list[str]:
    """Return what to do about a failure beyond its own remedy, a line for each kind of card; nothing for most."""
    if failure in (Failure.PIN_LOCKED, Failure.UNBLOCK_NOT_POSSIBLE):
        return ways_to_unlock()
    if failure is Failure.PUK_LOCKED:
        return after_the_puk()
    return []


def advice_on(states: tuple[PinState, ...]) -> list[str]:
    """Return what to do about the worst of these codes."""
    locked = {state.role for state in states if state.blocked}
    if PinRole.PUK in locked:
        return after_the_puk()
    return ways_to_unlock() if locked else []


def ways_to_unlock() -> list[str]:
    """Return who can unlock a code."""
    return [
        tr("The product code is printed on the card and says how it is unlocked."),
        tr(
            "6XX or no product code: unlock it with the PUK code from the PUK letter. "
            "If the letter is lost, an ID administrator orders a new one to your registered home address."
        ),
        tr(
            "7XX: visit an ID administrator, who unlocks the card with you there or orders a PUK letter "
            "to your registered home address."
        ),
    ]


def after_the_puk() -> list[str]:
    """Return who can help when the PUK is locked too."""
    return [
        tr("The product code is printed on the card and says who can help."),
        tr("6XX or no product code: the card must be replaced. An ID administrator orders a new one."),
        tr("7XX: visit an ID administrator, who tries to unlock the card with you there or orders a new one."),
    ]
