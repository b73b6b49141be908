# SPDX-License-Identifier: EUPL-1.2
"""The one interface between the helper and whoever asks a person for consent and code.

`ask` is called from a connection's thread when the card is about to sign, and blocks it alone. A window and the
terminal answer in the same way: with a code, which is also the consent, or with a refusal. `ended` follows when the
card has signed or will not.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Protocol

from sithsapp.card.model import Card, Credential, PinState
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.failures import Failure


@dataclass(frozen=True, slots=True)
class Program:
    """The program at the other end of a local connection. `path` is empty and `pid` None where it is not known."""

    path: str = ""
    pid: int | None = None


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a signature is for: which program wants to reach which server (`host`, `port`) by which target."""

    program: Program
    target: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class KeyRequest:
    """Ask for the code of `credential`, and with it for consent.

    `failure` tells of the entry before this one. Where `pin.tries_left` is 1 the person must confirm that the last
    try is used. `deadline` is `time.monotonic()` seconds; an answer that comes later is not used.
    """

    purpose: Purpose
    card: Card
    credential: Credential
    pin: PinState
    deadline: float
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class KeyGranted:
    """The person entered the code, or will type it on the reader (`card.pin_pad`).

    `last_try_ok`: knowing that it is the last try.
    """

    pin: Pin | PadEntry
    last_try_ok: bool = False


class CardWanted:
    """Asks for a card: a program wants to reach a server, and there is none to do it with.

    `failure` says what is missing; `deadline` is `time.monotonic()` seconds. Settled by whoever comes first:
    the card, the person, or the time. Thread-safe.
    """

    def __init__(self, purpose: Purpose, failure: Failure, deadline: float) -> None:
        self.purpose, self.failure, self.deadline = purpose, failure, deadline
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._has_come: bool | None = None

    @property
    def is_open(self) -> bool:
        """Whether a card is still waited for."""
        return not self._settled.is_set()

    def settle(self, *, refused: bool = False) -> None:
        """Say that a card has come, or that the person will not insert one."""
        with self._lock:
            if self.is_open:
                self._has_come = not refused
                self._settled.set()

    def wait(self) -> bool | None:
        """Wait to the deadline; tell whether a card has come, False for a refusal, None if the time is up."""
        self._settled.wait(max(0.0, self.deadline - time.monotonic()))
        with self._lock:
            self._settled.set()
            return self._has_come


class MtlsInteraction(Protocol):
    """Asks a person."""

    def ask(self, request: KeyRequest) -> KeyGranted | None:
        """Return the person's answer, None for a refusal. Never called by two threads at a time."""

    def card_wanted(self, wanted: CardWanted) -> bool:
        """Ask for a card; return at once, and tell whether anybody will see it. Never while another is open.

        `ended` follows unless the person refuses: without a failure for a card that will do, to which a question may
        follow, else with the reason.
        """

    def ended(self, purpose: Purpose, failure: Failure | None) -> None:
        """Take note that the signature for `purpose` was made, or why not. Returns at once."""
