# SPDX-License-Identifier: EUPL-1.2
"""What may be said to the local proxy: CONNECT, or the PAC file by who is no page. Nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.mtls.connect_request import MAX_HEAD, ConnectAsked, FirstRequest, PacAsked
from sithsapp.mtls.http_guard import Refused

OWN = frozenset({"127.0.0.1:9440", "localhost:9440"})


def first(text: bytes) -> ConnectAsked | PacAsked | None:
    return FirstRequest(OWN).feed(text)


def refused(text: bytes) -> str:
    with pytest.raises(Refused) as caught:
        first(text)
    return caught.value.status[:3]


def test_connect_is_understood() -> None:
    head = b"CONNECT Portal.Example:443 HTTP/1.1\r\nHost: portal.example:443\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
    assert first(head) == ConnectAsked("portal.example", 443, is_browser=True)
    assert first(b"CONNECT a.example:8443 HTTP/1.0\r\n\r\n") == ConnectAsked("a.example", 8443, is_browser=False)


def test_it_may_come_byte_by_byte() -> None:
    request = FirstRequest(OWN)
    head = b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example\r\n\r\n"
    answers = [request.feed(bytes([each])) for each in head]
    assert answers[:-1] == [None] * (len(head) - 1)
    assert answers[-1] == ConnectAsked("a.example", 443, is_browser=False)


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1:9440\r\n\r\n",
        b"GET http://portal.example/ HTTP/1.1\r\nHost: portal.example\r\n\r\n",
        b"GET https://portal.example/ HTTP/1.1\r\nHost: portal.example\r\n\r\n",
        b"POST /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:9440\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1:9440\r\n\r\n",
        b"GET /proxy.pac?x HTTP/1.1\r\nHost: 127.0.0.1:9440\r\n\r\n",
        b"GET /proxy.pac HTTP/2.0\r\nHost: 127.0.0.1:9440\r\n\r\n",
        b"CONNECT portal.example HTTP/1.1\r\n\r\n",
        b"CONNECT [::1]:443 HTTP/1.1\r\n\r\n",
        b"CONNECT user@portal.example:443 HTTP/1.1\r\n\r\n",
        b"CONNECT  portal.example:443 HTTP/1.1\r\n\r\n",
        b"CONNECT portal.example:443 HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"CONNECT portal.example:443 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"connect portal.example:443 HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"PRI * HTTP/2.0\r\n\r\n",
        b"\r\nCONNECT portal.example:443 HTTP/1.1\r\n\r\n",
    ],
)
def test_all_else_is_refused(text: bytes) -> None:
    assert refused(text) == "403"


@pytest.mark.parametrize(
    "fields",
    [
        b"Host: other.example:443",
        b"Host: portal.example:80",
        b"Host: portal.example\r\nHost: portal.example",
        b"Host : portal.example",
        b" folded",
        b"X: \x00",
        b"X\n",
    ],
)
def test_what_can_be_read_in_two_ways_is_refused(fields: bytes) -> None:
    assert refused(b"CONNECT portal.example:443 HTTP/1.1\r\n%s\r\n\r\n" % fields) == "400"


def test_nothing_may_hide_behind_the_request() -> None:
    assert refused(b"CONNECT a.example:443 HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n") == "400"


def test_a_head_without_an_end_is_cut_off() -> None:
    assert refused(b"CONNECT a.example:443 HTTP/1.1\r\nX: " + b"x" * MAX_HEAD) == "431"


@pytest.mark.parametrize("host", ["127.0.0.1:9440", "LOCALHOST:9440"])
def test_the_pac_file_is_given_to_programs(host: str) -> None:
    assert first(f"GET /proxy.pac HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\n\r\n".encode()) == PacAsked()
    assert first(f"GET /proxy.pac HTTP/1.1\r\nHost: {host}\r\nSec-Fetch-Site: none\r\n\r\n".encode()) == PacAsked()


@pytest.mark.parametrize("host", ["evil.example:9440", "127.0.0.1:9441", "127.0.0.1", "[::1]:9440", ""])
def test_a_name_that_was_rebound_gets_no_pac_file(host: str) -> None:
    assert refused(f"GET /proxy.pac HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()) == "421"


@pytest.mark.parametrize("field", ["Origin: null", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-origin"])
def test_a_page_gets_no_pac_file(field: str) -> None:
    assert refused(f"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:9440\r\n{field}\r\n\r\n".encode()) == "403"


@given(st.lists(st.binary(max_size=40), max_size=20))
def test_whatever_comes_is_understood_or_refused(parts: list[bytes]) -> None:
    request = FirstRequest(OWN)
    try:
        for part in (b"CONNECT a.example:443 HTTP/1.1\r\n", *parts):
            asked = request.feed(part)
            if asked is not None:
                assert isinstance(asked, ConnectAsked)
                assert (asked.host, asked.port) == ("a.example", 443)
                return
    except Refused:
        return
