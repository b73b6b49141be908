# SPDX-License-Identifier: EUPL-1.2
"""One target as the helper serves it: the way to its server, and how it is doing."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sithsapp.card.model import SignatureScheme
from sithsapp.mtls.choosing import Chosen, Issuers
from sithsapp.mtls.contexts import ClientContext, ClientKey, Trust
from sithsapp.mtls.dialling import Way, dial, ways_to
from sithsapp.mtls.interaction import Purpose
from sithsapp.mtls.sessions import Sessions
from sithsapp.mtls.upstream import SignFor, Upstream
from sithsapp.oob.proxy_address import is_loopback
from sithsapp.settings.schema import MtlsTarget

CONNECT_SECONDS: Final = 10.0
HTTP_1: Final = "http/1.1"
_VERSIONS: Final = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


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


@dataclass(frozen=True, slots=True)
class RouteParts:
    """What the routes of one helper share.

    `choose` finds the certificate; `proxy` is as in `Settings`; `is_own` tells whether a port on this computer is one
    of the helper's own.
    """

    choose: Callable[[Purpose], Chosen]
    sign: SignFor
    issuers: Issuers
    sessions: Sessions
    session_seconds: float
    extra_ca: tuple[str, ...]
    proxy: str
    is_own: Callable[[int], bool]


class Route:
    """A target and the way to its server. `accepted` counts the connections that came for it."""

    def __init__(self, target: MtlsTarget, parts: RouteParts) -> None:
        self.target = target
        self.limited: str | None = None
        self.accepted = 0
        self._counting = threading.Lock()
        self._parts = parts
        self._trust = Trust((*parts.extra_ca, *target.ca), strict=target.strict)
        self.upstream = Upstream(
            target.name,
            (target.host, target.port),
            choose=parts.choose,
            sign=parts.sign,
            make_context=self._context,
            session_seconds=parts.session_seconds,
            sessions=parts.sessions,
            dial=self._dial,
        )

    def note_accepted(self) -> None:
        """Count a connection that came for this target."""
        with self._counting:
            self.accepted += 1

    def status(self, port: int, connections: int, refused: int) -> TargetStatus:
        """Return how the target is doing: reached by `port`, in use, and so many refused at that port."""
        target = self.target
        server = f"{target.host}:{target.port}"
        counters = (connections, self.accepted, refused, self.upstream.signatures)
        return TargetStatus(target.name, port, server, target.mode, *counters, self.limited)

    def _dial(self) -> socket.socket:
        target = self.target
        ways = ways_to(target.host, target.port, target.proxy, self._parts.proxy)
        return dial(target.host, target.port, [self._not_back_here(way) for way in ways], CONNECT_SECONDS)

    def _not_back_here(self, way: Way) -> Way:
        """Go straight where the system, which may have our PAC file, would lead us to ourselves."""
        return None if way is not None and is_loopback(way.host) and self._parts.is_own(way.port) else way

    def _context(self, chosen: Chosen, sign: Callable[[bytes, SignatureScheme], bytes]) -> ClientContext:
        target = self.target
        alpn = target.alpn or (() if target.mode == "raw" else (HTTP_1,))
        key = ClientKey(self._parts.issuers.chain(chosen), frozenset(chosen.credential.schemes), sign)
        oldest, newest = _VERSIONS[target.oldest_tls], _VERSIONS[target.newest_tls]
        context = ClientContext(key, self._trust, alpn=alpn, oldest=oldest, newest=newest)
        self.limited = context.limited
        return context
