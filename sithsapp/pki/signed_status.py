# SPDX-License-Identifier: EUPL-1.2
"""Signatures and freshness of revocation answers, the same for OCSP and CRL. For servers."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from sithsapp.pki.rejection import StatusUnusable

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far in the future an answer may have been made (protocol section B8 rule 10)."""

STRONG_HASHES: Final = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

MALFORMED: Final = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What `cryptography` raises for input that it cannot read; some of it is no ValueError."""

_RSA_PKCS1: Final = frozenset(f"1.2.840.113549.1.1.{number}" for number in (11, 12, 13))


def verify_signature(
    signer: x509.Certificate,
    signature: bytes,
    signed: bytes,
    digest: hashes.HashAlgorithm | None,
    algorithm: x509.ObjectIdentifier,
) -> None:
    """Verify an RSA PKCS#1 v1.5 or ECDSA signature with SHA-2. Raises `StatusUnusable`."""
    if not isinstance(digest, STRONG_HASHES):
        raise StatusUnusable("weak or unknown hash")
    key = signer.public_key()
    try:
        if isinstance(key, rsa.RSAPublicKey) and algorithm.dotted_string in _RSA_PKCS1:
            key.verify(signature, signed, padding.PKCS1v15(), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(digest))
        else:
            raise StatusUnusable("signature algorithm is not allowed")
    except (InvalidSignature, UnsupportedAlgorithm):
        raise StatusUnusable("signature does not verify") from None


def check_freshness(this_update: datetime, next_update: datetime | None, at: datetime) -> datetime:
    """Return until when the answer is good; raises `StatusUnusable` if it is not good at `at`."""
    if next_update is None:
        raise StatusUnusable("answer does not say how long it is good")
    if this_update > at + CLOCK_SKEW:
        raise StatusUnusable("answer is from the future")
    if at > next_update:
        raise StatusUnusable("answer is too old")
    return next_update
