# SPDX-License-Identifier: EUPL-1.2
"""The two interfaces between a card driver and whatever carries its bytes.

`pcsc.py` and `pcsc_connection.py` implement them over PC/SC, `virtual/reader.py` in process; one contract-test class
runs over both.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import Enum
from typing import Protocol, runtime_checkable

from sithsapp.card.pin_pad import PadCommand, PinPad
from sithsapp.failures import Failure


class CardProtocol(Enum):
    """Transmission protocols of ISO/IEC 7816-3."""

    T0 = 0
    T1 = 1


class Presence(Enum):
    """What a reader says of its slot before anything is sent."""

    EMPTY = "empty"
    PRESENT = "present"
    MUTE = "mute"
    IN_USE = "in use"  # held exclusively by another program


@dataclass(frozen=True, slots=True)
class ReaderEvent:
    """One reader at one moment.

    `insertions` changes whenever a card came or went, so that a quick swap is never missed.
    """

    reader: str
    presence: Presence
    atr: bytes
    insertions: int


@dataclass(frozen=True, slots=True)
class ReadersSnapshot:
    """All readers of one backend; `service_running` False means that there is nobody to ask.

    `failure` then says why where that is known: READER_ACCESS_DENIED when the system refuses this session.
    """

    service_running: bool
    readers: tuple[ReaderEvent, ...]
    failure: Failure | None = None


class CardConnection(Protocol):
    """A shared connection to one card. Not thread-safe: one worker owns it.

    All methods raise `SithsError`: CARD_REMOVED, CARD_MUTE, CARD_IN_USE, NO_READER_SERVICE, CARD_ERROR.
    """

    @property
    def atr(self) -> bytes:
        """The answer to reset, 2 to 33 bytes."""

    @property
    def protocol(self) -> CardProtocol:
        """The protocol in use, which decides how an APDU is formed (ISO/IEC 7816-3 section 12)."""

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU; return the response with its two status bytes (2 to 258 bytes)."""

    @property
    def pin_pad(self) -> PinPad | None:
        """The keys on the reader that take codes, None where there are none or they are not to be used."""

    def enter(self, command: PadCommand) -> bytes:
        """Let the person type codes on the reader's keys; return the status bytes of card or reader (2 bytes).

        Blocks as long as that takes. The reader itself answers 6400 (time ran out), 6401 (cancelled), 6402 (the new
        codes differ) and 6403 (wrong length). Raises PIN_PAD_REFUSED too, after which `pin_pad` is None.
        """

    def distrust_pad(self) -> None:
        """Use the reader's keys no more: `pin_pad` is None from now on."""

    def transaction(self) -> AbstractContextManager[None]:
        """Hold the card against other programs for one short step. Never held while a person thinks."""

    def disconnect(self, *, reset: bool = False) -> None:
        """Let go of the card; `reset` ends every login state on it. Never raises."""


class ReaderBackend(Protocol):
    """A source of readers, watched by one thread."""

    def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
        """Block until something differs from `known`, `timeout` seconds passed or `cancel` was called.

        Returns at once when `known` is None. Survives the loss of the smart card service: that is a snapshot
        with `service_running` False, and the service's return is another.
        """

    def cancel(self) -> None:
        """End a `wait` in another thread, now and for good."""

    def connect(self, reader: str) -> CardConnection:
        """Open a shared connection to the card in that reader; raises as `CardConnection` does."""


@runtime_checkable
class Renewable(Protocol):
    """A `ReaderBackend` whose readers are another place's after a reconnect or sleep."""

    def renew(self) -> None:
        """Look at everything anew; returns at once."""
