# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import gc
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.qt_transport import QtTransport, QtTransports
from sithsapp.oob.transport import MAX_BODY, Request, RequestCancelled, Timeouts
from tests.oob.conftest import open_files
from tests.oob.servers import ConnectProxy, LoopbackServer, Script, TlsCa, answer, serving

pytestmark = pytest.mark.usefixtures("qapp")

Cleanup = Callable[[Callable[[], None]], None]
HOST = "auth.example.test"
OK = answer(200, b"ok")


@contextmanager
def opened(transports: QtTransports, *, local_http: bool = True) -> Iterator[QtTransport]:
    transport = transports(local_http=local_http)
    try:
        yield transport
    finally:
        transport.close()


def fetch(origin: str, *, extra_ca: Path | None = None, timeouts: Timeouts = Timeouts()) -> bytes:  # noqa: B008  (frozen)
    with opened(QtTransports([extra_ca] if extra_ca else ())) as transport:
        return transport.request(Request("GET", f"{origin}/x?a=b"), timeouts).body


def failure_of(origin: str, *, extra_ca: Path | None = None, timeouts: Timeouts = Timeouts()) -> Failure:  # noqa: B008  (frozen)
    with pytest.raises(SithsError) as caught:
        fetch(origin, extra_ca=extra_ca, timeouts=timeouts)
    return caught.value.failure


def test_sends_what_was_asked_and_nothing_more() -> None:
    with serving(lambda seen: OK) as server, opened(QtTransports()) as transport:
        response = transport.request(Request("POST", f"{server.origin}/a?b=c", {"DPoP": "proof"}, b"{}"))
    assert (response.status, response.body) == (200, b"ok")
    (seen,) = server.seen
    assert (seen.method, seen.target, seen.body) == ("POST", "/a?b=c", b"{}")
    assert dict(seen.headers) == {
        "host": f"localhost:{server.port}",
        "accept-encoding": "identity",
        "dpop": "proof",
        "content-length": "2",
    }


def test_keeps_the_connection_and_no_cookie() -> None:
    script: Script = lambda seen: answer(200, b"ok", set_cookie="a=b", cache_control="max-age=999")  # noqa: E731
    with serving(script) as server, opened(QtTransports()) as transport:
        for _ in range(3):
            transport.request(Request("GET", f"{server.origin}/"))
    assert server.connections == 1
    assert len(server.seen) == 3
    assert all("cookie" not in seen.headers for seen in server.seen)


def test_a_connection_that_the_server_closed_is_replaced() -> None:
    with serving(lambda seen: answer(200, b"ok", connection="close")) as server, opened(QtTransports()) as transport:
        transport.request(Request("GET", f"{server.origin}/"))
        transport.request(Request("GET", f"{server.origin}/"))
    assert server.connections == 2


def test_nothing_is_sent_twice_by_itself() -> None:
    with serving(lambda seen: OK if len(server.seen) == 1 else None) as server, opened(QtTransports()) as transport:
        transport.request(Request("GET", f"{server.origin}/"))
        with pytest.raises(SithsError, match="SERVICE_UNREACHABLE"):
            transport.request(Request("POST", f"{server.origin}/claim", body=b"{}"))
    assert len(server.seen) == 2


def test_tls_with_an_extra_ca(tls_ca: TlsCa) -> None:
    with serving(lambda seen: OK, tls_ca.context("localhost")) as server:
        assert fetch(server.origin, extra_ca=tls_ca.path) == b"ok"


def test_tls_with_an_unknown_ca(tls_ca: TlsCa) -> None:
    with serving(lambda seen: OK, tls_ca.context("localhost")) as server:
        assert failure_of(server.origin) is Failure.TLS_FAILED
    assert server.seen == []


def test_tls_with_another_name(tls_ca: TlsCa) -> None:
    with serving(lambda seen: OK, tls_ca.context("other.example.test")) as server:
        assert failure_of(server.origin, extra_ca=tls_ca.path) is Failure.TLS_FAILED


