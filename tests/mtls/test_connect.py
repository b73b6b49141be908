# SPDX-License-Identifier: EUPL-1.2
"""The local proxy as browsers and programs meet it."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import connect_connection, connect_door, connect_opening
from sithsapp.mtls.helper import MtlsHelper
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.local_store import LocalStore
from sithsapp.settings.schema import MtlsBrowser
from tests.mtls.browsing import (
    BROWSER,
    HOST,
    get,
    lead_to_this_computer,
    proxy_port,
    proxy_settings,
    raw,
    server_files,
    tunnel,
)
from tests.mtls.desk import RIGHT, Desk, http_answer, together
from tests.mtls.parts import DEADLINE, ServerFiles, TlsServer, eventually
from tests.mtls.test_hostile import FickleCheck
from tests.parts.apache import with_secrets

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
OTHER = "other.example"
BROKEN_OFF = (ConnectionResetError, ssl.SSLEOFError)


@pytest.fixture(autouse=True)
def _names(monkeypatch: pytest.MonkeyPatch) -> None:
    lead_to_this_computer(monkeypatch, HOST, OTHER)


@pytest.fixture
def files(tmp_path: Path, shared_ca: CaServer) -> ServerFiles:
    assert shared_ca.pki is not None
    return server_files(tmp_path, shared_ca.pki.root.certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def desk(card: VirtualCard, files: ServerFiles, issuers: Path) -> Iterator[Desk]:
    readers = VirtualReaders()
    service = CardService([readers])
    service.start()
    readers.insert(card)
    eventually(lambda: bool(service.state.cards))
    desk = Desk(service, files, issuers, readers, card)
    yield desk
    desk.close()
    service.close()


def serving(desk: Desk, server: TlsServer, *hosts: str, **whole: object) -> MtlsHelper:
    return desk.start(proxy_settings(desk, server.port, *hosts, whole=dict(whole)))


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_six_connections_of_a_browser_need_one_signature(desk: Desk, version: ssl.TLSVersion) -> None:
    with TlsServer(desk.files.context(version), http_answer) as server:
        helper = serving(desk, server)
        answers = together(6, lambda: get(helper, server.port))
        assert [answer[:15] for answer in answers] == [b"HTTP/1.1 200 OK"] * 6
        assert DEFAULT_PERSON.hsa_id.encode() in answers[0]
        assert f"GET / HTTP/1.1 {HOST}".encode() in answers[0]
        assert (server.handshakes, server.resumed) == (6, 5)
        eventually(lambda: helper.status()[0].connections == 0)
    status = helper.status()[0]
    assert (status.accepted, status.refused, status.signatures, len(desk.person.requests)) == (6, 0, 1, 1)
    assert desk.person.requests[0].purpose.host == HOST


def test_the_tunnel_speaks_http_1_under_the_server_s_name(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with tunnel(helper, server.port) as (answer, tls):
            assert answer == b"HTTP/1.1 200 Connection established\r\n\r\n"
            assert tls is not None
            assert tls.selected_alpn_protocol() == "http/1.1"
            names = tls.getpeercert()["subjectAltName"]  # type: ignore[index] # verified
    assert names == (("DNS", HOST),)


def test_each_connection_is_one_connection_at_the_server(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with tunnel(helper, server.port) as (_, one), tunnel(helper, server.port) as (_, other):
            for tls in (one, other, one, other):
                assert tls is not None
                tls.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                assert b"200 OK" in tls.recv(4096)
            assert server.handshakes == 2
            assert helper.status()[0].connections == 2
            (session,) = helper.sessions()
            assert (session.purpose.host, session.connections) == (HOST, 2)


def test_the_server_is_met_before_the_tunnel_is_there(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        met: list[int] = []
        desk.person.before = lambda: met.append(server.handshakes)
        with tunnel(helper, server.port):
            assert server.handshakes == 1
    assert met == [0]


@pytest.mark.parametrize(
    "authority", [f"{OTHER}:{{port}}", f"{HOST}:443", f"{HOST}.:{{port}}", f"x.{HOST}:{{port}}", "127.0.0.1:{port}"]
)
def test_only_listed_servers_are_reached(desk: Desk, authority: str) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        answer = raw(helper, f"CONNECT {authority.format(port=server.port)} HTTP/1.1\r\n\r\n".encode())
        assert server.handshakes == 0
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert b"A931" in answer
    assert desk.person.requests == []


def test_a_rebound_name_or_a_form_post_reaches_nothing(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        port = proxy_port(helper)
        assert raw(helper, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n").startswith(b"HTTP/1.1 403 ")
        assert raw(helper, b"GET https://portal.example/ HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 403 ")
        rebound = raw(helper, b"GET /proxy.pac HTTP/1.1\r\nHost: evil.example:%d\r\n\r\n" % port)
        assert rebound.startswith(b"HTTP/1.1 421 ")
        assert HOST.encode() not in rebound
        assert server.handshakes == 0


def test_the_pac_file_is_served_to_programs_and_is_no_script(desk: Desk) -> None:
    helper = desk.start(proxy_settings(desk, 443))
    port = proxy_port(helper)
    answer = raw(helper, b"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port).decode()
    head, _, body = answer.partition("\r\n\r\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert "application/x-ns-proxy-autoconfig" in head
    assert "nosniff" in head
    assert "Cross-Origin-Resource-Policy: same-origin" in head
    assert "Access-Control" not in head
    assert f'["{HOST}:443"]' in body
    assert f"PROXY 127.0.0.1:{port}" in body


KNOCK = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
for text in (b"GET /proxy.pac HTTP/1.1\\r\\nHost: 127.0.0.1:" + sys.argv[1].encode() + b"\\r\\n\\r\\n",
             b"CONNECT portal.example:" + sys.argv[2].encode() + b" HTTP/1.1\\r\\n\\r\\n"):
    try:
        connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
        connection.sendall(text)
        print("got", connection.recv(100))
    except ConnectionError:
        print("reset")
"""


