# SPDX-License-Identifier: EUPL-1.2
"""One side of a tunnel: what `Tunnel` asks of a connected socket, be it plain or TLS."""

from __future__ import annotations

import socket
from typing import Final, Protocol

CHUNK: Final = 128 * 1024
RECORD: Final = 16 * 1024 + 512
"""No TLS record is longer."""
NOTHING: Final = memoryview(b"")


class Room:
    """Where one thread puts what it has just received. What a side returns lives until the next `receive`.

    `plain` has room for all that can be decrypted out of a full `taken` and of a record that was begun before.
    """

    __slots__ = ("plain", "taken")

    def __init__(self) -> None:
        self.taken = memoryview(bytearray(CHUNK))
        self.plain = memoryview(bytearray(CHUNK + 2 * RECORD))


class Side(Protocol):
    """A connected peer, never used by two threads at a time. Its socket does not block."""

    raw: socket.socket
    ended: bool
    """Whether the peer has ended its half."""
    unsent: bool
    """Whether something waits for the socket to take it: `flush` when it can be written."""
    full: bool
    """Whether something that was written waits for whatever reason, so that no more may be."""

    def receive(self, room: Room) -> memoryview:
        """Take what has come; empty if it is nothing yet, or the end, which sets `ended`.

        Raises `OSError`, for TLS as `TlsStream` says.
        """

    def write(self, data: bytes | memoryview) -> None:
        """Send `data` as far as the socket takes it and keep the rest; only while not `full`. Raises `OSError`."""

    def flush(self) -> None:
        """Send what waits, as far as the socket takes it. Raises `OSError`."""

    def end_writing(self) -> None:
        """Say that no more will be written; the peer may go on. Raises `OSError`."""


class PlainSide:
    """A `Side` without TLS."""

    def __init__(self, raw: socket.socket) -> None:
        """Use `raw`, which belongs to the caller."""
        raw.setblocking(False)
        self.raw = raw
        self.ended = self.unsent = self.full = False
        self._rest = NOTHING

    def receive(self, room: Room) -> memoryview:
        """See `Side`."""
        try:
            count = self.raw.recv_into(room.taken)
        except BlockingIOError:
            return NOTHING
        self.ended = not count
        return room.taken[:count]

    def write(self, data: bytes | memoryview) -> None:
        """See `Side`."""
        try:
            sent = self.raw.send(data)
        except BlockingIOError:
            sent = 0
        if sent < len(data):
            self._rest = memoryview(bytes(data[sent:]))
            self.unsent = self.full = True

    def flush(self) -> None:
        """See `Side`."""
        if self._rest:
            try:
                self._rest = self._rest[self.raw.send(self._rest) :]
            except BlockingIOError:
                return
        self.unsent = self.full = bool(self._rest)

    def end_writing(self) -> None:
        """See `Side`."""
        self.raw.shutdown(socket.SHUT_WR)
