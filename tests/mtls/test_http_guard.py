# SPDX-License-Identifier: EUPL-1.2
"""Which requests a forward lets through, byte by byte and all at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.mtls.http_guard import MAX_HEAD, HttpGuard, Refused, Rules

OWN = b"127.0.0.1:9443"
RULES = Rules(frozenset({OWN.decode(), "localhost:9443"}), "server.example", "https://server.example")


def head(*fields: bytes, line: bytes = b"GET / HTTP/1.1", host: bytes = OWN) -> bytes:
    return b"\r\n".join([line, b"Host: " + host, *fields]) + b"\r\n\r\n"


def refusal(request: bytes) -> str:
    with pytest.raises(Refused) as caught:
        HttpGuard(RULES).feed(request)
    return caught.value.status[:3]


@pytest.mark.parametrize(
    "host",
    [
        b"evil.example",
        b"evil.example:9443",
        b"127.0.0.1",
        b"127.0.0.1:9444",
        b"localhost",
        b"127.0.0.1:9443.evil",
        b"",
        b"[::1]:9443",
    ],
)
def test_another_host_is_refused(host: bytes) -> None:
    """A page whose name was rebound to 127.0.0.1 names itself here."""
    assert refusal(head(host=host)) == "421"


def test_no_host_and_two_hosts_are_refused() -> None:
    assert refusal(b"GET / HTTP/1.1\r\nAccept: */*\r\n\r\n") == "421"
    assert refusal(head(b"host: " + OWN)) == "400"


@pytest.mark.parametrize(
    "fields",
    [
        (b"Origin: https://evil.example",),
        (b"Origin: null",),
        (b"Origin: http://localhost:9443",),
        (b"Origin: https://127.0.0.1:9443",),
        (b"Sec-Fetch-Site: cross-site",),
        (b"Sec-Fetch-Site: same-site",),
        (b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: iframe"),
        (b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Mode: no-cors", b"Sec-Fetch-Dest: document"),
        (
            b"Origin: https://evil.example",
            b"Sec-Fetch-Site: cross-site",
            b"Sec-Fetch-Mode: navigate",
            b"Sec-Fetch-Dest: document",
        ),
    ],
)
def test_what_another_site_sends_is_refused(fields: tuple[bytes, ...]) -> None:
    assert refusal(head(*fields)) == "403"


def test_a_foreign_form_is_refused_even_as_navigation() -> None:
    fields = (
        b"Sec-Fetch-Site: cross-site",
        b"Sec-Fetch-Mode: navigate",
        b"Sec-Fetch-Dest: document",
        b"Content-Length: 0",
    )
    assert refusal(head(*fields, line=b"POST / HTTP/1.1")) == "403"


def test_a_persons_own_navigation_and_own_pages_pass() -> None:
    navigation = (b"Sec-Fetch-Site: cross-site", b"Sec-Fetch-Mode: navigate", b"Sec-Fetch-Dest: document")
    own = (b"Sec-Fetch-Site: same-origin", b"Origin: http://" + OWN)
    assert HttpGuard(RULES).feed(head(*navigation) + head(*own)).count(b"host: server.example") == 2


def test_a_later_request_on_the_same_connection_is_looked_at_too() -> None:
    guard = HttpGuard(RULES)
    assert guard.feed(head())
    with pytest.raises(Refused):
        guard.feed(head(b"Origin: https://evil.example"))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET http://server.example/ HTTP/1.1\r\nHost: 127.0.0.1:9443\r\n\r\n",
        b"CONNECT server.example:443 HTTP/1.1\r\nHost: 127.0.0.1:9443\r\n\r\n",
        head(line=b"GET / HTTP/2.0"),
        head(line=b"GET  / HTTP/1.1"),
        head(b"X : y"),
        head(b" folded: y"),
        head(b"X: a\nOrigin: b"),
        head(b"X: a\rb"),
        head(b"X: a\0b"),
        head(b"Content-Length: 1", b"Content-Length: 1"),
        head(b"Content-Length: +1"),
        head(b"Content-Length: 1", b"Transfer-Encoding: chunked"),
        head(b"Transfer-Encoding: gzip, chunked"),
        head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0"),
        head(b"Transfer-Encoding: chunked") + b"zz\r\n",
        head(b"Transfer-Encoding: chunked") + b"1\r\nab\r\n",
        head(b"Transfer-Encoding: chunked") + b"0\r\nX: y\r\n\r\n",
        head(b"Transfer-Encoding: chunked") + b"1" * 200,
        b"\x16\x03\x01\x02\x00" + b"\0" * 100 + b"\r\n\r\n",
    ],
)
def test_what_is_ambiguous_is_refused(request_bytes: bytes) -> None:
    assert refusal(request_bytes) == "400"


def test_a_head_without_end_is_refused_in_time() -> None:
    assert refusal(b"GET / HTTP/1.1\r\n" + b"a" * MAX_HEAD) == "431"


BODIES = (
    head(b"Content-Length: 30", line=b"POST / HTTP/1.1") + b"GET /hidden HTTP/1.1\r\nHost: x\r\n"[:30],
    head(b"Transfer-Encoding: chunked", line=b"PUT / HTTP/1.1")
    + b"5;x=y\r\nab\r\nc\r\n1A\r\n"
    + b"z" * 26
    + b"\r\n0\r\n\r\n",
    head(b"Connection: close, Upgrade", b"Upgrade: websocket"),
)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40))
def test_the_cutting_makes_no_difference(sizes: list[int]) -> None:
    stream = b"".join(BODIES)
    whole = HttpGuard(RULES).feed(stream)
    guard, passed, position = HttpGuard(RULES), b"", 0
    for size in sizes:
        passed += guard.feed(stream[position : position + size])
        position += size
    assert passed + guard.feed(stream[position:]) == whole
    assert guard.requests == 3
    assert b"upgrade" not in whole.lower()
    assert whole.endswith(b"connection: close\r\n\r\n")
    assert b"5\r\nab\r\nc\r\n1A\r\n" in whole


@given(st.binary(max_size=400))
def test_noise_is_refused_or_kept_back(data: bytes) -> None:
    try:
        passed = HttpGuard(RULES).feed(data)
    except Refused:
        return
    assert passed == b""


LINES = (b"GET / HTTP/1.1", b"GET /a HTTP/1.1", b"GET / HTTP/1.0", b"POST / HTTP/1.1", b"GET  / HTTP/1.1")
FIELDS = (
    b"Accept: */*",
    b"Connection: close",
    b"Content-Length: 0",
    b"Content-Length: 4",
    b"Transfer-Encoding: chunked",
    b"Origin: http://" + OWN,
    b"Origin: null",
    b"Sec-Fetch-Site: cross-site",
    b"Sec-Fetch-Mode: navigate",
    b"Sec-Fetch-Dest: document",
)
REQUESTS = st.builds(
    lambda line, fields, host: head(*fields, line=line, host=host),
    st.sampled_from(LINES),
    st.lists(st.sampled_from(FIELDS), max_size=3),
    st.sampled_from((OWN, OWN, OWN, b"evil.example")),
)


def outcome(guard: HttpGuard, data: bytes) -> bytes | str:
    try:
        return guard.feed(data)
    except Refused as refused:
        return refused.status


def body_of(request: bytes) -> bytes:
    return b"body" if b"Length: 4" in request else b"4\r\nbody\r\n0\r\n\r\n" if b"chunked" in request else b""


@given(st.lists(REQUESTS, min_size=1, max_size=30))
def test_what_is_remembered_of_earlier_requests_changes_nothing(requests: list[bytes]) -> None:
    """A guard that has seen them all answers each as one does that has seen nothing."""
    guard = HttpGuard(RULES)
    for request in requests:
        fresh = HttpGuard(RULES)
        expected = outcome(fresh, request)
        assert outcome(guard, request) == expected
        if isinstance(expected, str):
            return
        assert outcome(guard, body_of(request)) == outcome(fresh, body_of(request))


@given(st.integers(0, 200))
def test_a_remembered_head_may_be_cut_anywhere(cut: int) -> None:
    request = head(b"Accept: */*", b"Origin: http://" + OWN)
    guard = HttpGuard(RULES)
    first = guard.feed(request)
    assert guard.feed(request[:cut]) + guard.feed(request[cut:]) == first
    assert guard.feed(request + request) == first + first
    assert guard.requests == 4


def test_a_body_is_no_head_though_it_looks_like_one_that_was_let_through() -> None:
    request = head()
    posted = head(b"Content-Length: %d" % len(request), line=b"POST / HTTP/1.1")
    guard = HttpGuard(RULES)
    guard.feed(request)
    guard.feed(posted)
    assert guard.feed(request) == request
    assert guard.requests == 2


def test_what_is_remembered_is_bounded() -> None:
    guard = HttpGuard(RULES)
    for number in range(1000):
        guard.feed(head(b"X: %d" % number))
    assert len(guard._seen) < 20


@given(st.binary(max_size=40))
def test_noise_after_a_request_is_refused_or_kept_back(data: bytes) -> None:
    guard = HttpGuard(RULES)
    guard.feed(head())
    assert outcome(guard, data) == outcome(HttpGuard(RULES), data)