@pytest.mark.parametrize(("from_days", "to_days"), [(-9, -2), (2, 9)])
def test_tls_outside_its_dates_blames_the_clock(tls_ca: TlsCa, from_days: int, to_days: int) -> None:
    with serving(lambda seen: OK, tls_ca.context("localhost", from_days=from_days, to_days=to_days)) as server:
        assert failure_of(server.origin, extra_ca=tls_ca.path) is Failure.CLOCK_WRONG


def test_tls_outside_its_dates_by_an_unknown_ca_is_not_the_clock(tls_ca: TlsCa) -> None:
    with serving(lambda seen: OK, tls_ca.context("localhost", from_days=-9, to_days=-2)) as server:
        assert failure_of(server.origin) is Failure.TLS_FAILED


def test_an_old_tls_version_is_refused(tls_ca: TlsCa) -> None:
    context = tls_ca.context("localhost")
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with serving(lambda seen: OK, context) as server:
        assert failure_of(server.origin, extra_ca=tls_ca.path) is Failure.TLS_FAILED


def test_plain_text_in_place_of_tls() -> None:
    def babble(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        peer, _ = listener.accept()
        with peer:
            peer.recv(4096)
            babble(peer)

    thread = threading.Thread(target=serve)
    thread.start()
    assert failure_of(f"https://localhost:{listener.getsockname()[1]}") is Failure.TLS_FAILED
    thread.join()
    listener.close()


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert failure_of(f"http://localhost:{port}") is Failure.SERVICE_UNREACHABLE


def test_a_server_that_never_shakes_hands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        started = time.monotonic()
        origin = f"https://localhost:{listener.getsockname()[1]}"
        assert failure_of(origin, timeouts=Timeouts(connect=0.3)) is Failure.SERVICE_UNREACHABLE
        assert time.monotonic() - started < 3


def test_a_slow_server(cleanup: Cleanup) -> None:
    release = threading.Event()
    cleanup(release.set)

    def drip(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n")
        while not release.wait(0.05):
            peer.sendall(b"x: y\r\n")

    with serving(lambda seen: drip) as server:
        assert failure_of(server.origin, timeouts=Timeouts(read=0.4)) is Failure.SERVICE_UNREACHABLE
        release.set()


@pytest.mark.parametrize(
    "sent", [b"", b"HTTP/1.1 200 OK\r\ncontent-len", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n123"]
)
def test_a_dropped_connection(sent: bytes) -> None:
    with serving(lambda seen: lambda peer: peer.sendall(sent)) as server:
        assert failure_of(server.origin) is Failure.SERVICE_UNREACHABLE


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_refused(status: int) -> None:
    with serving(lambda seen: answer(status, location="https://evil.example/")) as server:
        assert failure_of(server.origin) is Failure.SERVICE_ERROR
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"x" * (MAX_BODY + 1)),
        b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (MAX_BODY + 1),
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        + b"1000\r\n"
        + b"x" * 0x1000
        + b"\r\n"
        + b"ffffff\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 20000 + b"\r\n\r\n",
    ],
    ids=["length", "until-close", "chunks", "headers"],
)
def test_too_much_is_refused(reply: bytes) -> None:
    def pour(peer: socket.socket) -> None:
        peer.sendall(reply)
        peer.recv(1)

    with serving(lambda seen: pour) as server:
        assert failure_of(server.origin) is Failure.SERVICE_ERROR


def test_the_largest_body_passes() -> None:
    with serving(lambda seen: answer(200, b"x" * MAX_BODY)) as server:
        assert len(fetch(server.origin)) == MAX_BODY


@pytest.mark.parametrize(
    "url",
    ["http://auth.example.test/", "http://127.0.0.1/", "ftp://localhost/", "https://u@localhost/", "https://localhost/#f",
     "https:///x", "https://localhost/\r\nx", "https://localhost/ x", "https://lo\xe4.test/", "https://localhost:0/"],
)  # fmt: skip
def test_other_addresses_are_never_called(url: str) -> None:
    with opened(QtTransports()) as transport, pytest.raises(ValueError, match="the address"):
        transport.request(Request("GET", url))


