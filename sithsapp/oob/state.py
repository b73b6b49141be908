# SPDX-License-Identifier: EUPL-1.2
"""What a state of an order is, and the state in which every order ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.interaction import CancelRequested, Event, Finished, Reported, SessionLocked
from sithsapp.oob.protocol.messages import SignatureAnswer
from sithsapp.oob.protocol.order import Binding
from sithsapp.oob.protocol.problems import CancelReason
from sithsapp.oob.protocol.returning import check_return_url, return_address
from sithsapp.oob.protocol.secret import Secret
from sithsapp.oob.work import CardAnswered, Work

GIVEN_UP: Final = {
    CancelRequested: Failure.CANCELLED_BY_USER,
    Reported: Failure.REPORTED_BY_USER,
    SessionLocked: Failure.SESSION_LOCKED,
}
"""What a person does to end an order, and the failure that it is shown as."""

_REASONS: Final = {
    Failure.REPORTED_BY_USER: CancelReason.SUSPICIOUS,
    Failure.PIN_LOCKED: CancelReason.BLOCKED,
    Failure.CARD_REMOVED: CancelReason.NO_CARD,
}
_ENDED_BY_SERVICE: Final = frozenset({Failure.ORDER_CANCELLED, Failure.ORDER_EXPIRED, Failure.ORDER_USED_TWICE})


class State:
    """Base of all states: stays whatever happens."""

    wakes_at: float | None = None
    """When `woken` is to be called, in monotonic seconds."""

    def enter(self, work: Work) -> State | None:
        """Do what the state begins with."""
        return None

    def person(self, work: Work, event: Event) -> State | None:
        """React to what a person did, besides giving up, which ends every state."""
        return None

    def cards_changed(self, work: Work) -> State | None:
        """React to a change of readers or cards."""
        return None

    def code_accepted(self, work: Work) -> State | None:
        """React to a code that the card took from the reader's keys."""
        return None

    def card_answered(self, work: Work, answer: CardAnswered) -> State | None:
        """React to the end of a signature."""
        return None

    def woken(self, work: Work) -> State | None:
        """React to `wakes_at`."""
        return None

    def leave(self) -> None:
        """Let go of secrets."""


@dataclass
class Ended(State):
    """The end. Tells the person, then the service if it does not know."""

    failure: Failure | None = None
    tries_left: int | None = None
    code: str | None = None

    def enter(self, work: Work) -> State | None:
        """Show the end and give the order up where that is due."""
        view = work.opened.view if work.opened is not None else None
        work.show(Finished(view, self.failure, self.tries_left, self.code))
        gave_up = self.failure in GIVEN_UP.values() or self.failure in (
            Failure.ORDER_SIGNATURE_INVALID,
            Failure.ORDER_REFUSED,
        )
        if work.client is None or self.failure is None or self.failure in _ENDED_BY_SERVICE:
            return None
        if work.opened is not None or gave_up:
            work.client.cancel(_REASONS.get(self.failure, CancelReason.USER))
        return None


def hand_over(work: Work, answer: SignatureAnswer, verifier: Secret) -> str | None:
    """Lead back to the browser by the order's binding; return the code that the person types there, if any.

    Raises `SithsError`: RETURN_ADDRESS_REFUSED, or SERVICE_ERROR for an answer without its code (section B13).
    """
    order = work.order.order
    if order.binding is Binding.RETURN:
        url = answer.return_url or ""
        check_return_url(url, order, environment=work.order.service.environment)
        work.parts.open_url(return_address(url, verifier))
    if order.binding is not Binding.CODE:
        return None
    if answer.code is None:
        raise SithsError(Failure.SERVICE_ERROR, "no code for binding code")
    return answer.code
