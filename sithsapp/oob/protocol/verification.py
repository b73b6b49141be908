# SPDX-License-Identifier: EUPL-1.2
"""The user's signature, the verifier's side: rules 1, 2 and 5 to 7 of protocol section B8.

Rules 3 and 4 (find the order by one's own record, check its state) and 8 to 10 (certificate) are the caller's.
Nothing here reads a claim about the user.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509 import InvalidVersion, load_der_x509_certificate

from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import (
    Malformed,
    b64_decode,
    b64u,
    b64u_decode,
    equal,
    parse_json,
    sha256,
    sha256_b64u,
)
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.signature import (
    MAX_RSA_BITS,
    MIN_RSA_BITS,
    SIGNATURE_TYPES,
    SignatureAlgorithm,
    ToBeSigned,
)

MAX_CERTIFICATES: Final = 3
MAX_CERTIFICATE: Final = 8 * 1024
"""Longest certificate in `x5c`, in octets of DER."""

_MAX_JWS: Final = 4 * es256.MAX_HEADER
_CURVES: Final = {
    SignatureAlgorithm.ES256: (ec.SECP256R1, 32, hashes.SHA256()),
    SignatureAlgorithm.ES384: (ec.SECP384R1, 48, hashes.SHA384()),
}
_PADDINGS: Final = {
    SignatureAlgorithm.RS256: padding.PKCS1v15(),
    SignatureAlgorithm.PS256: padding.PSS(mgf=padding.MGF1(hashes.SHA256()), salt_length=32),
}


@dataclass(frozen=True, slots=True, repr=False)
class PostedSignature:
    """A detached JWS that fits rule 1: its header's members, the signature, the certificates (DER, leaf first)."""

    header: str
    alg: str
    typ: str
    x5t: str
    signature: bytes
    certificates: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, repr=False)
class Expected:
    """What the verifier itself knows of the order: the JWS it issued, its type and flow, the app's key."""

    order_jws: str
    order_type: OrderType
    flow: Flow
    jkt: str


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedSignature:
    """A signature that verifies with the key in `certificates[0]`. Whose that is, is not yet known."""

    algorithm: SignatureAlgorithm
    certificates: tuple[bytes, ...]
    tbs: bytes
    jws: str


def parse_signature(jws: str, x5c: Sequence[str]) -> PostedSignature:
    """Check the form (rule 1). `x5c` holds base64 DER, leaf first. Raises `ProtocolViolation`."""
    try:
        header, signature = _split_detached(jws)
        members = parse_json(b64u_decode(header), max_size=es256.MAX_HEADER, max_depth=1)
        certificates = tuple(_certificate(item) for item in x5c)
    except Malformed as error:
        _refuse(1, str(error))
    if not isinstance(members, dict) or members.keys() != {"alg", "typ", "x5t#S256"}:
        _refuse(1, "header has not exactly the three members")
    alg, typ, x5t = members["alg"], members["typ"], members["x5t#S256"]
    if not (isinstance(alg, str) and isinstance(typ, str) and isinstance(x5t, str)):
        _refuse(1, "header member is not text")
    if not 1 <= len(certificates) <= MAX_CERTIFICATES:
        _refuse(1, "number of certificates")
    return PostedSignature(header, alg, typ, x5t, signature, certificates)


def verify_signature(posted: PostedSignature, expected: Expected, *, challenge: str, app: str) -> VerifiedSignature:
    """Check rules 2 and 5 to 7 in order; `challenge` and `app` are as posted. Raises `ProtocolViolation`."""
    algorithm = _check_type(posted, expected.order_type)
    try:
        order_s256 = sha256_b64u(expected.order_jws)
        tbs = ToBeSigned(app=app, challenge=challenge, flow=expected.flow, jkt=expected.jkt, order_s256=order_s256)
    except Malformed as error:
        _refuse(5, str(error))
    if not equal(posted.x5t, b64u(sha256(posted.certificates[0]))):
        _refuse(6, "certificate is not the one in the header")
    key = _key_for(algorithm, posted.certificates[0])
    octets = f"{posted.header}.{b64u(tbs.octets)}".encode("ascii")
    if not _verifies(key, algorithm, posted.signature, octets):
        _refuse(7, "signature does not verify")
    return VerifiedSignature(algorithm, posted.certificates, tbs.octets, f"{posted.header}..{b64u(posted.signature)}")


def _split_detached(jws: str) -> tuple[str, bytes]:
    if len(jws) > _MAX_JWS or not jws.isascii():
        raise Malformed("JWS is too long or not ASCII")
    parts = jws.split(".")
    if len(parts) != 3 or parts[1]:
        raise Malformed("JWS has not three parts with the middle one empty")
    signature = b64u_decode(parts[2])
    if not 0 < len(signature) <= es256.MAX_HEADER:
        raise Malformed("signature is empty or too long")
    return parts[0], signature


def _certificate(text: str) -> bytes:
    if len(text) > MAX_CERTIFICATE * 4 // 3 + 4:
        raise Malformed("certificate is too long")
    return b64_decode(text)


def _check_type(posted: PostedSignature, order_type: OrderType) -> SignatureAlgorithm:
    if posted.typ != SIGNATURE_TYPES[order_type]:
        _refuse(2, "typ does not match the order's")
    try:
        return SignatureAlgorithm(posted.alg)
    except ValueError:
        raise ProtocolViolation(ProblemCode.UNSUPPORTED_ALG, "alg is not allowed", rule=2) from None


def _key_for(algorithm: SignatureAlgorithm, certificate: bytes) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    try:
        key = load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, InvalidVersion):
        _refuse(6, "certificate or its key cannot be read")
    if isinstance(key, rsa.RSAPublicKey):
        fits = algorithm in _PADDINGS and MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS
    else:
        fits = isinstance(key, ec.EllipticCurvePublicKey) and _is_on_curve(key, algorithm)
    if fits and isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey)):
        return key
    raise ProtocolViolation(ProblemCode.UNSUPPORTED_ALG, "key does not fit alg", rule=6)


def _is_on_curve(key: ec.EllipticCurvePublicKey, algorithm: SignatureAlgorithm) -> bool:
    return algorithm in _CURVES and isinstance(key.curve, _CURVES[algorithm][0])


def _verifies(
    key: rsa.RSAPublicKey | ec.EllipticCurvePublicKey,
    algorithm: SignatureAlgorithm,
    signature: bytes,
    octets: bytes,
) -> bool:
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, octets, _PADDINGS[algorithm], hashes.SHA256())
        else:
            _curve, size, digest = _CURVES[algorithm]
            key.verify(es256.der_from_raw(signature, size), octets, ec.ECDSA(digest))
    except (InvalidSignature, Malformed):
        return False
    return True


def _refuse(rule: int, detail: str) -> NoReturn:
    raise ProtocolViolation(ProblemCode.INVALID_SIGNATURE, detail, rule=rule) from None
