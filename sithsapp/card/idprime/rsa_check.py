# SPDX-License-Identifier: EUPL-1.2
"""Check an RSA signature against the certificate that it belongs to (RFC 8017 sections 8.1.2 and 8.2.2).

It tells a stale certificate, a disturbed card and a security environment that another program changed from a good
signature. Only public values are handled, so plain integers do; the cryptographic library stays unloaded.
"""

from __future__ import annotations

from sithsapp.card.model import SignatureScheme
from sithsapp.pki import der

_DIGEST_INFO = {
    "sha256": bytes.fromhex("3031300D060960864801650304020105000420"),
    "sha384": bytes.fromhex("3041300D060960864801650304020205000430"),
    "sha512": bytes.fromhex("3051300D060960864801650304020305000440"),
}
_MAX_MODULUS = 513


def rsa_public_key(certificate: bytes) -> tuple[int, int]:
    """Return modulus and exponent of a certificate in DER; raises `der.DerError` for other keys."""
    outer = der.Reader(certificate).enter(der.SEQUENCE)
    body = outer.enter(der.SEQUENCE)
    body.optional(der.context(0, constructed=True))
    body.read(der.INTEGER)
    for _ in range(4):
        body.read(der.SEQUENCE)
    info = body.enter(der.SEQUENCE)
    info.read(der.SEQUENCE)
    key = der.Reader(der.whole_octets(info.read(der.BIT_STRING))).enter(der.SEQUENCE)
    modulus = der.integer(key.read(der.INTEGER), max_octets=_MAX_MODULUS)
    return modulus, der.integer(key.read(der.INTEGER), max_octets=8)


def fits(certificate: bytes, scheme: SignatureScheme, digest: bytes, signature: bytes) -> bool:
    """Tell whether `signature` over `digest` was made with the certificate's RSA key and that scheme."""
    modulus, exponent = rsa_public_key(certificate)
    number = int.from_bytes(signature, "big")
    if number >= modulus or exponent < 3:
        return False
    size = (modulus.bit_length() + 7) // 8
    encoded = pow(number, exponent, modulus).to_bytes(size, "big")
    if scheme.value.startswith("PS"):
        return _fits_pss(encoded, modulus.bit_length() - 1, scheme.hash_name, digest)
    info = _DIGEST_INFO[scheme.hash_name] + digest
    return encoded == b"\x00\x01" + b"\xff" * (size - 3 - len(info)) + b"\x00" + info


def _fits_pss(encoded: bytes, bits: int, name: str, digest: bytes) -> bool:
    """EMSA-PSS-VERIFY (RFC 8017 section 9.1.2) with a salt as long as the hash."""
    size = len(digest)
    encoded = encoded[-((bits + 7) // 8) :]
    masked, tag, trailer = encoded[: -size - 1], encoded[-size - 1 : -1], encoded[-1]
    mask = _mgf1(tag, len(masked), name)
    block = bytearray(left ^ right for left, right in zip(masked, mask, strict=True))
    block[0] &= 0xFF >> (8 * len(encoded) - bits)
    padding = len(block) - size - 1
    if trailer != 0xBC or padding < 0 or any(block[:padding]) or block[padding] != 1:
        return False
    import hashlib  # at the first signature: it loads OpenSSL

    return hashlib.new(name, bytes(8) + digest + block[padding + 1 :]).digest() == tag


def _mgf1(seed: bytes, length: int, name: str) -> bytes:
    import hashlib

    blocks = (hashlib.new(name, seed + counter.to_bytes(4, "big")).digest() for counter in range(length // 32 + 1))
    return b"".join(blocks)[:length]
