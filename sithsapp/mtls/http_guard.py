# SPDX-License-Identifier: EUPL-1.2
"""Looks at each HTTP/1.1 request on its way to a target and lets through what no foreign web page can have sent.

A forward lends the card's identity to whoever gets a request through, so the host that the client names must be one
of ours (a page that rebinds its own name to 127.0.0.1 names another), and a request that a browser marks as coming
from another site is refused unless it is a person's own navigation. Framing is parsed strictly (RFC 9112): what is
ambiguous is refused, so that no request hides behind another. No I/O.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

MAX_HEAD: Final = 32 * 1024
_MAX_LINE: Final = 128
_MOST_SEEN: Final = 16
_HEAD_END: Final = b"\r\n\r\n"
_REQUEST_LINE: Final = re.compile(rb"([A-Z]{1,20}) (/[\x21-\x7e]*) HTTP/1\.([01])")
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}):[ \t]*([\t\x20-\x7e\x80-\xff]*?)[ \t]*")
_LENGTH: Final = re.compile(rb"[0-9]{1,15}")
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,12})[ \t]*(?:;[\t\x20-\x7e]*)?")
_ONCE: Final = (b"host", b"content-length", b"transfer-encoding", b"origin")
_DROPPED: Final = frozenset({b"upgrade", b"http2-settings", b"connection", b"keep-alive", b"proxy-connection"})


class Refused(Exception):
    """A request that is not let through: status and a sentence for whoever sent it."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Rules:
    """What a forward lets through. `hosts` are the `Host` values of ours, in lower case with the port.

    `upstream` is the `Host` that the server shall see, `upstream_origin` the origin in place of ours.
    """

    hosts: frozenset[str]
    upstream: str
    upstream_origin: str


_Head = tuple[bytes, bytes, bytes]


