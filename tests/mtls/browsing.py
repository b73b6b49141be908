# SPDX-License-Identifier: EUPL-1.2
"""Programs that go by the local proxy, and names that lead to this computer without any name service."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from sithsapp.card.virtual.keys import KeyKind
from sithsapp.mtls.helper import MtlsHelper
from sithsapp.settings.schema import Mtls, MtlsBrowser, MtlsTarget
from tests.mtls.desk import Desk
from tests.mtls.parts import DEADLINE, ServerFiles, key_of, make_certificate, pem_of

HOST = "portal.example"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64)"


def lead_to_this_computer(patch: pytest.MonkeyPatch, *names: str) -> None:
    """Let `names` be 127.0.0.1 within this process."""
    real = socket.getaddrinfo

    def resolve(host: Any, *rest: Any, **more: Any) -> Any:
        return real("127.0.0.1" if host in names else host, *rest, **more)

    patch.setattr(socket, "getaddrinfo", resolve)


def server_files(directory: Path, client_cas: bytes) -> ServerFiles:
    """Files of a server that is called `HOST`."""
    files = ServerFiles(directory, client_cas)
    key = key_of(KeyKind.P_256, "server")
    certificate = make_certificate(key, HOST, names=(HOST,))
    files.certificate.write_bytes(pem_of(certificate))
    files.key.write_bytes(pem_of(certificate, key))
    return files


def proxy_settings(desk: Desk, port: int, *hosts: str, whole: dict[str, Any] | None = None) -> Mtls:
    """Return settings with targets for browsers at `port`."""
    targets = tuple(
        MtlsTarget(name=f"web{n}", host=host, port=port, mode="browser", ca=(str(desk.files.certificate),))
        for n, host in enumerate(hosts or (HOST,))
    )
    members: dict[str, Any] = {"browser": MtlsBrowser(listen=0), "issuers": (str(desk.issuers),)}
    return Mtls(targets=targets, **(members | (whole or {})))


def proxy_port(helper: MtlsHelper) -> int:
    """Return where the proxy listens."""
    status = helper.proxy()
    assert status is not None
    return status.port


def raw(helper: MtlsHelper, text: bytes) -> bytes:
    """Say something to the proxy's port and return all that comes back."""
    with socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=DEADLINE) as connection:
        connection.sendall(text)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def trusting(helper: MtlsHelper) -> ssl.SSLContext:
    """Return a client's context that trusts the proxy's authority and no other."""
    status = helper.proxy()
    assert status is not None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(status.authority))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


@contextlib.contextmanager
def tunnel(
    helper: MtlsHelper, port: int, host: str = HOST, agent: str = "curl/8"
) -> Iterator[tuple[bytes, ssl.SSLSocket | None]]:
    """Open a tunnel as a browser does; gives the proxy's answer and, if that was 200, the connection in TLS."""
    head = f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\nUser-Agent: {agent}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", proxy_port(helper)), timeout=2 * DEADLINE) as connection:
        connection.sendall(head.encode())
        answer = connection.recv(4096)
        if not answer.startswith(b"HTTP/1.1 200 "):
            yield answer + b"".join(iter(lambda: connection.recv(65536), b"")), None
            return
        context = trusting(helper)
        with context.wrap_socket(connection, server_hostname=host, suppress_ragged_eofs=False) as tls:
            yield answer, tls


def get(helper: MtlsHelper, port: int, host: str = HOST, agent: str = BROWSER) -> bytes:
    """Make one request by the proxy and return the whole answer, or the proxy's own where there is no tunnel."""
    with tunnel(helper, port, host, agent) as (refusal, tls):
        if tls is None:
            return refusal
        tls.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        with HTTPResponse(tls) as answer:
            answer.begin()
            head = f"HTTP/1.1 {answer.status} {answer.reason}\r\n{answer.headers}"
            return head.encode() + answer.read()
