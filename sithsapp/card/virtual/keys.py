# SPDX-License-Identifier: EUPL-1.2
"""Key pairs for virtual cards and their CA. Nothing is shipped: every key is made when it is needed."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class KeyKind(Enum):
    """The kinds of keys that a 940 can hold."""

    RSA_2048 = "RSA-2048"
    RSA_3072 = "RSA-3072"
    RSA_4096 = "RSA-4096"
    P_256 = "P-256"
    P_384 = "P-384"
    P_521 = "P-521"


KeyMaker = Callable[[KeyKind], PrivateKey]
"""Gives a key pair; tests pass one that draws from a pool."""

_CURVES: dict[KeyKind, Callable[[], ec.EllipticCurve]] = {
    KeyKind.P_256: ec.SECP256R1,
    KeyKind.P_384: ec.SECP384R1,
    KeyKind.P_521: ec.SECP521R1,
}


def generate_key(kind: KeyKind) -> PrivateKey:
    """Make a new key pair; an RSA key takes from a tenth of a second to some seconds."""
    if kind in _CURVES:
        return ec.generate_private_key(_CURVES[kind]())
    return rsa.generate_private_key(public_exponent=65537, key_size=int(kind.value[4:]))


def key_to_bytes(key: PrivateKey) -> bytes:
    """Return the key as PKCS#8 DER, not encrypted."""
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def key_from_bytes(pkcs8: bytes) -> PrivateKey:
    """Read a PKCS#8 DER key; raises `ValueError` if it is damaged or neither RSA nor EC."""
    key = load_der_private_key(pkcs8, None)
    if not isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        raise ValueError("neither RSA nor EC")
    return key