@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="needs a second user")
def test_another_user_gets_nothing(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        command = [sys.executable, "-c", KNOCK, str(proxy_port(helper)), str(server.port)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert set(done.stdout.split("\n")) <= {"reset", "got b''", ""}, done.stdout
        assert len(done.stdout.splitlines()) == 2, done.stderr
        assert server.handshakes == 0
    assert helper.status()[0].refused == 2
    assert desk.person.requests == []


def test_the_peer_is_looked_at_again_when_it_speaks(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.start(proxy_settings(desk, server.port), peers=FickleCheck())
        with pytest.raises(ConnectionResetError):
            raw(helper, f"CONNECT {HOST}:{server.port} HTTP/1.1\r\n\r\n".encode())
        assert server.handshakes == 0


def test_a_program_learns_of_a_refusal_in_the_proxy_s_answer(desk: Desk) -> None:
    desk.person.answers = [None]
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        answer = get(helper, server.port, agent="curl/8")
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"A905" in answer


def test_a_browser_gets_a_page_that_says_why(desk: Desk) -> None:
    desk.readers.remove()
    eventually(lambda: not desk.service.state.cards)
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        answer = get(helper, server.port)
        assert server.handshakes == 0
    head, _, body = answer.partition(b"\n\n")
    assert head.startswith(b"HTTP/1.1 502 ")
    assert b"no-store" in head
    assert b"default-src 'none'" in head
    assert b"R105" in body
    assert b"<script" not in body


def test_a_page_about_a_server_that_is_not_there(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    helper = desk.start(proxy_settings(desk, port))
    answer = get(helper, port)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"N405" in answer


def test_a_browser_is_kept_waiting_within_the_tunnel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers give up on a proxy that does not answer long before a person has found the card."""
    monkeypatch.setattr(connect_connection, "PATIENCE_SECONDS", 0.05)
    may_answer = threading.Event()
    desk.person.before = lambda: (may_answer.wait(DEADLINE), None)[1]
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with tunnel(helper, server.port, agent=BROWSER) as (answer, tls):
            assert b" 200 " in answer
            assert tls is not None
            tls.sendall(f"GET /slow HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert server.handshakes == 0
            may_answer.set()
            assert b"GET /slow" in tls.recv(4096)


def test_a_refusal_after_a_long_wait_is_a_page_too(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_connection, "PATIENCE_SECONDS", 0.05)
    thinking = threading.Event()
    desk.person.answers = [None]
    desk.person.before = lambda: (thinking.wait(0.3), None)[1]
    with TlsServer(desk.files.context(), http_answer) as server:
        answer = get(serving(desk, server), server.port)
    assert answer.startswith(b"HTTP/1.1 504 ")
    assert b"A905" in answer


def test_a_program_waits_for_the_person_without_a_tunnel(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_connection, "PATIENCE_SECONDS", 0.0)
    desk.person.answers = [None]
    with TlsServer(desk.files.context(), http_answer) as server:
        assert get(serving(desk, server), server.port, agent="git/2").startswith(b"HTTP/1.1 504 ")


def test_who_said_no_is_left_alone_for_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page can ask as often as it likes; the person is not asked each time."""
    desk.person.answers = [None, RIGHT]
    moments = iter([float(n) for n in (100, 101, 101.5, 103)])
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        clock = type("Clock", (), {"monotonic": staticmethod(lambda: next(moments))})
        monkeypatch.setattr(connect_opening, "time", clock)
        assert b"A905" in get(helper, server.port)  # looks at 100, notes until 103
        assert b"A905" in get(helper, server.port)
        assert len(desk.person.requests) == 1
        assert b"200 OK" in get(helper, server.port)
    assert len(desk.person.requests) == 2


def test_repeated_refusals_hold_longer_and_a_yes_ends_them() -> None:
    refusals, program = connect_opening.Refusals(), Program("/browser", 1)
    for _ in range(10):
        refusals.note("portal", program, refused=True)
    ((until, seconds),) = refusals._quiet.values()
    assert seconds == 60
    assert until - time.monotonic() <= 60
    with pytest.raises(SithsError) as caught:
        refusals.check("portal", program)
    assert caught.value.failure is Failure.CANCELLED_BY_USER
    refusals.check("other", program)
    refusals.note("portal", program, refused=False)
    refusals.check("portal", program)


def test_a_browser_that_goes_away_while_the_person_types_leaves_nothing_behind(desk: Desk) -> None:
    may_answer = threading.Event()
    desk.person.before = lambda: (may_answer.wait(DEADLINE), None)[1]
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        client = socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=DEADLINE)
        client.sendall(f"CONNECT {HOST}:{server.port} HTTP/1.1\r\nUser-Agent: {BROWSER}\r\n\r\n".encode())
        eventually(lambda: bool(desk.person.requests))
        client.close()
        may_answer.set()
        eventually(lambda: helper.status()[0].connections == 0)
        assert b"200 OK" in get(helper, server.port)  # what was signed is not lost
    assert len(desk.person.requests) == 1


def test_a_connection_that_comes_too_late_is_closed_in_order(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect_connection, "PATIENCE_SECONDS", 0.0)
    may_answer, ended = threading.Event(), threading.Event()
    desk.person.before = lambda: (may_answer.wait(DEADLINE), None)[1]

    def handle(connection: ssl.SSLSocket) -> None:
        if connection.recv(100) == b"":  # an end that was said in TLS; else there would be an error
            ended.set()

    with TlsServer(desk.files.context(), handle) as server:
        helper = serving(desk, server)
        with socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=DEADLINE) as client:
            client.sendall(f"CONNECT {HOST}:{server.port} HTTP/1.1\r\nUser-Agent: {BROWSER}\r\n\r\n".encode())
            assert b" 200 " in client.recv(100)
            eventually(lambda: bool(desk.person.requests))
        eventually(lambda: helper.status()[0].connections == 0)
        may_answer.set()
        assert ended.wait(DEADLINE)
        others = [error for error in server.errors if not isinstance(error, ssl.SSLZeroReturnError)]
        assert others == []  # what is left is the end once more, when the server says its own after it


def test_browsers_that_come_and_go_while_the_person_thinks_are_bounded(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connect_connection, "PATIENCE_SECONDS", 0.0)
    may_answer = threading.Event()
    desk.person.before = lambda: (may_answer.wait(DEADLINE), None)[1]
    ask = f"CONNECT {HOST}:{{port}} HTTP/1.1\r\nUser-Agent: {BROWSER}\r\n\r\n"
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server, connections=8)
        before = threading.active_count()
        for _ in range(40):
            with socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=DEADLINE) as client:
                client.sendall(ask.format(port=server.port).encode())
                with contextlib.suppress(ConnectionResetError):
                    client.recv(100)
            eventually(lambda: helper.status()[0].connections == 0)
        openings = [thread for thread in threading.enumerate() if thread.name == "mtls opening"]
        assert 1 <= len(openings) <= 8
        may_answer.set()
        eventually(lambda: threading.active_count() <= before)
        assert b"200 OK" in get(helper, server.port)
    assert len(desk.person.requests) == 1


