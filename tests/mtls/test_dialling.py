# SPDX-License-Identifier: EUPL-1.2
"""The organisation's proxy on the way to a server: a real Apache, and proxies that say strange things."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import dialling
from sithsapp.mtls.dialling import dial, ways_to
from sithsapp.oob.proxy_address import ProxyAddress
from tests.mtls.desk import Desk, fetch, http_answer
from tests.mtls.parts import DEADLINE, TlsServer, key_of, make_certificate, pem_of
from tests.parts.apache import as_proxy

HOST = "api.example.se"
Answer = Callable[[socket.socket], None]


class FakeProxy:
    """Takes connections one by one and lets `answer` speak; notes what was asked first."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.asked: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> FakeProxy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(DEADLINE)

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            with client:
                client.settimeout(DEADLINE)
                self.asked.append(client.recv(4096))
                try:
                    self._answer(client)
                except OSError:
                    continue


def saying(data: bytes) -> Answer:
    def answer(client: socket.socket) -> None:
        client.sendall(data)
        client.recv(4096)

    return answer


def leading_to(port: int) -> Answer:
    """Join the client with a server of this computer, whatever name it asked for."""

    def copy(source: socket.socket, sink: socket.socket) -> None:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)

    def answer(client: socket.socket) -> None:
        client.sendall(b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port), timeout=DEADLINE) as server:
            back = threading.Thread(target=copy, args=(server, client))
            back.start()
            copy(client, server)
            back.join(DEADLINE)

    return answer


@contextmanager
def dialled(proxy: FakeProxy, *, socks: bool = False, seconds: float = DEADLINE) -> Iterator[socket.socket]:
    with dial(HOST, 443, [ProxyAddress("127.0.0.1", proxy.port, socks)], seconds) as raw:
        yield raw


def failure_of(answer: Answer, *, socks: bool = False, seconds: float = DEADLINE) -> tuple[Failure, str]:
    with (
        FakeProxy(answer) as proxy,
        pytest.raises(SithsError) as caught,
        dialled(proxy, socks=socks, seconds=seconds),
    ):
        pass
    return caught.value.failure, caught.value.detail or ""


@pytest.mark.e2e
class TestApache:
    def test_the_server_is_reached_by_the_proxy_and_sees_the_card(self, desk: Desk, tmp_path: Path) -> None:
        with TlsServer(desk.files.context(), http_answer) as server, as_proxy(tmp_path / "p", server.port) as proxy:
            status, text = fetch(desk.helper(server.port, proxy=f"http://127.0.0.1:{proxy.port}"))
            assert status == 200, proxy.log()
        assert DEFAULT_PERSON.hsa_id in text

    def test_a_port_that_the_proxy_does_not_allow(self, desk: Desk, tmp_path: Path) -> None:
        with TlsServer(desk.files.context(), http_answer) as server, as_proxy(tmp_path / "p", 443) as proxy:
            status, text = fetch(desk.helper(server.port, proxy=f"http://127.0.0.1:{proxy.port}"))
        assert (status, text[:4]) == (502, "N404")
        assert desk.person.requests == []

    def test_a_proxy_that_wants_a_log_in(self, tmp_path: Path) -> None:
        with (
            socket.create_server(("127.0.0.1", 0)) as server,
            as_proxy(tmp_path / "p", server.getsockname()[1], "me:a:b") as proxy,
        ):
            target = ("localhost", server.getsockname()[1])
            for user, password in (("", ""), ("me", "wrong")):
                with pytest.raises(SithsError, match="407") as caught:
                    dial(*target, [ProxyAddress("127.0.0.1", proxy.port, user=user, password=password)], DEADLINE)
                assert caught.value.failure is Failure.PROXY_FAILED
                assert "wrong" not in str(caught.value)
            dial(*target, [ProxyAddress("127.0.0.1", proxy.port, user="me", password="a:b")], DEADLINE).close()


def test_the_proxy_alone_looks_the_name_up(desk: Desk) -> None:
    """The name exists nowhere. The server's certificate is for it, and the proxy is told no more than that."""
    key = key_of(KeyKind.P_256, "server")
    certificate = make_certificate(key, HOST, names=(HOST,))
    desk.files.certificate.write_bytes(pem_of(certificate))
    desk.files.key.write_bytes(pem_of(certificate, key))
    with TlsServer(desk.files.context(), http_answer) as server, FakeProxy(leading_to(server.port)) as proxy:
        helper = desk.helper(443, host=HOST, proxy=f"http://127.0.0.1:{proxy.port}")
        status, text = fetch(helper)
        assert (status, DEFAULT_PERSON.hsa_id in text) == (200, True)
        assert fetch(helper)[0] == 200
    assert proxy.asked == [f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}:443\r\n\r\n".encode()] * 2
    assert len(desk.person.requests) == 1


