# SPDX-License-Identifier: EUPL-1.2
"""The local proxy's port: which one it is, and what stands behind it."""

from __future__ import annotations

import getpass
import hashlib
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sithsapp.card.model import CardId
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.connect_connection import ProxyConnection, ProxyTerms
from sithsapp.mtls.connect_opening import Refusals
from sithsapp.mtls.connect_request import PAC_PATH
from sithsapp.mtls.local_store import LocalCertificate, LocalStore
from sithsapp.mtls.pac import pac_text, way_otherwise
from sithsapp.mtls.peer import LOOPBACK, Address, PeerCheck, listen_on
from sithsapp.mtls.pump import Pumps
from sithsapp.mtls.route import HTTP_1, Route
from sithsapp.mtls.sessions import Sessions
from sithsapp.settings.schema import MtlsBrowser

_LOWEST, _RANGE, _TRIES, _STRIDE = 20_000, 10_000, 16, 1_237


@dataclass(frozen=True, slots=True)
class ProxyStatus:
    """The proxy at one moment. `authority` is the certificate (DER) that browsers have to trust, `until` its end."""

    port: int
    pac_url: str
    authority: bytes
    until: datetime
    refused: int


@dataclass(frozen=True, slots=True)
class ProxyParts:
    """What the proxy shares with the rest of its helper."""

    peers: PeerCheck
    pumps: Pumps
    sessions: Sessions
    proxy: str
    idle_seconds: float
    connections: int
    may_go_on: Callable[[CardId], bool]


class ProxyDoor:
    """The proxy's listening port. `refused` is the helper's to count."""

    def __init__(self, settings: MtlsBrowser, routes: Sequence[Route], store: LocalStore, parts: ProxyParts) -> None:
        """Listen, with a certificate for the routes' servers.

        Raises `SithsError`: PORT_IN_USE, SETTINGS_INVALID, LOCAL_CERTIFICATE_NOT_STORED.
        """
        self.routes, self._store = tuple(routes), store
        self.refused = 0
        self._hosts = tuple({route.target.host for route in routes})
        self._certificate = store.ensure(self._hosts)
        self._stamp = store.stamp()
        self.listener = _listener(settings.listen)
        self.port = int(self.listener.getsockname()[1])
        by_server = {(route.target.host, route.target.port): route for route in routes}
        self._terms = ProxyTerms(
            by_server,
            _context(self._certificate),
            self._pac(settings, by_server, parts.proxy),
            frozenset({f"{LOOPBACK}:{self.port}", f"localhost:{self.port}"}),
            parts.peers,
            Refusals(),
            threading.Semaphore(parts.connections),
            parts.pumps,
            parts.sessions,
            parts.idle_seconds,
            parts.may_go_on,
        )
        self._note_port(self.port)

    def _pac(self, settings: MtlsBrowser, servers: Iterable[tuple[str, int]], proxy: str) -> str:
        try:
            return pac_text(servers, self.port, way_otherwise(settings, proxy, self.port))
        except SithsError:
            self.listener.close()
            raise

    def admit(
        self, client: socket.socket, theirs: Address, ended: Callable[[ProxyConnection], None]
    ) -> ProxyConnection:
        """Take over a connection; `ended` is told of its end. Called in one thread."""
        self._renew_certificate()
        connection = ProxyConnection(client, theirs, self._terms, lambda: ended(connection))
        return connection

    def taken(self) -> None:
        """Count nothing yet: for which server a connection is shows later."""

    def status(self) -> ProxyStatus:
        """Return where the proxy is and which authority vouches for it."""
        url = f"http://{LOOPBACK}:{self.port}{PAC_PATH}"
        return ProxyStatus(self.port, url, self._certificate.authority, self._certificate.until, self.refused)

    def close(self) -> None:
        """Stop listening."""
        self.listener.close()
        if self._store.noted_port() == self.port:
            self._note_port(None)

    def _renew_certificate(self) -> None:
        """Take the certificate that is new on disk, as after trust was given anew; without one go on as before."""
        stamp = self._store.stamp()
        if stamp in (None, self._stamp):
            return
        self._stamp = stamp
        found = self._store.suitable(self._hosts)
        if found is not None:
            self._certificate = found
            self._terms = replace(self._terms, context=_context(found))

    def _note_port(self, port: int | None) -> None:
        try:
            self._store.note_port(port)
        except OSError as error:
            self.listener.close()
            raise SithsError(Failure.LOCAL_CERTIFICATE_NOT_STORED, f"{error.filename}: {error.strerror}") from error


def _context(certificate: LocalCertificate) -> ssl.SSLContext:
    """Return a context that speaks for the listed servers; HTTP/1.1, as one connection is one connection there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols([HTTP_1])
    try:
        context.load_cert_chain(certificate.file)
    except OSError as error:
        raise SithsError(Failure.LOCAL_CERTIFICATE_NOT_STORED, f"{certificate.file}: {error.strerror}") from error
    return context


def _listener(port: int | None) -> socket.socket:
    if port is not None:
        return listen_on("browser", port)
    failure: SithsError | None = None
    for candidate in _ports(_user()):
        try:
            return listen_on("browser", candidate)
        except SithsError as error:
            failure = error
    raise failure or AssertionError("no port to try")


def _ports(user: str) -> Iterator[int]:
    """Give the user's ports, the same on every computer, so that a browser finds the proxy where it was."""
    first = int.from_bytes(hashlib.sha256(user.encode()).digest()[:4], "big")
    for number in range(_TRIES):
        yield _LOWEST + (first + number * _STRIDE) % _RANGE


def _user() -> str:
    return str(os.getuid()) if hasattr(os, "getuid") else getpass.getuser()
