# SPDX-License-Identifier: EUPL-1.2
"""The helper as a process of its own, with a key in software in place of the card, for `benchmarks.mtls`.

`python -m benchmarks._mtls_helper DIRECTORY PORT FRESH_PORT` serves three targets and prints their ports; it ends
when its input does. The key answers as fast as software can, or after `SITHS_BENCH_CARD_SECONDS`.
"""

from __future__ import annotations

import os
import ssl
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Literal, TypeVar

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sithsapp.card.model import (
    Card,
    CardId,
    CardsState,
    Credential,
    KeyType,
    PinRole,
    PinState,
    SignatureScheme,
    Slot,
    SlotStatus,
)
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.service import CardService
from sithsapp.failures import Failure
from sithsapp.mtls.helper import MtlsHelper
from sithsapp.mtls.interaction import CardWanted, KeyGranted, KeyRequest, Purpose
from sithsapp.settings.schema import Mtls, MtlsTarget

Value = TypeVar("Value")
_PIN = PinState(PinRole.AUTH, 1, 3, blocked=False, min_length=6, max_length=8)


class _SoftwareCard(CardService):
    """A reader with one card whose key is a file."""

    def __init__(self, directory: Path, seconds: float) -> None:
        super().__init__([])
        key = load_pem_private_key((directory / "client-key.pem").read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey):
            raise TypeError("RSA")
        self._key, self._seconds = key, seconds
        self._busy = threading.Lock()
        certificate = ssl.PEM_cert_to_DER_cert((directory / "client.pem").read_text("ascii"))
        schemes = (SignatureScheme.PS256, SignatureScheme.RS256)
        credential = Credential("00", "key", certificate, KeyType.RSA, 2048, PinRole.AUTH, schemes)
        card = Card(CardId("reader", b"\x3b", b"12345678"), "software", "software", (credential,), (_PIN,))
        self._cards = CardsState(True, (Slot("reader", SlotStatus.READY, card),))

    @property
    def state(self) -> CardsState:
        return self._cards

    def subscribe(self, listener: Callable[[CardsState], None]) -> Callable[[], None]:
        return lambda: None

    def prepare(self, card: CardId, credential_id: str, scheme: SignatureScheme) -> Future[PinState]:
        return _done(_PIN)

    def sign(
        self,
        card: CardId,
        credential_id: str,
        scheme: SignatureScheme,
        message: bytes,
        pin: Pin | PadEntry,
        *,
        last_try_ok: bool = False,
    ) -> Future[bytes]:
        pin.wipe()
        if self._seconds:
            with self._busy:
                threading.Event().wait(self._seconds)
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        way = pss if scheme is SignatureScheme.PS256 else padding.PKCS1v15()
        return _done(self._key.sign(message, way, hashes.SHA256()))


class _Person:
    def ask(self, request: KeyRequest) -> KeyGranted:
        return KeyGranted(Pin(bytearray(b"123456")))

    def card_wanted(self, _wanted: CardWanted) -> bool:
        """Have no card to insert."""
        return False

    def ended(self, _purpose: Purpose, _failure: Failure | None) -> None:
        """Go on."""


def _done(value: Value) -> Future[Value]:
    future: Future[Value] = Future()
    future.set_result(value)
    return future


def main(directory: Path, port: int, fresh_port: int) -> None:
    """Serve until the input ends. The targets: raw, http, and raw without sessions."""
    seconds = float(os.environ.get("SITHS_BENCH_CARD_SECONDS", "0"))
    ca = (str(directory / "server.pem"),)
    helpers = []
    wanted: list[tuple[int, Literal["raw", "http"], int]]
    wanted = [(3600, "raw", port), (3600, "http", port), (0, "raw", fresh_port)]
    for session_seconds, mode, to in wanted:
        target = MtlsTarget(name="server", listen=0, host="localhost", port=to, mode=mode, ca=ca)
        settings = Mtls(targets=(target,), session_seconds=session_seconds, connections=512, idle_seconds=3600)
        helper = MtlsHelper(settings, _SoftwareCard(directory, seconds), _Person(), directory=directory / "proxy")
        helper.start()
        helpers.append(helper)
    print(*(helper.status()[0].port for helper in helpers), flush=True)
    sys.stdin.read()
    for helper in helpers:
        helper.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
