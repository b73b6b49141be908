# SPDX-License-Identifier: EUPL-1.2
"""A strict, bounded reader of DER (X.690), as much of it as certificates need.

It imports nothing heavy: the tray reads certificates without loading a cryptographic library.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OID: Final = 0x06
UTF8_STRING: Final = 0x0C
PRINTABLE_STRING: Final = 0x13
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
SEQUENCE: Final = 0x30
SET: Final = 0x31

_STRINGS: Final = {
    UTF8_STRING: "utf-8",
    0x12: "ascii",  # NumericString
    PRINTABLE_STRING: "ascii",
    0x14: "latin-1",  # TeletexString, which old Swedish certificates fill with Latin-1
    0x16: "ascii",  # IA5String
    0x1E: "utf-16-be",  # BMPString
}
_MAX_STRING: Final = 1024
_MAX_OID: Final = 64
_NO_BREAK_SPACE: Final = "\u00a0"


class DerError(ValueError):
    """The input is not DER of the wanted form. The message never holds the input."""


def context(number: int, *, constructed: bool) -> int:
    """Return the context-specific tag with that number."""
    return 0x80 | (0x20 if constructed else 0) | number


class Reader:
    """Reads elements one after another from one level of nesting."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether every element has been read."""
        return self._position == len(self._data)

    def finish(self) -> None:
        """Raise `DerError` unless every element has been read."""
        if not self.at_end:
            raise DerError("trailing octets")

    def peek(self) -> int | None:
        """Return the tag of the next element, or None at the end."""
        return None if self.at_end else self._data[self._position]

    def any(self) -> tuple[int, bytes]:
        """Read one element of any tag and return tag and contents."""
        tag = self.peek()
        if tag is None or tag & 0x1F == 0x1F:
            raise DerError("no tag, or a long one")
        start, length = self._length(self._position + 1)
        end = start + length
        if end > len(self._data):
            raise DerError("contents are cut off")
        self._position = end
        return tag, self._data[start:end]

    def read(self, tag: int) -> bytes:
        """Read one element that has `tag` and return its contents."""
        found, contents = self.any()
        if found != tag:
            raise DerError("another tag was expected")
        return contents

    def raw(self, tag: int) -> bytes:
        """Read one element that has `tag` and return it whole, with tag and length."""
        start = self._position
        self.read(tag)
        return self._data[start : self._position]

    def optional(self, tag: int) -> bytes | None:
        """Read the next element if it has `tag`, else return None."""
        return self.read(tag) if self.peek() == tag else None

    def enter(self, tag: int) -> Reader:
        """Read one constructed element that has `tag` and return a reader of its contents."""
        return Reader(self.read(tag))

    def true_or_absent(self) -> bool:
        """Read a BOOLEAN with DEFAULT FALSE: DER has it as FF or not at all."""
        contents = self.optional(BOOLEAN)
        if contents not in (None, b"\xff"):
            raise DerError("BOOLEAN is not in DER")
        return contents is not None

    def _length(self, position: int) -> tuple[int, int]:
        first = self._octets(position, 1)[0]
        if first < 0x80:
            return position + 1, first
        size = first & 0x7F
        if not 1 <= size <= 3:
            raise DerError("length is indefinite or too long")
        octets = self._octets(position + 1, size)
        length = int.from_bytes(octets)
        if octets[0] == 0 or length < 0x80:
            raise DerError("length is not the shortest")
        return position + 1 + size, length

    def _octets(self, position: int, size: int) -> bytes:
        octets = self._data[position : position + size]
        if len(octets) != size:
            raise DerError("header is cut off")
        return octets


def integer(contents: bytes, *, max_octets: int) -> int:
    """Return a non-negative INTEGER of at most `max_octets` octets."""
    if not 1 <= len(contents) <= max_octets:
        raise DerError("INTEGER has the wrong size")
    if contents[0] & 0x80:
        raise DerError("INTEGER is negative")
    if len(contents) > 1 and contents[0] == 0 and not contents[1] & 0x80:
        raise DerError("INTEGER is not the shortest")
    return int.from_bytes(contents)


def oid(contents: bytes) -> str:
    """Return an OBJECT IDENTIFIER in dotted form."""
    if not contents or len(contents) > _MAX_OID or contents[-1] & 0x80:
        raise DerError("OBJECT IDENTIFIER has the wrong form")
    arcs: list[int] = []
    value = 0
    for octet in contents:
        if value == 0 and octet == 0x80:
            raise DerError("OBJECT IDENTIFIER is not the shortest")
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join(map(str, (first, arcs[0] - 40 * first, *arcs[1:])))


def bits(contents: bytes) -> tuple[int, bytes]:
    """Return the number of unused bits and the octets of a BIT STRING."""
    if not contents or contents[0] > 7 or (contents[0] and len(contents) == 1):
        raise DerError("BIT STRING has the wrong form")
    if contents[0] and contents[-1] & ((1 << contents[0]) - 1):
        raise DerError("BIT STRING has stray bits")
    return contents[0], contents[1:]


def whole_octets(contents: bytes) -> bytes:
    """Return a BIT STRING that is made of whole octets."""
    unused, octets = bits(contents)
    if unused:
        raise DerError("BIT STRING is not whole octets")
    return octets


def text(tag: int, contents: bytes) -> str:
    """Return a string of any of the usual types; signs that cannot be shown are refused."""
    if tag not in _STRINGS or len(contents) > _MAX_STRING:
        raise DerError("not a string, or too long")
    try:
        value = contents.decode(_STRINGS[tag])
    except UnicodeDecodeError:
        raise DerError("string is not in its encoding") from None
    if not value.replace(_NO_BREAK_SPACE, " ").isprintable():
        raise DerError("string has signs that cannot be shown")
    return value


def time(tag: int, contents: bytes) -> datetime:
    """Return a UTCTime or GeneralizedTime as RFC 5280 section 4.1.2.5 writes them: to the second, in UTC."""
    digits = contents[:-1].decode("latin-1")
    if contents[-1:] != b"Z" or not (digits.isascii() and digits.isdigit()):
        raise DerError("time has the wrong form")
    if tag == UTC_TIME and len(digits) == 12:
        digits = ("20" if digits < "50" else "19") + digits
    elif tag != GENERALIZED_TIME or len(digits) != 14:
        raise DerError("time has the wrong form")
    year, *rest = (int(digits[start : start + size]) for start, size in ((0, 4), *((n, 2) for n in range(4, 14, 2))))
    try:
        return datetime(year, rest[0], rest[1], rest[2], rest[3], rest[4], tzinfo=UTC)
    except ValueError:
        raise DerError("time does not exist") from None
