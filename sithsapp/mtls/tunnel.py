# SPDX-License-Identifier: EUPL-1.2
"""Carries bytes between a program and a server until one of them has had enough. One thread, bounded memory.

Nothing is read from one side while what the other has not taken is still here. Whoever ends its half leaves the
other's open.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable
from typing import Final

from sithsapp.mtls.readiness import Ready, pair, readable_within
from sithsapp.mtls.tls_stream import CHUNK, TlsStream, Truncated

_LINGER_SECONDS: Final = 1.0
_ABORT: Final = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)

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
    """One connection in use."""

    def __init__(self, client: socket.socket, server: TlsStream, passing: Filter, *, idle_seconds: float) -> None:
        """Carry between `client` and `server`; what the client sends goes through `passing`."""
        self._client, self._server, self._passing = client, server, passing
        self._idle = idle_seconds
        self._for_client = memoryview(b"")
        self._client_ended = self._told_client = self._ending = False
        self._on_first_data: Callable[[], None] | None = None
        self._pair = pair(server.raw, client)
        client.setblocking(False)

    def on_first_data(self, callback: Callable[[], None]) -> None:
        """Call `callback` once when the server has sent its first data, with which tickets come."""
        self._on_first_data = callback

    def end(self) -> None:
        """Make `run` break off when it wakes; may be called from any thread."""
        self._ending = True

    def run(self, first: bytes) -> None:
        """Carry `first` from the client and then everything, until both have ended.

        Raises `Idle`, `Truncated`, `OSError`, and what `passing` and the signer raise.
        """
        if first:
            self._server.write(first)
        self._server.flush()
        self._take_decrypted()
        while not self._finished():
            self._step(*self._wait())
        self._linger()

    def _step(self, server: Ready, client: Ready) -> None:
        if self._ending:
            raise Truncated("ended here")
        if not any(server) and not any(client):
            raise Idle
        if server.writable:
            self._server.flush()
        if server.readable:
            self._from_server()
        if client.writable:
            self._to_client()
        if client.readable and not self._server.unsent:
            self._from_client()

    def _finished(self) -> bool:
        if self._for_client or not self._server.ended:
            return False
        if not self._told_client:
            self._told_client = True
            self._client.shutdown(socket.SHUT_WR)
        return True

    def _wait(self) -> tuple[Ready, Ready]:
        unsent, waiting = self._server.unsent, bool(self._for_client)
        return self._pair.wait(
            Ready(not waiting and not self._server.ended, unsent),
            Ready(not self._client_ended and not unsent, waiting),
            self._idle,
        )

    def _from_client(self) -> None:
        try:
            data = self._client.recv(CHUNK)
        except BlockingIOError:
            return
        if not data:
            self._client_ended = True
            self._server.end_writing()
        else:
            passed = self._passing(data)
            if passed:
                self._server.write(passed)
        self._server.flush()

    def _from_server(self) -> None:
        try:
            self._server.feed()
        except BlockingIOError:
            return
        self._take_decrypted()
        self._server.flush()

    def _take_decrypted(self) -> None:
        try:
            self._for_client = memoryview(self._server.read())
        except ConnectionError as error:
            raise Truncated("the server broke off") from error
        if self._for_client and self._on_first_data is not None:
            self._on_first_data()
            self._on_first_data = None
        if self._for_client:
            self._to_client()

    def _to_client(self) -> None:
        try:
            self._for_client = self._for_client[self._client.send(self._for_client) :]
        except BlockingIOError:
            return

    def _linger(self) -> None:
        """Let the program read the end before the socket goes: closing on unread data would destroy what it has."""
        while not self._client_ended:
            if not readable_within(self._client, _LINGER_SECONDS) or not self._client.recv(CHUNK):
                return
