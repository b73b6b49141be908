# SPDX-License-Identifier: EUPL-1.2
"""The helper as a whole: listens on loopback for each target, one thread a connection, and lets go when cards go."""

from __future__ import annotations

import logging
import selectors
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sithsapp.card.model import CardId, CardsState
from sithsapp.card.service import CardService
from sithsapp.mtls.card_signer import CardSigner
from sithsapp.mtls.card_waiting import CardWaiting
from sithsapp.mtls.choosing import read_issuers
from sithsapp.mtls.connect_connection import ProxyConnection
from sithsapp.mtls.connect_door import ProxyDoor, ProxyParts, ProxyStatus
from sithsapp.mtls.connection import Connection, Terms
from sithsapp.mtls.http_guard import Rules
from sithsapp.mtls.interaction import MtlsInteraction
from sithsapp.mtls.local_store import LocalStore
from sithsapp.mtls.peer import LOOPBACK, Address, PeerCheck, listen_on, system_peer_check
from sithsapp.mtls.pump import Pumps
from sithsapp.mtls.route import Route, RouteParts, TargetStatus
from sithsapp.mtls.self_test import require_working
from sithsapp.mtls.sessions import Listener, Session, Sessions, key_of
from sithsapp.mtls.threads import Workers
from sithsapp.mtls.tunnel import abort
from sithsapp.settings.schema import Mtls, MtlsTarget

log = logging.getLogger(__name__)

CLOSE_SECONDS: Final = 3.0


class _ForwardDoor:
    """A forward's listening port, and what takes over those who come in."""

    def __init__(self, route: Route, listener: socket.socket, terms: Terms) -> None:
        self.routes, self.listener, self._terms = (route,), listener, terms
        self.port = int(listener.getsockname()[1])
        self.refused = 0

    def admit(self, client: socket.socket, theirs: Address, ended: Callable[[Connection], None]) -> Connection:
        connection = Connection(client, theirs, self._terms, lambda: ended(connection))
        return connection

    def taken(self) -> None:
        self.routes[0].note_accepted()

    def close(self) -> None:
        self.listener.close()


_Door = _ForwardDoor | ProxyDoor
_Carried = Connection | ProxyConnection


