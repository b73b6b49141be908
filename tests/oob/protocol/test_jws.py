# SPDX-License-Identifier: EUPL-1.2
"""The service's signature over orders (protocol section B7), with vector TV3 and two other JOSE libraries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey
from jwcrypto import jwk as jwcrypto_jwk  # type: ignore[import-untyped]  # has no types
from jwcrypto import jws as jwcrypto_jws

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import MAX_BODY, Malformed, b64u, b64u_decode, jcs, parse_json, sha256_b64u
from sithsapp.oob.protocol.jwk import EcJwk, jwk_of
from sithsapp.oob.protocol.jws import sign_order, verify_order
from tests.oob.protocol.vectors import (
    JKT,
    SERVICE_JWK,
    SERVICE_KEY,
    TV3_DIGEST,
    TV3_ORDER_S256,
    TV3_PAYLOAD,
    TV3_SIGNATURE,
    tv3_order,
)

ORDER_JWS = sign_order(tv3_order(), SERVICE_KEY, "svc-1")
HEADER = {"alg": "ES256", "kid": "svc-1", "typ": "oob-order+jws"}
STRANGER = ec.derive_private_key(5, ec.SECP256R1())


def _jwk_json() -> str:
    return json.dumps(_jwk())


def _jwk() -> dict[str, str | list[str]]:
    return dict(msgspec.to_builtins(SERVICE_JWK))


def test_vector_tv3() -> None:
    header, payload, signature = ORDER_JWS.split(".")
    assert b64u_decode(header) == b'{"alg":"ES256","kid":"svc-1","typ":"oob-order+jws"}'
    assert b64u_decode(payload) == TV3_PAYLOAD.encode()
    assert len(TV3_PAYLOAD) == 511
    assert hashlib.sha256(TV3_PAYLOAD.encode()).hexdigest() == TV3_DIGEST
    assert signature == TV3_SIGNATURE
    assert sha256_b64u(ORDER_JWS) == TV3_ORDER_S256


def test_our_own_verification() -> None:
    assert verify_order(ORDER_JWS, [SERVICE_JWK]) == tv3_order()


def test_joserfc_verifies_it() -> None:
    found = joserfc_jws.deserialize_compact(ORDER_JWS, ECKey.import_key(_jwk()), algorithms=["ES256"])
    assert found.payload == TV3_PAYLOAD.encode()


def test_jwcrypto_verifies_it() -> None:
    token = jwcrypto_jws.JWS()
    token.deserialize(ORDER_JWS, jwcrypto_jwk.JWK.from_json(_jwk_json()))
    assert token.payload == TV3_PAYLOAD.encode()


def test_the_thumbprint_is_rfc_7638s() -> None:
    assert SERVICE_JWK.thumbprint == JKT
    assert jwcrypto_jwk.JWK.from_json(_jwk_json()).thumbprint() == JKT


def test_rotation_takes_the_key_with_the_kid() -> None:
    other = jwk_of(STRANGER.public_key(), "svc-2")
    assert verify_order(ORDER_JWS, [other, SERVICE_JWK]).order == "ord_01"
    assert verify_order(sign_order(tv3_order(), STRANGER, "svc-2"), [other, SERVICE_JWK]).order == "ord_01"


def _signed(header: object, payload: bytes = TV3_PAYLOAD.encode()) -> str:
    return es256.sign(jcs(header), payload, SERVICE_KEY)


def _other_curve() -> str:
    header, payload, _ = ORDER_JWS.split(".")
    return f"{header}.{payload}.{b64u(bytes(96))}"


UNTRUSTED: dict[str, Callable[[], str]] = {
    "key of another service": lambda: sign_order(tv3_order(), STRANGER, "svc-1"),
    "unknown kid": lambda: sign_order(tv3_order(), SERVICE_KEY, "svc-9"),
    "alg none": lambda: _signed(HEADER | {"alg": "none"}),
    "alg HS256": lambda: _signed(HEADER | {"alg": "HS256"}),
    "typ of a user's signature": lambda: _signed(HEADER | {"typ": "oob-auth+jws"}),
    "extra member": lambda: _signed(HEADER | {"jku": "https://evil.example"}),
    "crit": lambda: _signed(HEADER | {"crit": ["b64"], "b64": False}),
    "no kid": lambda: _signed({"alg": "ES256", "typ": "oob-order+jws"}),
    "kid is a number": lambda: _signed(HEADER | {"kid": 1}),
    "header is a list": lambda: _signed(["ES256"]),
    "header twice a member": lambda: es256.sign(
        b'{"alg":"ES256","alg":"ES256","kid":"svc-1","typ":"oob-order+jws"}', TV3_PAYLOAD.encode(), SERVICE_KEY
    ),
    "altered payload": lambda: ORDER_JWS.replace(ORDER_JWS.split(".")[1], b64u(TV3_PAYLOAD.encode() + b" ")),
    "padded payload": lambda: ORDER_JWS.replace(".A1gh", "=.A1gh"),
    "two parts": lambda: ORDER_JWS.rpartition(".")[0],
    "four parts": lambda: f"{ORDER_JWS}.x",
    "signature empty": lambda: ORDER_JWS.rpartition(".")[0] + ".",
    "signature in DER": lambda: (
        ORDER_JWS.rpartition(".")[0] + "." + b64u(es256.der_from_raw(b64u_decode(TV3_SIGNATURE), 32))
    ),
    "signature too long": lambda: ORDER_JWS + "AAAA",
    "signature of another curve": _other_curve,
    "signature of zeroes": lambda: ORDER_JWS.rpartition(".")[0] + "." + b64u(bytes(64)),
    "not ASCII": lambda: ORDER_JWS + "å",
    "too long": lambda: "a" * (MAX_BODY + 1),
    "empty": lambda: "",
}


@pytest.mark.parametrize("name", UNTRUSTED)
def test_what_no_pinned_key_signed_is_not_trusted(name: str) -> None:
    with pytest.raises(SithsError) as caught:
        verify_order(UNTRUSTED[name](), [SERVICE_JWK])
    assert caught.value.failure is Failure.ORDER_SIGNATURE_INVALID


def test_no_pinned_keys_trust_nothing() -> None:
    with pytest.raises(SithsError):
        verify_order(ORDER_JWS, [])
    with pytest.raises(SithsError):
        verify_order(ORDER_JWS, [msgspec.structs.replace(SERVICE_JWK, kid=None)])


@pytest.mark.parametrize(
    "payload", [b"{}", b"[]", b"x", TV3_PAYLOAD.encode().replace(b'"v":1', b'"v":1,"v":1'), b"[" * 10_000]
)
def test_what_is_signed_but_no_order_is_refused(payload: bytes) -> None:
    with pytest.raises(SithsError) as caught:
        verify_order(_signed(HEADER, payload), [SERVICE_JWK])
    assert caught.value.failure is Failure.ORDER_REFUSED


@given(st.text("eyJ.AQ-_=", max_size=60) | st.text(max_size=60))
def test_nothing_but_catalogued_failures_escape(compact: str) -> None:
    with pytest.raises(SithsError):
        verify_order(compact, [SERVICE_JWK])


@given(st.integers(0, len(ORDER_JWS) - 1), st.sampled_from("ABCxyz019-_."))
def test_one_changed_sign_breaks_trust(position: int, sign: str) -> None:
    changed = ORDER_JWS[:position] + sign + ORDER_JWS[position + 1 :]
    if changed != ORDER_JWS:
        with pytest.raises(SithsError):
            verify_order(changed, [SERVICE_JWK])


@pytest.mark.parametrize(
    "change",
    [
        {"x": "A" * 43},
        {"x": "A" * 42},
        {"y": SERVICE_JWK.x},
        {"x": SERVICE_JWK.x + "="},
    ],
)
def test_a_key_that_is_no_point_is_refused(change: dict[str, str]) -> None:
    bad = msgspec.structs.replace(SERVICE_JWK, **change)
    with pytest.raises(Malformed):
        bad.public_key()
    with pytest.raises(SithsError):
        verify_order(ORDER_JWS, [bad])


@pytest.mark.parametrize("member", ['"d":"AA"', '"crv":"P-384"', '"kty":"RSA"', '"n":"AA"'])
def test_a_jwk_has_no_other_members(member: str) -> None:
    text = _jwk_json().replace('"kty": "EC"', member if "kty" in member else f'"kty":"EC",{member}')
    with pytest.raises((Malformed, msgspec.ValidationError)):
        msgspec.convert(parse_json(text.encode()), EcJwk)


def test_only_p256_keys_have_a_jwk() -> None:
    with pytest.raises(Malformed):
        jwk_of(ec.derive_private_key(5, ec.SECP384R1()).public_key())
