# SPDX-License-Identifier: EUPL-1.2
"""Reads what a browser says first to the local proxy: `CONNECT host:port`, or a request for the PAC file. No I/O.

A web page can make its browser send a GET or POST to this port, and by rebinding its own name also read the answer;
it cannot make it send CONNECT. So all else is refused, and the PAC file, which names the servers, is given only to
who asks for it under our own address and is no page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from sithsapp.mtls.http_guard import Refused, parse_field

PAC_PATH: Final = "/proxy.pac"
MAX_HEAD: Final = 16 * 1024
_FIRST: Final = b"CG"
_CONNECT: Final = re.compile(rb"CONNECT ([A-Za-z0-9.-]{1,253}):([0-9]{1,5}) HTTP/1\.[01]")
_PAC: Final = re.compile(rb"GET /proxy\.pac HTTP/1\.[01]")
_ONCE: Final = (b"host", b"origin", b"content-length", b"transfer-encoding", b"sec-fetch-site")
_BODY: Final = frozenset({b"content-length", b"transfer-encoding"})
_NOT_HERE: Final = "this port is a browser's way to the listed servers and answers CONNECT alone"


@dataclass(frozen=True, slots=True)
class ConnectAsked:
    """A tunnel is asked for. `is_browser` is what the program says of itself."""

    host: str
    port: int
    is_browser: bool


@dataclass(frozen=True, slots=True)
class PacAsked:
    """The PAC file is asked for."""


class FirstRequest:
    """The first request of a connection: `feed` until there is an answer."""

    def __init__(self, own_hosts: frozenset[str]) -> None:
        """Give the PAC file under these names: `host:port` in lower case."""
        self._own_hosts = own_hosts
        self._pending = bytearray()

    def feed(self, data: bytes) -> ConnectAsked | PacAsked | None:
        """Take what came; None until the head is complete. Raises `Refused`, after which all ends."""
        self._pending += data
        if self._pending and self._pending[0] not in _FIRST:
            raise Refused("403 Forbidden", _NOT_HERE)
        end = self._pending.find(b"\r\n\r\n", 0, MAX_HEAD)
        if end < 0:
            if len(self._pending) >= MAX_HEAD:
                raise Refused("431 Request Header Fields Too Large", "the request's head is too long")
            return None
        if len(self._pending) > end + 4:
            raise Refused("400 Bad Request", "nothing may follow before there is an answer")
        lines = bytes(self._pending[:end]).split(b"\r\n")
        return self._asked(lines[0], _fields(lines[1:]))

    def _asked(self, line: bytes, fields: dict[bytes, bytes]) -> ConnectAsked | PacAsked:
        connect = _CONNECT.fullmatch(line)
        if _BODY & fields.keys() or (connect is None and not _PAC.fullmatch(line)):
            raise Refused("403 Forbidden", _NOT_HERE)
        if connect is None:
            self._check_reader(fields)
            return PacAsked()
        host, port = connect[1].decode("ascii").lower(), int(connect[2])
        if fields.get(b"host", connect[1]).lower().decode("latin-1") not in (host, f"{host}:{port}"):
            raise Refused("400 Bad Request", "the request names two hosts")
        return ConnectAsked(host, port, fields.get(b"user-agent", b"").startswith(b"Mozilla/"))

    def _check_reader(self, fields: dict[bytes, bytes]) -> None:
        if fields.get(b"host", b"").decode("latin-1").lower() not in self._own_hosts:
            raise Refused("421 Misdirected Request", "this host name is not the proxy's")
        if b"origin" in fields or fields.get(b"sec-fetch-site", b"none") != b"none":
            raise Refused("403 Forbidden", "the PAC file is not for web pages")


def _fields(lines: list[bytes]) -> dict[bytes, bytes]:
    fields = [parse_field(line) for line in lines]
    for name in _ONCE:
        if sum(name == each for each, _ in fields) > 1:
            raise Refused("400 Bad Request", f"{name.decode()} occurs twice")
    return dict(fields)
