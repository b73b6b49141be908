# SPDX-License-Identifier: EUPL-1.2
"""Loopback parts for the client's tests: a test CA, a scripted HTTP(S) server and a CONNECT proxy."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_NOW = datetime.datetime.now(datetime.UTC)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class TlsCa:
    """A throw-away CA for server certificates."""

    def __init__(self, directory: Path, name: str = "Test CA") -> None:
        self._directory, self._ca_name = directory, name
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name, self._key.public_key(), -10, 10)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._write("ca.pem", builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    @property
    def path(self) -> Path:
        """The CA certificate as PEM."""
        return self._directory / "ca.pem"

    def context(self, host: str, *, from_days: int = -1, to_days: int = 1) -> ssl.SSLContext:
        """Return a server context with a certificate for `host`, valid between the two day offsets."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(host, key.public_key(), from_days, to_days)
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        pem = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path = self._write(f"{host}{from_days}.pem", pem + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _builder(
        self, name: str, key: ec.EllipticCurvePublicKey, from_days: int, to_days: int
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(_name(self._ca_name))
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(_NOW + datetime.timedelta(days=from_days))
            .not_valid_after(_NOW + datetime.timedelta(days=to_days))
        )

    def _write(self, name: str, data: bytes) -> Path:
        path = self._directory / name
        path.write_bytes(data)
        return path


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the server saw it; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


Script = Callable[[Seen], "bytes | Callable[[socket.socket], None] | None"]
"""Gives the raw answer, None to close without one, or a function that drives the socket itself."""


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """Return a whole HTTP/1.1 answer; underscores in header names become hyphens."""
    lines = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


@dataclass
class LoopbackServer:
    """Serves `script` on 127.0.0.1, with TLS if `context` is given. Closes every connection at the end."""

    script: Script
    context: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._start(self._accept)

    @property
    def origin(self) -> str:
        """The server's origin on localhost."""
        return f"{'https' if self.context else 'http'}://localhost:{self.port}"

    def close(self) -> None:
        """Close everything and wait for the threads."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for peer in list(self._open):
            with suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _start(self, target: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=target, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                peer, _ = self._listener.accept()
                self.connections += 1
                self._start(self._serve, peer)

    def _serve(self, peer: socket.socket) -> None:
        self._open.add(peer)
        with suppress(OSError, ValueError):
            if self.context is not None:
                peer.settimeout(10)
                plain, peer = peer, self.context.wrap_socket(peer, server_side=True)
                self._open.discard(plain)
                self._open.add(peer)
            self._converse(peer)
        self._open.discard(peer)
        peer.close()

    def _converse(self, peer: socket.socket) -> None:
        while (request := read_request(peer)) is not None:
            self.seen.append(request)
            reply = self.script(request)
            if reply is None:
                return
            if callable(reply):
                reply(peer)
                return
            peer.sendall(reply)


def read_request(peer: socket.socket) -> Seen | None:
    """Read one request; None at the end of the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = peer.recv(65536)
        if not more:
            return None
        data += more
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    while len(body) < int(headers.get("content-length", "0")):
        body += peer.recv(65536)
    method, target, _ = first.split(" ")
    return Seen(method, target, headers, body)


class ConnectProxy:
    """An HTTP proxy whose names are its own: `routes` leads "host:port" to a loopback port.

    `challenge` is sent with 407 until `credentials` arrive; `refuse` is a status for every CONNECT.
    """

    def __init__(
        self, routes: Mapping[str, int], *, challenge: str = "", credentials: str = "", refuse: int = 0
    ) -> None:
        self._routes = routes
        self._challenge = challenge
        self._credentials = credentials
        self._refuse = refuse
        self.server = LoopbackServer(self._connect)

    @property
    def url(self) -> str:
        """The proxy's address as the environment names it."""
        return f"http://127.0.0.1:{self.server.port}"

    def _connect(self, request: Seen) -> bytes | Callable[[socket.socket], None]:
        given = request.headers.get("proxy-authorization", "")
        if self._refuse:
            return answer(self._refuse)
        if self._challenge and (not self._credentials or given != self._credentials):
            return answer(407, proxy_authenticate=self._challenge)
        if request.method != "CONNECT" or request.target not in self._routes:
            return answer(502)
        return lambda peer: _tunnel(peer, self._routes[request.target])


def _tunnel(peer: socket.socket, port: int) -> None:
    with socket.create_connection(("127.0.0.1", port)) as onward:
        peer.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        back = threading.Thread(target=_copy, args=(onward, peer), daemon=True)
        back.start()
        _copy(peer, onward)
        back.join(5)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


@contextmanager
def serving(script: Script, context: ssl.SSLContext | None = None) -> Iterator[LoopbackServer]:
    """Run a `LoopbackServer` for a block."""
    server = LoopbackServer(script, context)
    try:
        yield server
    finally:
        server.close()
