# SPDX-License-Identifier: EUPL-1.2
"""The way to a server before TLS begins: straight, or through the organisation's proxy.

The proxy learns host and port and sees no more than encrypted bytes. It is given credentials only where its own
address holds some.
"""

from __future__ import annotations

import base64
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Sequence
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.proxy_address import ProxyAddress, configured_proxy, parse_address

_MAX_HEAD: Final = 16 * 1024
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n]*)?\r\n")
_UNREACHABLE: Final = frozenset({502, 503, 504})

Way = ProxyAddress | None
"""A proxy, or None for the direct way."""


def ways_to(host: str, port: int, chosen: str | None, otherwise: str) -> Sequence[Way]:
    """Return the ways to a server to try in order, never none.

    `chosen` is the target's own setting, `otherwise` the app's; both as in `Settings.proxy`. May block while the
    system fetches its PAC file.
    """
    if chosen is not None and chosen not in ("system", "none"):
        return [parse_address(chosen)]  # said of this very server, so that it holds for this computer, too
    try:
        return [configured_proxy(host, port, os.environ, chosen or otherwise)]
    except LookupError:
        return _system_ways(host, port) if sys.platform in ("win32", "darwin") else [None]


def _system_ways(host: str, port: int) -> Sequence[Way]:
    """Ask the system, by Qt."""
    from sithsapp.oob.proxy import system_proxies

    return system_proxies(host, port)


def dial(host: str, port: int, ways: Sequence[Way], seconds: float) -> socket.socket:
    """Return a socket that is connected with the server, by the first of `ways` that leads there.

    Raises `SithsError`: TARGET_UNREACHABLE, PROXY_FAILED.
    """
    failure: SithsError | None = None
    for way in ways:
        try:
            return _dial(host, port, way, seconds)
        except SithsError as error:
            failure = failure or error
    raise failure or SithsError(Failure.TARGET_UNREACHABLE, "no way")


def _dial(host: str, port: int, way: Way, seconds: float) -> socket.socket:
    deadline = time.monotonic() + seconds
    failure = Failure.TARGET_UNREACHABLE if way is None else Failure.PROXY_FAILED
    if way is not None and not (way.host and 0 < way.port < 65536):  # an empty host would be this computer
        raise SithsError(failure, "the address of the proxy cannot be understood")
    try:
        raw = socket.create_connection((host, port) if way is None else (way.host, way.port), seconds)
    except (OSError, UnicodeError) as error:
        raise SithsError(failure, type(error).__name__) from error
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if way is not None:
            _Asking(raw, deadline).through(way, host, port)
    except BaseException as error:
        raw.close()
        if isinstance(error, OSError):
            raise SithsError(failure, type(error).__name__) from error
        raise
    return raw


class _Asking:
    """Asks a proxy for the way. The server says nothing before TLS begins, so nothing may follow the answer."""

    def __init__(self, raw: socket.socket, deadline: float) -> None:
        self._raw, self._deadline = raw, deadline

    def through(self, way: ProxyAddress, host: str, port: int) -> None:
        """Have the proxy lead to the server; raises `SithsError`, and `OSError` when it goes or takes too long."""
        if way.socks:
            self._by_socks(host, port)
        else:
            self._by_http(way, host, port)

    def _by_http(self, way: ProxyAddress, host: str, port: int) -> None:
        """RFC 9110 section 9.3.6."""
        head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        if way.user or way.password:
            both = base64.b64encode(f"{way.user}:{way.password}".encode()).decode("ascii")
            head += f"Proxy-Authorization: Basic {both}\r\n"
        self._send(f"{head}\r\n".encode("ascii"))
        answer = self._head()
        found = _STATUS.match(answer)
        status = int(found[1]) if found else 0
        if status in _UNREACHABLE:
            raise SithsError(Failure.TARGET_UNREACHABLE, f"the proxy answers {status}")
        if not 200 <= status < 300:
            raise SithsError(Failure.PROXY_FAILED, f"the proxy answers {status or 'in no known way'}")
        if not answer.endswith(b"\r\n\r\n"):
            raise SithsError(Failure.PROXY_FAILED, "the proxy says more than it should")

    def _head(self) -> bytes:
        answer = b""
        while b"\r\n\r\n" not in answer:
            if len(answer) >= _MAX_HEAD:
                raise SithsError(Failure.PROXY_FAILED, "the proxy's answer is too long")
            answer += self._receive(4096)
        return answer

    def _by_socks(self, host: str, port: int) -> None:
        """RFC 1928, without a log-in; the proxy looks the name up."""
        self._send(b"\5\1\0")
        if self._exactly(2) != b"\5\0":
            raise SithsError(Failure.PROXY_FAILED, "the proxy wants a log-in")
        name = host.encode("ascii")
        self._send(b"\5\1\0\3" + bytes([len(name)]) + name + struct.pack(">H", port))
        version, answer, _, kind = self._exactly(4)
        if version != 5 or answer:
            unreachable = answer in (3, 4, 5, 6)
            raise SithsError(Failure.TARGET_UNREACHABLE if unreachable else Failure.PROXY_FAILED, f"SOCKS {answer}")
        lengths = {1: 4, 4: 16, 3: self._exactly(1)[0] if kind == 3 else 0}
        if kind not in lengths:
            raise SithsError(Failure.PROXY_FAILED, "the proxy answers in no known way")
        self._exactly(lengths[kind] + 2)

    def _send(self, data: bytes) -> None:
        self._raw.settimeout(self._left())
        self._raw.sendall(data)

    def _exactly(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += self._receive(count - len(data))
        return data

    def _receive(self, most: int) -> bytes:
        self._raw.settimeout(self._left())
        data = self._raw.recv(most)
        if not data:
            raise ConnectionResetError("the proxy went")
        return data

    def _left(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the proxy took too long")
        return left
