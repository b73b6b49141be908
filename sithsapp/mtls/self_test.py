# SPDX-License-Identifier: EUPL-1.2
"""Proves at first use that this interpreter's OpenSSL can carry the feature: one handshake each of TLS 1.2 and 1.3.

With a throw-away key, in memory, in some ten milliseconds.
"""

from __future__ import annotations

import ssl
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sithsapp.card.model import SignatureScheme
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.contexts import ClientContext, ClientKey, Trust, private_file
from sithsapp.mtls.key_registry import signing_errors

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric import ec

_NAME: Final = "self-test.invalid"
_MOST_STEPS: Final = 8
_lock = threading.Lock()
_verdict: list[SithsError | None] = []


def require_working() -> None:
    """Raise `SithsError(MTLS_UNAVAILABLE)` unless the self-test passes; it runs once in a process."""
    with _lock:
        if not _verdict:
            _verdict.append(_run())
    if _verdict[0] is not None:
        raise _verdict[0]


def _run() -> SithsError | None:
    try:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            _handshake(version)
    except SithsError as error:
        return SithsError(Failure.MTLS_UNAVAILABLE, error.detail)
    except Exception as error:  # whatever this OpenSSL does, the feature is off and the rest of the app goes on
        return SithsError(Failure.MTLS_UNAVAILABLE, f"self-test: {type(error).__name__} with {ssl.OPENSSL_VERSION}")
    return None


def _handshake(version: ssl.TLSVersion) -> None:
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key)
    signed: list[SignatureScheme] = []

    def sign(message: bytes, scheme: SignatureScheme) -> bytes:
        signed.append(scheme)
        r, s = decode_dss_signature(key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with private_file(ssl.DER_cert_to_PEM_cert(certificate).encode() + private) as pem:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        server.load_verify_locations(pem)
        server.verify_mode = ssl.CERT_REQUIRED
        client_key = ClientKey((certificate,), frozenset({SignatureScheme.ES256}), sign)
        client = ClientContext(client_key, Trust((str(pem),), system=False), newest=version)
    try:
        _converse(client.ssl, server)
    finally:
        client.close()
    if signed != [SignatureScheme.ES256]:
        raise SithsError(Failure.MTLS_UNAVAILABLE, f"{len(signed)} signatures in place of one")


def _converse(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        client.wrap_bio(down, up, server_hostname=_NAME),
        server.wrap_bio(up, down, server_side=True),
    ]
    for _ in range(_MOST_STEPS):
        for side in tuple(sides):
            try:
                with signing_errors():
                    side.do_handshake()
                sides.remove(side)
            except ssl.SSLWantReadError:
                continue
        if not sides:
            return
    raise SithsError(Failure.MTLS_UNAVAILABLE, "the handshake does not end")


def _certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    day = timedelta(days=1)
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(_NAME)]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)