def test_ending_a_session_does_not_wait_for_a_person_who_thinks(desk: Desk) -> None:
    may_answer = threading.Event()
    desk.person.before = lambda: (may_answer.wait(DEADLINE), None)[1]
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=DEADLINE) as client:
            client.sendall(f"CONNECT {HOST}:{server.port} HTTP/1.1\r\n\r\n".encode())
            eventually(lambda: bool(desk.person.requests))
            helper.end_sessions()
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        eventually(lambda: helper.status()[0].connections == 0)
        may_answer.set()


def test_a_server_may_ask_for_the_certificate_later(desk: Desk) -> None:
    context = desk.files.context(TLS_1_3)
    context.post_handshake_auth = True

    def handle(connection: ssl.SSLSocket) -> None:
        connection.recv(100)
        connection.verify_client_post_handshake()
        connection.sendall(b"wait")
        connection.recv(100)
        connection.sendall(b"known" if connection.getpeercert() else b"unknown")

    with TlsServer(context, handle) as server, tunnel(serving(desk, server), server.port) as (_, tls):
        assert tls is not None
        tls.sendall(b"?")
        assert tls.recv(100) == b"wait"
        tls.sendall(b"!")
        assert tls.recv(100) == b"known"
    assert len(desk.person.requests) == 1


