# SPDX-License-Identifier: EUPL-1.2
"""DPoP proofs (RFC 9449): every call of the app is bound to a key made for one order (protocol section B6).

The server's nonce makes the app's clock irrelevant, so `iat` is read and not compared. Remembering `jti` is the
service's.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final, NoReturn

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Meta, Struct

from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import Malformed, b64u, equal, jcs, parse_json
from sithsapp.oob.protocol.jwk import EcJwk, jwk_of
from sithsapp.oob.protocol.order import whole
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation

PROOF_TYPE: Final = "dpop+jwt"
MAX_PROOF: Final = 2048
"""Longest proof, in characters."""


class _Header(Struct, frozen=True, forbid_unknown_fields=True):
    typ: Annotated[str, Meta(max_length=16)]
    alg: Annotated[str, Meta(max_length=16)]
    jwk: EcJwk


class _Claims(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    htm: Annotated[str, Meta(max_length=16)]
    htu: Annotated[str, Meta(max_length=512)]
    iat: Annotated[int, Meta(ge=0)]
    jti: Annotated[str, whole(r"[A-Za-z0-9_-]{16,64}")]
    nonce: Annotated[str, Meta(max_length=128)] | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that verified: the thumbprint of the app's key, the proof's id, the time on the app's clock."""

    jkt: str
    jti: str
    iat: int


class DpopKey:
    """The app's key for one order. It lives in memory only and has no serialised form."""

    __slots__ = ("_jwk", "_key")

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._jwk = jwk_of(self._key.public_key())

    @property
    def jkt(self) -> str:
        """The thumbprint of the public key."""
        return self._jwk.thumbprint

    def proof(self, method: str, url: str, *, nonce: str | None = None) -> str:
        """Make the `DPoP` header for one call. `url` is the whole address, `nonce` the server's last one."""
        header = _Header(typ=PROOF_TYPE, alg="ES256", jwk=self._jwk)
        jti = b64u(secrets.token_bytes(16))
        claims = _Claims(htm=method, htu=target(url), iat=int(time.time()), jti=jti, nonce=nonce)
        return es256.sign(jcs(msgspec.to_builtins(header)), jcs(msgspec.to_builtins(claims)), self._key)


def target(url: str) -> str:
    """Return the `htu` of a call: its address without query and fragment."""
    return url.partition("#")[0].partition("?")[0]


def verify_proof(proof: str, *, method: str, url: str, nonces: Collection[str]) -> Proof:
    """Verify the `DPoP` header of a call to `url`.

    `nonces` are the server nonces that are good now. Raises `ProtocolViolation` with `INVALID_DPOP`.
    """
    try:
        jws = es256.split(proof, max_length=MAX_PROOF)
        header = msgspec.convert(parse_json(jws.header), _Header)
        claims = msgspec.convert(parse_json(jws.payload), _Claims)
        valid = es256.verify(jws, header.jwk.public_key())
    except (Malformed, msgspec.ValidationError):
        _refuse("proof is malformed")
    if header.typ != PROOF_TYPE or header.alg != "ES256":
        _refuse("typ or alg")
    if not valid:
        _refuse("signature does not verify")
    if claims.htm != method or claims.htu != target(url):
        _refuse("proof is for another call")
    if claims.nonce is None or not any([equal(claims.nonce, nonce) for nonce in nonces]):
        _refuse("nonce is missing or old")
    return Proof(header.jwk.thumbprint, claims.jti, claims.iat)


def _refuse(detail: str) -> NoReturn:
    raise ProtocolViolation(ProblemCode.INVALID_DPOP, detail) from None