def test_the_proxy_cannot_stand_in_for_the_server(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server, FakeProxy(leading_to(server.port)) as proxy:
        status, text = fetch(desk.helper(443, host=HOST, proxy=f"http://127.0.0.1:{proxy.port}"))
    assert (status, text[:4]) == (502, "N402")
    assert desk.person.requests == []


@pytest.mark.parametrize(
    ("said", "failure"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", Failure.PROXY_FAILED),
        (b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic\r\n\r\n", Failure.PROXY_FAILED),
        (b"HTTP/1.1 302 Found\r\nLocation: http://login.example/\r\n\r\n", Failure.PROXY_FAILED),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", Failure.TARGET_UNREACHABLE),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\n", Failure.TARGET_UNREACHABLE),
        (b"HTTP/1.1 200 OK\r\n\r\n\x16\x03\x03", Failure.PROXY_FAILED),
        (b"HTTP/1.1 2000 OK\r\n\r\n", Failure.PROXY_FAILED),
        (b"HTTP/2 200\r\n\r\n", Failure.PROXY_FAILED),
        (b"SSH-2.0-x\r\n\r\n", Failure.PROXY_FAILED),
        (b"\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", Failure.PROXY_FAILED),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 4000, Failure.PROXY_FAILED),
    ],
)
def test_what_a_proxy_may_answer(said: bytes, failure: Failure) -> None:
    assert failure_of(saying(said))[0] is failure


def test_a_proxy_that_goes_or_says_nothing() -> None:
    def go(client: socket.socket) -> None:
        client.shutdown(socket.SHUT_RDWR)

    assert failure_of(go)[0] is Failure.PROXY_FAILED
    assert failure_of(saying(b"HTTP/1.1 200"), seconds=0.1)[0] is Failure.PROXY_FAILED


def test_a_proxy_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SithsError) as caught:
        dial(HOST, 443, [ProxyAddress("127.0.0.1", port)], DEADLINE)
    assert caught.value.failure is Failure.PROXY_FAILED


def test_the_next_way_is_tried_where_one_fails() -> None:
    with (
        FakeProxy(saying(b"HTTP/1.1 403 No\r\n\r\n")) as shut,
        FakeProxy(saying(b"HTTP/1.1 200 OK\r\n\r\n")) as open_one,
    ):
        ways = [ProxyAddress("127.0.0.1", shut.port), ProxyAddress("127.0.0.1", open_one.port)]
        dial(HOST, 443, ways, DEADLINE).close()
    assert (len(shut.asked), len(open_one.asked)) == (1, 1)


def test_an_address_that_cannot_be_understood_leads_nowhere() -> None:
    """An empty host means this computer to the system; it must not be tried."""
    for way in (ProxyAddress("", 8080), ProxyAddress("127.0.0.1", 0)):
        with pytest.raises(SithsError, match="understood"):
            dial(HOST, 443, [way], DEADLINE)


class TestSocks:
    def test_the_name_is_given_to_the_proxy(self) -> None:
        asked: list[bytes] = []

        def answer(client: socket.socket) -> None:
            client.sendall(b"\5\0")
            asked.append(client.recv(4096))
            client.sendall(b"\5\0\0\3\4name\0\1server's")
            client.recv(10)

        with FakeProxy(answer) as proxy, dialled(proxy, socks=True) as raw:
            assert raw.recv(100) == b"server's"
        assert proxy.asked == [b"\5\1\0"]
        assert asked == [b"\5\1\0\3\x0e" + HOST.encode() + b"\1\xbb"]

    @pytest.mark.parametrize(
        ("first", "second", "failure"),
        [
            (b"\5\xff", b"", Failure.PROXY_FAILED),
            (b"\4\0", b"", Failure.PROXY_FAILED),
            (b"\5\0", b"\5\2\0\1", Failure.PROXY_FAILED),
            (b"\5\0", b"\5\5\0\1", Failure.TARGET_UNREACHABLE),
            (b"\5\0", b"\5\0\0\7", Failure.PROXY_FAILED),
        ],
    )
    def test_refusals(self, first: bytes, second: bytes, failure: Failure) -> None:
        def answer(client: socket.socket) -> None:
            client.sendall(first)
            client.recv(4096)
            client.sendall(second)
            client.recv(4096)

        assert failure_of(answer, socks=True)[0] is failure


class TestChoice:
    @pytest.fixture(autouse=True)
    def environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)

    def test_the_targets_own_setting_goes_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://environment.example:1")
        own = "http://own.example:3128"
        assert ways_to(HOST, 443, own, "none") == [ProxyAddress("own.example", 3128)]
        assert ways_to("localhost", 443, own, "none") == [ProxyAddress("own.example", 3128)]
        assert ways_to(HOST, 443, "none", own) == [None]
        assert ways_to(HOST, 443, "system", own) == [ProxyAddress("environment.example", 1)]

    def test_the_apps_setting_is_next_and_spares_this_computer(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://environment.example:1")
        app = "socks5://app.example:1080"
        assert ways_to(HOST, 443, None, app) == [ProxyAddress("app.example", 1080, socks=True)]
        assert ways_to("127.0.0.1", 443, None, app) == [None]

    def test_the_environment_is_next(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("https_proxy", "http://me:pw@environment.example")
        assert ways_to(HOST, 443, None, "system") == [ProxyAddress("environment.example", 8080, False, "me", "pw")]
        assert "pw" not in repr(ways_to(HOST, 443, None, "system"))
        monkeypatch.setenv("no_proxy", ".example.se")
        assert ways_to(HOST, 443, None, "system") == [None]

    def test_the_system_is_asked_where_it_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        found = [ProxyAddress("pac.example", 8080), None]
        monkeypatch.setattr(dialling, "_system_ways", lambda _host, _port: found)
        monkeypatch.setattr(sys, "platform", "win32")
        assert ways_to(HOST, 443, None, "system") == found
        monkeypatch.setattr(sys, "platform", "linux")
        assert ways_to(HOST, 443, None, "system") == [None]


def test_the_systems_proxies_can_be_read() -> None:
    from sithsapp.oob.proxy import system_proxies

    assert all(way is None or way.host for way in system_proxies(HOST, 443))
