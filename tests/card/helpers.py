# SPDX-License-Identifier: EUPL-1.2
"""What tests of the card driver share: codes, a scripted card, a recorder, waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from sithsapp.card.idprime.record import CardRecord
from sithsapp.card.model import Card, CardsState, Credential, PinRole, SignatureScheme
from sithsapp.card.pin import Pin
from sithsapp.card.pin_pad import PadCommand
from sithsapp.card.service import CardService
from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard

DEADLINE = 10.0
CODES = {PinRole.AUTH: DEMO_CODES.pin1, PinRole.SIGN: DEMO_CODES.pin2, PinRole.PUK: DEMO_CODES.puk}
WRONG = "111111"
REFERENCES = {PinRole.AUTH: 0x11, PinRole.SIGN: 0x83, PinRole.PUK: 0x84}
ATR_940 = bytes.fromhex("3B7F96000080318065B0855956FB1202F0829000")


def pin(digits: str) -> Pin:
    """Return an entry of a code."""
    return Pin(bytearray(digits.encode("ascii")))


def code_for(credential: Credential) -> Pin:
    """Return an entry of the right code for a credential."""
    return pin(CODES[credential.pin])


class NoKeys:
    """What a connection to a reader without keys says of them."""

    pin_pad = None

    def enter(self, command: PadCommand) -> bytes:
        """Fail the test: nobody may ask."""
        raise AssertionError(command)

    def distrust_pad(self) -> None:
        """Do nothing."""


class ScriptedCard(NoKeys):
    """A connection that answers from a list, the last answer for ever, and remembers what it was sent."""

    def __init__(
        self, answers: Sequence[str], protocol: CardProtocol = CardProtocol.T0, atr: bytes = ATR_940
    ) -> None:
        self.answers = [bytes.fromhex(answer) for answer in answers]
        self.sent: list[str] = []
        self.resets = 0
        self.disconnects = 0
        self.atr = atr
        self.protocol = protocol

    def transmit(self, command: bytes) -> bytes:
        """Record and answer."""
        self.sent.append(command.hex().upper())
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold nothing."""
        yield

    def disconnect(self, *, reset: bool = False) -> None:
        """Count."""
        self.disconnects += 1
        self.resets += reset


class Recorder:
    """The commands that reach a virtual card, as hexadecimal without the answers."""

    def __init__(self, card: VirtualCard) -> None:
        self.commands: list[str] = []
        card.observer = self._note

    def _note(self, command: bytes, _answer: bytes) -> None:
        self.commands.append(command.hex().upper())

    def take(self) -> list[str]:
        """Return what came since the last call."""
        taken, self.commands = self.commands, []
        return taken


class Watcher:
    """Collects the snapshots of a service and waits for one."""

    def __init__(self, service: CardService) -> None:
        self.states: list[CardsState] = []
        self._changed = threading.Condition()
        self._service = service
        service.subscribe(self._note)

    def _note(self, state: CardsState) -> None:
        with self._changed:
            self.states.append(state)
            self._changed.notify_all()

    def until(self, wanted: Callable[[CardsState], bool]) -> CardsState:
        """Return the first state now or later that is wanted."""
        with self._changed:
            assert self._changed.wait_for(lambda: wanted(self._service.state), DEADLINE), self._service.state
            return self._service.state

    def kept(self) -> Card:
        """Wait until the card is ready and was put into the cache; then its worker sleeps."""
        card = self.card()
        worker, cache = self._service._readers[card.id.reader].worker, self._service._cache

        def is_kept() -> bool:
            record = worker._record
            if worker._to_keep or not isinstance(record, CardRecord) or record.freshness is None:
                return False
            return cache.find(record.id.serial, record.id.atr, record.freshness) == record.contents

        eventually(is_kept)
        return self.card()

    def card(self) -> Card:
        """Wait for a card that is ready."""
        return self.until(lambda state: bool(state.cards)).cards[0]


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until something becomes true that tells nobody."""
    deadline = time.monotonic() + DEADLINE
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        pause.wait(0.005)


def assert_signed(credential: Credential, scheme: SignatureScheme, message: bytes, signature: bytes) -> None:
    """Check a signature with an independent library; raises `InvalidSignature`."""
    key = x509.load_der_x509_certificate(credential.certificate).public_key()
    algorithm: hashes.HashAlgorithm = getattr(hashes, scheme.hash_name.upper())()
    if isinstance(key, rsa.RSAPublicKey):
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        key.verify(signature, message, pss if scheme.value.startswith("PS") else padding.PKCS1v15(), algorithm)
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        half = len(signature) // 2
        numbers = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        key.verify(encode_dss_signature(*numbers), message, ec.ECDSA(algorithm))
