# SPDX-License-Identifier: EUPL-1.2
"""Signs TLS handshakes with the card: asks for consent and code, then lets the card service sign."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from typing import Final, TypeVar

from sithsapp.card.model import PinState, SignatureScheme
from sithsapp.card.pin import PadEntry
from sithsapp.card.service import CardService
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.choosing import Chosen
from sithsapp.mtls.interaction import KeyGranted, KeyRequest, MtlsInteraction, Purpose

log = logging.getLogger(__name__)

_CARD_SECONDS: Final = 30.0
_READER_SECONDS: Final = 90.0
"""With a code that is typed on the reader, which waits half a minute for the first key and again for the rest."""
_MOST_ENTRIES: Final = 3
Result = TypeVar("Result")
_ASK_AGAIN: Final = frozenset({Failure.PIN_WRONG, Failure.PIN_FORMAT, Failure.LAST_TRY_NOT_CONFIRMED})


class CardSigner:
    """Signs for one purpose at a time: a person sees one question, however many connections wait. Thread-safe."""

    def __init__(self, cards: CardService, interaction: MtlsInteraction, *, ask_seconds: float) -> None:
        """Give a person `ask_seconds` for an answer."""
        self._cards = cards
        self._interaction = interaction
        self._ask_seconds = ask_seconds
        self._turn = threading.Lock()

    def sign(self, chosen: Chosen, purpose: Purpose, message: bytes, scheme: SignatureScheme) -> bytes:
        """Ask and sign.

        Raises `SithsError`: CANCELLED_BY_USER for a refusal, PIN_WRONG after the last entry that may be made here,
        and what `CardService.sign` raises.
        """
        with self._turn:
            try:
                signature = self._ask_and_sign(chosen, purpose, message, scheme)
            except SithsError as error:
                self._interaction.ended(purpose, error.failure)
                raise
            self._interaction.ended(purpose, None)
            return signature

    def _ask_and_sign(self, chosen: Chosen, purpose: Purpose, message: bytes, scheme: SignatureScheme) -> bytes:
        failure: SithsError | None = None
        for _ in range(_MOST_ENTRIES):
            state = self._ready_pin(chosen, scheme)
            answer = self._ask(chosen, purpose, state, failure)
            try:
                return self._signature(chosen, message, scheme, answer)
            except SithsError as error:
                if error.failure not in _ASK_AGAIN or error.tries_left == 0:
                    raise
                failure = error
        raise failure or SithsError(Failure.CANCELLED_BY_USER)

    def _ready_pin(self, chosen: Chosen, scheme: SignatureScheme) -> PinState:
        state = _result(self._cards.prepare(chosen.card.id, chosen.credential.id, scheme))
        if state.blocked or state.tries_left == 0:
            raise SithsError(Failure.PIN_LOCKED, tries_left=0)
        return state

    def _ask(self, chosen: Chosen, purpose: Purpose, state: PinState, failure: SithsError | None) -> KeyGranted:
        deadline = time.monotonic() + self._ask_seconds
        why = None if failure is None else failure.failure
        request = KeyRequest(purpose, chosen.card, chosen.credential, state, deadline, why)
        answer = self._interaction.ask(request)
        if answer is None:
            raise failure or SithsError(Failure.CANCELLED_BY_USER, "the person refused")
        if time.monotonic() > deadline:
            answer.pin.wipe()
            raise SithsError(Failure.CANCELLED_BY_USER, "the answer came too late")
        return answer

    def _signature(self, chosen: Chosen, message: bytes, scheme: SignatureScheme, answer: KeyGranted) -> bytes:
        job = self._cards.sign(
            chosen.card.id, chosen.credential.id, scheme, message, answer.pin, last_try_ok=answer.last_try_ok
        )
        on_reader = isinstance(answer.pin, PadEntry)
        try:
            return _result(job, _READER_SECONDS if on_reader else _CARD_SECONDS)
        finally:
            if on_reader:
                answer.pin.wipe()  # what is typed from now on opens nothing


def _result(job: Future[Result], seconds: float = _CARD_SECONDS) -> Result:
    try:
        return job.result(seconds)
    except TimeoutError as error:
        raise SithsError(Failure.CARD_MUTE, "no answer in time") from error