class HttpGuard:
    """The requests of one connection: `feed` takes what the client sent and returns what the server may have."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._pending = bytearray()
        self._left = 0
        self._in_chunks = False
        self._in_trailer = False
        self._after_chunk = False
        self._seen: dict[_Head, bytes] = {}
        self.requests = 0

    def feed(self, data: bytes) -> bytes:
        """Return what may go to the server; keeps an unfinished head back. Raises `Refused`, after which all ends."""
        if data.endswith(_HEAD_END) and not self._pending and not self._in_body():
            end = data.find(_HEAD_END, 0, MAX_HEAD)
            if end == len(data) - len(_HEAD_END):  # as most come: one head, alone and whole
                return self._passed_head(data[:end])
        self._pending += data
        passed = bytearray()
        while True:
            piece = self._next()
            if not piece:
                return bytes(passed)
            passed += piece

    def _next(self) -> bytes:
        """Return the next piece that is complete, empty if there is none."""
        if self._left:
            return self._body()
        if self._after_chunk:
            return self._chunk_end()
        if self._in_trailer:
            return self._trailer()
        return self._chunk_line() if self._in_chunks else self._head()

    def _body(self) -> bytes:
        piece = bytes(self._pending[: self._left])
        del self._pending[: self._left]
        self._left -= len(piece)
        return piece

    def _line(self, longest: int) -> bytes | None:
        end = self._pending.find(b"\r\n", 0, longest + 2)
        if end < 0:
            if len(self._pending) > longest:
                raise Refused("400 Bad Request", "a line is too long")
            return None
        line = bytes(self._pending[:end])
        del self._pending[: end + 2]
        return line

    def _chunk_line(self) -> bytes:
        line = self._line(_MAX_LINE)
        if line is None:
            return b""
        found = _CHUNK.fullmatch(line)
        if found is None:
            raise Refused("400 Bad Request", "a chunk is malformed")
        self._left = int(found[1], 16)
        self._in_trailer, self._after_chunk = not self._left, bool(self._left)
        return found[1] + b"\r\n"

    def _chunk_end(self) -> bytes:
        if len(self._pending) < 2:
            return b""
        if not self._pending.startswith(b"\r\n"):
            raise Refused("400 Bad Request", "a chunk is longer than it says")
        del self._pending[:2]
        self._after_chunk = False
        return b"\r\n"

    def _trailer(self) -> bytes:
        line = self._line(MAX_HEAD)
        if line is None:
            return b""
        if line:
            raise Refused("400 Bad Request", "trailers are not let through")
        self._in_chunks = self._in_trailer = False
        return b"\r\n"

    def _head(self) -> bytes:
        end = self._pending.find(_HEAD_END, 0, MAX_HEAD)
        if end < 0:
            if len(self._pending) >= MAX_HEAD:
                raise Refused("431 Request Header Fields Too Large", "the request's head is too long")
            return b""
        head = bytes(self._pending[:end])
        del self._pending[: end + 4]
        return self._passed_head(head)

    def _passed_head(self, head: bytes) -> bytes:
        """Return what the server gets in place of `head`.

        Method, version and fields decide, and nothing else does: those that were let through once are remembered.
        Where a body follows, its length has to be read anew.
        """
        self.requests += 1
        start, _, fields = head.partition(b"\r\n")
        request = _REQUEST_LINE.fullmatch(start)
        if request is None:
            raise Refused("400 Bad Request", "the request line is not one that is let through")
        key = (request[1], request[3], fields)
        passed = self._seen.get(key)
        if passed is None:
            passed = self._checked(*key)
            if not self._in_body():
                self._remember(key, passed)
        return start + passed

    def _remember(self, key: _Head, passed: bytes) -> None:
        if len(self._seen) >= _MOST_SEEN:
            self._seen.clear()
        self._seen[key] = passed

    def _in_body(self) -> bool:
        return bool(self._left) or self._in_chunks

    def _checked(self, method: bytes, version: bytes, lines: bytes) -> bytes:
        """Return what stands after the request line, to the empty line."""
        fields = [parse_field(line) for line in lines.split(b"\r\n")] if lines else []
        by_name = dict(fields)
        for name in _ONCE:
            if sum(name == each for each, _ in fields) > 1:
                raise Refused("400 Bad Request", f"{name.decode()} occurs twice")
        self._check_source(method, by_name)
        self._begin_body(by_name, old=version == b"0")
        closing = b"close" if version == b"0" or _wants_close(by_name) else b"keep-alive"
        kept = [(name, self._rewritten(name, value)) for name, value in fields if name not in _DROPPED]
        kept.append((b"connection", closing))
        return b"".join(b"\r\n%s: %s" % field for field in kept) + b"\r\n\r\n"

    def _check_source(self, method: bytes, fields: dict[bytes, bytes]) -> None:
        host = fields.get(b"host", b"").decode("latin-1").lower()
        if host not in self._rules.hosts:
            raise Refused("421 Misdirected Request", "this host name is not one of the forward's")
        own = f"http://{host}".encode()
        foreign = fields.get(b"origin", own) != own
        across = fields.get(b"sec-fetch-site", b"none") not in (b"none", b"same-origin")
        if foreign or (across and not _is_navigation(method, fields)):
            raise Refused("403 Forbidden", "the request comes from another web site")

    def _begin_body(self, fields: dict[bytes, bytes], *, old: bool) -> None:
        length, coding = fields.get(b"content-length"), fields.get(b"transfer-encoding")
        if coding is not None:
            if length is not None or old or coding.lower() != b"chunked":
                raise Refused("400 Bad Request", "the body's length is not clear")
            self._in_chunks = True
        elif length is not None:
            if not _LENGTH.fullmatch(length):
                raise Refused("400 Bad Request", "the body's length is not a number")
            self._left = int(length)

    def _rewritten(self, name: bytes, value: bytes) -> bytes:
        if name == b"host":
            return self._rules.upstream.encode("ascii")
        return self._rules.upstream_origin.encode("ascii") if name == b"origin" else value


def parse_field(line: bytes) -> tuple[bytes, bytes]:
    """Return a header field's name in lower case and its value. Raises `Refused`."""
    found = _FIELD.fullmatch(line)
    if found is None:
        raise Refused("400 Bad Request", "a header field is malformed")
    return found[1].lower(), found[2]


def _wants_close(fields: dict[bytes, bytes]) -> bool:
    return b"close" in [part.strip().lower() for part in fields.get(b"connection", b"").split(b",")]


def _is_navigation(method: bytes, fields: dict[bytes, bytes]) -> bool:
    """Tell whether a person went here in a window of their own; what the page before gets to see of it is nothing."""
    mode, destination = fields.get(b"sec-fetch-mode"), fields.get(b"sec-fetch-dest")
    return method == b"GET" and mode == b"navigate" and destination == b"document"
