# SPDX-License-Identifier: EUPL-1.2
"""A desk with a card, a person and the helper, for tests of the whole."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sithsapp.card.pin import Pin
from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.failures import Failure
from sithsapp.mtls.helper import MtlsHelper
from sithsapp.mtls.interaction import CardWanted, KeyGranted, KeyRequest, Purpose
from sithsapp.mtls.peer import PeerCheck
from sithsapp.settings.schema import Mtls, MtlsTarget
from tests.mtls.parts import DEADLINE, ServerFiles

RIGHT, WRONG = DEMO_CODES.pin1, "111111"


class Person:
    """Answers from a list, then with the right code for ever. An exception in the list is raised; None refuses."""

    def __init__(self) -> None:
        self.answers: list[str | None] = []
        self.requests: list[KeyRequest] = []
        self.ends: list[Failure | None] = []
        self.wanted: list[CardWanted] = []
        self.inserts: Callable[[CardWanted], bool] = lambda _wanted: False
        self.before: Callable[[], None] = lambda: None

    def ask(self, request: KeyRequest) -> KeyGranted | None:
        """Note the question and answer."""
        self.requests.append(request)
        self.before()
        code = self.answers.pop(0) if self.answers else RIGHT
        return None if code is None else KeyGranted(Pin(bytearray(code.encode())), last_try_ok=True)

    def card_wanted(self, wanted: CardWanted) -> bool:
        """Note the wish and answer as the test says."""
        self.wanted.append(wanted)
        return self.inserts(wanted)

    def ended(self, purpose: Purpose, failure: Failure | None) -> None:
        """Note the end."""
        self.ends.append(failure)


class Desk:
    """Starts helpers and talks to them as local programs do."""

    def __init__(
        self,
        service: CardService,
        files: ServerFiles,
        issuers: Path,
        readers: VirtualReaders | None = None,
        card: VirtualCard | None = None,
    ) -> None:
        self.service, self.files, self.issuers = service, files, issuers
        self._readers, self.card = readers, card
        self.person = Person()
        self.directory = files.certificate.parent / "proxy"
        self._helpers: list[MtlsHelper] = []

    @property
    def readers(self) -> VirtualReaders:
        """The readers in process."""
        assert self._readers is not None
        return self._readers

    def helper(
        self, port: int, *, peers: PeerCheck | None = None, whole: dict[str, Any] | None = None, **target: Any
    ) -> MtlsHelper:
        """Start a helper with one target at `localhost:port`; `target` and `whole` are further settings."""
        return self.start(self.settings(port, whole, **target), peers=peers)

    def start(self, settings: Mtls, *, peers: PeerCheck | None = None, proxy: str = "system") -> MtlsHelper:
        """Start a helper with these settings."""
        helper = MtlsHelper(settings, self.service, self.person, directory=self.directory, proxy=proxy, peers=peers)
        helper.start()
        self._helpers.append(helper)
        return helper

    def settings(self, port: int, whole: dict[str, Any] | None = None, **target: Any) -> Mtls:
        """Return settings as `helper` uses them."""
        members: dict[str, Any] = {
            "name": "server",
            "listen": 0,
            "host": "localhost",
            "port": port,
            "ca": (str(self.files.certificate),),
        }
        return Mtls(targets=(MtlsTarget(**(members | target)),), issuers=(str(self.issuers),), **(whole or {}))

    def close(self) -> None:
        """Close the helpers."""
        for helper in self._helpers:
            helper.close()


def port_of(helper: MtlsHelper) -> int:
    """The local port of a helper's only target."""
    return helper.status()[0].port


def connect(helper: MtlsHelper) -> socket.socket:
    """Connect as a local program."""
    return socket.create_connection(("127.0.0.1", port_of(helper)), timeout=DEADLINE)


def fetch(
    helper: MtlsHelper, path: str = "/", headers: dict[str, str] | None = None, method: str = "GET"
) -> tuple[int, str]:
    """Make one HTTP request by a forward in mode `http`; return status and body."""
    connection = http.client.HTTPConnection("127.0.0.1", port_of(helper), timeout=DEADLINE)
    try:
        connection.request(method, path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def say(helper: MtlsHelper, line: bytes = b"?\n") -> bytes:
    """Say a line by a forward in mode `raw`, end, and return all that comes back."""
    with connect(helper) as connection:
        connection.sendall(line)
        try:
            connection.shutdown(socket.SHUT_WR)
        except OSError as error:  # the reset came first
            raise ConnectionResetError from error
        return b"".join(iter(lambda: connection.recv(65536), b""))


def together(count: int, work: Callable[[], Any]) -> list[Any]:
    """Run `work` in threads at the same time; return the results, exceptions among them."""
    results: list[Any] = []
    barrier = threading.Barrier(count)

    def run() -> None:
        barrier.wait(DEADLINE)
        try:
            results.append(work())
        except Exception as error:
            results.append(error)

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(4 * DEADLINE)
    return results


def http_answer(connection: ssl.SSLSocket) -> None:
    """Answer HTTP requests with what the server sees: client, host and origin."""
    subject = dict(pair[0] for pair in connection.getpeercert()["subject"])  # type: ignore[index,misc] # verified
    stream = connection.makefile("rb")
    while (line := stream.readline()).strip():
        fields = {}
        while field := stream.readline().strip():
            name, _, value = field.decode().partition(": ")
            fields[name.lower()] = value
        stream.read(int(fields.get("content-length", 0)))
        seen = (subject.get("serialNumber"), line.decode().strip(), fields.get("host"), fields.get("origin"))
        body = " ".join(map(str, seen)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
