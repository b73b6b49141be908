# SPDX-License-Identifier: EUPL-1.2
"""The helper as a whole: listens on loopback for each target, one thread a connection, and lets go when cards go."""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sithsapp.card.model import CardId, CardsState, SignatureScheme
from sithsapp.card.service import CardService
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.card_signer import CardSigner
from sithsapp.mtls.choosing import Chosen, choose, read_issuers
from sithsapp.mtls.connection import Connection, Terms
from sithsapp.mtls.contexts import ClientContext, ClientKey, Trust
from sithsapp.mtls.http_guard import Rules
from sithsapp.mtls.interaction import MtlsInteraction
from sithsapp.mtls.peer import PeerCheck, system_peer_check
from sithsapp.mtls.pump import Pumps
from sithsapp.mtls.self_test import require_working
from sithsapp.mtls.threads import start_thread
from sithsapp.mtls.tunnel import abort
from sithsapp.mtls.upstream import Upstream
from sithsapp.settings.schema import Mtls, MtlsTarget

log = logging.getLogger(__name__)

LOOPBACK: Final = "127.0.0.1"
CLOSE_SECONDS: Final = 3.0
_BACKLOG: Final = 128
_NEWEST: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": None}


@dataclass(frozen=True, slots=True)
class TargetStatus:
    """One target at one moment. `limited` says in words why TLS 1.3 is not offered with the card in use."""

    name: str
    port: int
    server: str
    mode: str
    connections: int
    accepted: int
    refused: int
    signatures: int
    limited: str | None


class _Forward:
    """A listening port and the connections that came by it."""

    def __init__(self, target: MtlsTarget, listener: socket.socket, upstream: Upstream, terms: Terms) -> None:
        self.target, self.listener, self.upstream, self.terms = target, listener, upstream, terms
        self.connections: set[Connection] = set()
        self.accepted = self.refused = 0
        self.limited: str | None = None


