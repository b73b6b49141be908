# SPDX-License-Identifier: EUPL-1.2
"""One thread for all, that gets out of the way when a connection has to wait for the card."""

from __future__ import annotations

import queue
import selectors
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sithsapp.mtls import pump as pump_module
from sithsapp.mtls.permission import about_to_wait
from sithsapp.mtls.pump import Carried, Pump, Pumps
from sithsapp.mtls.readiness import EpollPoller, Poller, SelectorPoller
from sithsapp.mtls.side import CHUNK, PlainSide
from sithsapp.mtls.tunnel import Idle, Tunnel
from tests.mtls.desk import Desk, connect
from tests.mtls.parts import DEADLINE, TlsServer, eventually

KINDS: list[Callable[[], Poller]] = [
    SelectorPoller,
    lambda: SelectorPoller(selectors.SelectSelector()),
    EpollPoller,
]


class Line:
    """A tunnel between two socket pairs, in a pump (or pumps): `program` and `server` are the outer ends."""

    def __init__(
        self, pump: Pump | Pumps, passing: Callable[[bytes], bytes] | None = None, idle: float = 60.0
    ) -> None:
        self.program, client = socket.socketpair()
        self.server, upstream = socket.socketpair()
        self.program.settimeout(DEADLINE)
        self.server.settimeout(DEADLINE)
        self.over = threading.Event()
        self.error: BaseException | None = None
        self.ends = 0
        self._inner = client, upstream
        tunnel = Tunnel(PlainSide(client), PlainSide(upstream), passing)
        tunnel.begin(b"", b"")
        self.carried = Carried(tunnel, None, idle, self._ended)
        pump.carry(self.carried)

    def _ended(self, error: BaseException | None) -> None:
        self.error = error
        self.ends += 1
        for each in self._inner:
            each.close()
        self.over.set()

    def echo(self) -> None:
        """Send something there and back."""
        self.program.sendall(b"there")
        assert self.server.recv(100) == b"there"
        self.server.sendall(b"back")
        assert self.program.recv(100) == b"back"

    def close(self) -> None:
        """Close the outer ends."""
        self.program.close()
        self.server.close()


Lay = Callable[..., Line]


@pytest.fixture
def lay() -> Iterator[Lay]:
    """Makes lines, and closes their outer ends in the end."""
    lines: list[Line] = []

    def make(*arguments: Any, **named: Any) -> Line:
        lines.append(Line(*arguments, **named))
        return lines[-1]

    yield make
    for line in lines:
        line.close()
        assert line.over.wait(DEADLINE)
        assert line.ends == 1


@pytest.fixture(params=range(len(KINDS)), ids=["system", "select", "epoll"])
def pump(request: pytest.FixtureRequest) -> Iterator[Pump]:
    pump = Pump(KINDS[request.param]())
    yield pump
    pump.close(DEADLINE)


def test_both_ways_and_both_ends(pump: Pump, lay: Lay) -> None:
    line = lay(pump)
    line.echo()
    line.program.shutdown(socket.SHUT_WR)
    assert line.server.recv(1) == b""
    line.server.sendall(b"late")
    assert line.program.recv(100) == b"late"
    line.server.close()
    assert line.over.wait(DEADLINE)
    assert line.error is None


def test_while_one_waits_the_others_go_on(pump: Pump, lay: Lay) -> None:
    """As when a server asks for the certificate in the midst of a connection and the person looks for the card."""
    person, asked = threading.Event(), threading.Event()

    def waiting(data: bytes) -> bytes:
        about_to_wait()
        asked.set()
        person.wait(DEADLINE)
        about_to_wait()  # a second time within one step
        return data.upper()

    slow, quick = lay(pump, waiting), lay(pump)
    slow.program.sendall(b"please")
    assert asked.wait(DEADLINE)
    for _ in range(20):
        quick.echo()
    later = lay(pump)
    later.echo()
    person.set()
    assert slow.server.recv(100) == b"PLEASE"
    slow.server.sendall(b"answer")
    assert slow.program.recv(100) == b"answer"
    quick.echo()


def test_many_may_wait_at_a_time_and_leave_no_thread(pump: Pump, lay: Lay) -> None:
    person = threading.Event()
    waiting = threading.Semaphore(0)

    def wait(data: bytes) -> bytes:
        about_to_wait()
        waiting.release()
        person.wait(DEADLINE)
        return data

    lay(pump).echo()
    threads = threading.active_count()
    lines = [lay(pump, wait) for _ in range(8)]
    for line in lines:
        line.program.sendall(b"there")
    for _ in lines:
        assert waiting.acquire(timeout=DEADLINE)
    assert threading.active_count() == threads + 8
    person.set()
    for line in lines:
        assert line.server.recv(100) == b"there"
    eventually(lambda: threading.active_count() == threads)


def test_one_that_waits_can_be_ended_and_the_pump_closed_meanwhile(pump: Pump, lay: Lay) -> None:
    person, asked = threading.Event(), threading.Event()

    def waiting(_data: bytes) -> bytes:
        about_to_wait()
        asked.set()
        person.wait(DEADLINE)
        raise OSError("the card has gone")

    line, other = lay(pump, waiting), lay(pump)
    line.program.sendall(b"please")
    assert asked.wait(DEADLINE)
    pump.end(line.carried, Idle())
    other.echo()
    pump.close(DEADLINE)
    assert other.over.wait(DEADLINE)
    person.set()
    assert line.over.wait(DEADLINE)
    assert isinstance(line.error, Idle)
    assert (line.ends, other.ends) == (1, 1)


