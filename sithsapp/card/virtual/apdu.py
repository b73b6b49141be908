# SPDX-License-Identifier: EUPL-1.2
"""Commands and answers as the card sees them (ISO/IEC 7816-4 sections 5.1 to 5.3, fact sheet idprime940)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from sithsapp.card.transport import CardProtocol

SHORT_MAX = 256
_HEADER = 4


class Sw(IntEnum):
    """Status words that the card gives."""

    OK = 0x9000
    MORE_DATA = 0x6100
    WRONG_TRIES_LEFT = 0x63C0
    WRONG_LENGTH = 0x6700
    CHANNEL_NOT_SUPPORTED = 0x6881
    SECURE_MESSAGING_NOT_SUPPORTED = 0x6882
    LAST_OF_CHAIN_EXPECTED = 0x6883
    CHAINING_NOT_SUPPORTED = 0x6884
    NOT_VERIFIED = 0x6982
    BLOCKED = 0x6983
    BLOCKED_OR_NOT_INITIALISED = 0x6984
    CONDITIONS_NOT_SATISFIED = 0x6985
    NO_FILE_SELECTED = 0x6986
    WRONG_DATA = 0x6A80
    FUNCTION_NOT_SUPPORTED = 0x6A81
    FILE_NOT_FOUND = 0x6A82
    WRONG_P1_P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    WRONG_LE = 0x6C00
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00
    UNKNOWN_ERROR = 0x6F00


class Ins(IntEnum):
    """Instructions that the card knows."""

    VERIFY = 0x20
    VERIFY_ODD = 0x21
    MANAGE_SECURITY_ENVIRONMENT = 0x22
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    RESET_RETRY_COUNTER = 0x2C
    GET_CHALLENGE = 0x84
    SELECT = 0xA4
    GET_CONTEXT = 0xA6
    READ_BINARY = 0xB0
    GET_RESPONSE = 0xC0
    GET_DATA = 0xCA
    GET_DATA_ODD = 0xCB


class Refused(Exception):
    """The card ends a command with this status word and no data."""

    def __init__(self, status: int) -> None:
        super().__init__(f"{status:04X}")
        self.status = status


@dataclass(frozen=True, slots=True)
class Command:
    """A short command APDU. `le` is the number of bytes asked for, 256 for `00`, None if there is no Le field."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @property
    def p1p2(self) -> int:
        """P1 and P2 as one number."""
        return self.p1 << 8 | self.p2

    @property
    def header(self) -> tuple[int, int, int, int]:
        """CLA, INS, P1, P2."""
        return self.cla, self.ins, self.p1, self.p2

    @property
    def chained(self) -> bool:
        """Whether more of the same command follows."""
        return bool(self.cla & 0x10)


def parse_command(raw: bytes, protocol: CardProtocol) -> Command:
    """Read a command APDU; raises `Refused(6700)` if it is none that the protocol can carry.

    T=0 has no case 4 (an Le after data), and extended lengths are refused under both protocols.
    """
    if len(raw) < _HEADER:
        raise Refused(Sw.WRONG_LENGTH)
    (cla, ins, p1, p2), body = raw[:_HEADER], raw[_HEADER:]
    if not body:
        return Command(cla, ins, p1, p2)
    if len(body) == 1:
        return Command(cla, ins, p1, p2, le=body[0] or SHORT_MAX)
    length = body[0]
    data, rest = body[1 : 1 + length], body[1 + length :]
    if length == 0 or len(data) != length or len(rest) > (1 if protocol is CardProtocol.T1 else 0):
        raise Refused(Sw.WRONG_LENGTH)
    return Command(cla, ins, p1, p2, data, (rest[0] or SHORT_MAX) if rest else None)


def tlv(tag: int, value: bytes) -> bytes:
    """Encode a BER-TLV object with a one- or two-byte tag and a value shorter than 128 bytes."""
    if len(value) >= 0x80:
        raise ValueError("value too long for a one-byte length")
    return tag.to_bytes(2 if tag > 0xFF else 1, "big") + bytes([len(value)]) + value


def read_tlvs(data: bytes) -> list[tuple[int, bytes]]:
    """Read one-byte-tag, one-byte-length objects that fill `data` exactly; raises `Refused(6A80)` otherwise."""
    found: list[tuple[int, bytes]] = []
    position = 0
    while position < len(data):
        end = position + 2 + data[position + 1] if position + 1 < len(data) else len(data) + 1
        if end > len(data):
            raise Refused(Sw.WRONG_DATA)
        found.append((data[position], data[position + 2 : end]))
        position = end
    return found
