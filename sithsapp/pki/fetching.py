# SPDX-License-Identifier: EUPL-1.2
"""Fetches CRLs and OCSP answers over HTTP, bounded in size and time. For servers.

Follows no redirects and uses no proxy.
"""

from __future__ import annotations

import http.client
import time
from typing import Final, Protocol
from urllib.parse import SplitResult, urlsplit

MAX_ANSWER: Final = 16 * 1024 * 1024
"""Largest answer that is read, in octets."""

_CHUNK: Final = 64 * 1024


class FetchError(Exception):
    """Nothing usable came. The message names the reason, never the address: it may hold a serial number."""


class Fetch(Protocol):
    """Gets the body at `url`, or posts `body` there as an OCSP request. `timeout` bounds the whole call, in seconds.

    Raises `FetchError`.
    """

    def __call__(self, url: str, body: bytes | None, timeout: float) -> bytes:
        """Return the answer's body."""


def fetch(url: str, body: bytes | None, timeout: float) -> bytes:
    """Fetch with the standard library; see `Fetch`."""
    deadline = time.monotonic() + timeout
    parts = _split(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    try:
        connection = kind(parts.hostname or "", parts.port, timeout=timeout)
    except (ValueError, http.client.HTTPException):
        raise FetchError("address") from None
    try:
        return _exchange(connection, parts, body, deadline)
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


def _exchange(
    connection: http.client.HTTPConnection, parts: SplitResult, body: bytes | None, deadline: float
) -> bytes:
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
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
