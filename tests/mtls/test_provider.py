# SPDX-License-Identifier: EUPL-1.2
"""The provider against other implementations of the server's side."""

from __future__ import annotations

import gc
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.card.model import SignatureScheme
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls import self_test
from sithsapp.mtls.contexts import ClientContext, ClientKey, Trust
from sithsapp.mtls.key_registry import KEYS, signing_errors
from tests.mtls.parts import (
    DEADLINE,
    PKCS1_SCHEMES,
    SCHEMES,
    ServerFiles,
    SoftwareKey,
    TlsServer,
    eventually,
    make_certificate,
    pem_of,
)

TLS_1_2, TLS_1_3 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
KINDS = [KeyKind.RSA_2048, KeyKind.P_256, KeyKind.P_384]
VERSIONS = [TLS_1_2, TLS_1_3]


@contextmanager
def connected(context: ClientContext, port: int) -> Iterator[ssl.SSLSocket]:
    """A connection to a server on loopback."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    with raw, context.ssl.wrap_socket(raw, server_hostname="localhost") as connection:
        yield connection


class World:
    """A client key, and files of a server that accepts it."""

    def __init__(self, directory: Path, kind: KeyKind, schemes: frozenset[SignatureScheme] | None = None) -> None:
        self.key = SoftwareKey(kind)
        self.files = ServerFiles(directory, pem_of(self.key.certificate))
        self.client_key = ClientKey((self.key.der,), SCHEMES[kind] if schemes is None else schemes, self.key.sign)
        self.trust = Trust((str(self.files.certificate),), system=False)

    def ask(self, context: ClientContext, port: int) -> bytes:
        """Open a connection, send a line and return the answer."""
        with signing_errors(), connected(context, port) as connection:
            connection.sendall(b"?\n")
            return connection.recv(1000)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_servers_see_the_certificate_after_one_signature(
    tmp_path: Path, kind: KeyKind, version: ssl.TLSVersion
) -> None:
    world = World(tmp_path, kind)
    context = ClientContext(world.client_key, world.trust)
    with TlsServer(world.files.context(version)) as server:
        assert world.ask(context, server.port) == f"client {kind.value}\n".encode()
    assert len(world.key.schemes) == 1
    context.close()


@pytest.mark.parametrize("option", ["-tls1_2", "-tls1_3"])
@pytest.mark.parametrize("kind", KINDS)
def test_openssl_s_server_verifies_the_client(tmp_path: Path, kind: KeyKind, option: str) -> None:
    world = World(tmp_path, kind)
    context = ClientContext(world.client_key, world.trust)
    command = [
        "openssl",
        "s_server",
        "-accept",
        "127.0.0.1:0",
        option,
        "-www",
        "-Verify",
        "1",
        "-verify_return_error",
    ]
    files = ["-CAfile", world.files.client_cas, "-cert", world.files.certificate, "-key", world.files.key]
    with subprocess.Popen(
        [*command, *map(str, files)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        try:
            assert child.stdout is not None
            port = next(int(found[1]) for line in child.stdout if (found := re.search(r"ACCEPT .*:(\d+)", line)))
            with connected(context, port) as connection:
                connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
                page = b"".join(iter(lambda: connection.recv(65536), b""))
        finally:
            child.kill()
    assert f"client {kind.value}".encode() in page
    context.close()


def test_a_card_without_pss_is_kept_to_tls_1_2_and_says_why(tmp_path: Path) -> None:
    world = World(tmp_path, KeyKind.RSA_2048, PKCS1_SCHEMES)
    context = ClientContext(world.client_key, world.trust)
    assert "TLS 1.3" in str(context.limited)
    with TlsServer(world.files.context()) as server:
        assert world.ask(context, server.port) == b"client RSA-2048\n"
    assert world.key.schemes == [SignatureScheme.RS256]
    context.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_signer_raises_reaches_the_caller(tmp_path: Path, version: ssl.TLSVersion) -> None:
    world = World(tmp_path, KeyKind.P_256)
    world.key.failure = lambda _count: SithsError(Failure.PIN_WRONG, tries_left=2)
    context = ClientContext(world.client_key, world.trust)
    with TlsServer(world.files.context(version)) as server, pytest.raises(SithsError) as caught:
        world.ask(context, server.port)
    assert caught.value.failure is Failure.PIN_WRONG
    assert caught.value.tries_left == 2
    context.close()


def test_a_closed_context_cannot_sign(tmp_path: Path) -> None:
    world = World(tmp_path, KeyKind.P_256)
    context = ClientContext(world.client_key, world.trust)
    before = len(KEYS)
    context.close()
    context.close()
    assert len(KEYS) == before - 1
    with TlsServer(world.files.context()) as server, pytest.raises((SithsError, OSError)):
        world.ask(context, server.port)
    assert world.key.schemes == []


def test_a_certificate_of_another_key_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, KeyKind.P_256)
    other = make_certificate(SoftwareKey(KeyKind.P_256, "other").key, "other")
    key = ClientKey((world.key.der,), SCHEMES[KeyKind.P_256], world.key.sign)
    context = ClientContext(key, world.trust)
    file = tmp_path / "mixed.pem"
    file.write_bytes(pem_of(other) + KEYS.with_handle(context._key.handle).pem)  # type: ignore[union-attr] # it is there
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(file)
    context.close()


def test_ordinary_keys_and_damaged_handles_are_not_ours(tmp_path: Path) -> None:
    world = World(tmp_path, KeyKind.P_256)
    ClientContext(world.client_key, world.trust).close()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(world.files.key)
    for content in (b"", b"-----BEGIN SITHS CARD KEY-----\n", b"-----BEGIN SITHS CARD KEY-----\n" + b"0" * 32):
        file = tmp_path / "damaged.pem"
        file.write_bytes(pem_of(world.key.certificate) + content)
        with pytest.raises(ssl.SSLError):
            context.load_cert_chain(file)


def test_the_signer_may_ask_for_a_signature_again_after_the_handshake(tmp_path: Path) -> None:
    """Post-handshake authentication, as path rules of web servers use it."""
    world = World(tmp_path, KeyKind.RSA_2048)
    server_context = world.files.context(TLS_1_3)
    server_context.post_handshake_auth = True
    seen: list[bool] = []

    def handle(connection: ssl.SSLSocket) -> None:
        connection.recv(100)
        connection.context.verify_mode = ssl.CERT_REQUIRED
        connection.verify_client_post_handshake()
        connection.sendall(b"wait")
        connection.recv(100)
        seen.append(bool(connection.getpeercert()))
        connection.sendall(b"done")

    server_context.verify_mode = ssl.CERT_REQUIRED
    context = ClientContext(world.client_key, world.trust)
    with TlsServer(server_context, handle) as server, connected(context, server.port) as connection:
        assert len(world.key.schemes) == 0
        connection.sendall(b"?")
        assert connection.recv(100) == b"wait"
        connection.sendall(b"!")
        assert connection.recv(100) == b"done"
    assert seen == [True]
    assert len(world.key.schemes) == 1
    context.close()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts descriptors")
def test_500_handshakes_in_four_threads_with_a_tenth_failing_leave_nothing(tmp_path: Path) -> None:
    world = World(tmp_path, KeyKind.P_256)
    world.key.failure = lambda count: RuntimeError("tenth") if count % 10 == 0 else None
    outcomes: list[bool] = []

    def work(count: int) -> None:
        context = ClientContext(world.client_key, world.trust)
        for _ in range(count):
            try:
                outcomes.append(world.ask(context, server.port) == b"client P-256\n")
            except RuntimeError:
                outcomes.append(False)
        context.close()

    with TlsServer(world.files.context(TLS_1_3)) as server:
        work(2)
        outcomes.clear()
        gc.collect()
        keys, files, threads_before = len(KEYS), open_files(), threading.active_count()
        threads = [threading.Thread(target=work, args=(125,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        gc.collect()
        eventually(lambda: threading.active_count() <= threads_before)
        eventually(lambda: open_files() <= files)
        assert len(KEYS) == keys
    assert len(outcomes) == 500
    assert outcomes.count(False) == 50


def test_the_self_test_passes_here() -> None:
    self_test.require_working()


def test_a_library_that_cannot_carry_it_turns_the_feature_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_version: ssl.TLSVersion) -> None:
        raise ssl.SSLError("no such thing")

    monkeypatch.setattr(self_test, "_verdict", [])
    monkeypatch.setattr(self_test, "_handshake", broken)
    for _ in range(2):
        with pytest.raises(SithsError) as caught:
            self_test.require_working()
        assert caught.value.failure is Failure.MTLS_UNAVAILABLE


def test_exit_with_a_live_connection_and_a_signer_that_hangs_is_clean(tmp_path: Path) -> None:
    program = """
import socket, sys, threading
from pathlib import Path
from sithsapp.card.virtual.keys import KeyKind
from tests.mtls.parts import TlsServer, eventually
from tests.mtls.test_provider import World
from sithsapp.mtls.contexts import ClientContext
world = World(Path(sys.argv[1]), KeyKind.P_256)
server = TlsServer(world.files.context())
context = ClientContext(world.client_key, world.trust)
raw = socket.create_connection(("127.0.0.1", server.port))
connection = context.ssl.wrap_socket(raw, server_hostname="localhost")
world.key.seconds = 100
threading.Thread(target=world.ask, args=(context, server.port), daemon=True).start()
eventually(lambda: len(world.key.schemes) == 2)
"""
    done = subprocess.run([sys.executable, "-c", program, tmp_path], capture_output=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
