# SPDX-License-Identifier: EUPL-1.2
"""Public P-256 keys as JWK (RFC 7517, RFC 7518 section 6.2) and their thumbprints (RFC 7638)."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta, Struct

from sithsapp.oob.protocol.encoding import Malformed, b64u, b64u_decode, jcs, sha256_b64u

COORDINATE: Final = 32
"""Octets of a P-256 coordinate, and of each half of an ES256 signature."""


class EcJwk(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A public P-256 key. A private member (`d`) is refused as unknown."""

    kty: Literal["EC"]
    crv: Literal["P-256"]
    x: Annotated[str, Meta(max_length=43)]
    y: Annotated[str, Meta(max_length=43)]
    kid: Annotated[str, Meta(max_length=64)] | None = None
    use: Literal["sig"] | None = None
    alg: Literal["ES256"] | None = None

    @property
    def thumbprint(self) -> str:
        """The RFC 7638 thumbprint, 43 characters of base64url."""
        return sha256_b64u(jcs({"crv": self.crv, "kty": self.kty, "x": self.x, "y": self.y}))

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """Return the key; raises `Malformed` when the point is not on the curve."""
        x = int.from_bytes(b64u_decode(self.x, length=COORDINATE))
        y = int.from_bytes(b64u_decode(self.y, length=COORDINATE))
        try:
            return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
        except ValueError:
            raise Malformed("not a point of P-256") from None


def jwk_of(key: ec.EllipticCurvePublicKey, kid: str | None = None) -> EcJwk:
    """Return the JWK of a P-256 public key; raises `Malformed` for another curve."""
    if not isinstance(key.curve, ec.SECP256R1):
        raise Malformed("not a P-256 key")
    numbers = key.public_numbers()
    x, y = (b64u(number.to_bytes(COORDINATE)) for number in (numbers.x, numbers.y))
    return EcJwk(kty="EC", crv="P-256", x=x, y=y, kid=kid)
