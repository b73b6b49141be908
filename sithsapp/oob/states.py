# SPDX-License-Identifier: EUPL-1.2
"""The states of one order: one small class each (facts: ui section 7.2, protocol section B15).

A state is entered once and then given inputs; each method returns the next state, or None to stay. States raise
`SithsError` for whatever ends the order.
"""

from __future__ import annotations

import base64
import logging
from dataclasses import replace
from typing import Final

from sithsapp.card.model import CardId, SignatureScheme, SlotStatus
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.failures import Failure, SithsError
from sithsapp.oob.candidates import Candidate, Choice, algorithm_for, choose
from sithsapp.oob.interaction import (
    CredentialChosen,
    EnterOnReader,
    EnterPin,
    Event,
    MoreTimeRequested,
    Opening,
    PadChosen,
    PinEntered,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.checks import Situation, check_order
from sithsapp.oob.protocol.jwk import EcJwk
from sithsapp.oob.protocol.jws import verify_order
from sithsapp.oob.protocol.launch import LaunchUrl
from sithsapp.oob.protocol.messages import SignatureRequest
from sithsapp.oob.protocol.order import Flow, Order, PinEntryKind
from sithsapp.oob.protocol.problems import ProgressHint
from sithsapp.oob.protocol.signature import SigningInput, challenge_of, new_verifier, signing_input
from sithsapp.oob.state import Ended, State, hand_over
from sithsapp.oob.work import CardAnswered, CodeAccepted, Opened, Work
from sithsapp.settings.schema import TrustedService

_log = logging.getLogger(__name__)

_ENTER_AGAIN: Final = frozenset(
    {
        Failure.PIN_WRONG,
        Failure.PIN_FORMAT,
        Failure.LAST_TRY_NOT_CONFIRMED,
        Failure.CARD_IN_USE,
        Failure.PIN_PAD_TIMEOUT,
        Failure.PIN_PAD_CANCELLED,
    }
)
_CHOOSE_AGAIN: Final = frozenset({Failure.CARD_CHANGED, Failure.PIN_PAD_REFUSED})


class Claiming(State):
    """Fetch the order and decide whether a person may see it."""

    def enter(self, work: Work) -> State | None:
        """Claim, verify and check the order; nothing is sent to a service that is not trusted."""
        work.show(Opening())
        service = work.parts.find_service(work.start.service)
        if service is None:
            raise SithsError(Failure.UNKNOWN_SERVICE)
        work.client = work.parts.make_client(service)
        if work.given_up():
            return None
        began = work.now()
        pinpad = any(card.pin_pad is not None for card in work.parts.cards.state.cards)
        answer = work.client.claim(work.start, work.parts.language, pinpad=pinpad)
        order = self._verified(work, service, answer.order_jws)
        work.opened = Opened(
            order, answer.order_jws, service, began + answer.expires_in, update_advised=answer.update_advised
        )
        work.begin_watch()
        return WaitingForCard()

    def _verified(self, work: Work, service: TrustedService, jws: str) -> Order:
        keys = [EcJwk(kty=key.kty, crv=key.crv, x=key.x, y=key.y, kid=key.kid) for key in service.order_keys]
        order = verify_order(jws, keys)
        flow = Flow.SAME if isinstance(work.start, LaunchUrl) else Flow.OTHER
        check_order(order, Situation(service.origin, service.environment, flow))
        if order.ades is not None:
            raise SithsError(Failure.ORDER_REFUSED, "asks for what this version does not offer")
        return order


class _Open(State):
    """Base of the states in which a person may ask for more time."""

    def person(self, work: Work, event: Event) -> State | None:
        """Give more time once; the rest is the subclass's."""
        if isinstance(event, MoreTimeRequested) and work.order.can_extend:
            work.order.can_extend = False
            began = work.now()
            try:
                work.order.deadline = max(work.order.deadline, began + work.service_client.extend())
            finally:
                self.show(work)
        return None

    def show(self, work: Work) -> None:
        """Show the state's view as it is now."""


class WaitingForCard(_Open):
    """No card that will do; goes on by itself when one comes."""

    def __init__(self, *, until: float | None = None, failure: Failure | None = None) -> None:
        """Wait, until `until` at most; `failure` is passed on to the page that asks for the code."""
        self.wakes_at = until
        self._passed_on = failure
        self._shown: WaitForCard | None = None

    def enter(self, work: Work) -> State | None:
        """Look at the cards that are there."""
        return self.cards_changed(work)

    def cards_changed(self, work: Work) -> State | None:
        """Go on with the best card, or say why none will do. Raises `SithsError(PIN_LOCKED)`."""
        choice = choose(work.parts.cards.state, work.order.order)
        if choice.usable:
            return EnteringPin(choice, choice.usable[0], self._passed_on)
        if choice.candidates:
            raise SithsError(Failure.PIN_LOCKED, tries_left=0)
        self.show(work, choice.failure)
        work.hint(ProgressHint.CARD_WAIT)
        return None

    def woken(self, work: Work) -> State | None:
        """Give up: the card did not come back."""
        raise SithsError(Failure.CARD_REMOVED, "the card did not come back")

    def show(self, work: Work, failure: Failure | None = None) -> None:
        """Show the readers and cards as they are, unless that is shown already."""
        cards = work.parts.cards.state
        view = WaitForCard(work.order.view, cards, failure or choose(cards, work.order.order).failure)
        if view != self._shown:
            self._shown = view
            work.show(view)


class EnteringPin(_Open):
    """A card is there; the person decides."""

    def __init__(self, choice: Choice, candidate: Candidate, failure: Failure | None = None) -> None:
        """Ask for the code of `candidate`; `failure` tells of the entry before."""
        self._choice = choice
        self._candidate = candidate
        self._failure = failure
        self._chosen_card: CardId | None = None

    def enter(self, work: Work) -> State | None:
        """Show who asks, and ask for the code; meanwhile the card is made ready."""
        self._chosen_card = work.parts.cards.state.chosen_id
        self.show(work)
        card, credential = self._candidate.card, self._candidate.credential
        work.parts.cards.prepare(card.id, credential.id, SignatureScheme(algorithm_for(credential).value))
        work.hint(ProgressHint.USER_SIGN)
        return None

    def person(self, work: Work, event: Event) -> State | None:
        """Take a code or another choice of certificate."""
        if isinstance(event, PinEntered):
            return self._sign(work, event)
        if isinstance(event, PadChosen):
            return self._sign_on_reader(event)
        if isinstance(event, CredentialChosen):
            chosen = _find(self._choice, event)
            return EnteringPin(self._choice, chosen) if chosen and not chosen.blocked else None
        return super().person(work, event)

    def cards_changed(self, work: Work) -> State | None:
        """Go back when the card has left; show what has changed."""
        choice = choose(work.parts.cards.state, work.order.order)
        candidate = _find(choice, CredentialChosen(self._candidate.card.id, self._candidate.credential.id))
        if candidate is None:
            if _is_reading(work, self._candidate):
                return None
            return WaitingForCard(until=work.now() + work.parts.removal_grace)
        if candidate.blocked:
            return WaitingForCard()
        other = self._chosen_meanwhile(work, choice)
        if other is not None:
            return EnteringPin(choice, other)
        news = _offer(choice, candidate) != _offer(self._choice, self._candidate)
        self._choice, self._candidate = choice, candidate
        if news:  # a page that is shown again may lose what was typed
            self.show(work)
        return None

    def show(self, work: Work) -> None:
        """Show the page that asks for the code."""
        found, choices = self._candidate, tuple((other.card, other.credential) for other in self._choice.candidates)
        work.show(EnterPin(work.order.view, found.card, found.credential, found.pin, choices, self._failure))

    def _chosen_meanwhile(self, work: Work, choice: Choice) -> Candidate | None:
        """Return what is on another card if the person has made that the active one since the page came."""
        before, self._chosen_card = self._chosen_card, work.parts.cards.state.chosen_id
        if self._chosen_card in (None, before, self._candidate.card.id):
            return None
        return next((found for found in choice.usable if found.card.id == self._chosen_card), None)

    def _sign_on_reader(self, event: PadChosen) -> State | None:
        chosen = _find(self._choice, CredentialChosen(event.card, event.credential))
        if chosen is None or chosen.blocked or chosen.card.pin_pad is None:
            return None
        return Signing(self._choice, chosen, last_try_ok=event.last_try_ok)

    def _sign(self, work: Work, event: PinEntered) -> State | None:
        chosen = _find(self._choice, CredentialChosen(event.card, event.credential))
        on_reader = work.order.order.req.reader is PinEntryKind.PINPAD
        if chosen is None or chosen.blocked or on_reader:
            event.pin.wipe()
            return None
        if not chosen.pin.min_length <= len(event.pin) <= chosen.pin.max_length:
            event.pin.wipe()
            return EnteringPin(self._choice, chosen, Failure.PIN_FORMAT)
        return Signing(self._choice, chosen, event.pin, last_try_ok=event.last_try_ok)


class Signing(State):
    """The card signs, then the signature is sent. The entry of the code is used here and nowhere else."""

    def __init__(
        self, choice: Choice, candidate: Candidate, pin: Pin | None = None, *, last_try_ok: bool = False
    ) -> None:
        """Sign with `candidate`; `pin` is wiped in any case. Without one the code is typed on the reader."""
        self._choice = choice
        self._candidate = candidate
        self._pin: Pin | PadEntry | None = pin
        self._on_reader: PadEntry | None = None
        self._last_try_ok = last_try_ok
        self._verifier = new_verifier()

    def enter(self, work: Work) -> State | None:
        """Build what is signed, and give it to the card with the code."""
        if self._pin is None:
            self._pin = self._on_reader = PadEntry(lambda: work.post(CodeAccepted()))
            found = self._candidate
            work.show(EnterOnReader(work.order.view, found.card, found.credential, found.pin))
        else:
            work.show(Working(work.order.view))
        pin, self._pin = self._pin, None
        if pin is None:
            raise RuntimeError("a signature is made once")
        try:
            result = work.parts.cards.sign(
                self._candidate.card.id,
                self._candidate.credential.id,
                SignatureScheme(algorithm_for(self._candidate.credential).value),
                self._input(work).octets,
                pin,
                last_try_ok=self._last_try_ok,
            )
        except BaseException:
            pin.wipe()
            raise
        # The card thread may be sending the code right now, so it is wiped here only once that is over.
        result.add_done_callback(lambda _: pin.wipe())
        result.add_done_callback(lambda done: work.post(CardAnswered(done)))
        return None

    def leave(self) -> None:
        """Wipe a code that never reached the card service; what is typed on the reader now opens nothing."""
        for entry in (self._pin, self._on_reader):
            if entry is not None:
                entry.wipe()

    def code_accepted(self, work: Work) -> State | None:
        """Say that the reader needs no more, and that the card works."""
        self._on_reader = None
        work.show(Working(work.order.view))
        return None

    def card_answered(self, work: Work, answer: CardAnswered) -> State | None:
        """Send the signature, or go back to what the person can put right."""
        try:
            signature = answer.result.result(timeout=0)
        except SithsError as error:
            if error.failure is Failure.CARD_REMOVED and self._on_reader is not None:
                return WaitingForCard(until=work.now() + work.parts.removal_grace)  # as while a code is typed here
            return self._card_failed(error)
        return self._send(work, signature)

    def _card_failed(self, error: SithsError) -> State:
        if error.failure is Failure.PIN_WRONG and error.tries_left == 0:
            raise SithsError(Failure.PIN_LOCKED, tries_left=0)
        if error.failure in _CHOOSE_AGAIN:
            return WaitingForCard(failure=error.failure)
        if error.failure not in _ENTER_AGAIN:
            raise error
        _log.info("the code is asked for again: %s", error)
        return EnteringPin(self._choice, self._after(error), error.failure)

    def _after(self, error: SithsError) -> Candidate:
        """Return the candidate with the tries left that the card has just told."""
        if error.tries_left is None:
            return self._candidate
        return replace(self._candidate, pin=replace(self._candidate.pin, tries_left=error.tries_left))

    def _send(self, work: Work, signature: bytes) -> State:
        request = SignatureRequest(
            jws=self._input(work).detached_jws(signature),
            x5c=[base64.b64encode(self._candidate.credential.certificate).decode("ascii")],
            challenge=challenge_of(self._verifier),
            app=work.parts.app.name_version,
        )
        answer = work.service_client.signature(request, work.order.deadline)
        return Ended(code=hand_over(work, answer, self._verifier))

    def _input(self, work: Work) -> SigningInput:
        opened = work.order
        return signing_input(
            certificate=self._candidate.credential.certificate,
            algorithm=algorithm_for(self._candidate.credential),
            order_type=opened.order.typ,
            order_jws=opened.jws,
            flow=opened.order.flow,
            jkt=work.service_client.jkt,
            challenge=challenge_of(self._verifier),
            app=work.parts.app.name_version,
        )


def _find(choice: Choice, wanted: CredentialChosen) -> Candidate | None:
    return next(
        (
            found
            for found in choice.candidates
            if found.card.id == wanted.card and found.credential.id == wanted.credential
        ),
        None,
    )


def _offer(choice: Choice, candidate: Candidate) -> tuple[object, ...]:
    """Return what a person can tell apart."""
    return candidate.pin, [(found.card.id, found.credential.id, found.blocked) for found in choice.candidates]


def _is_reading(work: Work, candidate: Candidate) -> bool:
    """Tell whether the card is only being read again, for example after its counters changed."""
    slots = work.parts.cards.state.slots
    return any(slot.reader == candidate.card.id.reader and slot.status is SlotStatus.READING for slot in slots)
