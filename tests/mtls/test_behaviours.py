# SPDX-License-Identifier: EUPL-1.2
"""How the helper behaves with many connections at a time, by the list that ghostunnel's tests have made customary.

Idle connections, abortive closes, half-closed ones and 600 short ones are in `test_hostile`.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from sithsapp.mtls.helper import CLOSE_SECONDS, MtlsHelper
from tests.mtls.desk import Desk, connect, port_of, say, together
from tests.mtls.parts import DEADLINE, TlsServer, eventually

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc")
BLOCK = bytes(64 * 1024)


def echo(connection: ssl.SSLSocket) -> None:
    while data := connection.recv(65536):
        connection.sendall(data)


def pour(connection: ssl.SSLSocket) -> None:
    """Send without end once asked, or echo if that is what is asked for."""
    if connection.recv(100) == b"echo":
        connection.sendall(b"echo")
        echo(connection)
        return
    while True:
        connection.sendall(BLOCK)


def answers(connection: socket.socket, word: bytes) -> bool:
    connection.sendall(word)
    return connection.recv(100) == word


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_flood_of_handshakes_leads_to_one_question_and_loses_nobody(desk: Desk) -> None:
    with TlsServer(desk.files.context(), echo) as server:
        helper = desk.helper(server.port, mode="raw")
        results = together(60, lambda: say(helper, b"here\n"))
        assert results == [b"here\n"] * 60
        assert server.handshakes == 60
    assert len(desk.person.requests) == 1


def test_those_that_are_open_go_on_during_a_flood_of_handshakes_that_fail(desk: Desk) -> None:
    """The server takes nobody's session and the person says no: each handshake of the flood ends at the card."""
    with TlsServer(desk.files.context(), echo) as server:
        helper = desk.helper(server.port, mode="raw", whole={"session_seconds": 0})
        with connect(helper) as established:
            assert answers(established, b"before")
            desk.person.answers = [None] * 100
            flood = threading.Thread(target=lambda: together(20, lambda: say(helper)))
            flood.start()
            slowest = 0.0
            while flood.is_alive():
                began = time.monotonic()
                assert answers(established, b"meanwhile")
                slowest = max(slowest, time.monotonic() - began)
            assert slowest < DEADLINE / 4
        eventually(lambda: helper.status()[0].connections == 0)


@linux
def test_threads_and_memory_do_not_follow_the_number_of_open_connections(desk: Desk) -> None:
    with TlsServer(desk.files.context(), echo) as server, ExitStack() as stack:
        helper = desk.helper(server.port, mode="raw")
        say(helper)

        def ours() -> list[str]:
            return [thread.name for thread in threading.enumerate() if thread.name.startswith("mtls")]

        for _ in range(100):
            one = stack.enter_context(connect(helper))
            assert answers(one, b"open")
        assert helper.status()[0].connections == 100
        eventually(lambda: sorted(ours()) == ["mtls accept", "mtls pump"])


@linux
def test_many_slow_readers_cost_no_memory(desk: Desk) -> None:
    with TlsServer(desk.files.context(), pour) as server, ExitStack() as stack:
        helper = desk.helper(server.port, mode="raw")
        readers = [stack.enter_context(connect(helper)) for _ in range(20)]
        for reader in readers:
            reader.sendall(b"?")
            assert reader.recv(1) == b"\0"
        before = resident()
        threading.Event().wait(0.5)  # the server pushes meanwhile
        assert resident() - before < 20 * 2**20
        helper.close()


def test_a_slow_reader_does_not_hold_up_others(desk: Desk) -> None:
    with TlsServer(desk.files.context(), pour) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as slow, connect(helper) as quick:
            slow.sendall(b"?")
            assert slow.recv(1) == b"\0"
            for _ in range(50):
                assert answers(quick, b"echo")
            helper.close()


class Load:
    """Programs that fetch without end until the helper goes."""

    def __init__(self, helper: MtlsHelper, count: int) -> None:
        self.ended: list[type[BaseException]] = []
        self._threads = [threading.Thread(target=self._fetch, args=(helper,)) for _ in range(count)]
        self._flowing = threading.Semaphore(0)
        for thread in self._threads:
            thread.start()
        for _ in range(count):
            assert self._flowing.acquire(timeout=DEADLINE)

    def _fetch(self, helper: MtlsHelper) -> None:
        with connect(helper) as connection:
            connection.sendall(b"?")
            connection.recv(1)
            self._flowing.release()
            try:
                while connection.recv(65536):
                    pass
                self.ended.append(EOFError)
            except OSError as error:
                self.ended.append(type(error))

    def join(self) -> None:
        """Wait for all to notice."""
        for thread in self._threads:
            thread.join(DEADLINE)


def test_shutdown_under_load_is_quick_and_leaves_nothing(desk: Desk) -> None:
    with TlsServer(desk.files.context(), pour) as server:
        helper = desk.helper(server.port, mode="raw")
        load, port = Load(helper, 8), port_of(helper)
        began = time.monotonic()
        helper.close()
        assert time.monotonic() - began < CLOSE_SECONDS
        load.join()
        assert load.ended == [ConnectionResetError] * 8  # never an end that looks whole
        eventually(lambda: not any(each.is_alive() for each in server._threads), DEADLINE / 2)  # nor left to wait
        eventually(lambda: not [each for each in threading.enumerate() if each.name.startswith("mtls")])
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)


def test_reload_under_load_gives_the_port_to_the_next_helper(desk: Desk) -> None:
    """New settings make a new helper: the old one's connections break, and the port answers at once."""
    with TlsServer(desk.files.context(), pour) as server:
        first = desk.helper(server.port, mode="raw")
        port = port_of(first)
        load = Load(first, 4)
        first.close()
        second = desk.helper(server.port, mode="raw", listen=port, whole={"session_seconds": 60})
        load.join()
        assert load.ended == [ConnectionResetError] * 4
        with connect(second) as connection:
            connection.sendall(b"?")
            assert connection.recv(1) == b"\0"
        assert len(desk.person.requests) == 2  # no session outlives its helper
        second.close()


def test_closing_while_a_person_is_asked_waits_for_nobody(desk: Desk) -> None:
    asked, answering = threading.Event(), threading.Event()

    def think() -> None:
        asked.set()
        answering.wait(DEADLINE)

    desk.person.before = think
    with TlsServer(desk.files.context(), echo) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as waiting:
            waiting.sendall(b"?")
            assert asked.wait(DEADLINE)
            began = time.monotonic()
            helper.close()
            assert time.monotonic() - began < CLOSE_SECONDS + 1
            answering.set()
            with pytest.raises(ConnectionResetError):
                assert waiting.recv(1) == b"never"
        eventually(lambda: not [each for each in threading.enumerate() if each.name == "mtls connection"])
