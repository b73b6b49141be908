# SPDX-License-Identifier: EUPL-1.2
"""A certificate with those of its issuers that lie beside it: each has signed the one before. Nothing is trusted."""

from __future__ import annotations

from collections.abc import Sequence

from cryptography import x509
from cryptography.exceptions import InvalidSignature

_MAX_LENGTH = 8


def chain(leaf: bytes, others: Sequence[bytes]) -> tuple[list[bytes], bool]:
    """Return `leaf` and its issuers among `others` (all DER), and whether the last one is its own issuer."""
    found = [leaf]
    while len(found) < _MAX_LENGTH:
        if _issued(found[-1], found[-1]):
            return found, True
        issuer = next((other for other in others if other not in found and _issued(other, found[-1])), None)
        if issuer is None:
            break
        found.append(issuer)
    return found, False


def _issued(issuer: bytes, certificate: bytes) -> bool:
    try:
        x509.load_der_x509_certificate(certificate).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True
