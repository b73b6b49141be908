# SPDX-License-Identifier: EUPL-1.2
"""Carries bytes between a program and a server until one of them has had enough. Never waits; bounded memory.

Nothing is read from one side while what the other has not taken is still here. Whoever ends its half leaves the
other's open. `Pump` says when there is something to do.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from typing import Final

from sithsapp.mtls.readiness import READ, WRITE
from sithsapp.mtls.side import Room, Side

_ABORT: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)
_FLOWING: Final = (READ, READ)

Filter = Callable[[bytes], bytes]


class Idle(Exception):
    """Nothing went either way for too long."""


def abort(client: socket.socket) -> None:
    """Break a connection off so that the program knows that it is not whole."""
    try:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)
    except OSError:
        return
    finally:
        client.close()


class Tunnel:
    """One connection in use. Used by one thread at a time.

    `wants` says what of the client's and the server's socket is awaited (`READ`, `WRITE`). Once all has been
    carried it is `finished`: then the program's end alone is awaited, as closing on unread data would destroy what
    the program has not read yet. It is `over` when that has come, too.
    """

    def __init__(self, client: Side, server: Side, passing: Filter | None) -> None:
        """Carry between `client` and `server`; what the client sends goes through `passing`, if there is one."""
        self.client, self.server, self._passing = client, server, passing
        self._on_first_data: Callable[[], None] | None = None
        self._told_server = self.finished = self.over = False
        self.wants = _FLOWING

    def on_first_data(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the server has sent its first data, with which tickets come."""
        self._on_first_data = callback

    def begin(self, first: bytes, early: bytes) -> None:
        """Carry what the client sent before the tunnel was there, and what the server did.

        Raises what `client_ready` does.
        """
        if first:
            self.server.write(first)
        if early:
            self._give(memoryview(early))
        self._settle()

    def client_ready(self, events: int, room: Room) -> None:
        """Do what the client's socket is ready for.

        Raises `OSError`, and what `passing` and the signer raise.
        """
        client, server = self.client, self.server
        if client.unsent and events & ~READ:
            client.flush()
        if self.finished:
            client.receive(room)
        elif events & ~WRITE and not server.full and not client.ended:
            self._send(client.receive(room))
        self._settle()

    def server_ready(self, events: int, room: Room) -> None:
        """Do what the server's socket is ready for. Raises what `client_ready` does, and `Truncated`."""
        client, server = self.client, self.server
        if server.unsent and events & ~READ:
            server.flush()
        if events & ~WRITE and not client.full and not server.ended:
            data = server.receive(room)
            if data:
                self._give(data)
        self._settle()

    def _send(self, data: bytes | memoryview) -> None:
        if data and self._passing is not None:
            data = self._passing(bytes(data))
        if data:
            self.server.write(data)

    def _give(self, data: memoryview) -> None:
        if self._on_first_data is not None:
            callback, self._on_first_data = self._on_first_data, None
            callback()
        self.client.write(data)

    def _settle(self) -> None:
        """Pass on the ends, and see what is to be awaited."""
        client, server = self.client, self.server
        if client.full or server.full or client.ended or server.ended:
            self._settle_ends()
            of_client = _wants(client, reading=self.finished or not server.full)
            self.wants = of_client, 0 if self.finished else _wants(server, reading=not client.full)
        else:
            self.wants = _FLOWING

    def _settle_ends(self) -> None:
        client, server = self.client, self.server
        if client.ended and not self._told_server and not self.finished:
            self._told_server = True
            server.end_writing()
        if server.ended and not client.full and not self.finished:
            self.finished = True
            client.end_writing()
        self.over = self.finished and client.ended and not client.unsent


def _wants(side: Side, *, reading: bool) -> int:
    wants = READ if reading and not side.ended else 0
    return wants | WRITE if side.unsent else wants
