# SPDX-License-Identifier: EUPL-1.2
"""The helper as local programs meet it: one code for many connections, and failures that say what happened."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import upstream
from sithsapp.mtls.helper import MtlsHelper
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer import Address
from tests.mtls.desk import RIGHT, WRONG, Desk, connect, fetch, http_answer, port_of, say, together
from tests.mtls.parts import TlsServer, eventually

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_six_connections_at_a_time_need_one_signature(desk: Desk, version: ssl.TLSVersion) -> None:
    with TlsServer(desk.files.context(version), http_answer) as server:
        helper = desk.helper(server.port)
        answers = together(6, lambda: fetch(helper))
        assert [status for status, _ in answers] == [200] * 6
        assert DEFAULT_PERSON.hsa_id in answers[0][1]
        assert len(desk.person.requests) == 1
        assert helper.status()[0].signatures == 1
        assert (server.handshakes, server.resumed) == (6, 5)
        fetch(helper)
        assert len(desk.person.requests) == 1


def test_sessions_that_the_server_does_not_take_lead_to_one_question_too(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        fetch(helper)
        server.context = desk.files.context()  # another server's tickets, as behind a load balancer
        assert [status for status, _ in together(6, lambda: fetch(helper))] == [200] * 6
    assert len(desk.person.requests) == 2


def test_the_question_names_program_host_and_certificate(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        fetch(desk.helper(server.port))
    request = desk.person.requests[0]
    assert request.purpose.host == "localhost"
    assert request.purpose.port == server.port
    assert "python" in request.purpose.program.path
    assert request.pin.tries_left == 3
    assert request.credential.id == "00"


def test_without_sessions_each_connection_asks(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port, whole={"session_seconds": 0})
        fetch(helper)
        fetch(helper)
    assert len(desk.person.requests) == 2


def test_a_program_that_cannot_be_named_shares_no_session(desk: Desk) -> None:
    class Nameless:
        def own_program(self, _ours: Address, _theirs: Address) -> Program | None:
            return Program()

    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port, peers=Nameless())
        fetch(helper)
        fetch(helper)
    assert len(desk.person.requests) == 2


def test_another_program_is_asked_for_anew(desk: Desk) -> None:
    class Changing:
        path = "/one"

        def own_program(self, _ours: Address, _theirs: Address) -> Program | None:
            return Program(self.path, 1)

    peers = Changing()
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port, peers=peers)
        for path in ("/one", "/one", "/two", "/one"):
            peers.path = path
            fetch(helper)
    assert [request.purpose.program.path for request in desk.person.requests] == ["/one", "/two"]


def test_a_server_may_ask_for_the_certificate_later(desk: Desk) -> None:
    """Post-handshake authentication, as path rules of web servers use it: asked within the connection."""
    context = desk.files.context(TLS_1_3)
    context.post_handshake_auth = True

    def handle(connection: ssl.SSLSocket) -> None:
        connection.recv(100)
        connection.verify_client_post_handshake()
        connection.sendall(b"wait")
        connection.recv(100)
        connection.sendall(b"known" if connection.getpeercert() else b"unknown")

    with TlsServer(context, handle) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as client:
            client.sendall(b"?")
            assert client.recv(100) == b"wait"
            client.sendall(b"!")
            assert client.recv(100) == b"known"
    assert len(desk.person.requests) == 1


def test_a_wrong_code_may_be_entered_again(desk: Desk) -> None:
    desk.person.answers = [WRONG, RIGHT]
    with TlsServer(desk.files.context(), http_answer) as server:
        assert fetch(desk.helper(server.port))[0] == 200
    assert [(r.failure, r.pin.tries_left) for r in desk.person.requests] == [(None, 3), (Failure.PIN_WRONG, 2)]


def test_a_refusal_is_told_in_words_and_asked_once_for_all_who_waited(desk: Desk) -> None:
    waiting = threading.Event()
    desk.person.answers = [None]
    desk.person.before = lambda: (waiting.wait(0.3), None)[1]
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        answers = together(4, lambda: fetch(helper))
    assert {status for status, _ in answers} == {504}
    assert "A905" in answers[0][1]
    assert len(desk.person.requests) == 1


def test_a_card_that_goes_while_the_person_types_fails_in_words(desk: Desk) -> None:
    desk.person.before = desk.readers.remove
    with TlsServer(desk.files.context(), http_answer) as server:
        status, text = fetch(desk.helper(server.port))
    assert status == 502
    assert "C203" in text


def test_no_card_fails_before_the_server_is_met(desk: Desk) -> None:
    desk.readers.remove()
    eventually(lambda: not desk.service.state.cards)
    with TlsServer(desk.files.context(), http_answer) as server:
        status, text = fetch(desk.helper(server.port))
        assert server.handshakes == 0
    assert (status, text[:4]) == (502, "R105")


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_card_that_goes_takes_sessions_and_connections_along(desk: Desk, version: ssl.TLSVersion) -> None:
    assert desk.card is not None
    with TlsServer(desk.files.context(version)) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as open_one:
            open_one.sendall(b"?\n")
            assert open_one.recv(100)
            desk.readers.remove()
            with pytest.raises(ConnectionResetError):
                open_one.recv(100)
        desk.readers.insert(desk.card)
        eventually(lambda: bool(desk.service.state.cards))
        assert say(helper)
    assert len(desk.person.requests) == 2


def test_the_key_is_not_touched_for_a_server_that_is_not_trusted(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        status, text = fetch(desk.helper(server.port, ca=()))
    assert (status, text[:4]) == (502, "N402")
    assert desk.person.requests == []


def test_a_certificate_for_another_name_is_not_trusted(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        status, text = fetch(desk.helper(server.port, host="127.1"))
    assert (status, text[:4]) == (502, "N402")
    assert desk.person.requests == []


def test_a_server_that_is_not_there(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert fetch(desk.helper(port))[0] == 504


@pytest.mark.parametrize("version", [TLS_1_2, TLS_1_3])
def test_a_slow_person_is_not_a_slow_server(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, version: ssl.TLSVersion
) -> None:
    monkeypatch.setattr(upstream, "HANDSHAKE_SECONDS", 0.5)
    thinking = threading.Event()
    desk.person.before = lambda: (thinking.wait(0.7), None)[1]
    with TlsServer(desk.files.context(version), http_answer) as server:
        assert fetch(desk.helper(server.port))[0] == 200


def test_a_server_that_never_answers_is_given_up(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upstream, "HANDSHAKE_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        status, text = fetch(desk.helper(silent.getsockname()[1]))
    assert (status, text[:4]) == (504, "N405")
    assert desk.person.requests == []


def test_a_server_that_does_not_accept_the_card(desk: Desk) -> None:
    desk.files.client_cas.write_bytes(desk.files.certificate.read_bytes())
    with TlsServer(desk.files.context(), http_answer) as server:
        status, text = fetch(desk.helper(server.port))
    assert (status, text[:4]) == (502, "S509")


def test_a_port_that_is_taken(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SithsError) as caught:
        desk.helper(443, listen=taken.getsockname()[1])
    assert caught.value.failure is Failure.PORT_IN_USE


def test_it_listens_on_loopback_alone(desk: Desk) -> None:
    helper = desk.helper(443)
    assert helper._doors[0].listener.getsockname()[0] == "127.0.0.1"


def test_a_locked_code_is_not_asked_for(desk: Desk) -> None:
    desk.person.answers = [WRONG] * 3
    with TlsServer(desk.files.context(), http_answer) as server:
        helper: MtlsHelper = desk.helper(server.port)
        assert fetch(helper)[1].startswith("P302")
        assert fetch(helper)[1].startswith("P302")
    assert len(desk.person.requests) == 3


def test_the_program_sees_its_host_and_origin_replaced(desk: Desk) -> None:
    with TlsServer(desk.files.context(), http_answer) as server:
        helper = desk.helper(server.port)
        own = f"http://127.0.0.1:{port_of(helper)}"
        _, text = fetch(helper, "/x?y", {"Origin": own})
    assert text.endswith(f"GET /x?y HTTP/1.1 localhost:{server.port} https://localhost:{server.port}")
