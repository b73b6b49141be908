# SPDX-License-Identifier: EUPL-1.2
"""One connection of a browser to the local proxy, from its first byte to its end.

The server is met and the card asked first, and "200 Connection established" said then, so that whoever speaks for
itself (curl, git) learns of a failure in the proxy's answer. Browsers hide that answer from people, and wait for it
for half a minute only: they get their tunnel also when it failed or takes longer, and a page in it that says why.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sithsapp.card.model import CardId
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import answers
from sithsapp.mtls.connect_opening import Opening, Refusals
from sithsapp.mtls.connect_request import ConnectAsked, FirstRequest, PacAsked
from sithsapp.mtls.connection import FIRST_BYTES_SECONDS, Stranger, answer, read_out, shut
from sithsapp.mtls.flight import Identity
from sithsapp.mtls.http_guard import Refused
from sithsapp.mtls.interaction import Program, Purpose
from sithsapp.mtls.peer import Address, PeerCheck
from sithsapp.mtls.permission import here
from sithsapp.mtls.pump import Carried, Pump, Pumps
from sithsapp.mtls.readiness import readable_within
from sithsapp.mtls.route import Route
from sithsapp.mtls.sessions import Sessions
from sithsapp.mtls.side import CHUNK, Room
from sithsapp.mtls.tls_stream import TlsStream, Truncated
from sithsapp.mtls.tunnel import Idle, Tunnel, abort
from sithsapp.mtls.upstream import Upstream

log = logging.getLogger(__name__)

PATIENCE_SECONDS: Final = 15.0
"""How long a browser is left without an answer."""
_GREETING_SECONDS: Final = 15.0
_MAX_REQUEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class ProxyTerms:
    """What holds for each connection to the proxy.

    `routes` are the listed servers by host and port, `context` speaks for them, `own_hosts` are the proxy's names,
    `openings` is the room for connections that are being opened.
    """

    routes: dict[tuple[str, int], Route]
    context: ssl.SSLContext
    pac: str
    own_hosts: frozenset[str]
    peers: PeerCheck
    refusals: Refusals
    openings: threading.Semaphore
    pumps: Pumps
    sessions: Sessions
    idle_seconds: float
    may_go_on: Callable[[CardId], bool]


class ProxyConnection:
    """A browser's connection: opened in a thread of its own, then carried by a pump. `end` is for any thread."""

    def __init__(self, client: socket.socket, theirs: Address, terms: ProxyTerms, ended: Callable[[], None]) -> None:
        """Take over `client`; `ended` is called once all is closed."""
        self._client, self._theirs, self._terms = client, theirs, terms
        self._ours: Address = client.getsockname()
        self._ended = ended
        self._tls: TlsStream | None = None
        self._server: TlsStream | None = None
        self._opening: Opening | None = None
        self._pump: Pump | None = None
        self._carried: Carried | None = None
        self._program = Program()
        self._identity: Identity | None = None
        self.upstream: Upstream | None = None
        self.purpose: Purpose | None = None
        self.ending = self._noted = False

    def run(self) -> None:
        """Open the connection and hand it to a pump, or say why not and close it. Raises nothing."""
        try:
            asked = self._asked()
            if isinstance(asked, PacAsked):
                answer(self._client, answers.pac(self._terms.pac))
            elif self._connect(asked):
                return
            self._over(None)
        except Exception as error:
            self._over(error)

    def end(self) -> None:
        """Make the connection end soon."""
        self.ending = True
        server, pump, carried, opening = self._server, self._pump, self._carried, self._opening
        if opening is not None:
            opening.stop()
        if server is not None:
            shut(server.raw, socket.SHUT_RDWR)  # first, as a server that is told of an end might answer with its own
        shut(self._client, socket.SHUT_RD)  # so that the program sees a break, not an end
        if pump is not None and carried is not None:
            pump.end(carried, Truncated("ended here"))

    def end_if_orphaned(self) -> None:
        """End if the connection was made with a card that has gone."""
        identity = self._identity
        if identity is not None and not self._terms.may_go_on(identity.chosen.card.id):
            self.end()

    def _asked(self) -> ConnectAsked | PacAsked:
        """Return the first request; who sent it is looked at once more by then."""
        request = FirstRequest(self._terms.own_hosts)
        deadline = time.monotonic() + FIRST_BYTES_SECONDS
        self._client.setblocking(False)
        while True:
            left = max(0.0, deadline - time.monotonic())
            data = self._client.recv(CHUNK) if readable_within(self._client, left) else b""
            if not data:
                raise Idle
            program = self._terms.peers.own_program(self._ours, self._theirs)
            if program is None:
                raise Stranger
            self._program = program
            asked = request.feed(data)
            if asked is not None:
                return asked

    def _connect(self, asked: ConnectAsked) -> bool:
        """Open the way to the server; tell whether a pump carries the connection now."""
        route = self._terms.routes.get((asked.host, asked.port))
        if route is None:
            raise Refused("403 Forbidden", answers.sentence_of(Failure.SERVER_NOT_LISTED))
        self.upstream, self.purpose = route.upstream, route.upstream.purpose(self._program)
        route.note_accepted()
        terms = self._terms
        opening = Opening(route.target.name, route.upstream, self._program, terms.refusals, terms.openings)
        self._opening = opening
        if self.ending:
            opening.stop()
        try:
            return self._open(asked, route, opening)
        finally:
            if self._server is None:
                opening.abandon()

    def _open(self, asked: ConnectAsked, route: Route, opening: Opening) -> bool:
        if asked.is_browser and not opening.wait(PATIENCE_SECONDS):
            self._establish()
        try:
            self._server, self._identity = opening.result()
        except SithsError as error:
            log.info("connection refused: %s", error)
            self._explain(error, asked)
            return False
        tls = self._tls or self._establish()
        self._hand_over(tls, self._server, self._identity, route.upstream)
        return True

    def _establish(self) -> TlsStream:
        """Say that the tunnel is there, and shake hands under the server's name."""
        self._client.settimeout(_GREETING_SECONDS)
        self._client.sendall(answers.ESTABLISHED)
        tls = self._tls = TlsStream(self._client, self._terms.context, None)
        tls.handshake(_GREETING_SECONDS)
        return tls

    def _hand_over(self, tls: TlsStream, server: TlsStream, identity: Identity, upstream: Upstream) -> None:
        program = self._program
        purpose = upstream.purpose(program)
        self._terms.sessions.connected(purpose)
        self._noted = True
        self.end_if_orphaned()
        if self.ending:
            raise Truncated("ended here")
        tunnel = Tunnel(tls, server, None)
        tunnel.on_first_data(lambda: upstream.note_session(program, identity, server))
        here.turn.purpose = purpose
        try:
            tunnel.begin(tls.early(), server.early())
        finally:
            here.turn.purpose = None
        self._carried = Carried(tunnel, purpose, self._terms.idle_seconds, self._over)
        self._pump = self._terms.pumps.carry(self._carried)
        if self.ending:
            self.end()

    def _explain(self, error: SithsError, asked: ConnectAsked) -> None:
        if self._tls is None and not asked.is_browser:
            failure = error.failure
            answer(self._client, answers.plain(answers.status_of(failure), answers.sentence_of(failure)))
            return
        tls = self._tls or self._establish()
        if _hear_out(tls):
            _say(tls, answers.page(error, asked.host))

    def _over(self, error: BaseException | None) -> None:
        """Close both sides, with a word to who asked for what is not here, and tell who made the connection."""
        if isinstance(error, Refused):
            log.info("request refused: %s", error)
            answer(self._client, answers.plain(error.status, error.reason))
        elif isinstance(error, SithsError | Stranger | Idle | Truncated | OSError):
            log.debug("connection ended: %s", type(error).__name__)
        elif error is not None:
            log.error("proxy connection", exc_info=error)
        self._close(whole=not self.ending and (error is None or isinstance(error, Refused)))
        if self.purpose is not None and self._noted:
            self._terms.sessions.disconnected(self.purpose)
        self._ended()

    def _close(self, *, whole: bool) -> None:
        if self._server is not None:
            self._server.close(abruptly=not whole)
        if not whole:
            abort(self._client)
        elif self._tls is not None:
            self._tls.close()
        self._client.close()


def _hear_out(tls: TlsStream) -> bool:
    """Receive a request's head; tell whether there was one."""
    deadline, room = time.monotonic() + _GREETING_SECONDS, Room()
    heard = tls.early()
    while b"\r\n\r\n" not in heard and not tls.ended and len(heard) < _MAX_REQUEST:
        if not readable_within(tls.raw, max(0.0, deadline - time.monotonic())):
            return False
        heard += tls.receive(room)
    return b"\r\n\r\n" in heard


def _say(tls: TlsStream, text: bytes) -> None:
    """Send the last words, and wait, not for long, until they have been read."""
    tls.raw.settimeout(_GREETING_SECONDS)
    tls.write(text)
    tls.end_writing()
    tls.raw.shutdown(socket.SHUT_WR)
    read_out(tls.raw)
