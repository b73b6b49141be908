# SPDX-License-Identifier: EUPL-1.2
"""What strangers, bad networks and bad programs do to the helper."""

from __future__ import annotations

import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sithsapp.mtls import connection as connection_module
from sithsapp.mtls import peer_linux
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer import Address
from sithsapp.mtls.peer_linux import LinuxPeerCheck
from tests.mtls.desk import Desk, connect, fetch, http_answer, port_of, say, together
from tests.mtls.parts import DEADLINE, TlsServer, eventually

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux tables")
NOBODY = 65534


def pair() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        return client, listener.accept()[0]


@linux
class TestPeer:
    def test_an_own_program_is_known_by_its_path(self) -> None:
        client, server = pair()
        with client, server:
            program = LinuxPeerCheck().own_program(server.getsockname(), server.getpeername())
            assert program == Program(os.readlink("/proc/self/exe"), os.getpid())

    def test_a_peer_that_has_ended_its_half_is_still_known(self) -> None:
        client, server = pair()
        with client, server:
            client.shutdown(socket.SHUT_WR)
            eventually(lambda: server.recv(1) == b"")
            assert LinuxPeerCheck().own_program(server.getsockname(), server.getpeername()) is not None

    def test_a_peer_that_has_closed_is_a_stranger(self) -> None:
        """The kernel then shows user 0, which is this process's when it runs as root."""
        client, server = pair()
        with server:
            theirs = server.getpeername()
            client.close()
            eventually(lambda: server.recv(1) == b"")
            assert LinuxPeerCheck().own_program(server.getsockname(), theirs) is None

    def test_an_unknown_connection_is_a_stranger(self) -> None:
        assert LinuxPeerCheck().own_program(("127.0.0.1", 1), ("127.0.0.1", 2)) is None

    def test_the_table_in_proc_says_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(_local: Address, _remote: Address) -> None:
            raise PermissionError

        monkeypatch.setattr(peer_linux, "_from_kernel", forbidden)
        client, server = pair()
        with client, server:
            program = LinuxPeerCheck().own_program(server.getsockname(), server.getpeername())
            assert program is not None
            assert program.pid == os.getpid()
            assert LinuxPeerCheck().own_program(("127.0.0.1", 1), server.getpeername()) is None

    def test_what_cannot_be_asked_is_a_stranger(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def forbidden(_local: Address, _remote: Address) -> None:
            raise PermissionError

        monkeypatch.setattr(peer_linux, "_from_kernel", forbidden)
        monkeypatch.setattr(peer_linux, "_from_proc", forbidden)
        client, server = pair()
        with client, server:
            assert LinuxPeerCheck().own_program(server.getsockname(), server.getpeername()) is None


KNOCK = """
import encodings.idna, os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
    connection.sendall(b"GET / HTTP/1.1\\r\\nHost: 127.0.0.1:" + sys.argv[1].encode() + b"\\r\\n\\r\\n")
    print("got", connection.recv(100))
except ConnectionError:
    print("reset")
"""


@linux
@pytest.mark.skipif(os.name == "posix" and os.getuid() != 0, reason="needs a second user")
@pytest.mark.parametrize("mode", ["http", "raw"])
def test_another_user_gets_nothing(desk: Desk, mode: str) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port, mode=mode)
        done = subprocess.run(
            [sys.executable, "-c", KNOCK, str(port_of(helper))],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.stdout.strip() in ("reset", "got b''"), done.stderr
        assert server.handshakes == 0
    assert helper.status()[0].refused == 1
    assert desk.person.requests == []


class FickleCheck:
    """Knows the peer when it connects and not any more when it speaks."""

    def __init__(self) -> None:
        self.calls = 0

    def own_program(self, _ours: Address, _theirs: Address) -> Program | None:
        self.calls += 1
        return Program("program", 1) if self.calls == 1 else None


def test_the_peer_is_looked_at_again_when_it_speaks(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, peers=FickleCheck(), mode="raw")
        with pytest.raises(ConnectionResetError):
            say(helper)
        assert server.handshakes == 0


def test_rebinding_and_cross_site_requests_never_reach_card_or_server(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        assert fetch(helper, headers={"Host": f"evil.example:{port_of(helper)}"})[0] == 421
        assert fetch(helper, headers={"Origin": "https://evil.example"})[0] == 403
        assert fetch(helper, headers={"Sec-Fetch-Site": "cross-site"})[0] == 403
        assert server.handshakes == 0
    assert desk.person.requests == []


def test_a_flood_is_bounded(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw", whole={"connections": 20})
        flood = [connect(helper) for _ in range(100)]
        eventually(lambda: (s := helper.status()[0]).accepted + s.refused == 100)
        status = helper.status()[0]
        assert (status.connections, status.refused) == (20, 80)
        for each in flood:
            each.close()
        eventually(lambda: helper.status()[0].connections == 0)
        assert say(helper)
    assert len(desk.person.requests) == 1


def test_a_program_that_says_nothing_is_shown_out(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_module, "FIRST_BYTES_SECONDS", 0.05)
    helper = desk.helper(443)
    with connect(helper) as silent:
        assert silent.recv(1) == b""
    assert desk.person.requests == []


def test_idle_connections_are_closed(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw", whole={"idle_seconds": 1})
        with connect(helper) as idle:
            idle.sendall(b"?\n")
            assert idle.recv(100)
            idle.settimeout(DEADLINE / 2)  # the server's own patience is longer
            with pytest.raises(ConnectionResetError):
                idle.recv(100)
        eventually(lambda: helper.status()[0].connections == 0)


def test_an_abortive_close_of_either_side_ends_the_other(desk: Desk) -> None:
    ended = threading.Event()

    def handle(connection: ssl.SSLSocket) -> None:
        if connection.recv(100) == b"break":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()
            return
        connection.sendall(b"here")
        try:
            while connection.recv(100):
                pass
        finally:
            ended.set()

    with TlsServer(desk.files.context(), handle) as server:
        helper = desk.helper(server.port, mode="raw")
        client = connect(helper)
        client.sendall(b"?")
        assert client.recv(100) == b"here"
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
        assert ended.wait(DEADLINE)
        with connect(helper) as other:
            other.sendall(b"break")
            with pytest.raises(ConnectionResetError):
                other.recv(100)
        eventually(lambda: helper.status()[0].connections == 0)


BIG = 24 * 1024 * 1024


@linux
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_half_closed_connection_loses_nothing_and_a_slow_reader_costs_no_memory(
    desk: Desk, version: ssl.TLSVersion
) -> None:
    def handle(connection: ssl.SSLSocket) -> None:
        received = 0
        while data := connection.recv(65536):
            received += len(data)
        block = b"x" * 65536
        for _ in range(BIG // len(block)):
            connection.sendall(block)
        connection.sendall(b"%d" % received)

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    with TlsServer(desk.files.context(version), handle) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as client:
            client.sendall(b"y" * 3_000_000)
            client.shutdown(socket.SHUT_WR)
            start = client.recv(1)
            before = resident()
            threading.Event().wait(0.3)  # the server pushes meanwhile
            assert resident() - before < BIG // 2
            rest = bytearray()
            while data := client.recv(1 << 20):
                rest += data
    assert len(start) + len(rest) == BIG + 7
    assert rest.endswith(b"3000000")


@linux
def test_600_short_connections_leave_no_descriptor_or_thread(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw")
        say(helper)
        eventually(lambda: helper.status()[0].connections == 0)
        files, threads = len(os.listdir("/proc/self/fd")), threading.active_count()
        for result in together(4, lambda: [say(helper) for _ in range(150)]):
            assert len(result) == 150
        eventually(lambda: helper.status()[0].connections == 0)
        eventually(lambda: len(os.listdir("/proc/self/fd")) <= files)
        eventually(lambda: threading.active_count() <= threads)
        assert len(desk.person.requests) == 1


def test_closing_ends_what_is_open_and_waits_for_nobody(desk: Desk) -> None:
    answer = threading.Event()
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as working, connect(helper) as asking:
            working.sendall(b"?\n")
            assert working.recv(100)
            threads, port = threading.active_count(), port_of(helper)
            desk.service.reread(desk.service.state.slots[0].reader)
            helper.close()
            with pytest.raises(ConnectionResetError):
                working.recv(100)
            answer.set()
            asking.close()
        eventually(lambda: threading.active_count() < threads)
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port))
