# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.oob.http1 import HttpSyntaxError, ResponseReader, write_request
from sithsapp.oob.transport import Response

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"


def read(*parts: bytes, end: bool = True) -> Response:
    reader = ResponseReader()
    for part in parts:
        reader.feed(part)
    if end:
        reader.end()
    assert reader.response is not None
    return reader.response


def second_opinion(data: bytes) -> tuple[int, bytes]:
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "x")]))
    peer.send(h11.EndOfMessage())
    peer.receive_data(data)
    status, body = 0, b""
    while not isinstance(event := peer.next_event(), h11.EndOfMessage):
        if event is h11.NEED_DATA:
            peer.receive_data(b"")
        elif isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
    return status, body


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED,
        b"HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.0 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\ncontent-length: 7\r\n\r\n",
        b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n",
    ],
)
@given(cut=st.integers(0, 200))
def test_reads_as_another_library_does_wherever_it_is_cut(data: bytes, cut: int) -> None:
    response = read(data[:cut], data[cut:])
    assert (response.status, response.body) == second_opinion(data)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/2 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na: \x00\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1, 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ncontent-length: 262145\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nxx",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\ntrailer: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + b"1" * 70,
        b"HTTP/1.1 101 Switching\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 6,
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 5000,
    ],
)
def test_refuses_what_is_not_strict(data: bytes) -> None:
    with pytest.raises(HttpSyntaxError):
        ResponseReader().feed(data)


@pytest.mark.parametrize(
    "data", [b"", b"HTTP/1.1 200 OK\r\n", CHUNKED[:-2], b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nx"]
)
def test_refuses_half_an_answer(data: bytes) -> None:
    with pytest.raises(HttpSyntaxError):
        read(data)


@given(st.lists(st.binary(max_size=64), max_size=8), st.booleans())
def test_hostile_bytes_end_in_one_error(parts: list[bytes], plausible: bool) -> None:
    reader = ResponseReader()
    try:
        if plausible:
            reader.feed(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for part in parts:
            reader.feed(part)
        reader.end()
    except HttpSyntaxError:
        assert reader.response is None or reader.response.status


@pytest.mark.parametrize(
    ("method", "target", "headers"),
    [
        ("GET", "/ x", {}),
        ("GET", "x", {}),
        ("GET", "/\r\nx: y", {}),
        ("GE T", "/", {}),
        ("GET", "/", {"a": "b\r\nc: d"}),
        ("GET", "/", {"a b": "c"}),
    ],
)
def test_a_request_cannot_be_split(method: str, target: str, headers: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot be sent"):
        write_request(method, target, "host", headers, b"")


def test_a_request_is_read_by_another_library() -> None:
    peer = h11.Connection(h11.SERVER)
    peer.receive_data(write_request("POST", "/a?b", "h:1", {"X": "y"}, b"body"))
    request = peer.next_event()
    assert isinstance(request, h11.Request)
    assert (request.method, request.target) == (b"POST", b"/a?b")
    data = peer.next_event()
    assert isinstance(data, h11.Data)
    assert bytes(data.data) == b"body"
