# SPDX-License-Identifier: EUPL-1.2
"""Fetches CRLs, OCSP answers and issuers' certificates over HTTP, bounded in size and time.

Follows no redirects, and uses a proxy only if it is told of one.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Largest answer that is read, in octets."""

_CHUNK: Final = 64 * 1024


class FetchError(Exception):
    """Nothing usable came. The message names the reason, never the address: it may hold a serial number."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy that asks for no log-in."""

    host: str
    port: int


class Fetch(Protocol):
    """Gets the body at `url`, or posts `body` there as an OCSP request. `timeout` bounds the whole call, in seconds.

    Raises `FetchError`.
    """

    def __call__(self, url: str, body: bytes | None, timeout: float) -> bytes:
        """Return the answer's body."""


def fetch(
    url: str,
    body: bytes | None,
    timeout: float,
    *,
    proxy: Proxy | None = None,
    may_ask: Callable[[str], bool] = lambda _address: True,
) -> bytes:
    """Fetch with the standard library; see `Fetch`. `may_ask` is given the server's address before a word is said."""
    deadline = time.monotonic() + timeout
    parts = _split(url)
    try:
        connection = _connection(parts, timeout, proxy)
    except (ValueError, http.client.HTTPException):
        raise FetchError("address") from None
    try:
        connection.connect()
        if not may_ask(str(connection.sock.getpeername()[0])):
            raise FetchError("address that may not be asked")
        return _exchange(connection, _target(parts, proxy), body, deadline)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise FetchError(type(error).__name__) from None
    finally:
        connection.close()


def _split(url: str) -> SplitResult:
    if len(url) > 1024 or not url.isascii() or not url.isprintable() or " " in url:
        raise FetchError("address")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise FetchError("address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username is not None or port == 0:
        raise FetchError("address")
    return parts


def _connection(parts: SplitResult, timeout: float, proxy: Proxy | None) -> http.client.HTTPConnection:
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    if proxy is None:
        return kind(parts.hostname or "", parts.port, timeout=timeout)
    connection = kind(proxy.host, proxy.port, timeout=timeout)
    if parts.scheme == "https":
        connection.set_tunnel(parts.hostname or "", parts.port or 443)
    return connection


def _target(parts: SplitResult, proxy: Proxy | None) -> str:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"http://{parts.netloc}{path}" if proxy is not None and parts.scheme == "http" else path


def _exchange(connection: http.client.HTTPConnection, path: str, body: bytes | None, deadline: float) -> bytes:
    headers = {"Connection": "close"} | ({"Content-Type": "application/ocsp-request"} if body is not None else {})
    connection.request("GET" if body is None else "POST", path, body, headers)
    socket = connection.sock
    answer = connection.getresponse()
    if answer.status != 200:
        raise FetchError(f"HTTP status {answer.status}")
    octets = bytearray()
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise FetchError("too slow")
        if socket is not None and socket.fileno() >= 0:
            socket.settimeout(left)
        chunk = answer.read1(_CHUNK)
        if not chunk:
            break
        octets += chunk
        if len(octets) > MAX_ANSWER:
            raise FetchError("too large")
    if answer.length:
        raise FetchError("cut off")
    return bytes(octets)
