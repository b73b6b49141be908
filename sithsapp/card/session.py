# SPDX-License-Identifier: EUPL-1.2
"""The seam between the thread at a reader and the drivers: our own for IDPrime cards, vendors' for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from sithsapp.card.model import Card, CardId, CardsState, PinRole, PinState, SignatureScheme
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.transport import ReaderBackend
from sithsapp.failures import SithsError


class SessionLost(Exception):
    """The connection ended before anything was sent: a new one may try the same work. `error` says why."""

    def __init__(self, error: SithsError) -> None:
        super().__init__(str(error))
        self.error = error


class Record(Protocol):
    """What a driver knows of one card beyond one connection."""

    @property
    def id(self) -> CardId:
        """Which card it is."""

    @property
    def card(self) -> Card:
        """The card as people see it."""

    @property
    def stale(self) -> bool:
        """Whether what was kept of the card proved to be wrong."""


class Session(Protocol):
    """A card that is connected. Methods raise `SessionLost` before anything was sent, else `SithsError`."""

    on_begin: Callable[[], None]

    @property
    def alive(self) -> bool:
        """Whether the next call may use this session."""

    @property
    def record(self) -> Record:
        """The card's record, kept up to date."""

    def close(self) -> None:
        """Let go of the card."""

    def pin_state(self, role: PinRole) -> PinState:
        """Read the state of a code."""

    def prepare(self, credential_id: str, scheme: SignatureScheme) -> PinState:
        """Get ready for a signature; return the state of its code."""

    def sign(
        self,
        credential_id: str,
        scheme: SignatureScheme,
        message: bytes,
        pin: Pin | PadEntry,
        *,
        deliver: Callable[[bytes], None],
        last_try_ok: bool = False,
    ) -> None:
        """Sign, and end the card's login state."""

    def change_pin(self, role: PinRole, old: Pin, new: Pin, *, last_try_ok: bool = False) -> PinState:
        """Replace a code."""

    def unblock(self, role: PinRole, puk: Pin, new: Pin, *, last_try_ok: bool = False) -> PinState:
        """Set a new code with the PUK."""

    def change_pin_on_pad(self, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False) -> PinState:
        """Replace a code by one that is typed on the reader."""

    def unblock_on_pad(self, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False) -> PinState:
        """Set a new code with the PUK, both typed on the reader."""

    def delete_certificate(self, credential_id: str, pin: Pin, *, last_try_ok: bool = False) -> PinState:
        """Delete a certificate where driver and policy allow; its key stays."""


class TokenSource(ReaderBackend, Protocol):
    """A driver for cards that the IDPrime driver does not know, and the readers of tokens that sit in none."""

    def open(self, reader: str, atr: bytes, reset: Callable[[], None], others: CardsState) -> Session:
        """Read the card in that reader; raises CARD_NOT_SUPPORTED when it is not known here either.

        `reset` resets the card; `others` are the readers as they are now, so that no card shows in two of them.
        """

    def resume(self, record: Record, reset: Callable[[], None]) -> Session:
        """Connect again to a card that was opened here before; raises CARD_CHANGED if it is another one."""
