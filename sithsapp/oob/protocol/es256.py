# SPDX-License-Identifier: EUPL-1.2
"""Compact JWS with ES256 (RFC 7515, RFC 7518 section 3.4), for the software keys of services and apps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from sithsapp.oob.protocol.encoding import Malformed, b64u, b64u_decode
from sithsapp.oob.protocol.jwk import COORDINATE

MAX_HEADER: Final = 1024
"""Longest protected header and longest signature, in octets after decoding (section B8 rule 1)."""


@dataclass(frozen=True, slots=True, repr=False)
class CompactJws:
    """The decoded parts of a compact JWS, not verified. `signing_input` is the ASCII text that was signed."""

    header: bytes
    payload: bytes
    signature: bytes
    signing_input: bytes


def split(compact: str, *, max_length: int) -> CompactJws:
    """Take a compact JWS apart into its three parts. Raises `Malformed`."""
    if len(compact) > max_length or not compact.isascii():
        raise Malformed("JWS is too long or not ASCII")
    parts = compact.split(".")
    if len(parts) != 3:
        raise Malformed("JWS has not three parts")
    header, payload, signature = (b64u_decode(part) for part in parts)
    if len(header) > MAX_HEADER or len(signature) > MAX_HEADER:
        raise Malformed("JWS header or signature is too long")
    return CompactJws(header, payload, signature, compact.rpartition(".")[0].encode("ascii"))


def sign(header: bytes, payload: bytes, key: ec.EllipticCurvePrivateKey) -> str:
    """Sign with a P-256 key, deterministically (RFC 6979), and return the compact JWS."""
    signing_input = f"{b64u(header)}.{b64u(payload)}"
    der = key.sign(signing_input.encode("ascii"), ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
    return f"{signing_input}.{b64u(raw_from_der(der, COORDINATE))}"


def verify(jws: CompactJws, key: ec.EllipticCurvePublicKey) -> bool:
    """Tell whether the ES256 signature is the key's own over the signing input."""
    try:
        key.verify(der_from_raw(jws.signature, COORDINATE), jws.signing_input, ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, Malformed):
        return False
    return True


def raw_from_der(signature: bytes, size: int) -> bytes:
    """Turn a DER ECDSA signature into r || s of `size` octets each."""
    r, s = utils.decode_dss_signature(signature)
    return r.to_bytes(size) + s.to_bytes(size)


def der_from_raw(signature: bytes, size: int) -> bytes:
    """Turn r || s of exactly `size` octets each into DER. Raises `Malformed` for another length."""
    if len(signature) != 2 * size:
        raise Malformed("signature has the wrong length")
    return utils.encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
