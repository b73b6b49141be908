# SPDX-License-Identifier: EUPL-1.2
"""Client assertions, `private_key_jwt` (RFC 7523): how a relying party proves who it is at the token endpoint.

One module makes and checks them, so that the relying party's library and the service agree.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta, Struct

from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import Malformed, jcs, parse_json
from sithsapp.oob.protocol.jwk import EcJwk

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LIFE: Final = 60
"""Seconds for which an assertion made here is valid."""

MAX_LIFE: Final = 300
CLOCK_TOLERANCE: Final = 60
"""Seconds by which two servers' clocks may differ."""

_MAX_LENGTH: Final = 4096


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    alg: Literal["ES256"]
    kid: str | None = None
    typ: str | None = None


class Claims(Struct, frozen=True, kw_only=True):
    """The claims that count. Times are Unix seconds."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: Annotated[str, Meta(min_length=8, max_length=128)]


def make_assertion(client_id: str, audience: str, key: ec.EllipticCurvePrivateKey, now: int) -> str:
    """Sign a fresh assertion for `audience`, the token endpoint's URL."""
    claims = Claims(
        iss=client_id, sub=client_id, aud=audience, iat=now, exp=now + LIFE, jti=secrets.token_urlsafe(16)
    )
    return es256.sign(jcs({"alg": "ES256", "typ": "JWT"}), jcs(msgspec.to_builtins(claims)), key)


def claimed_client(assertion: str) -> str:
    """Return the client that the assertion says it is from, unverified: only to find whose keys to try.

    Raises `Malformed`.
    """
    return _claims(es256.split(assertion, max_length=_MAX_LENGTH)).sub


def check_assertion(assertion: str, client_id: str, audience: str, keys: Sequence[EcJwk], now: float) -> Claims:
    """Return the claims of an assertion that one of the client's `keys` signed for `audience`; raises `Malformed`."""
    jws = es256.split(assertion, max_length=_MAX_LENGTH)
    try:
        msgspec.convert(parse_json(jws.header), _Header)
    except msgspec.ValidationError:
        raise Malformed("assertion header is not the expected one") from None
    if not any(es256.verify(jws, key.public_key()) for key in keys):
        raise Malformed("assertion signature does not verify")
    claims = _claims(jws)
    if claims.iss != client_id or claims.sub != client_id or claims.aud != audience:
        raise Malformed("assertion is for another client or audience")
    issued_in_time = claims.iat - CLOCK_TOLERANCE <= now <= claims.exp + CLOCK_TOLERANCE
    if not issued_in_time or claims.exp - claims.iat > MAX_LIFE:
        raise Malformed("assertion is not valid at this time")
    return claims


def _claims(jws: es256.CompactJws) -> Claims:
    try:
        return msgspec.convert(parse_json(jws.payload), Claims)
    except msgspec.ValidationError:
        raise Malformed("assertion claims are not the expected ones") from None
