# SPDX-License-Identifier: EUPL-1.2
"""`openssl s_server` through a forward: it renegotiates when it is told to, and resumes or not."""

from __future__ import annotations

import pytest

from tests.mtls.desk import Desk, connect, fetch
from tests.parts.openssl_server import OpensslServer

NO_SESSIONS = ("-no_ticket", "-no_cache", "-num_tickets", "0")


def test_the_server_renegotiates_to_get_a_certificate_and_whenever_it_likes(desk: Desk) -> None:
    """Its command `R` begins a new handshake and asks for a certificate, once in a connection."""
    with OpensslServer(desk.files.key, desk.files.client_cas, "-tls1_2", *NO_SESSIONS, later=True) as server:
        helper = desk.helper(server.port, mode="raw")
        with connect(helper) as client:
            client.sendall(b"word 0\n")
            server.wait_for(b"word 0\n")
            assert desk.person.requests == []
            for number in (1, 2):
                server.command(b"R")
                client.sendall(b"word %d\n" % number)
                server.wait_for(b"word %d\n" % number)
                server.command(b"answer %d" % number)
                assert client.recv(100) == b"answer %d\n" % number
    assert len(desk.person.requests) == 1
    assert helper.status()[0].signatures == 1


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize(("options", "signatures"), [((), 1), (NO_SESSIONS, 3)])
def test_a_server_that_keeps_no_sessions_leads_to_a_question_each_time(
    desk: Desk, version: str, options: tuple[str, ...], signatures: int
) -> None:
    with OpensslServer(desk.files.key, desk.files.client_cas, version, "-www", *options) as server:
        helper = desk.helper(server.port)
        assert [fetch(helper)[0] for _ in range(3)] == [200, 200, 200]
    assert len(desk.person.requests) == signatures
