# SPDX-License-Identifier: EUPL-1.2
"""The service's signature over the order document (protocol section B7).

Keys are pinned as JWKs. The alternative of section B1, a pinned CA with `x5c` in the header, is not offered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NoReturn

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import MAX_BODY, Malformed, equal, jcs, parse_json
from sithsapp.oob.protocol.jwk import EcJwk, jwk_of
from sithsapp.oob.protocol.order import Order

ORDER_TYPE: Final = "oob-order+jws"

__all__ = ["ORDER_TYPE", "EcJwk", "jwk_of", "sign_order", "verify_order"]


def sign_order(order: Order, key: ec.EllipticCurvePrivateKey, kid: str) -> str:
    """Sign the canonical form of `order` with the service's P-256 key and return the compact JWS."""
    header = jcs({"alg": "ES256", "kid": kid, "typ": ORDER_TYPE})
    return es256.sign(header, jcs(msgspec.to_builtins(order)), key)


def verify_order(compact: str, keys: Sequence[EcJwk]) -> Order:
    """Verify an order JWS with the pinned keys and return the order that it carries.

    Says nothing of the order's sense: see `checks.check_order`. Raises `SithsError`: `ORDER_SIGNATURE_INVALID` when
    the signature is not a pinned key's, `ORDER_REFUSED` when what a pinned key signed is not an order.
    """
    try:
        jws = es256.split(compact, max_length=MAX_BODY)
        key = _pinned_key(parse_json(jws.header), keys)
        valid = es256.verify(jws, key.public_key())
    except Malformed as error:
        _distrust(str(error))
    if not valid:
        _distrust("signature does not verify")
    try:
        return msgspec.convert(parse_json(jws.payload), Order)
    except (Malformed, msgspec.ValidationError):
        raise SithsError(Failure.ORDER_REFUSED, "order does not fit the schema") from None


def _pinned_key(header: object, keys: Sequence[EcJwk]) -> EcJwk:
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str) or header != {"alg": "ES256", "kid": kid, "typ": ORDER_TYPE}:
        _distrust("header has other members or values than agreed")
    for key in keys:
        if key.kid is not None and equal(key.kid, kid):
            return key
    _distrust("no pinned key has that kid")


def _distrust(detail: str) -> NoReturn:
    raise SithsError(Failure.ORDER_SIGNATURE_INVALID, detail) from None