def test_plain_http_needs_the_demo_environment() -> None:
    with opened(QtTransports(), local_http=False) as transport, pytest.raises(ValueError, match="not https"):
        transport.request(Request("GET", "http://localhost:1/"))


def test_cancel_from_another_thread_ends_a_held_call(cleanup: Cleanup) -> None:
    asked = threading.Event()

    def hold(peer: socket.socket) -> None:
        asked.set()
        peer.recv(1)

    transports: list[QtTransport] = []

    def call(origin: str) -> float:
        with opened(QtTransports()) as transport:
            transports.append(transport)
            with pytest.raises(RequestCancelled):
                transport.request(Request("GET", f"{origin}/watch"), Timeouts(read=30))
            return time.monotonic()

    with serving(lambda seen: hold) as server, ThreadPoolExecutor(1) as pool:
        future = pool.submit(call, server.origin)
        assert asked.wait(5)
        cancelled = time.monotonic()
        transports[0].cancel()
        assert future.result(5) - cancelled < 0.2


def test_after_cancel_nothing_is_sent() -> None:
    with serving(lambda seen: OK) as server, opened(QtTransports()) as transport:
        transport.cancel()
        with pytest.raises(RequestCancelled):
            transport.request(Request("GET", f"{server.origin}/"))
    assert server.connections == 0


def test_other_threads_run_while_a_call_waits(cleanup: Cleanup) -> None:
    release = threading.Event()
    cleanup(release.set)

    def hold(peer: socket.socket) -> None:
        release.wait(5)
        peer.sendall(OK)

    with serving(lambda seen: hold) as server, ThreadPoolExecutor(1) as pool:
        future = pool.submit(fetch, server.origin)
        rounds = 0
        end = time.monotonic() + 0.2
        while time.monotonic() < end:
            rounds += 1
        release.set()
        assert future.result(5) == b"ok"
    assert rounds > 1000