class MtlsHelper:
    """Serves the targets from `start` to `close`; made anew when the settings change. Thread-safe."""

    def __init__(
        self,
        settings: Mtls,
        cards: CardService,
        interaction: MtlsInteraction,
        *,
        directory: Path,
        extra_ca: tuple[str, ...] = (),
        proxy: str = "system",
        peers: PeerCheck | None = None,
    ) -> None:
        """Serve `settings.targets` with what is in the readers of `cards`; `interaction` asks the person.

        `directory` is where the local proxy's certificate is kept, if there is a target for browsers; `extra_ca` and
        `proxy` are the settings of those names. Raises `SithsError`: MTLS_UNAVAILABLE, SETTINGS_INVALID.
        """
        require_working()
        self._settings, self._cards = settings, cards
        self._peers = system_peer_check() if peers is None else peers
        self._sessions = Sessions()
        signer = CardSigner(cards, interaction, ask_seconds=settings.ask_seconds)
        waiting = CardWaiting(cards, interaction, ask_seconds=settings.ask_seconds)
        issuers = read_issuers(settings.issuers)
        self._parts = RouteParts(
            waiting.choose,
            signer.sign,
            issuers,
            self._sessions,
            settings.session_seconds,
            extra_ca,
            proxy,
            lambda port: any(door.port == port for door in self._doors),
        )
        self._routes: list[Route] = []
        self._doors: list[_Door] = []
        self._lock = threading.RLock()
        self._changed = threading.Condition(self._lock)
        self._store = LocalStore(directory)
        self._proxy: ProxyDoor | None = None
        self._connections: set[_Carried] = set()
        self._pumps, self._workers = Pumps(), Workers("mtls connection")
        self._closing = threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._acceptor = threading.Thread(target=self._accept, name="mtls accept", daemon=True)
        self._unsubscribe: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Listen.

        Raises `SithsError`, with nothing left open: PORT_IN_USE, SETTINGS_INVALID, LOCAL_CERTIFICATE_NOT_STORED.
        """
        try:
            self._open_doors()
        except BaseException:
            self.close()
            raise
        self._unsubscribe = self._cards.subscribe(self._cards_changed)
        self._sessions.subscribe(lambda _sessions: self._wake_up())
        self._acceptor.start()

    def close(self) -> None:
        """End all connections and forget all sessions, within some seconds. May be repeated."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._unsubscribe()
        self._wake_up()
        deadline = time.monotonic() + CLOSE_SECONDS
        if self._acceptor.is_alive():
            self._acceptor.join(CLOSE_SECONDS)
        for door in self._doors:
            door.close()
        for route in self._routes:
            route.upstream.close()
        self._end(lambda _connection: True)
        with self._changed:
            self._changed.wait_for(lambda: not self._connections, max(0.0, deadline - time.monotonic()))
        self._pumps.close(max(0.0, deadline - time.monotonic()))
        self._wake.close()
        self._woken.close()

    def status(self) -> tuple[TargetStatus, ...]:
        """Return how the targets are doing."""
        with self._lock:
            used = Counter(connection.upstream for connection in self._connections)
            return tuple(
                route.status(0 if self._closing.is_set() else door.port, used[route.upstream], door.refused)
                for door in self._doors
                for route in door.routes
            )

    def proxy(self) -> ProxyStatus | None:
        """Return where browsers find the local proxy, None if no target is for browsers."""
        return None if self._proxy is None else self._proxy.status()

    def sessions(self) -> tuple[Session, ...]:
        """Return which programs use the card at this moment, and where."""
        return self._sessions.now()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have all sessions told when one begins or ends; see `Sessions.subscribe`."""
        return self._sessions.subscribe(listener)

    def end_session(self, session_id: str) -> None:
        """Close the connections of one session; its program's next one leads to a question. Unknown ids are over."""
        session = self._sessions.find(session_id)
        if session is None:
            return
        purpose = session.purpose
        for route in self._routes:
            if route.target.name == purpose.target:
                route.upstream.forget_program(purpose.program.path)
        key = key_of(purpose)
        self._end(lambda connection: connection.purpose is not None and key_of(connection.purpose) == key)

    def end_sessions(self) -> None:
        """Close every connection and forget every session, as when the screen is locked. The ports stay open."""
        for route in self._routes:
            route.upstream.close()
        self._end(lambda _connection: True)

    def _end(self, which: Callable[[_Carried], bool]) -> None:
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            if which(connection):
                connection.end()

    def _open_doors(self) -> None:
        self._routes = [Route(target, self._parts) for target in self._settings.targets]
        for route in self._routes:
            if route.target.mode != "browser":
                listener = listen_on(route.target.name, route.target.listen or 0)
                terms = self._terms(route, listener.getsockname()[1])
                self._doors.append(_ForwardDoor(route, listener, terms))
        for_browsers = [route for route in self._routes if route.target.mode == "browser"]
        if for_browsers:
            idle, most = self._settings.idle_seconds, self._settings.connections
            proxy = self._parts.proxy
            parts = ProxyParts(self._peers, self._pumps, self._sessions, proxy, idle, most, self._may_go_on)
            self._proxy = ProxyDoor(self._settings.browser, for_browsers, self._store, parts)
            self._doors.append(self._proxy)

    def _terms(self, route: Route, port: int) -> Terms:
        target = route.target
        return Terms(
            route.upstream,
            self._peers,
            _rules(target, port) if target.mode == "http" else None,
            target.server_speaks_first,
            self._settings.idle_seconds,
            self._may_go_on,
            self._pumps,
            self._sessions,
        )

    def _wake_up(self) -> None:
        try:
            self._wake.send(b"!")
        except OSError:  # it is awake already, or closed
            return

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._woken, selectors.EVENT_READ)
            for door in self._doors:
                selector.register(door.listener, selectors.EVENT_READ, door)
            while not self._closing.is_set():
                for key, _ in selector.select(self._sessions.expire()):
                    if key.data is None:
                        self._woken.recv(4096)
                    else:
                        self._accept_one(key.data)

    def _accept_one(self, door: _Door) -> None:
        """Take a connection of a program of this user, if there is room; break off any other at once."""
        try:
            client, theirs = door.listener.accept()
        except OSError:
            self._closing.wait(0.01)  # gone again, or no descriptors left: do not spin
            return
        try:
            stranger = self._peers.own_program(client.getsockname(), theirs) is None
            if stranger or not self._begin(door, client, theirs):
                door.refused += 1
                abort(client)
        except Exception:
            log.exception("accept")
            abort(client)

    def _begin(self, door: _Door, client: socket.socket, theirs: Address) -> bool:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection: _Carried = door.admit(client, theirs, self._forget)
        with self._lock:
            if len(self._connections) >= self._settings.connections:
                return False
            self._connections.add(connection)
            door.taken()
        try:
            self._workers.run(connection.run)
        except RuntimeError:  # the system has no thread left
            self._forget(connection)
            return False
        return True

    def _forget(self, connection: _Carried) -> None:
        with self._changed:
            self._connections.discard(connection)
            self._changed.notify_all()

    def _cards_changed(self, state: CardsState) -> None:
        for route in self._routes:
            route.upstream.forget_unless(lambda card: state.find(card) is not None)
        with self._lock:
            connections = tuple(self._connections)
        for connection in connections:
            connection.end_if_orphaned()

    def _may_go_on(self, card: CardId) -> bool:
        return not self._settings.close_when_card_leaves or self._cards.state.find(card) is not None


def _rules(target: MtlsTarget, port: int) -> Rules:
    server = target.host if target.port == 443 else f"{target.host}:{target.port}"
    own = {f"{LOOPBACK}:{port}", f"localhost:{port}"}
    return Rules(frozenset(own | set(target.allowed_hosts)), server, f"https://{server}")
