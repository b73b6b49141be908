# SPDX-License-Identifier: EUPL-1.2
"""One connection of a local program, from its first byte to its end."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sithsapp.card.model import CardId
from sithsapp.failures import SithsError
from sithsapp.mtls.answers import plain, sentence_of, status_of
from sithsapp.mtls.flight import Identity
from sithsapp.mtls.http_guard import HttpGuard, Refused, Rules
from sithsapp.mtls.interaction import Program, Purpose
from sithsapp.mtls.peer import Address, PeerCheck
from sithsapp.mtls.permission import about_to_wait, here
from sithsapp.mtls.pump import Carried, Pump, Pumps
from sithsapp.mtls.readiness import readable_within
from sithsapp.mtls.sessions import Sessions
from sithsapp.mtls.side import RECORD, PlainSide
from sithsapp.mtls.tls_stream import TlsStream, Truncated
from sithsapp.mtls.tunnel import Idle, Tunnel, abort
from sithsapp.mtls.upstream import Upstream

log = logging.getLogger(__name__)

FIRST_BYTES_SECONDS: Final = 10.0
_SEND_SECONDS: Final = 2.0


class Stranger(Exception):
    """The peer is not known to be a program of this user."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for each connection to a target.

    `rules` None is mode `raw`. `may_go_on` tells whether a connection of that card's may live. `pumps` carry it.
    """

    upstream: Upstream
    peers: PeerCheck
    rules: Rules | None
    server_speaks_first: bool
    idle_seconds: float
    may_go_on: Callable[[CardId], bool]
    pumps: Pumps
    sessions: Sessions


class Connection:
    """A program's connection: opened in a thread of its own, then carried by a pump. `end` is for any thread."""

    def __init__(self, client: socket.socket, theirs: Address, terms: Terms, ended: Callable[[], None]) -> None:
        """Take over `client`; `ended` is called once all is closed."""
        self._client, self._theirs, self._terms = client, theirs, terms
        self._ours: Address = client.getsockname()
        self._ended = ended
        self._server: TlsStream | None = None
        self._pump: Pump | None = None
        self._carried: Carried | None = None
        self._guard = None if terms.rules is None else HttpGuard(terms.rules)
        self._program = Program()
        self._known = False
        self.upstream = terms.upstream
        self.identity: Identity | None = None
        self.purpose: Purpose | None = None
        self.ending = self._noted = False

    def run(self) -> None:
        """Open the connection and hand it to a pump; if that fails, both sockets are closed. Raises nothing."""
        try:
            first = self._first_bytes()
            self.purpose = self.upstream.purpose(self._program)
            self._server, self.identity = self.upstream.open(self._program)
            self._terms.sessions.connected(self.purpose)
            self._noted = True
            self.end_if_orphaned()
            if self.ending:
                raise Truncated("ended here")
            self._hand_over(self._server, first)
        except Exception as error:
            self._over(error)

    def end(self) -> None:
        """Make the connection end soon."""
        self.ending = True
        server, pump, carried = self._server, self._pump, self._carried
        if server is not None:
            shut(server.raw, socket.SHUT_RDWR)  # first, as a server that is told of an end might answer with its own
        shut(self._client, socket.SHUT_RD)  # so that the program sees a break, not an end
        if pump is not None and carried is not None:
            pump.end(carried, Truncated("ended here"))

    def end_if_orphaned(self) -> None:
        """End if the connection was made with a card that has gone."""
        identity = self.identity
        if identity is not None and not self._terms.may_go_on(identity.chosen.card.id):
            self.end()

    def _hand_over(self, server: TlsStream, first: bytes) -> None:
        upstream, program = self.upstream, self._program
        filtered = self._guard is not None or not self._known
        tunnel = Tunnel(PlainSide(self._client), server, self._passing if filtered else None)
        tunnel.on_first_data(lambda: upstream.note_session(program, self._identity(), server))
        purpose = here.turn.purpose = upstream.purpose(program)
        try:
            tunnel.begin(first, server.early())
        finally:
            here.turn.purpose = None
        self._carried = Carried(tunnel, purpose, self._terms.idle_seconds, self._over)
        self._pump = self._terms.pumps.carry(self._carried)
        if self.ending:
            self.end()

    def _over(self, error: BaseException | None) -> None:
        """Close both sides, with a word to the program where that helps, and tell whoever made the connection."""
        if isinstance(error, Refused | SithsError):
            self._explain(error)
        elif isinstance(error, Stranger | Idle | Truncated | OSError):
            log.debug("connection ended: %s", type(error).__name__)
        elif error is not None:
            log.error("connection", exc_info=error)
        self._close(whole=error is None and not self.ending)
        if self.purpose is not None and self._noted:
            self._terms.sessions.disconnected(self.purpose)
        self._ended()

    def _identity(self) -> Identity:
        if self.identity is None:
            raise AssertionError("no server yet")
        return self.identity

    def _first_bytes(self) -> bytes:
        """Return what the program sends first, as far as it may pass: a whole request's head in mode `http`."""
        if self._guard is None and self._terms.server_speaks_first:
            self._check_peer()
            return b""
        deadline = time.monotonic() + FIRST_BYTES_SECONDS
        self._client.setblocking(False)
        while True:
            left = max(0.0, deadline - time.monotonic())
            data = self._client.recv(RECORD) if readable_within(self._client, left) else b""
            if not data:
                raise Idle
            passed = self._passing(data)
            if passed:
                return passed

    def _passing(self, data: bytes) -> bytes:
        """Let through what a program of this user may send; its first bytes are looked at twice."""
        if not self._known:
            about_to_wait()
            self._check_peer()
            self._known = True
        return data if self._guard is None else self._guard.feed(data)

    def _check_peer(self) -> None:
        program = self._terms.peers.own_program(self._ours, self._theirs)
        if program is None:
            raise Stranger
        self._program = program

    def _explain(self, error: Refused | SithsError) -> None:
        """Tell the program why in HTTP, if that is what it speaks and no answer has begun."""
        log.info("connection refused: %s", error)
        if self._guard is None or self._server is not None:
            return
        if isinstance(error, Refused):
            answer(self._client, plain(error.status, error.reason))
        else:
            answer(self._client, plain(status_of(error.failure), sentence_of(error.failure)))

    def _close(self, *, whole: bool) -> None:
        if self._server is not None:
            self._server.close(abruptly=not whole)
        if whole or (self._guard is not None and self._server is None):
            self._client.close()
        else:
            abort(self._client)


def answer(client: socket.socket, text: bytes) -> None:
    """Send the last words to a program and wait, not for long, until it has read them. Raises nothing."""
    try:
        client.settimeout(_SEND_SECONDS)
        client.sendall(text)
        client.shutdown(socket.SHUT_WR)
        read_out(client)
    except OSError:
        return


def read_out(client: socket.socket) -> None:
    """Wait, not for long, for a program's end: closing on what it still sends would destroy what it has not read.

    Raises `OSError`.
    """
    deadline = time.monotonic() + _SEND_SECONDS
    client.settimeout(_SEND_SECONDS)
    while client.recv(RECORD) and (left := deadline - time.monotonic()) > 0:
        client.settimeout(left)


def shut(each: socket.socket, how: int) -> None:
    """Shut a socket down, if it is still open; may be called from any thread."""
    try:
        each.shutdown(how)
    except OSError:
        return
