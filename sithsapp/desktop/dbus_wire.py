# SPDX-License-Identifier: EUPL-1.2
"""The part of the D-Bus wire format that notifications need. Pure: bytes in, messages out.

Qt's binding cannot send the unsigned numbers that the notification service demands, so its few messages are written
here (D-Bus specification, "Message Protocol"). Little endian is written, both are read. What is received is bounded;
anything that breaks the format ends the connection.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

MAX_MESSAGE = 256 * 1024
_FIXED_HEADER = 16
_PATH, _INTERFACE, _MEMBER, _ERROR, _REPLY_SERIAL, _DESTINATION, _SENDER, _SIGNATURE = range(1, 9)


class WireError(ValueError):
    """The other side broke the format or a limit."""


class Kind(IntEnum):
    """Message types."""

    CALL = 1
    REPLY = 2
    ERROR = 3
    SIGNAL = 4


@dataclass(frozen=True, slots=True)
class Message:
    """A message as received: header fields that matter, and the undecoded body."""

    kind: int
    reply_serial: int
    interface: str
    member: str
    sender: str
    signature: str
    body: bytes
    big_endian: bool


class Writer:
    """Builds a body or header; values align as the format demands, counted from the beginning."""

    def __init__(self) -> None:
        self.data = bytearray()

    def align(self, size: int) -> None:
        """Pad to a multiple of `size`."""
        self.data += bytes(-len(self.data) % size)

    def byte(self, value: int) -> None:
        """Append a `y`."""
        self.data.append(value)

    def uint32(self, value: int) -> None:
        """Append a `u`."""
        self.align(4)
        self.data += struct.pack("<I", value)

    def int32(self, value: int) -> None:
        """Append an `i`."""
        self.align(4)
        self.data += struct.pack("<i", value)

    def string(self, text: str) -> None:
        """Append an `s` or `o`."""
        content = text.encode()
        self.uint32(len(content))
        self.data += content + b"\0"

    def signature(self, text: str) -> None:
        """Append a `g`."""
        content = text.encode("ascii")
        self.data += bytes([len(content)]) + content + b"\0"

    def strings(self, texts: Sequence[str]) -> None:
        """Append an `as`."""
        inner = Writer()
        for text in texts:
            inner.string(text)
        self.uint32(len(inner.data))  # strings align to four, which the length has left us at
        self.data += inner.data

    def dictionary(self, entries: Sequence[tuple[str, str | int]]) -> None:
        """Append an `a{sv}` whose values are strings (`s`) or bytes (`y`)."""
        inner = Writer()
        for key, value in entries:
            inner.align(8)
            inner.string(key)
            if isinstance(value, str):
                inner.signature("s")
                inner.string(value)
            else:
                inner.signature("y")
                inner.byte(value)
        self.uint32(len(inner.data))
        self.align(8)
        self.data += inner.data


def method_call(
    serial: int, destination: str, path: str, interface: str, member: str, signature: str = "", body: bytes = b""
) -> bytes:
    """Return a method call as bytes to be sent."""
    fields = Writer()
    for code, kind, value in (
        (_PATH, "o", path),
        (_INTERFACE, "s", interface),
        (_MEMBER, "s", member),
        (_DESTINATION, "s", destination),
        (_SIGNATURE, "g", signature),
    ):
        if value:
            fields.align(8)
            fields.byte(code)
            fields.signature(kind)
            (fields.signature if kind == "g" else fields.string)(value)
    head = Writer()
    head.data += bytes([ord("l"), Kind.CALL, 0, 1])
    head.uint32(len(body))
    head.uint32(serial)
    head.uint32(len(fields.data))
    head.data += fields.data
    head.align(8)
    return bytes(head.data) + body


class Reader:
    """Reads a message's values; raises `WireError` at its end or for a value that is not what it must be."""

    def __init__(self, data: bytes, *, big_endian: bool) -> None:
        self._data, self._order = data, ">" if big_endian else "<"
        self.position = 0

    def align(self, size: int) -> None:
        """Skip to a multiple of `size`."""
        self.position += -self.position % size

    def take(self, count: int) -> bytes:
        """Return the next bytes."""
        end = self.position + count
        if count < 0 or end > len(self._data):
            raise WireError("a message is shorter than it says")
        taken = self._data[self.position : end]
        self.position = end
        return taken

    def byte(self) -> int:
        """Return a `y`."""
        return self.take(1)[0]

    def uint32(self) -> int:
        """Return a `u`."""
        self.align(4)
        (value,) = struct.unpack(f"{self._order}I", self.take(4))
        assert isinstance(value, int)  # noqa: S101 # struct has no types
        return value

    def string(self) -> str:
        """Return an `s` or `o`."""
        return self._text(self.uint32())

    def signature(self) -> str:
        """Return a `g`."""
        return self._text(self.byte())

    def _text(self, length: int) -> str:
        content = self.take(length)
        if self.take(1) != b"\0":
            raise WireError("a text does not end as it must")
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise WireError("a text is no UTF-8") from None


def take_message(received: bytearray) -> Message | None:
    """Cut the first whole message off `received`; None if more has to come first. Raises `WireError`."""
    if len(received) < _FIXED_HEADER:
        return None
    if received[0] not in b"lB" or received[3] != 1:
        raise WireError("no D-Bus message")
    big = received[0] == ord("B")
    body_size, _, fields_size = struct.unpack(f"{'>' if big else '<'}III", received[4:_FIXED_HEADER])
    head_size = _FIXED_HEADER + fields_size + -fields_size % 8
    if head_size + body_size > MAX_MESSAGE:
        raise WireError("a message is too large")
    if len(received) < head_size + body_size:
        return None
    whole = bytes(received[: head_size + body_size])
    del received[: head_size + body_size]
    return _parse(whole, _FIXED_HEADER + fields_size, head_size, big)


def _parse(whole: bytes, fields_end: int, body_start: int, big: bool) -> Message:
    reader = Reader(whole[:fields_end], big_endian=big)
    reader.position = _FIXED_HEADER
    texts: dict[int, str] = {}
    numbers: dict[int, int] = {}
    while reader.position < fields_end:
        reader.align(8)
        code, kind = reader.byte(), reader.signature()
        if kind == "u":
            numbers[code] = reader.uint32()
        elif kind in ("s", "o", "g"):
            texts[code] = reader.signature() if kind == "g" else reader.string()
        else:
            raise WireError("a header field of an unknown kind")
    return Message(
        kind=whole[1],
        reply_serial=numbers.get(_REPLY_SERIAL, 0),
        interface=texts.get(_INTERFACE, ""),
        member=texts.get(_MEMBER, ""),
        sender=texts.get(_SENDER, ""),
        signature=texts.get(_SIGNATURE, ""),
        body=whole[body_start:],
        big_endian=big,
    )
