# SPDX-License-Identifier: EUPL-1.2
"""What the tests of the mTLS helper share: software keys behind `sign`, a small CA, TLS servers, waiting."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sithsapp.card.model import SignatureScheme
from sithsapp.card.virtual.keys import KeyKind, PrivateKey, generate_key

DEADLINE = 10.0
RSA_SCHEMES = frozenset({SignatureScheme.PS256, SignatureScheme.PS384, SignatureScheme.RS256, SignatureScheme.RS384})
PKCS1_SCHEMES = frozenset({SignatureScheme.RS256})
SCHEMES = {
    KeyKind.RSA_2048: RSA_SCHEMES,
    KeyKind.P_256: frozenset({SignatureScheme.ES256}),
    KeyKind.P_384: frozenset({SignatureScheme.ES384}),
}


@lru_cache
def key_of(kind: KeyKind, owner: str = "client") -> PrivateKey:
    """A key, made once in a session for each owner."""
    return generate_key(kind)


def eventually(condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
    """Wait until something becomes true that tells nobody."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "did not come true in time"
        pause.wait(0.005)


def make_certificate(
    key: PrivateKey,
    common_name: str,
    *,
    content_commitment: bool | None = None,
    names: tuple[str, ...] = ("localhost",),
) -> x509.Certificate:
    """A certificate for `names` and 127.0.0.1: a self-signed CA, or a leaf with or without that usage."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    alternatives = [*(x509.DNSName(each) for each in names), x509.IPAddress(ip_address("127.0.0.1"))]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=content_commitment is None, path_length=None), critical=True)
    )
    if content_commitment is not None:
        usage = x509.KeyUsage(True, content_commitment, False, False, False, False, False, False, False)
        builder = builder.add_extension(usage, critical=True)
    return builder.sign(key, hashes.SHA256())


def pem_of(certificate: x509.Certificate, key: PrivateKey | None = None) -> bytes:
    """A certificate in PEM, with its key."""
    private = b"" if key is None else key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM) + private


class SoftwareKey:
    """A key in software behind `sign`, which counts and can be told to fail."""

    def __init__(self, kind: KeyKind, owner: str = "client") -> None:
        self.key = key_of(kind, owner)
        self.certificate = make_certificate(self.key, f"{owner} {kind.value}")
        self.der = self.certificate.public_bytes(Encoding.DER)
        self.schemes: list[SignatureScheme] = []
        self.failure: Callable[[int], BaseException | None] = lambda _count: None
        self.seconds = 0.0
        self._lock = threading.Lock()

    def sign(self, message: bytes, scheme: SignatureScheme) -> bytes:
        """Sign as a card would."""
        with self._lock:
            self.schemes.append(scheme)
            failure = self.failure(len(self.schemes))
        if failure is not None:
            raise failure
        if self.seconds:
            threading.Event().wait(self.seconds)
        algorithm: hashes.HashAlgorithm = getattr(hashes, scheme.hash_name.upper())()
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(self.key.sign(message, ec.ECDSA(algorithm)))
            size = self.key.key_size // 8
            return r.to_bytes(size, "big") + s.to_bytes(size, "big")
        pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
        return self.key.sign(message, pss if scheme.value.startswith("PS") else padding.PKCS1v15(), algorithm)


class ServerFiles:
    """The server's certificate and key, and the CAs of clients, as files. The server's certificate is its own CA."""

    def __init__(self, directory: Path, client_cas: bytes) -> None:
        key = key_of(KeyKind.P_256, "server")
        self.certificate = directory / "server.pem"
        self.key = directory / "server-key.pem"
        self.client_cas = directory / "clients.pem"
        certificate = make_certificate(key, "localhost")
        self.certificate.write_bytes(pem_of(certificate))
        self.key.write_bytes(pem_of(certificate, key))
        self.client_cas.write_bytes(client_cas)

    def context(self, version: ssl.TLSVersion | None = None) -> ssl.SSLContext:
        """A server's context that requires a client certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.key)
        context.load_verify_locations(self.client_cas)
        context.verify_mode = ssl.CERT_REQUIRED
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context


Handler = Callable[[ssl.SSLSocket], None]


def answer_subject(connection: ssl.SSLSocket) -> None:
    """Answer each line with the client's common name."""
    subject = dict(pair[0] for pair in connection.getpeercert()["subject"])  # type: ignore[index,misc] # verified
    while connection.recv(65536):
        connection.sendall(f"{subject['commonName']}\n".encode())


class TlsServer:
    """A threaded TLS server on loopback. Counts handshakes; keeps what failed."""

    def __init__(self, context: ssl.SSLContext, handler: Handler = answer_subject) -> None:
        self.context = context
        self.handler = handler
        self.handshakes = 0
        self.resumed = 0
        self.peers: list[ssl.SSLSocket] = []
        self.errors: list[OSError] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self._listener.getsockname()[1]
        self._threads: list[threading.Thread] = []
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._acceptor.start()

    def __enter__(self) -> TlsServer:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._acceptor.join(DEADLINE)
        for thread in self._threads:
            thread.join(DEADLINE)

    def _accept(self) -> None:
        while True:
            try:
                raw, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(raw,), daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()]
            self._threads.append(thread)
            thread.start()

    def _serve(self, raw: socket.socket) -> None:
        with raw:
            raw.settimeout(DEADLINE)
            try:
                with self.context.wrap_socket(raw, server_side=True) as connection:
                    self.handshakes += 1
                    self.resumed += bool(connection.session_reused)
                    self.handler(connection)
                    if connection.fileno() >= 0:
                        connection.unwrap()
            except OSError as error:
                self.errors.append(error)
