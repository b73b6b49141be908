# SPDX-License-Identifier: EUPL-1.2
"""Readers whose cards our own driver does not know, so that only a module can serve them."""

from __future__ import annotations

from contextlib import AbstractContextManager

from sithsapp.card.pin_pad import PadCommand, PinPad
from sithsapp.card.transport import CardConnection, CardProtocol, ReaderBackend, ReadersSnapshot


class _NoIdprime:
    """A connection to a card without our application."""

    def __init__(self, real: CardConnection) -> None:
        self._real = real

    @property
    def atr(self) -> bytes:
        """The card's own."""
        return self._real.atr

    @property
    def protocol(self) -> CardProtocol:
        """The card's own."""
        return self._real.protocol

    @property
    def pin_pad(self) -> PinPad | None:
        """No keys."""
        return None

    def enter(self, command: PadCommand) -> bytes:
        """Refuse."""
        raise AssertionError(command)

    def distrust_pad(self) -> None:
        """Do nothing."""

    def transmit(self, command: bytes) -> bytes:
        """Find no file and no application."""
        return b"\x6a\x82"

    def transaction(self) -> AbstractContextManager[None]:
        """Hold the card."""
        return self._real.transaction()

    def disconnect(self, *, reset: bool = False) -> None:
        """Let go of the card."""
        self._real.disconnect(reset=reset)


class UnknownCards:
    """Another backend's readers; `known` are those whose cards are left as they are."""

    def __init__(self, real: ReaderBackend, known: frozenset[str] = frozenset()) -> None:
        self.real = real
        self.known = known

    def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
        """Watch the real readers."""
        return self.real.wait(known, timeout)

    def cancel(self) -> None:
        """End the watch."""
        self.real.cancel()

    def connect(self, reader: str) -> CardConnection:
        """Connect to a card that answers no command of ours."""
        connection = self.real.connect(reader)
        return connection if reader in self.known else _NoIdprime(connection)
