# SPDX-License-Identifier: EUPL-1.2
"""How sessions are kept up to date, and one answer for all who wait in the midst of their connections."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from sithsapp.mtls import flight
from sithsapp.mtls.flight import Flight, Identity
from sithsapp.mtls.tls_stream import TlsStream
from tests.mtls.desk import Desk, connect, fetch, http_answer
from tests.mtls.parts import DEADLINE, TlsServer, eventually
from tests.parts.openssl_server import OpensslServer


class Copied:
    """Counts how often a session is copied out of a connection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        note = Flight.note

        def counted(one: Flight, identity: Identity, stream: TlsStream) -> None:
            before = one._session, one._reserve
            note(one, identity, stream)
            self.count += (one._session, one._reserve) != before

        monkeypatch.setattr(Flight, "note", counted)


def test_sessions_are_no_longer_copied_once_the_server_has_taken_one_twice(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = Copied(monkeypatch)
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        for _ in range(10):
            assert fetch(helper)[0] == 200
    assert server.resumed == 9
    assert copied.count == 1


def test_newer_sessions_are_taken_after_a_while(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flight, "NOTE_SECONDS", 0.0)
    copied = Copied(monkeypatch)
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        for _ in range(10):
            assert fetch(helper)[0] == 200
    assert copied.count == 9  # the first one's was signed for, and is in use
    assert len(desk.person.requests) == 1


@pytest.mark.parametrize("together", [False, True])
def test_a_server_that_takes_each_session_once_leads_to_one_question(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, together: bool
) -> None:
    """As OpenSSL does by itself where early data is allowed. Its two tickets may come together or not."""
    real = TlsStream.wait_for_word

    def wait_for_both(stream: TlsStream, seconds: float) -> None:
        real(stream, seconds)
        real(stream, 0.05)

    if together:
        monkeypatch.setattr(TlsStream, "wait_for_word", wait_for_both)
    once = ("-tls1_3", "-www", "-max_early_data", "16384")
    with OpensslServer(desk.files.key, desk.files.client_cas, *once) as server:
        helper = desk.helper(server.port)
        pages = [fetch(helper)[1] for _ in range(6)]
    assert ["Reused, TLSv1.3" in page for page in pages] == [False, True, True, True, True, True]
    assert "New, TLSv1.3" in pages[0]
    assert len(desk.person.requests) == 1


def drain(client: socket.socket) -> None:
    while client.recv(100):
        pass


def test_without_sessions_connections_do_not_wait_for_each_other(desk: Desk) -> None:
    """Both servers' handshakes are under way at a time; only the questions come one by one."""
    both = threading.Barrier(2)

    def meet(_connection: ssl.SSLObject, _name: str, _context: ssl.SSLContext) -> None:
        both.wait(DEADLINE)

    context = desk.files.context(ssl.TLSVersion.TLSv1_2)
    context.sni_callback = meet
    with TlsServer(context, http_answer) as server:
        helper = desk.helper(server.port, whole={"session_seconds": 0})
        answers: list[int] = []
        threads = [threading.Thread(target=lambda: answers.append(fetch(helper)[0])) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
    assert answers == [200, 200]
    assert len(desk.person.requests) == 2


def test_a_refusal_counts_for_all_connections_in_which_the_server_has_asked(desk: Desk) -> None:
    """Post-handshake authentication in three connections of one program: the person says no once."""
    context = desk.files.context(ssl.TLSVersion.TLSv1_3)
    context.post_handshake_auth = True

    def handle(connection: ssl.SSLSocket) -> None:
        connection.recv(100)
        connection.verify_client_post_handshake()
        connection.sendall(b"wait")
        connection.recv(100)

    waiting = threading.Event()
    desk.person.answers = [None]
    desk.person.before = lambda: (waiting.wait(DEADLINE), None)[1]
    with TlsServer(context, handle) as server:
        helper = desk.helper(server.port, mode="raw")
        clients = [connect(helper) for _ in range(3)]
        for client in clients:
            client.sendall(b"?")
        eventually(lambda: len(desk.person.requests) == 1)
        eventually(lambda: [thread.name for thread in threading.enumerate()].count("mtls pump") == 4)
        waiting.set()  # three wait, and one carries on
        for client in clients:
            with client, pytest.raises(ConnectionResetError):
                drain(client)
    assert len(desk.person.requests) == 1
