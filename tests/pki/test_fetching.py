# SPDX-License-Identifier: EUPL-1.2
"""Fetching of revocation answers from real servers on the loopback address."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.keys import KeyKind, PrivateKey, generate_key
from sithsapp.oob.protocol.order import KeyUse, Requirements
from sithsapp.pki import fetching
from sithsapp.pki.expiring import Expiring
from sithsapp.pki.fetching import FetchError, fetch
from sithsapp.pki.trust import TrustAnchors
from sithsapp.pki.validation import CertificateValidator

TIMEOUT = 5.0


@contextmanager
def _server(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection with `behave`, after reading the request's head."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(TIMEOUT)
                head = b""
                while b"\r\n\r\n" not in head:
                    head += connection.recv(4096)
                try:
                    behave(connection)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"
        thread.join(TIMEOUT)


def _sends(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc"),
        (b"HTTP/1.0 200 OK\r\n\r\nabc", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
    ],
)
def test_bodies_come_whole(data: bytes, body: bytes) -> None:
    with _server(_sends(data)) as url:
        assert fetch(url, None, TIMEOUT) == body


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    ],
)
def test_other_answers_are_errors(data: bytes) -> None:
    with _server(_sends(data)) as url, pytest.raises(FetchError):
        fetch(url, None, TIMEOUT)


def test_size_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "MAX_ANSWER", 1000)
    with _server(_sends(b"HTTP/1.0 200 OK\r\n\r\n" + bytes(2000))) as url, pytest.raises(FetchError, match="large"):
        fetch(url, None, TIMEOUT)


def test_a_dripping_server_is_left_in_time() -> None:
    stop = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while not stop.wait(0.02):
            connection.sendall(b"a")

    with _server(drip) as url:
        begin = time.monotonic()
        with pytest.raises(FetchError):
            fetch(url, None, 0.3)
        assert time.monotonic() - begin < TIMEOUT
        stop.set()


def test_a_silent_server_is_left_in_time() -> None:
    stop = threading.Event()
    with _server(lambda _connection: (stop.wait(TIMEOUT), None)[1]) as url:
        with pytest.raises(FetchError):
            fetch(url, None, 0.2)
        stop.set()


def test_nobody_listening() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(FetchError):
        fetch(f"http://127.0.0.1:{port}/", None, 1.0)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "file:///etc/passwd",
        "ftp://example.test/x",
        "ldap://example.test/x",
        "http://",
        "http:///x",
        "http://user@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://[::1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\r\nHost: x",
        "http://exämple.test/",
        "http://127.0.0.1/" + "a" * 2000,
    ],
)
def test_addresses_that_are_not_fetched(url: str) -> None:
    with pytest.raises(FetchError, match="address"):
        fetch(url, None, 1.0)


def test_errors_do_not_name_the_address() -> None:
    with pytest.raises(FetchError) as caught:
        fetch("http://127.0.0.1:99999/secret", None, 1.0)
    assert "secret" not in str(caught.value)


def _p256(_kind: KeyKind) -> PrivateKey:
    return generate_key(KeyKind.P_256)


def test_validation_over_real_http(tmp_path_factory: pytest.TempPathFactory) -> None:
    with CaServer() as server:
        directory = tmp_path_factory.mktemp("pki")
        pki = VirtualPki(directory, base_url=server.url, environment="test", make_key=_p256)
        server.pki = pki
        key = generate_key(KeyKind.P_256).public_key()
        leaf = pki.issue(LeafRequest(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, DEFAULT_PERSON, key))
        chain = [certificate.public_bytes(Encoding.DER) for certificate in pki.chain(leaf)]
        validator = CertificateValidator(TrustAnchors(chain[2:]))
        demands = Requirements(key=KeyUse.AUTH, policies=["1.2.752.74.8.503"])
        assert len(validator.validate(chain[:2], demands).revocation) == 2
        assert server.requests == 2


def test_the_expiring_map_is_bounded() -> None:
    kept: Expiring[int, str] = Expiring(2)
    now = datetime.now(UTC)
    for number in range(3):
        kept.put(number, str(number), now + timedelta(seconds=1))
    assert [kept.get(number, now) for number in range(3)] == [None, "1", "2"]
    assert kept.get(2, now + timedelta(seconds=1)) is None
    kept.clear()
    assert kept.get(2, now) is None
