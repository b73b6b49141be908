# SPDX-License-Identifier: EUPL-1.2
"""A real Apache asks for the certificate within a connection: TLS 1.2 renegotiates, 1.3 by RFC 8446 section 4.6.2."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import Pair
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.mtls.helper import MtlsHelper
from tests.mtls.desk import Desk, port_of
from tests.mtls.parts import DEADLINE, ServerFiles
from tests.mtls.test_nginx import started
from tests.parts.apache import Apache, with_secrets
from tests.parts.virtual_card import CardFactory

pytestmark = pytest.mark.e2e
PROTOCOLS = ["TLSv1.2", "TLSv1.3"]


def serve(files: ServerFiles, directory: Path, protocol: str) -> Apache:
    return with_secrets(directory / "apache", files.certificate, files.key, files.client_cas, protocol)


class Browser:
    """One keep-alive connection."""

    def __init__(self, helper: MtlsHelper) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port_of(helper), timeout=DEADLINE)

    def get(self, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str, str]:
        """Return status, the client's name as the server knows it, and the body."""
        self._connection.request(method, path, body)
        answer = self._connection.getresponse()
        return answer.status, answer.headers.get("X-Client", ""), answer.read().decode()

    def protocol(self, path: str) -> str:
        """Return the version of TLS in which the server got a request."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        return answer.headers.get("X-Protocol", "")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@contextmanager
def browser(helper: MtlsHelper) -> Iterator[Browser]:
    one = Browser(helper)
    yield one
    one.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("kind", [KeyKind.RSA_2048, KeyKind.P_256, KeyKind.P_384])
def test_the_certificate_is_asked_for_where_the_path_needs_it(
    make_card: CardFactory, kind: KeyKind, protocol: str, server_files: ServerFiles, issuers: Path, tmp_path: Path
) -> None:
    readers = VirtualReaders()
    readers.insert(make_card(pairs=(Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, kind),)))
    desk = started(readers, server_files, issuers)
    try:
        with serve(server_files, tmp_path, protocol) as apache, browser(desk.helper(apache.port)) as one:
            assert one.get("/open.txt") == (200, "", "files/open.txt\n")
            assert desk.person.requests == []
            status, client, text = one.get("/secret/page.txt")
            assert (status, text) == (200, "files/secret/page.txt\n"), apache.log()
            assert DEFAULT_PERSON.hsa_id in client
            assert one.get("/open.txt")[0] == 200
            assert one.get("/secret/page.txt")[0] == 200
        assert len(desk.person.requests) == 1
    finally:
        desk.close()
        desk.service.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_others_go_on_while_the_person_looks_for_the_code(desk: Desk, tmp_path: Path, protocol: str) -> None:
    asked, answering = threading.Event(), threading.Event()

    def think() -> None:
        asked.set()
        answering.wait(DEADLINE)

    desk.person.before = think
    secret: list[int] = []
    with serve(desk.files, tmp_path, protocol) as apache:
        helper = desk.helper(apache.port)
        with browser(helper) as one, browser(helper) as other:
            assert (one.get("/open.txt")[0], other.get("/open.txt")[0]) == (200, 200)
            waiting = threading.Thread(target=lambda: secret.append(one.get("/secret/page.txt")[0]))
            waiting.start()
            assert asked.wait(DEADLINE)
            for _ in range(20):
                assert other.get("/open.txt")[0] == 200
            assert secret == []
            answering.set()
            waiting.join(DEADLINE)
    assert secret == [200]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_body_may_be_under_way_while_the_server_asks(desk: Desk, tmp_path: Path, protocol: str) -> None:
    """Apache takes up to 128 KiB aside; what TLS cannot take while it renegotiates has to wait here."""
    with serve(desk.files, tmp_path, protocol) as apache, browser(desk.helper(apache.port)) as one:
        assert one.get("/open.txt")[0] == 200
        status, client, _text = one.get("/secret/page.txt", "POST", bytes(120_000))
        assert DEFAULT_PERSON.hsa_id in client, apache.log()
        assert status in (200, 405)
    assert len(desk.person.requests) == 1


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_refusal_ends_that_connection_alone(desk: Desk, tmp_path: Path, protocol: str) -> None:
    desk.person.answers = [None]
    with serve(desk.files, tmp_path, protocol) as apache:
        helper = desk.helper(apache.port)
        with browser(helper) as one, browser(helper) as other:
            assert (one.get("/open.txt")[0], other.get("/open.txt")[0]) == (200, 200)
            with pytest.raises(ConnectionResetError):
                one.get("/secret/page.txt")
            assert other.get("/open.txt")[0] == 200
            assert other.get("/secret/page.txt")[0] == 200
    assert len(desk.person.requests) == 2


def test_a_card_that_goes_while_the_server_asks(desk: Desk, tmp_path: Path) -> None:
    desk.person.before = desk.readers.remove
    with serve(desk.files, tmp_path, "TLSv1.3") as apache, browser(desk.helper(apache.port)) as one:
        assert one.get("/open.txt")[0] == 200
        with pytest.raises(ConnectionResetError):
            one.get("/secret/page.txt")


def test_tls_1_2_alone_can_be_asked_of_a_target(desk: Desk, tmp_path: Path) -> None:
    """For servers that cannot ask later in TLS 1.3, such as IIS with rules by path."""
    with (
        serve(desk.files, tmp_path, "-all +TLSv1.2 +TLSv1.3") as apache,
        browser(desk.helper(apache.port, newest_tls="1.2")) as one,
    ):
        assert one.protocol("/open.txt") == "TLSv1.2"
        assert DEFAULT_PERSON.hsa_id in one.get("/secret/page.txt")[1]