class MtlsHelper:
    """Serves the targets from `start` to `close`. Thread-safe."""

    def __init__(
        self,
        settings: Mtls,
        cards: CardService,
        interaction: MtlsInteraction,
        *,
        extra_ca: tuple[str, ...] = (),
        peers: PeerCheck | None = None,
    ) -> None:
        """Serve `settings.targets` with what is in the readers of `cards`; `interaction` asks the person.

        Raises `SithsError`: MTLS_UNAVAILABLE, SETTINGS_INVALID.
        """
        require_working()
        self._settings, self._cards, self._extra_ca = settings, cards, extra_ca
        self._peers = system_peer_check() if peers is None else peers
        self._issuers = read_issuers(settings.issuers)
        self._signer = CardSigner(cards, interaction, ask_seconds=settings.ask_seconds)
        self._forwards: list[_Forward] = []
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._pumps = Pumps()
        self._closing = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._acceptor = threading.Thread(target=self._accept, name="mtls accept", daemon=True)
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Listen. Raises `SithsError(PORT_IN_USE)`, with nothing left open."""
        try:
            for target in self._settings.targets:
                self._forwards.append(self._forward(target))
        except BaseException:
            self.close()
            raise
        self._unsubscribe = self._cards.subscribe(self._cards_changed)
        self._acceptor.start()

    def close(self) -> None:
        """End all connections and forget all sessions, within some seconds. May be repeated."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._unsubscribe()
        self._wake.send(b"!")
        deadline = time.monotonic() + CLOSE_SECONDS
        if self._acceptor.is_alive():
            self._acceptor.join(CLOSE_SECONDS)
        for forward in self._forwards:
            forward.listener.close()
            forward.upstream.close()
        for connection in self._connections():
            connection.end()
        with self._changed:
            self._changed.wait_for(lambda: not self._connections(), max(0.0, deadline - time.monotonic()))
        self._pumps.close(max(0.0, deadline - time.monotonic()))
        self._wake.close()
        self._woken.close()

    def status(self) -> tuple[TargetStatus, ...]:
        """Return how the targets are doing."""
        with self._lock:
            return tuple(
                TargetStatus(
                    forward.target.name,
                    forward.listener.getsockname()[1] if not self._closing.is_set() else 0,
                    f"{forward.target.host}:{forward.target.port}",
                    forward.target.mode,
                    len(forward.connections),
                    forward.accepted,
                    forward.refused,
                    forward.upstream.signatures,
                    forward.limited,
                )
                for forward in self._forwards
            )

    def _forward(self, target: MtlsTarget) -> _Forward:
        try:
            listener = socket.create_server((LOOPBACK, target.listen), backlog=_BACKLOG)
        except OSError as error:
            raise SithsError(Failure.PORT_IN_USE, f"{target.name}: {LOOPBACK}:{target.listen}") from error
        listener.setblocking(False)
        trust = Trust((*self._extra_ca, *target.ca))
        alpn = target.alpn or (("http/1.1",) if target.mode == "http" else ())

        def make_context(chosen: Chosen, sign: Callable[[bytes, SignatureScheme], bytes]) -> ClientContext:
            chain = self._issuers.chain(chosen)
            key = ClientKey(chain, frozenset(chosen.credential.schemes), sign)
            context = ClientContext(key, trust, alpn=alpn, newest=_NEWEST[target.newest_tls])
            forward.limited = context.limited
            return context

        upstream = Upstream(
            target.name,
            (target.host, target.port),
            choose=lambda: choose(self._cards.state),
            sign=self._signer.sign,
            make_context=make_context,
            session_seconds=self._settings.session_seconds,
        )
        rules = _rules(target, listener.getsockname()[1]) if target.mode == "http" else None
        terms = Terms(
            upstream,
            self._peers,
            rules,
            target.server_speaks_first,
            self._settings.idle_seconds,
            self._may_go_on,
            self._pumps,
        )
        forward = _Forward(target, listener, upstream, terms)
        return forward

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for forward in self._forwards:
                selector.register(forward.listener, selectors.EVENT_READ, forward)
            while not self._closing.is_set():
                for key, _ in selector.select():
                    if key.data is not None:
                        self._accept_one(key.data)

    def _accept_one(self, forward: _Forward) -> None:
        """Take a connection of a program of this user, if there is room; break off any other at once."""
        try:
            client, theirs = forward.listener.accept()
        except OSError:
            self._closing.wait(0.01)  # gone again, or no descriptors left: do not spin
            return
        try:
            stranger = self._peers.own_program(client.getsockname(), theirs) is None
            if stranger or not self._begin(forward, client, theirs):
                forward.refused += 1
                abort(client)
        except Exception:
            log.exception("accept")
            abort(client)

    def _begin(self, forward: _Forward, client: socket.socket, theirs: tuple[str, int]) -> bool:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(client, theirs, forward.terms, lambda: self._forget(forward, connection))
        with self._lock:
            if sum(len(each.connections) for each in self._forwards) >= self._settings.connections:
                return False
            forward.connections.add(connection)
            forward.accepted += 1
        try:
            start_thread(threading.Thread(target=connection.run, name="mtls connection", daemon=True))
        except RuntimeError:  # the system has no thread left
            self._forget(forward, connection)
            return False
        return True

    def _forget(self, forward: _Forward, connection: Connection) -> None:
        with self._changed:
            forward.connections.discard(connection)
            self._changed.notify_all()

    def _cards_changed(self, state: CardsState) -> None:
        for forward in self._forwards:
            forward.upstream.forget_unless(lambda card: state.find(card) is not None)
        for connection in self._connections():
            connection.end_if_orphaned()

    def _connections(self) -> list[Connection]:
        with self._lock:
            return [each for forward in self._forwards for each in forward.connections]

    def _may_go_on(self, card: CardId) -> bool:
        return not self._settings.close_when_card_leaves or self._cards.state.find(card) is not None


def _rules(target: MtlsTarget, port: int) -> Rules:
    server = target.host if target.port == 443 else f"{target.host}:{target.port}"
    own = {f"{LOOPBACK}:{port}", f"localhost:{port}"}
    return Rules(frozenset(own | set(target.allowed_hosts)), server, f"https://{server}")
