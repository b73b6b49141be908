# SPDX-License-Identifier: EUPL-1.2
"""Which programs use the card: what a tray shows and ends."""

from __future__ import annotations

import threading
import time

import pytest

from sithsapp.mtls.interaction import Program, Purpose
from sithsapp.mtls.sessions import Session, Sessions
from tests.mtls.desk import Desk, connect, fetch, http_answer, say
from tests.mtls.parts import DEADLINE, TlsServer, eventually


def purpose(path: str = "/usr/bin/curl", target: str = "api", pid: int = 1) -> Purpose:
    return Purpose(Program(path, pid), target, f"{target}.example.se", 443)


class Told:
    """What listeners were told, as pairs of a target and a number of connections."""

    def __init__(self, sessions: Sessions) -> None:
        self.seen: list[list[str]] = []
        sessions.subscribe(lambda now: self.seen.append([each.purpose.target for each in now]))


def test_a_session_is_one_program_at_one_target() -> None:
    sessions = Sessions()
    told = Told(sessions)
    until = time.monotonic() + 60
    sessions.held(purpose(), until)
    sessions.connected(purpose(pid=2))
    sessions.connected(purpose(target="git"))
    first, second = sessions.now()
    assert first == Session(first.id, purpose(), 1, until)
    assert (second.purpose.target, second.connections, second.until) == ("git", 1, None)
    assert first.id != second.id
    assert told.seen == [["api"], ["api", "git"]]


def test_programs_without_a_name_are_kept_apart() -> None:
    sessions = Sessions()
    sessions.connected(purpose("", pid=1))
    sessions.connected(purpose("", pid=2))
    assert [each.purpose.program.pid for each in sessions.now()] == [1, 2]


def test_it_lasts_as_long_as_a_connection_is_open() -> None:
    sessions = Sessions()
    sessions.held(purpose(), time.monotonic())
    sessions.connected(purpose())
    assert sessions.expire() is None
    assert [(each.connections, each.until) for each in sessions.now()] == [(1, None)]
    sessions.disconnected(purpose())
    assert sessions.now() == ()


def test_the_next_end_is_known_and_comes() -> None:
    sessions = Sessions()
    told = Told(sessions)
    sessions.held(purpose(), time.monotonic() + 30)
    sessions.held(purpose(target="git"), time.monotonic() + 0.05)
    wait = sessions.expire()
    assert wait is not None
    assert 0 < wait <= 0.05
    threading.Event().wait(wait)
    assert 29 < (sessions.expire() or 0) <= 30
    assert told.seen[-1] == ["api"]


def test_a_listener_may_end_what_it_is_told_of_and_one_that_fails_harms_nobody() -> None:
    sessions = Sessions()

    def fail(_now: tuple[Session, ...]) -> None:
        raise RuntimeError

    def end(now: tuple[Session, ...]) -> None:
        for each in now:
            sessions.released(each.purpose.target)

    undo = sessions.subscribe(end)
    sessions.subscribe(fail)
    sessions.held(purpose(), time.monotonic() + 30)
    assert sessions.now() == ()
    undo()
    sessions.held(purpose(), time.monotonic() + 30)
    assert len(sessions.now()) == 1


def test_a_helper_tells_of_its_sessions(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        begun = threading.Event()
        helper.subscribe(lambda now: begun.set() if now else None)
        assert helper.sessions() == ()
        fetch(helper)
        assert begun.is_set()
        eventually(lambda: helper.sessions()[0].connections == 0)
        (session,) = helper.sessions()
    assert session.purpose == desk.person.requests[0].purpose
    assert session.until is not None
    assert 3590 < session.until - time.monotonic() <= 3600


def test_ending_a_session_closes_its_connections_and_leads_to_a_new_question(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as client:
            client.sendall(b"?\n")
            assert client.recv(100)
            (session,) = helper.sessions()
            assert session.connections == 1
            helper.end_session("another")
            client.sendall(b"?\n")
            assert client.recv(100)
            helper.end_session(session.id)
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        eventually(lambda: helper.sessions() == ())
        assert say(helper)
    assert len(desk.person.requests) == 2


def test_ending_all_sessions_leaves_the_ports_open(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as client:
            client.sendall(b"?\n")
            assert client.recv(100)
            helper.end_sessions()
            with pytest.raises(ConnectionResetError):
                client.recv(100)
        eventually(lambda: helper.sessions() == ())
        assert say(helper)
    assert len(desk.person.requests) == 2


def test_a_card_that_goes_ends_the_session(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        fetch(helper)
        assert len(helper.sessions()) == 1
        desk.readers.remove()
        eventually(lambda: helper.sessions() == ())


def test_a_session_that_is_over_is_told_without_anybody_asking(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port, whole={"session_seconds": 1})
        over = threading.Event()
        helper.subscribe(lambda now: None if now else over.set())
        fetch(helper)
        assert over.wait(DEADLINE)


def test_without_a_hold_a_session_is_an_open_connection(desk: Desk) -> None:
    with TlsServer(desk.files.context()) as server:
        helper = desk.helper(server.port, mode="raw", whole={"session_seconds": 0})
        with connect(helper) as client:
            client.sendall(b"?\n")
            assert client.recv(100)
            assert [(each.connections, each.until) for each in helper.sessions()] == [(1, None)]
        eventually(lambda: helper.sessions() == ())