@pytest.mark.parametrize("protocol", ["TLSv1.2", "TLSv1.3"])
def test_a_path_that_needs_the_certificate_leads_to_the_question(desk: Desk, protocol: str, tmp_path: Path) -> None:
    """By a real Apache, which renegotiates in TLS 1.2 and asks after the handshake in TLS 1.3."""
    files = desk.files
    apache = with_secrets(tmp_path / "apache", files.certificate, files.key, files.client_cas, protocol)
    with apache:
        helper = desk.start(proxy_settings(desk, apache.port))
        with tunnel(helper, apache.port, agent=BROWSER) as (_, tls):
            assert tls is not None
            for path, asked in (("/open.txt", 0), ("/secret/page.txt", 1), ("/open.txt", 1)):
                tls.sendall(f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
                with HTTPResponse(tls) as answer:
                    answer.begin()
                    assert answer.read().decode() == f"files{path}\n", apache.log()
                    assert (DEFAULT_PERSON.hsa_id in (answer.headers["X-Client"] or "")) == ("secret" in path)
                assert len(desk.person.requests) == asked


def test_much_data_passes_whole_both_ways_at_once(desk: Desk) -> None:
    size = 12 * 1024 * 1024

    def echo(connection: ssl.SSLSocket) -> None:
        while data := connection.recv(65536):
            connection.sendall(data)

    with TlsServer(desk.files.context(), echo) as server, tunnel(serving(desk, server), server.port) as (_, tls):
        assert tls is not None
        sent = os.urandom(1024 * 1024)
        received = bytearray()
        for _ in range(size // len(sent)):
            tls.sendall(sent)
            while len(received) < len(sent):
                received += tls.recv(1 << 20)
            assert bytes(received) == sent
            received.clear()


def test_an_answer_that_the_server_cuts_is_not_taken_for_a_whole_one(desk: Desk) -> None:
    def cut(connection: ssl.SSLSocket) -> None:
        connection.recv(100)
        connection.sendall(b"half of")
        connection.recv(100)
        os.close(connection.detach())  # without saying in TLS that this is the end

    with TlsServer(desk.files.context(), cut) as server, tunnel(serving(desk, server), server.port) as (_, tls):
        assert tls is not None
        tls.sendall(b"?")
        assert tls.recv(100) == b"half of"
        tls.sendall(b"!")
        with pytest.raises(BROKEN_OFF):
            tls.recv(100)


def test_a_card_that_goes_breaks_the_tunnel_off(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with tunnel(helper, server.port) as (_, tls):
            assert tls is not None
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
            assert b"200 OK" in tls.recv(4096)
            desk.readers.remove()
            with pytest.raises(BROKEN_OFF):
                tls.recv(4096)
        eventually(lambda: helper.sessions() == ())


def test_ending_a_session_breaks_the_tunnel_off(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with tunnel(helper, server.port) as (_, tls):
            assert tls is not None
            (session,) = helper.sessions()
            helper.end_session(session.id)
            with pytest.raises(BROKEN_OFF):
                tls.recv(4096)
        assert b"200 OK" in get(helper, server.port)
    assert len(desk.person.requests) == 2


def test_two_servers_share_the_port_and_not_the_session(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server, HOST, OTHER)
        assert b"200 OK" in get(helper, server.port)
        other = get(helper, server.port, OTHER)
    assert other.startswith(b"HTTP/1.1 502 ")  # its certificate is not for that name
    assert b"N402" in other
    assert [status.signatures for status in helper.status()] == [1, 0]
    assert len({status.port for status in helper.status()}) == 1


def test_idle_tunnels_are_closed(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server, idle_seconds=1)
        with tunnel(helper, server.port) as (_, tls):
            assert tls is not None
            with pytest.raises(BROKEN_OFF):
                tls.recv(1)
        eventually(lambda: helper.status()[0].connections == 0)


def test_a_client_that_does_not_trust_the_proxy_costs_nothing(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        with socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=DEADLINE) as client:
            client.sendall(f"CONNECT {HOST}:{server.port} HTTP/1.1\r\n\r\n".encode())
            assert b" 200 " in client.recv(4096)
            strict = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            with pytest.raises(ssl.SSLCertVerificationError):
                strict.wrap_socket(client, server_hostname=HOST)
        eventually(lambda: helper.status()[0].connections == 0)


def test_it_listens_on_loopback_at_the_user_s_own_port(desk: Desk) -> None:
    settings = proxy_settings(desk, 443, whole={"browser": MtlsBrowser()})
    helper = desk.start(settings)
    port = proxy_port(helper)
    assert port in list(connect_door._ports(str(os.getuid())))
    assert helper._doors[0].listener.getsockname()[0] == "127.0.0.1"
    second = desk.start(settings)
    assert proxy_port(second) != port


def test_a_port_that_the_settings_name_is_used_or_nothing(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SithsError) as caught:
        desk.start(proxy_settings(desk, 443, whole={"browser": MtlsBrowser(listen=taken.getsockname()[1])}))
    assert caught.value.failure is Failure.PORT_IN_USE


def test_the_command_line_finds_the_port_while_it_is_open(desk: Desk) -> None:
    helper = desk.start(proxy_settings(desk, 443))
    store = LocalStore(desk.directory)
    assert store.noted_port() == proxy_port(helper)
    helper.close()
    assert store.noted_port() is None


def test_a_directory_that_cannot_be_written_is_told(desk: Desk) -> None:
    desk.directory.write_text("not a directory")
    with pytest.raises(SithsError) as caught:
        desk.start(proxy_settings(desk, 443))
    assert caught.value.failure is Failure.LOCAL_CERTIFICATE_NOT_STORED


def test_200_tunnels_leave_no_descriptor_or_thread(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        get(helper, server.port)
        eventually(lambda: helper.status()[0].connections == 0)
        files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for result in together(4, lambda: [get(helper, server.port) for _ in range(50)]):
            assert len(result) == 50
        eventually(lambda: helper.status()[0].connections == 0)
        eventually(lambda: len(os.listdir("/proc/self/fd")) <= files)
        eventually(lambda: threading.active_count() <= threads)
    assert len(desk.person.requests) == 1


def test_curl_goes_by_the_proxy_with_the_certificate_file(desk: Desk) -> None:
    curl = shutil.which("curl")
    if curl is None:
        pytest.skip("curl is not installed")
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        status = helper.proxy()
        assert status is not None
        file = LocalStore(desk.directory).authority_file(status.authority)
        proxy = ["--proxy", f"http://127.0.0.1:{status.port}", "--noproxy", "", "--cacert", str(file)]
        command = [curl, "--silent", "--show-error", "--max-time", "20", *proxy]
        done = subprocess.run(
            [*command, f"https://{HOST}:{server.port}/x"], capture_output=True, text=True, timeout=30, check=True
        )
        assert DEFAULT_PERSON.hsa_id in done.stdout
        refused = subprocess.run(
            [*command, f"https://{OTHER}:{server.port}/"], capture_output=True, text=True, timeout=30, check=False
        )
    assert refused.returncode != 0
    assert "403" in refused.stderr


def test_a_certificate_that_is_new_on_disk_is_used_without_a_restart(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = serving(desk, server)
        assert b"200 OK" in get(helper, server.port)
        first = helper.proxy()
        renewed = LocalStore(desk.directory).renew([HOST])
        with socket.create_connection(("127.0.0.1", proxy_port(helper))):  # whoever comes next makes it look
            eventually(lambda: (now := helper.proxy()) is not None and now.authority == renewed.authority)
        assert b"200 OK" in get(helper, server.port)  # trusts the new one alone
        LocalStore(desk.directory).remove()
        assert b"200 OK" in get(helper, server.port)
    assert first is not None
    assert first.authority != renewed.authority


def test_a_system_that_leads_to_the_local_proxy_itself_makes_no_circle(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with TlsServer(desk.files.context(), http_answer) as server:
        settings = proxy_settings(desk, server.port, whole={"browser": MtlsBrowser(listen=port)})
        helper = desk.start(settings, proxy=f"http://127.0.0.1:{port}")
        assert b"200 OK" in get(helper, server.port)
        pac = raw(helper, b"GET /proxy.pac HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port).decode()
    assert pac.count(f"PROXY 127.0.0.1:{port}") == 1  # the listed servers', and not the way to all others
    assert helper.status()[0].accepted == 1
