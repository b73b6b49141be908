# SPDX-License-Identifier: EUPL-1.2
"""The public key in a certificate, as numbers, for the TLS library. No cryptographic library is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.pki import der
from sithsapp.pki.certificate import read_certificate

_CURVE_NAMES: Final = {"P-256": "prime256v1", "P-384": "secp384r1"}


@dataclass(frozen=True, slots=True)
class RsaPublicKey:
    """Modulus and exponent."""

    modulus: int
    exponent: int
    bits: int


@dataclass(frozen=True, slots=True)
class EcPublicKey:
    """The TLS library's name of the curve, and the uncompressed point."""

    curve: str
    point: bytes
    bits: int


PublicKey = RsaPublicKey | EcPublicKey


def public_key_of(certificate: bytes) -> PublicKey:
    """Return the public key of a DER certificate.

    Raises `SithsError`: CARD_DATA_INVALID for a damaged certificate, ALGORITHM_NOT_SUPPORTED for a curve other than
    P-256 and P-384.
    """
    info = read_certificate(certificate).key
    try:
        key = _key_octets(certificate)
        if info.algorithm == "RSA":
            return _rsa(der.Reader(key).enter(der.SEQUENCE), info.bits)
    except der.DerError as error:
        raise SithsError(Failure.CARD_DATA_INVALID, f"certificate: {error}") from None
    if info.algorithm not in _CURVE_NAMES:
        raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, f"{info.algorithm} in TLS")
    return EcPublicKey(_CURVE_NAMES[info.algorithm], key, info.bits)


def _key_octets(certificate: bytes) -> bytes:
    """Walk RFC 5280 section 4.1 down to subjectPublicKey; the whole has been checked by `read_certificate`."""
    body = der.Reader(certificate).enter(der.SEQUENCE).enter(der.SEQUENCE)
    for _version_to_subject in range(6):
        body.any()
    info = body.enter(der.SEQUENCE)
    info.any()
    return der.whole_octets(info.read(der.BIT_STRING))


def _rsa(numbers: der.Reader, bits: int) -> RsaPublicKey:
    modulus = der.integer(numbers.read(der.INTEGER), max_octets=2049)
    return RsaPublicKey(modulus, der.integer(numbers.read(der.INTEGER), max_octets=9), bits)