def test_without_a_thread_to_take_over_nobody_waits(pump: Pump, lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    refused: list[RuntimeError] = []

    def waiting(data: bytes) -> bytes:
        try:
            about_to_wait()
        except RuntimeError as error:
            refused.append(error)
            raise
        return data

    line, other = lay(pump, waiting), lay(pump)
    other.echo()
    monkeypatch.setattr(pump_module, "start_thread", none_left)
    line.program.sendall(b"please")
    assert line.over.wait(DEADLINE)
    assert line.error is refused[0]
    other.echo()


def test_an_error_ends_one_connection_alone(pump: Pump, lay: Lay) -> None:
    def broken(_data: bytes) -> bytes:
        raise ZeroDivisionError

    line, other = lay(pump, broken), lay(pump)
    line.program.sendall(b"!")
    assert line.over.wait(DEADLINE)
    assert isinstance(line.error, ZeroDivisionError)
    other.echo()


def test_a_socket_that_cannot_be_watched_ends_its_connection_alone(pump: Pump, lay: Lay) -> None:
    other = lay(pump)
    client, upstream = socket.socketpair()
    tunnel = Tunnel(PlainSide(client), PlainSide(upstream), None)
    tunnel.begin(b"", b"")
    client.close()
    upstream.close()
    errors: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()
    pump.carry(Carried(tunnel, None, 60.0, errors.put))
    assert isinstance(errors.get(timeout=DEADLINE), OSError | ValueError)
    other.echo()


def test_silence_ends_a_connection_and_traffic_does_not(pump: Pump, lay: Lay) -> None:
    silent, lively = lay(pump, idle=0.2), lay(pump, idle=1.5)
    while not silent.over.wait(0.01):
        lively.echo()
    assert isinstance(silent.error, Idle)
    lively.echo()
    assert not lively.over.is_set()


def test_what_is_not_taken_holds_back_what_comes(pump: Pump, lay: Lay) -> None:
    line = lay(pump)
    line.program.setblocking(False)
    sent, pause = 0, threading.Event()
    quiet = 0
    while quiet < 50:  # until no more is taken for a while
        try:
            sent += line.program.send(bytes(65536))
            quiet = 0
        except BlockingIOError:
            quiet += 1
            pause.wait(0.002)
    assert sent < 4 * 1024 * 1024 + CHUNK
    received = 0
    line.program.shutdown(socket.SHUT_WR)
    while data := line.server.recv(1 << 20):
        received += len(data)
    assert received == sent


def test_a_program_that_never_ends_is_left(pump: Pump, lay: Lay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pump_module, "LINGER_SECONDS", 0.1)
    line = lay(pump)
    line.echo()
    line.server.close()
    assert line.program.recv(1) == b""
    assert line.over.wait(DEADLINE)
    assert line.error is None


def test_a_closed_pump_ends_what_it_is_given(pump: Pump, lay: Lay) -> None:
    pump.close(DEADLINE)
    line = lay(pump)
    assert line.over.wait(DEADLINE)
    assert isinstance(line.error, ConnectionAbortedError)


def test_few_sockets_in_a_poller_make_for_several_pumps(lay: Lay) -> None:
    class Small(SelectorPoller):
        def __init__(self) -> None:
            super().__init__()
            self.capacity = 20

    made: list[Pump] = []

    def make() -> Pump:
        made.append(Pump(Small()))
        return made[-1]

    pumps = Pumps(make)
    lines: list[Line] = []
    for _ in range(8):
        line = lay(pumps)
        line.echo()
        lines.append(line)
    assert 2 <= len(made) <= 4
    pumps.close(DEADLINE)
    assert all(line.over.wait(DEADLINE) for line in lines)
    with pytest.raises(RuntimeError):
        pumps.carry(lines[0].carried)


def test_a_question_in_one_connection_does_not_hold_up_another(desk: Desk) -> None:
    """The same with TLS: post-handshake authentication, and a person who does not answer for a while."""
    context = desk.files.context(ssl.TLSVersion.TLSv1_3)
    context.post_handshake_auth = True

    def handle(connection: ssl.SSLSocket) -> None:
        while word := connection.recv(100):
            if word == b"secret":
                connection.verify_client_post_handshake()
                connection.sendall(b"wait")
                assert connection.recv(100) == b"again"
                connection.sendall(b"known" if connection.getpeercert() else b"unknown")
            else:
                connection.sendall(b"echo")

    answering, asked = threading.Event(), threading.Event()

    def think() -> None:
        asked.set()
        answering.wait(DEADLINE)

    desk.person.before = think
    with TlsServer(context, handle) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as one, connect(helper) as other:
            for each in (one, other):
                each.sendall(b"hello")
                assert each.recv(100) == b"echo"
            one.sendall(b"secret")
            assert asked.wait(DEADLINE)
            one.sendall(b"again")
            for _ in range(20):
                other.sendall(b"more")
                assert other.recv(100) == b"echo"
            one.settimeout(0.01)
            with pytest.raises(TimeoutError):
                one.recv(1)
            answering.set()
            one.settimeout(DEADLINE)
            answer = b""
            while answer != b"waitknown":
                answer += one.recv(100) or b"(end)"
                assert b"waitknown".startswith(answer)
    assert len(desk.person.requests) == 1
