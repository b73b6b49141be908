# SPDX-License-Identifier: EUPL-1.2
"""The one HTTP interface of the client: small, blocking, bounded, and without anything a browser needs.

No cookies, no cache, no redirects, no compression, no authentication to servers, no way to skip TLS checks
(protocol section B15). `qt_transport.QtTransport` implements it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

MAX_BODY = 256 * 1024
"""Bytes of body accepted in either direction (protocol section B15)."""

_MAX_URL = 2048
_NEVER_IN_URL = frozenset(' "<>\\^`{|}')


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds: `connect` covers name lookup, proxy and TLS; `read` covers the whole answer."""

    connect: float = 5.0
    read: float = 10.0


WATCH_TIMEOUTS = Timeouts(read=30.0)
"""For a call that the service holds for up to 25 seconds."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. Header names are sent as given; the transport adds Host, Content-Length and Connection."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Header names are in lower case; `body` is at most `MAX_BODY` bytes."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class RequestCancelled(Exception):
    """Raised from `request` after `cancel`; not a failure that a person meets."""


class HttpTransport(Protocol):
    """Sends requests for one thread, over at most one connection, which is kept while the server allows it."""

    def request(self, request: Request, timeouts: Timeouts = ...) -> Response:
        """Send `request` and return the answer whatever its status; only redirects are refused.

        Raises `SithsError`: SERVICE_UNREACHABLE, TLS_FAILED, CLOCK_WRONG, PROXY_FAILED, or SERVICE_ERROR for an
        answer that breaks HTTP, the limits or the ban on redirects. Raises `RequestCancelled` after `cancel`.
        """

    def cancel(self) -> None:
        """End the request under way, and refuse later ones. May be called from any thread."""

    def close(self) -> None:
        """Drop the connection. Called by the thread that sent the requests."""


class TransportFactory(Protocol):
    """Makes one transport for the thread that calls it."""

    def __call__(self, *, local_http: bool) -> HttpTransport:
        """Return a new transport; `local_http` admits http on `localhost` (demo environment alone)."""


def check_url(url: str, *, local_http: bool) -> SplitResult:
    """Return the parts of a URL that may be called: https, or http on `localhost` when `local_http`.

    Raises `ValueError` for anything else: other schemes, user names, fragments, signs outside printable ASCII.
    """
    if len(url) > _MAX_URL or not url.isascii() or not url.isprintable() or _NEVER_IN_URL.intersection(url):
        raise ValueError("the address has signs that an address cannot have")
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("the address is not of the accepted form")
    local = local_http and parts.scheme == "http" and parts.hostname == "localhost"
    if parts.scheme != "https" and not local:
        raise ValueError("the address is not https")
    if parts.port == 0:
        raise ValueError("the address has no usable port")
    return parts
