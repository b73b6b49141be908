# SPDX-License-Identifier: EUPL-1.2
"""HTTP/1.1 messages as bytes (RFC 9112), the strict subset that this client speaks. No I/O.

Refused rather than repaired: folded headers, bare line feeds, two lengths, length beside chunks, unknown
transfer codings, compressed bodies.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sithsapp.oob.transport import MAX_BODY, Response

MAX_HEAD = 16 * 1024
_MAX_INFORMATIONAL = 4
_MAX_CHUNK_LINE = 64
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_LENGTH = re.compile(r"[0-9]{1,9}")
_CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[\t\x20-\x7e]*)?")


class HttpSyntaxError(Exception):
    """The peer does not speak the HTTP that we accept. The text is fit for a log."""


def write_request(method: str, target: str, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the bytes of a request; `target` begins with a slash.

    Raises `ValueError` for a header or target that would break the framing.
    """
    lines = {"Host": host, "Accept-Encoding": "identity", **headers}
    if body or method not in ("GET", "DELETE"):
        lines["Content-Length"] = str(len(body))
    for name, value in [("Target", target), *lines.items()]:
        if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError("a header cannot be sent")
    if not _TOKEN.fullmatch(method) or " " in target or not target.startswith("/"):
        raise ValueError("a request line cannot be sent")
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body


class ResponseReader:
    """Makes one `Response` of the bytes that arrive.

    Call `feed` with data and `end` when the peer closes; `response` is set when the answer is whole.
    `keep_alive` then tells whether the connection may carry another request.
    """

    def __init__(self) -> None:
        self.response: Response | None = None
        self.keep_alive = False
        self.started = False
        self._data = bytearray()
        self._status = 0
        self._headers: dict[str, str] | None = None
        self._body = bytearray()
        self._informational = 0
        self._trailer = False

    def feed(self, data: bytes) -> None:
        """Take in bytes from the peer. Raises `HttpSyntaxError`."""
        self.started = self.started or bool(data)
        self._data += data
        while self.response is None and self._step():
            pass
        if self.response is not None and self._data:
            raise HttpSyntaxError("bytes after the answer")

    def end(self) -> None:
        """Say that the peer closed. Raises `HttpSyntaxError` if the answer is not whole."""
        if self.response is None and self._headers is not None and self._framing() == "close":
            self._finish(keep_alive=False)
        if self.response is None:
            raise HttpSyntaxError("the connection closed before the whole answer had come")

    def _step(self) -> bool:
        if self._headers is None:
            return self._read_head()
        framing = self._framing()
        if framing == "chunked":
            return self._read_trailer() if self._trailer else self._read_chunk()
        if framing == "close":
            self._take(len(self._data))
            return False
        if len(self._data) + len(self._body) < int(framing):
            return False
        self._take(int(framing))
        self._finish(keep_alive=True)
        return True

    def _read_head(self) -> bool:
        end = self._data.find(b"\r\n\r\n")
        if end < 0 or end > MAX_HEAD:
            if len(self._data) > MAX_HEAD:
                raise HttpSyntaxError("the headers are too long")
            return False
        status, *lines = bytes(self._data[:end]).split(b"\r\n")
        del self._data[: end + 4]
        match = _STATUS_LINE.fullmatch(status)
        if match is None:
            raise HttpSyntaxError("the status line is not HTTP/1.1")
        self._status = int(match[2])
        headers = _parse_headers(lines)
        if self._status < 200:
            return self._skip_informational()
        self._headers = headers
        self._check_framing(headers)
        self.keep_alive = match[1] == b"1" and "close" not in headers.get("connection", "").lower()
        return True

    def _skip_informational(self) -> bool:
        self._informational += 1
        if self._informational > _MAX_INFORMATIONAL or self._status == 101:
            raise HttpSyntaxError("an informational answer that was not asked for")
        return True

    def _check_framing(self, headers: Mapping[str, str]) -> None:
        length, coding = headers.get("content-length"), headers.get("transfer-encoding")
        if coding is not None and (coding.lower() != "chunked" or length is not None):
            raise HttpSyntaxError("the transfer coding is not accepted")
        if length is not None and (not _LENGTH.fullmatch(length) or int(length) > MAX_BODY):
            raise HttpSyntaxError("the body is too long or its length is not a number")
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise HttpSyntaxError("the body is compressed")

    def _framing(self) -> str:
        """Return "chunked", "close" or the decimal length of the body."""
        headers = self._headers or {}
        if self._status in (204, 304):
            return "0"
        if "transfer-encoding" in headers:
            return "chunked"
        return headers.get("content-length", "close")

    def _read_chunk(self) -> bool:
        end = self._data.find(b"\r\n", 0, _MAX_CHUNK_LINE)
        if end < 0:
            if len(self._data) >= _MAX_CHUNK_LINE:
                raise HttpSyntaxError("a chunk's first line is too long")
            return False
        match = _CHUNK_LINE.fullmatch(bytes(self._data[:end]))
        if match is None or int(match[1], 16) > MAX_BODY:
            raise HttpSyntaxError("a chunk's length is not accepted")
        size = int(match[1], 16)
        if size == 0:
            del self._data[: end + 2]
            self._trailer = True
            return True
        if len(self._data) < end + 2 + size + 2:
            return False
        if self._data[end + 2 + size : end + 4 + size] != b"\r\n":
            raise HttpSyntaxError("a chunk does not end where it should")
        del self._data[: end + 2]
        self._take(size)
        del self._data[:2]
        return True

    def _read_trailer(self) -> bool:
        if self._data[:2] == b"\r\n":
            del self._data[:2]
            self._finish(keep_alive=True)
            return True
        if len(self._data) >= 2:
            raise HttpSyntaxError("trailers are not accepted")
        return False

    def _take(self, count: int) -> None:
        if len(self._body) + count > MAX_BODY:
            raise HttpSyntaxError("the body is too long")
        self._body += self._data[:count]
        del self._data[:count]

    def _finish(self, *, keep_alive: bool) -> None:
        self.keep_alive = self.keep_alive and keep_alive
        self.response = Response(self._status, self._headers or {}, bytes(self._body))


def _parse_headers(lines: list[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        value = value.strip(" \t")
        if not colon or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HttpSyntaxError("a header line is malformed")
        name = name.lower()
        if name in ("content-length", "transfer-encoding") and name in headers:
            raise HttpSyntaxError("the body's length is given twice")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return headers
