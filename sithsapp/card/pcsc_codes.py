# SPDX-License-Identifier: EUPL-1.2
"""PC/SC's error codes and reader states, and what they mean to us (fact sheet platforms section 5.4).

Numbers are the same on every platform, but no binding knows all names everywhere; so they are written out here.
"""

from __future__ import annotations

from enum import IntEnum

from sithsapp.failures import Failure


class Code(IntEnum):
    """Return codes as unsigned 32-bit numbers."""

    SUCCESS = 0
    ERROR_INVALID_HANDLE = 0x6  # Windows: the pipe to the service is gone after a redirection
    ERROR_NOT_SUPPORTED = 0x32
    ERROR_INVALID_PARAMETER = 0x57
    ERROR_BROKEN_PIPE = 0x6D
    RPC_X_BAD_STUB_DATA = 0x6F7
    F_INTERNAL_ERROR = 0x80100001
    E_CANCELLED = 0x80100002
    E_INVALID_HANDLE = 0x80100003
    F_WAITED_TOO_LONG = 0x80100007
    E_UNKNOWN_READER = 0x80100009
    E_TIMEOUT = 0x8010000A
    E_INVALID_PARAMETER = 0x80100004
    E_SHARING_VIOLATION = 0x8010000B
    E_NO_SMARTCARD = 0x8010000C
    E_PROTO_MISMATCH = 0x8010000F
    E_NOT_READY = 0x80100010
    E_SYSTEM_CANCELLED = 0x80100012
    F_COMM_ERROR = 0x80100013
    F_UNKNOWN_ERROR = 0x80100014
    E_NOT_TRANSACTED = 0x80100016
    E_READER_UNAVAILABLE = 0x80100017
    P_SHUTDOWN = 0x80100018
    E_UNSUPPORTED_FEATURE = 0x8010001F  # pcsclite; on Windows this is E_UNEXPECTED
    E_CARD_UNSUPPORTED = 0x8010001C
    E_NO_SERVICE = 0x8010001D
    E_SERVICE_STOPPED = 0x8010001E
    E_NO_ACCESS = 0x80100027
    E_NO_READERS_AVAILABLE = 0x8010002E
    E_SERVER_TOO_BUSY = 0x80100031
    W_UNSUPPORTED_CARD = 0x80100065
    W_UNRESPONSIVE_CARD = 0x80100066
    W_UNPOWERED_CARD = 0x80100067
    W_RESET_CARD = 0x80100068
    W_REMOVED_CARD = 0x80100069
    W_SECURITY_VIOLATION = 0x8010006A
    W_CANCELLED_BY_USER = 0x8010006E


class State(IntEnum):
    """Bits of a reader's state; the upper 16 bits count what happened.

    Plain numbers on purpose: a flag type drops those bits when it is inverted.
    """

    UNAWARE = 0x000
    IGNORE = 0x001
    CHANGED = 0x002
    UNKNOWN = 0x004
    UNAVAILABLE = 0x008
    EMPTY = 0x010
    PRESENT = 0x020
    EXCLUSIVE = 0x080
    INUSE = 0x100
    MUTE = 0x200


SERVICE_GONE = frozenset(
    {
        Code.ERROR_INVALID_HANDLE,
        Code.ERROR_BROKEN_PIPE,
        Code.RPC_X_BAD_STUB_DATA,
        Code.F_INTERNAL_ERROR,
        Code.E_INVALID_HANDLE,
        Code.E_SYSTEM_CANCELLED,
        Code.F_COMM_ERROR,
        Code.F_UNKNOWN_ERROR,
        Code.P_SHUTDOWN,
        Code.E_NO_SERVICE,
        Code.E_SERVICE_STOPPED,
    }
)
READER_GONE = frozenset({Code.E_NO_READERS_AVAILABLE, Code.E_READER_UNAVAILABLE, Code.E_UNKNOWN_READER})
BUSY = frozenset({Code.E_SHARING_VIOLATION, Code.E_SERVER_TOO_BUSY})
SILENT = frozenset(
    {Code.W_UNPOWERED_CARD, Code.W_UNRESPONSIVE_CARD, Code.E_NOT_READY, Code.F_WAITED_TOO_LONG, Code.E_PROTO_MISMATCH}
)

PAD_STATUS = {Code.E_TIMEOUT: b"\x64\x00", Code.W_CANCELLED_BY_USER: b"\x64\x01"}
"""What some systems return in place of the status bytes of a reader with keys."""
PAD_REFUSED = frozenset(
    {
        Code.ERROR_NOT_SUPPORTED,
        Code.ERROR_INVALID_PARAMETER,
        Code.E_INVALID_PARAMETER,
        Code.E_UNSUPPORTED_FEATURE,
    }
)
"""A reader, or its driver, that does not know a feature."""

_MEANINGS: tuple[tuple[frozenset[Code], Failure], ...] = (
    (SERVICE_GONE, Failure.NO_READER_SERVICE),
    (READER_GONE, Failure.NO_READER),
    (frozenset({Code.E_NO_SMARTCARD}), Failure.NO_CARD),
    (frozenset({Code.W_REMOVED_CARD}), Failure.CARD_REMOVED),
    (BUSY, Failure.CARD_IN_USE),
    (SILENT, Failure.CARD_MUTE),
    (frozenset({Code.W_SECURITY_VIOLATION, Code.E_NO_ACCESS}), Failure.READER_ACCESS_DENIED),
    (frozenset({Code.W_UNSUPPORTED_CARD, Code.E_CARD_UNSUPPORTED}), Failure.CARD_NOT_SUPPORTED),
)
_FAILURES = {code: failure for codes, failure in _MEANINGS for code in codes}


def unsigned(code: int) -> int:
    """Return a code as an unsigned 32-bit number; some platforms give it with a sign."""
    return code & 0xFFFFFFFF


def failure_of(code: int) -> Failure:
    """Return what an unsigned code means to a person; CARD_ERROR for codes that nobody expects."""
    return _FAILURES.get(Code(code), Failure.CARD_ERROR) if code in _VALUES else Failure.CARD_ERROR


def name_of(code: int) -> str:
    """Return a code's name, or its number."""
    return Code(code).name if code in _VALUES else f"0x{code:08X}"


_VALUES = frozenset(int(code) for code in Code)