class TestProxy:
    @pytest.fixture
    def origin(self, tls_ca: TlsCa) -> Iterator[LoopbackServer]:
        with serving(lambda seen: OK, tls_ca.context(HOST)) as server:
            yield server

    @pytest.mark.parametrize("variable", ["https_proxy", "HTTPS_PROXY", "ALL_PROXY"])
    def test_connect_through_the_environments_proxy(
        self, origin: LoopbackServer, tls_ca: TlsCa, monkeypatch: pytest.MonkeyPatch, cleanup: Cleanup, variable: str
    ) -> None:
        proxy = ConnectProxy({f"{HOST}:443": origin.port})
        cleanup(proxy.server.close)
        monkeypatch.setenv(variable, proxy.url)
        assert fetch(f"https://{HOST}", extra_ca=tls_ca.path) == b"ok"
        assert origin.seen[0].headers["host"] == HOST
        assert proxy.server.seen[0].target == f"{HOST}:443"

    def test_basic_credentials_of_the_proxys_address(
        self, origin: LoopbackServer, tls_ca: TlsCa, monkeypatch: pytest.MonkeyPatch, cleanup: Cleanup
    ) -> None:
        proxy = ConnectProxy(
            {f"{HOST}:443": origin.port}, challenge='Basic realm="p"', credentials="Basic dXNlcjpwYXNz"
        )
        cleanup(proxy.server.close)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url.replace("//", "//user:pass@"))
        assert fetch(f"https://{HOST}", extra_ca=tls_ca.path) == b"ok"
        assert all("proxy-authorization" not in seen.headers for seen in origin.seen)

    @pytest.mark.parametrize(
        "challenge", ['Basic realm="p"', "Negotiate", "NTLM", 'Digest realm="p", nonce="n"', "Odd"]
    )
    def test_a_login_that_we_cannot_give(
        self, monkeypatch: pytest.MonkeyPatch, cleanup: Cleanup, challenge: str
    ) -> None:
        proxy = ConnectProxy({}, challenge=challenge)
        cleanup(proxy.server.close)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert failure_of(f"https://{HOST}") is Failure.PROXY_FAILED

    @pytest.mark.parametrize("status", [403, 405, 500, 502])
    def test_a_proxy_that_refuses(self, monkeypatch: pytest.MonkeyPatch, cleanup: Cleanup, status: int) -> None:
        proxy = ConnectProxy({}, refuse=status)
        cleanup(proxy.server.close)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert failure_of(f"https://{HOST}") is Failure.PROXY_FAILED

    def test_a_proxy_that_is_gone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        assert failure_of(f"https://{HOST}") is Failure.PROXY_FAILED

    def test_an_unusable_proxy_address_is_not_a_direct_way(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://[::1")
        assert failure_of(f"https://{HOST}") is Failure.PROXY_FAILED

    def test_tls_to_the_wrong_server_behind_a_proxy(
        self, origin: LoopbackServer, monkeypatch: pytest.MonkeyPatch, cleanup: Cleanup
    ) -> None:
        proxy = ConnectProxy({f"{HOST}:443": origin.port})
        cleanup(proxy.server.close)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert failure_of(f"https://{HOST}") is Failure.TLS_FAILED

    @pytest.mark.parametrize("challenge", ["NTLM", "Negotiate", 'Basic realm="x"'])
    @pytest.mark.parametrize(("status", "header"), [(407, "proxy_authenticate"), (401, "www_authenticate")])
    def test_a_challenge_from_the_server_gets_nothing(self, challenge: str, status: int, header: str) -> None:
        with (
            serving(lambda seen: answer(status, b"", **{header: challenge})) as server,
            opened(QtTransports()) as transport,
        ):
            assert transport.request(Request("GET", f"{server.origin}/")).status == status
        assert len(server.seen) == 1
        assert not {"authorization", "proxy-authorization"} & set(server.seen[0].headers)

    def test_this_computer_is_never_behind_a_proxy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        with serving(lambda seen: OK) as server:
            assert fetch(server.origin) == b"ok"


def test_no_handle_and_no_thread_is_left(cleanup: Cleanup) -> None:
    with serving(lambda seen: OK) as server:

        def in_a_thread() -> None:
            thread = threading.Thread(target=fetch, args=(server.origin,))
            thread.start()
            thread.join(5)

        for _ in range(3):
            in_a_thread()
        gc.collect()
        before = (open_files(), threading.active_count())
        for _ in range(30):
            in_a_thread()
        deadline = time.monotonic() + 5
        while (open_files(), threading.active_count()) > before and time.monotonic() < deadline:
            threading.Event().wait(0.01)
        assert (open_files(), threading.active_count()) <= before


def test_works_without_a_display_in_a_bare_process() -> None:
    program = """
import sys, threading
from PySide6.QtCore import QCoreApplication
application = QCoreApplication([])
from sithsapp.oob.qt_transport import QtTransports
from sithsapp.oob.transport import Request
def work():
    transport = QtTransports()(local_http=True)
    print(transport.request(Request("GET", sys.argv[1])).body.decode())
    transport.close()
thread = threading.Thread(target=work)
thread.start(); thread.join()
"""
    with serving(lambda seen: OK) as server:
        result = subprocess.run(
            [sys.executable, "-W", "error", "-c", program, f"{server.origin}/"],
            capture_output=True,
            text=True,
            timeout=30,
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin"},
            check=False,
        )
    assert (result.stdout, result.stderr) == ("ok\n", "")


def test_an_extra_ca_file_must_hold_a_certificate(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_bytes(b"nothing")
    for path in (tmp_path / "empty.pem", tmp_path / "absent.pem"):
        with pytest.raises(SithsError, match="SETTINGS_INVALID"):
            QtTransports([path])()
