# SPDX-License-Identifier: EUPL-1.2
"""TLS on memory in the moments that a network seldom brings about."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp.card.virtual.keys import KeyKind
from sithsapp.mtls.permission import here
from sithsapp.mtls.readiness import readable_within
from sithsapp.mtls.side import CHUNK, Room
from sithsapp.mtls.tls_stream import TlsStream, Truncated
from tests.mtls.parts import DEADLINE, ServerFiles, SoftwareKey, pem_of
from tests.parts.openssl_server import OpensslServer


class Relay:
    """Stands between a client, which gets `near`, and a server. A gate that is shut holds the client's bytes."""

    def __init__(self, port: int) -> None:
        self.near, self._client = socket.socketpair()
        self._server = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
        self.gate, self.holding = threading.Event(), threading.Event()
        self.gate.set()
        self._threads = [
            threading.Thread(target=self._copy, args=(self._client, self._server, True)),
            threading.Thread(target=self._copy, args=(self._server, self._client, False)),
        ]
        for thread in self._threads:
            thread.start()

    def _copy(self, source: socket.socket, sink: socket.socket, gated: bool) -> None:
        try:
            while data := source.recv(65536):
                if gated and not self.gate.is_set():
                    self.holding.set()
                    self.gate.wait(DEADLINE)
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def close(self) -> None:
        """End both connections."""
        self.gate.set()
        for each in (self._client, self._server):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(DEADLINE)
        for each in (self.near, self._client, self._server):
            each.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[OpensslServer]:
    """A server of TLS 1.2 that wants no certificate before it renegotiates."""
    key = SoftwareKey(KeyKind.P_256)
    files = ServerFiles(tmp_path, pem_of(key.certificate))
    with OpensslServer(files.key, files.client_cas, "-tls1_2", "-no_ticket", "-no_cache", later=True) as server:
        yield server


@pytest.fixture
def relay(server: OpensslServer) -> Iterator[Relay]:
    relay = Relay(server.port)
    yield relay
    relay.close()


def stream_by(relay: Relay) -> TlsStream:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    stream = TlsStream(relay.near, context, "localhost", None)
    stream.handshake(DEADLINE)
    return stream


def test_what_is_written_while_the_server_renegotiates_waits_and_arrives(server: OpensslServer, relay: Relay) -> None:
    stream, room = stream_by(relay), Room()
    stream.write(b"before\n")
    server.wait_for(b"before\n")
    relay.gate.clear()
    server.command(b"R")
    while not relay.holding.is_set():  # until our answer to the server's wish is under way
        assert readable_within(relay.near, DEADLINE)
        assert not stream.receive(room)
        relay.holding.wait(0.1)
    text = b"x" * 40_000 + b"meanwhile\n"
    stream.write(text)
    assert stream.full
    assert not stream.unsent
    relay.gate.set()
    while stream.full:
        assert readable_within(relay.near, DEADLINE)
        assert not stream.receive(room)
    server.wait_for(b"meanwhile\n")
    assert server.said.count(b"x" * 40_000) == 1


def test_an_end_without_a_word_is_no_end(server: OpensslServer, relay: Relay) -> None:
    stream, room = stream_by(relay), Room()
    server.command(b"last words")
    received = b""
    while received != b"last words\n":
        assert readable_within(relay.near, DEADLINE)
        received += stream.receive(room)
    server.kill()
    assert readable_within(relay.near, DEADLINE)
    with pytest.raises(Truncated):
        stream.receive(room)
    assert not stream.ended


def test_a_room_takes_all_that_a_full_chunk_can_hold() -> None:
    """A record that was begun before, and as many as fit: nothing that was decrypted may be left behind."""
    room = Room()
    assert len(room.taken) == CHUNK
    assert len(room.plain) >= CHUNK + 2 * 16 * 1024


def test_a_thread_may_sign_for_nothing_unless_it_is_told_so() -> None:
    assert here.turn.purpose is None
    seen: list[object] = []
    thread = threading.Thread(target=lambda: seen.append((here.turn.purpose, here.turn.step_aside)))
    thread.start()
    thread.join(DEADLINE)
    assert seen == [(None, None)]
