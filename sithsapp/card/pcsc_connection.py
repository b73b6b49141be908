# SPDX-License-Identifier: EUPL-1.2
"""A shared PC/SC connection to the card in one reader."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sithsapp.card import pcsc_library
from sithsapp.card.part10 import structure
from sithsapp.card.pcsc_codes import (
    PAD_REFUSED,
    PAD_STATUS,
    READER_GONE,
    SILENT,
    Code,
    State,
    name_of,
)
from sithsapp.card.pcsc_library import MAX_ATR, SCOPE_USER, call, error_of, patiently
from sithsapp.card.pcsc_pad import FoundPad, PadBook
from sithsapp.card.pin_pad import PadCommand, PinPad
from sithsapp.card.transport import CardProtocol
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

_SHARE_SHARED, _LEAVE, _RESET = 2, 0, 1
_T0, _T1 = 1, 2
_MAX_RECONNECTS = 2
_REMOVAL_CHECK_MS = 1000
_STATUS_LENGTH = 2


class PcscConnection:
    """A shared connection with a context of its own; see `CardConnection`. Raises `SithsError` as that says."""

    def __init__(self, reader: str, pads: PadBook | None = None) -> None:
        self._reader = reader
        self._pads = pads
        self._card: Any = None
        self._protocol = _T0
        code, values = call("SCardEstablishContext", SCOPE_USER)
        if code != Code.SUCCESS:
            raise error_of("SCardEstablishContext", code)
        self._context: Any = values[0]
        try:
            self._connect()
            self._atr = self._read_atr()
        except SithsError:
            self.disconnect()
            raise

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return self._atr

    @property
    def protocol(self) -> CardProtocol:
        """The protocol that reader and card agreed on."""
        return CardProtocol.T1 if self._protocol == _T1 else CardProtocol.T0

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU; return the response.

        The binding wants a list. It holds the only copy made here and is emptied when the card has answered.
        """
        octets = list(command)
        pci = pcsc_library.scard.SCARD_PCI_T1 if self._protocol == _T1 else pcsc_library.scard.SCARD_PCI_T0
        try:
            code, values = call("SCardTransmit", self._handle(), pci, octets)
        finally:
            octets[:] = [0] * len(octets)
        if code != Code.SUCCESS:
            raise self._transmit_error(code)
        return bytes(values[0])

    @property
    def pin_pad(self) -> PinPad | None:
        """The keys on the reader."""
        found = self._find_pad()
        return None if found is None else found.pad

    def enter(self, command: PadCommand) -> bytes:
        """Let the person type codes on the reader. What goes there has places for digits and no digit."""
        found = self._find_pad()
        feature = None if found is None else found.verify if command.codes == 1 else found.modify
        if feature is None:
            raise SithsError(Failure.PIN_PAD_REFUSED, "the reader has no keys for this")
        code, values = call("SCardControl", self._handle(), feature, list(structure(command)))
        if code in PAD_STATUS:
            return PAD_STATUS[Code(code)]
        answer = bytes(values[0]) if code == Code.SUCCESS else b""
        if code in PAD_REFUSED or (code == Code.SUCCESS and len(answer) != _STATUS_LENGTH):
            self.distrust_pad()
            raise SithsError(Failure.PIN_PAD_REFUSED, f"SCardControl {name_of(code)}, {len(answer)} bytes")
        if code != Code.SUCCESS:
            raise self._transmit_error(code)
        return answer

    def distrust_pad(self) -> None:
        """Use the keys of this reader no more until it is plugged in again."""
        if self._pads is not None:
            self._pads.distrust(self._reader)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the card. A reset by another program is taken up at most twice; all state on the card is gone then."""
        self._begin()
        try:
            yield
        finally:
            # A handle that is dropped inside a transaction blocks the next one for ever.
            if self._card is not None:
                call("SCardEndTransaction", self._card, _LEAVE)

    def disconnect(self, *, reset: bool = False) -> None:
        """Let go of the card and of the context. Never raises; harmless when repeated."""
        card, self._card = self._card, None
        if card is not None:
            call("SCardEndTransaction", card, _RESET if reset else _LEAVE)
            call("SCardDisconnect", card, _RESET if reset else _LEAVE)
        context, self._context = self._context, None
        if context is not None:
            call("SCardReleaseContext", context)

    def _find_pad(self) -> FoundPad | None:
        return None if self._pads is None else self._pads.find(self._reader, self._control)

    def _control(self, feature: int, data: bytes) -> bytes | None:
        code, values = call("SCardControl", self._handle(), feature, list(data))
        if code != Code.SUCCESS and code not in PAD_REFUSED:
            raise error_of("SCardControl", code)
        return bytes(values[0]) if code == Code.SUCCESS else None

    def _handle(self) -> Any:
        if self._card is None:
            raise SithsError(Failure.CARD_REMOVED, "the connection is closed")
        return self._card

    def _connect(self) -> None:
        code, values = patiently("SCardConnect", self._context, self._reader, _SHARE_SHARED, _T0 | _T1)
        if code in SILENT:
            _log.info("SCardConnect %s, once more", name_of(code))
            code, values = patiently("SCardConnect", self._context, self._reader, _SHARE_SHARED, _T0 | _T1)
        if code != Code.SUCCESS:
            raise error_of("SCardConnect", code)
        self._card, self._protocol = values

    def _read_atr(self) -> bytes:
        code, values = call("SCardStatus", self._card)
        if code == Code.W_RESET_CARD:
            code = self._reconnect()
            if code == Code.SUCCESS:
                code, values = call("SCardStatus", self._card)
        if code != Code.SUCCESS:
            raise error_of("SCardStatus", code)
        return bytes(values[-1][:MAX_ATR])

    def _begin(self) -> None:
        for _ in range(_MAX_RECONNECTS + 1):
            code, _values = patiently("SCardBeginTransaction", self._handle())
            if code != Code.W_RESET_CARD:
                break
            _log.info("another program reset the card")
            reconnected = self._reconnect()
            if reconnected != Code.SUCCESS:
                raise error_of("SCardReconnect", reconnected)
        if code == Code.W_RESET_CARD:
            raise SithsError(Failure.CARD_IN_USE, "another program keeps resetting the card")
        if code != Code.SUCCESS:
            raise error_of("SCardBeginTransaction", code)

    def _reconnect(self) -> int:
        code, values = patiently("SCardReconnect", self._card, _SHARE_SHARED, _T0 | _T1, _LEAVE)
        if code == Code.SUCCESS:
            self._protocol = values[0]
        return code

    def _transmit_error(self, code: int) -> SithsError:
        """Tell a card that was pulled from one that failed: the reader notices a little later than the command."""
        error = error_of("SCardTransmit", code)
        if error.failure not in (Failure.CARD_ERROR, Failure.CARD_MUTE):
            return error
        states = [(self._reader, int(State.PRESENT))]
        asked, values = call("SCardGetStatusChange", self._context, _REMOVAL_CHECK_MS, states)
        gone = asked in READER_GONE or (asked == Code.SUCCESS and not values[0][0][1] & State.PRESENT)
        return SithsError(Failure.CARD_REMOVED, error.detail) if gone else error
