# SPDX-License-Identifier: EUPL-1.2
"""Command and response APDUs, status words, and the exchange that T=0 and T=1 need (ISO/IEC 7816-3 and -4).

Everything that a card answers is bounded here: the length of one answer, the rounds of `61xx` and the bytes that
they add up to. A command that carries a PIN leaves exactly once and is never shown.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from enum import Enum, IntEnum

from sithsapp.card.pin_pad import PadCommand
from sithsapp.card.transport import CardConnection, CardProtocol
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

MAX_SHORT_DATA = 255
MAX_SHORT_LE = 256
MAX_ROUNDS = 16
MAX_RESPONSE = 4096
_MAX_SHOWN = 64


class Ins(IntEnum):
    """Instruction bytes that the driver sends."""

    VERIFY = 0x20
    MANAGE_SECURITY_ENVIRONMENT = 0x22
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    RESET_RETRY_COUNTER = 0x2C
    SELECT = 0xA4
    READ_BINARY = 0xB0
    GET_RESPONSE = 0xC0
    GET_DATA = 0xCA
    GET_DATA_ODD = 0xCB


# Data fields of these are public and help support; of all others, known or not, nothing is shown.
_SHOWN = frozenset({Ins.MANAGE_SECURITY_ENVIRONMENT, Ins.SELECT, Ins.READ_BINARY, Ins.GET_RESPONSE})
_SHOWN_TOO = frozenset({Ins.GET_DATA, Ins.GET_DATA_ODD})


class Sw(IntEnum):
    """Status words that the driver tells apart (fact sheet idprime940 section 5)."""

    OK = 0x9000
    WRONG_LENGTH = 0x6700
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    BLOCKED = 0x6983
    REFERENCE_DATA_INVALIDATED = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    WRONG_P1_P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00


class StatusKind(Enum):
    """What a status word means to the sender."""

    OK = "ok"
    MORE_DATA = "more data"  # 61xx
    WARNING = "warning"  # 62xx, 63xx but 63Cx
    WRONG_CODE = "wrong code"  # 63Cx
    BLOCKED = "blocked"  # 6983, 6984
    WRONG_LE = "wrong Le"  # 6Cxx
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class StatusWord:
    """Two status bytes as one number, 0 to FFFF."""

    value: int

    @property
    def kind(self) -> StatusKind:
        """The category that decides what to do next."""
        if self.value == Sw.OK:
            return StatusKind.OK
        if self.value in (Sw.BLOCKED, Sw.REFERENCE_DATA_INVALIDATED):
            return StatusKind.BLOCKED
        if self.value & 0xFFF0 == 0x63C0:
            return StatusKind.WRONG_CODE
        by_first_byte = {
            0x61: StatusKind.MORE_DATA,
            0x62: StatusKind.WARNING,
            0x63: StatusKind.WARNING,
            0x6C: StatusKind.WRONG_LE,
        }
        return by_first_byte.get(self.value >> 8, StatusKind.REFUSED)

    @property
    def tries_left(self) -> int | None:
        """The number in 63Cx, 0 when blocked, else None."""
        if self.kind is StatusKind.BLOCKED:
            return 0
        return self.value & 0x0F if self.kind is StatusKind.WRONG_CODE else None

    @property
    def length(self) -> int:
        """The number in 61xx and 6Cxx, where 00 stands for 256."""
        return (self.value & 0xFF) or MAX_SHORT_LE

    def __str__(self) -> str:
        """Return four hexadecimal digits."""
        return f"{self.value:04X}"


@dataclass(frozen=True, slots=True)
class ResponseApdu:
    """Data and status word of one answer."""

    data: bytes
    status: StatusWord

    @classmethod
    def parse(cls, raw: bytes) -> ResponseApdu:
        """Split a raw answer; raises `SithsError(CARD_ERROR)` unless it has 2 to 258 bytes."""
        if not 2 <= len(raw) <= MAX_SHORT_LE + 2:
            raise SithsError(Failure.CARD_ERROR, f"answer of {len(raw)} bytes")
        return cls(bytes(raw[:-2]), StatusWord(int.from_bytes(raw[-2:], "big")))

    @property
    def ok(self) -> bool:
        """Whether the command was carried out (9000)."""
        return self.status.kind is StatusKind.OK


@dataclass(frozen=True, slots=True)
class CommandApdu:
    """A command without a secret. `le` is the number of bytes expected (256 for "any"), None for no answer data."""

    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None
    cla: int = 0x00

    def __post_init__(self) -> None:
        """Refuse values that do not fit a short APDU (`ValueError`)."""
        if not all(0 <= value <= 0xFF for value in (self.cla, self.ins, self.p1, self.p2)):
            raise ValueError("header byte out of range")
        if self.le is not None and not 1 <= self.le <= MAX_SHORT_LE:
            raise ValueError("Le out of range")

    def encode(self, protocol: CardProtocol) -> bytes:
        """Return the bytes to send (ISO/IEC 7816-3 section 12.1 and 12.2).

        T=0 has no Le after data (the card says 61xx) and sends a case 1 command with a fifth byte 00.
        """
        if len(self.data) > MAX_SHORT_DATA:
            raise ValueError("data longer than a short APDU")
        encoded = bytes([self.cla, self.ins, self.p1, self.p2])
        if self.data:
            encoded += bytes([len(self.data)]) + self.data
            return encoded if protocol is CardProtocol.T0 or self.le is None else encoded + bytes([self.le & 0xFF])
        if self.le is not None:
            return encoded + bytes([self.le & 0xFF])
        return encoded + b"\x00" if protocol is CardProtocol.T0 else encoded

    def chained(self) -> tuple[CommandApdu, ...]:
        """Return the command cut into blocks of at most 255 bytes (ISO/IEC 7816-4 section 5.3.3)."""
        blocks = [self.data[at : at + MAX_SHORT_DATA] for at in range(0, len(self.data), MAX_SHORT_DATA)] or [b""]
        first = tuple(replace(self, cla=self.cla | 0x10, data=block, le=None) for block in blocks[:-1])
        return (*first, replace(self, data=blocks[-1]))


def describe(command: bytes | bytearray) -> str:
    """Render a command for the log: the header, and the rest only where it cannot be a secret."""
    header = bytes(command[:4]).hex().upper()
    rest = len(command) - 4
    if rest <= 1:
        return header + bytes(command[4:5]).hex().upper()
    if command[1] in _SHOWN or command[1] in _SHOWN_TOO:
        return header + bytes(command[4 : 4 + _MAX_SHOWN]).hex().upper()
    return f"{header} [{rest} bytes withheld]"


class Channel:
    """Sends commands over one connection and follows 61xx and 6Cxx. Counts what it sends in `sent`."""

    def __init__(self, connection: CardConnection) -> None:
        self.connection = connection
        self.sent = 0

    def send(self, command: CommandApdu, *, fetch: bool = True) -> ResponseApdu:
        """Send a command, in a chain where its data is long, and return the whole answer.

        `fetch` False leaves announced data (61xx) in the card and returns that status. Raises
        `SithsError(CARD_ERROR)` when the card keeps answering 61xx or 6Cxx, or sends more than asked.
        """
        *first, last = command.chained()
        for block in first:
            response = self._exchange(block)
            if not response.ok:
                return response
        response = self._exchange(last)
        if response.status.kind is StatusKind.WRONG_LE and last.le is not None:
            response = self._exchange(replace(last, le=response.status.length))
        if response.status.kind is StatusKind.MORE_DATA and fetch:
            return self._fetch_rest(response)
        return response

    def send_secret(self, header: bytes, field: bytearray) -> StatusWord:
        """Send a PIN-bearing command once, whatever the answer, and wipe `field`.

        The command is put together in a buffer that is wiped as well. `transmit` takes immutable bytes and PC/SC
        bindings make a list of them: those copies live until the call returns and cannot be wiped from Python.
        """
        command = bytearray(header)
        command.append(len(field))
        command += field
        shown = describe(command)
        try:
            self.sent += 1
            raw = self.connection.transmit(bytes(command))
        finally:
            wipe(command)
            wipe(field)
        response = ResponseApdu.parse(raw)
        _log.debug("%s -> %s", shown, response.status)
        return response.status

    def send_on_pad(self, command: PadCommand) -> StatusWord:
        """Let the person type codes on the reader, and return what card or reader answered. Raises as `enter`."""
        self.sent += 1
        response = ResponseApdu.parse(self.connection.enter(command))
        _log.debug("%s [typed on the reader] -> %s", command.header.hex().upper(), response.status)
        return response.status

    def _exchange(self, command: CommandApdu) -> ResponseApdu:
        encoded = command.encode(self.connection.protocol)
        self.sent += 1
        response = ResponseApdu.parse(self.connection.transmit(encoded))
        if _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s -> %s (%d bytes)", describe(encoded), response.status, len(response.data))
        return response

    def _fetch_rest(self, response: ResponseApdu) -> ResponseApdu:
        data = bytearray(response.data)
        for _ in range(MAX_ROUNDS):
            expected = response.status.length
            response = self._exchange(CommandApdu(Ins.GET_RESPONSE, 0, 0, le=expected))
            if response.status.kind is StatusKind.WRONG_LE:
                response = self._exchange(CommandApdu(Ins.GET_RESPONSE, 0, 0, le=response.status.length))
            data += response.data
            if len(data) > MAX_RESPONSE:
                raise SithsError(Failure.CARD_ERROR, "answer too long")
            if response.status.kind is not StatusKind.MORE_DATA:
                return ResponseApdu(bytes(data), response.status)
        raise SithsError(Failure.CARD_ERROR, "the card announces more data without end")


def wipe(buffer: bytearray) -> None:
    """Overwrite a buffer with zeros and empty it."""
    for position in range(len(buffer)):
        buffer[position] = 0
    buffer.clear()
