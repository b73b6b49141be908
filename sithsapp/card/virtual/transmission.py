# SPDX-License-Identifier: EUPL-1.2
"""How an answer leaves the card under T=0 and T=1: 61xx with GET RESPONSE, 6Cxx, or at once."""

from __future__ import annotations

from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.apdu import SHORT_MAX, Command, Ins, Refused, Sw, parse_command
from sithsapp.card.virtual.applet import Applet


class Transmission:
    """Wraps an applet for one protocol. Never raises: every command has an answer of 2 to 258 bytes."""

    def __init__(self, applet: Applet, protocol: CardProtocol) -> None:
        self._applet = applet
        self._protocol = protocol
        self._pending = b""
        self._refused_header: tuple[int, int, int, int] | None = None

    def reset(self) -> None:
        """Drop what waits to be fetched."""
        self._pending = b""
        self._refused_header = None

    def process(self, raw: bytes) -> bytes:
        """Answer one command APDU."""
        try:
            command = parse_command(raw, self._protocol)
            return self._answer(command)
        except Refused as refused:
            return refused.status.to_bytes(2, "big")

    def _answer(self, command: Command) -> bytes:
        if command.ins == Ins.GET_RESPONSE:
            return self._get_response(command)
        if self._refused_header == command.header and not command.data:
            data = self._pending  # the same command with another Le is not executed again
        else:
            self.reset()
            data = self._applet.execute(command)
        self.reset()
        if not data:
            return _status(Sw.OK)
        wanted = self._wanted(command)
        if wanted is None:
            self._pending = data
            return self._more()
        return self._give(data, wanted, command)

    def _wanted(self, command: Command) -> int | None:
        """Return how much may go out now. Under T=0 a bare header is a command with Le = 00."""
        if command.le is None and not command.data and self._protocol is CardProtocol.T0:
            return SHORT_MAX
        return command.le

    def _give(self, data: bytes, wanted: int, command: Command) -> bytes:
        now = min(len(data), SHORT_MAX)
        any_length = self._protocol is CardProtocol.T1 and wanted == SHORT_MAX
        if wanted != now and not any_length:
            self._pending, self._refused_header = data, command.header
            return _status(Sw.WRONG_LE | (now & 0xFF))
        return self._send(data, now)

    def _get_response(self, command: Command) -> bytes:
        data = self._pending
        wanted = command.le
        if not data or self._refused_header is not None or command.p1p2 or command.data or wanted is None:
            self.reset()
            raise Refused(Sw.WRONG_P1_P2 if command.p1p2 else Sw.CONDITIONS_NOT_SATISFIED)
        if wanted > len(data) and not (self._protocol is CardProtocol.T1 and wanted == SHORT_MAX):
            return _status(Sw.WRONG_LE | (len(data) & 0xFF))
        return self._send(data, wanted)

    def _send(self, data: bytes, count: int) -> bytes:
        self._pending, self._refused_header = data[count:], None
        return data[:count] + (self._more() if self._pending else _status(Sw.OK))

    def _more(self) -> bytes:
        return _status(Sw.MORE_DATA | (len(self._pending) & 0xFF if len(self._pending) < SHORT_MAX else 0))


def _status(value: int) -> bytes:
    return value.to_bytes(2, "big")
