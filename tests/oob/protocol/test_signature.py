# SPDX-License-Identifier: EUPL-1.2
"""What the card signs (protocol section B8), with vectors TV4 and TV5 and two other JOSE libraries."""

from __future__ import annotations

import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws as joserfc_jws
from joserfc.jwk import ECKey, RSAKey
from jwcrypto import jwk as jwcrypto_jwk  # type: ignore[import-untyped]  # has no types
from jwcrypto import jws as jwcrypto_jws

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, b64u, sha256
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.secret import Secret
from sithsapp.oob.protocol.signature import (
    SignatureAlgorithm,
    SigningInput,
    ToBeSigned,
    challenge_of,
    choose_algorithm,
    new_verifier,
    signing_input,
)
from tests.oob.protocol.vectors import (
    APP,
    JKT,
    SERVICE_JWK,
    SERVICE_KEY,
    TV3_ORDER_S256,
    TV4_CERTIFICATE,
    TV4_DIGEST,
    TV4_JWS,
    TV4_TBS,
    TV4_X5T,
    TV5_CHALLENGE,
    card_signature,
    key,
)

TV4_TO_SIGN = SigningInput(
    OrderType.AUTH,
    SignatureAlgorithm.ES256,
    sha256(TV4_CERTIFICATE),
    ToBeSigned(APP, TV5_CHALLENGE, Flow.SAME, JKT, TV3_ORDER_S256),
)


def test_vector_tv5() -> None:
    assert challenge_of(Secret(b64u(b"\x03" * 32))) == TV5_CHALLENGE


def test_verifiers_are_new_each_time() -> None:
    verifier = new_verifier()
    assert len(verifier.reveal()) == 43
    assert verifier != new_verifier()
    assert repr(verifier) == "***"


def test_vector_tv4() -> None:
    assert b64u(TV4_TO_SIGN.leaf) == TV4_X5T
    assert TV4_TO_SIGN.tbs.octets == TV4_TBS.encode()
    assert hashlib.sha256(TV4_TBS.encode()).hexdigest() == TV4_DIGEST
    signature = card_signature(SERVICE_KEY, SignatureAlgorithm.ES256, TV4_TO_SIGN.octets)
    assert TV4_TO_SIGN.detached_jws(signature) == TV4_JWS


def _attached(to_sign: SigningInput, algorithm: SignatureAlgorithm) -> tuple[str, str]:
    """Return detached and attached form, signed with the algorithm's key."""
    jws = to_sign.detached_jws(card_signature(key(algorithm), algorithm, to_sign.octets))
    return jws, jws.replace("..", f".{b64u(to_sign.tbs.octets)}.")


@pytest.mark.parametrize("algorithm", SignatureAlgorithm)
def test_other_libraries_verify_each_algorithm(algorithm: SignatureAlgorithm) -> None:
    to_sign = SigningInput(OrderType.SIGN, algorithm, bytes(32), TV4_TO_SIGN.tbs)
    _, attached = _attached(to_sign, algorithm)
    public = jwcrypto_jwk.JWK.from_pyca(key(algorithm).public_key()).export_public(as_dict=True)
    token = jwcrypto_jws.JWS()
    token.allowed_algs = [algorithm.value]
    token.deserialize(attached, jwcrypto_jwk.JWK(**public))
    kind = RSAKey if public["kty"] == "RSA" else ECKey
    found = joserfc_jws.deserialize_compact(attached, kind.import_key(public), algorithms=[algorithm.value])
    assert token.payload == found.payload == TV4_TBS.encode()


def test_joserfc_verifies_the_detached_form() -> None:
    public = ECKey.import_key(msgspec.to_builtins(SERVICE_JWK))
    found = joserfc_jws.deserialize_compact(TV4_JWS, public, algorithms=["ES256"], payload=TV4_TBS.encode())
    assert found.headers()["typ"] == "oob-auth+jws"


@pytest.mark.parametrize(
    ("key_type", "bits", "offered", "chosen"),
    [
        ("RSA", 2048, ["RS256", "PS256"], "PS256"),
        ("RSA", 4096, ["RS256"], "RS256"),
        ("P-256", 256, ["ES256", "ES384"], "ES256"),
        ("P-384", 384, ["ES384"], "ES384"),
        ("RSA", 1024, ["RS256"], None),
        ("RSA", 8192, ["RS256"], None),
        ("RSA", 2048, ["RS512"], None),
        ("P-256", 256, ["ES384"], None),
        ("P-521", 521, ["ES512", "ES256"], None),
        ("Ed25519", 256, ["EdDSA"], None),
    ],
)
def test_the_algorithm_follows_the_key(key_type: str, bits: int, offered: list[str], chosen: str | None) -> None:
    if chosen is not None:
        assert choose_algorithm(key_type, bits, offered).value == chosen
        return
    with pytest.raises(SithsError) as caught:
        choose_algorithm(key_type, bits, offered)
    assert caught.value.failure is Failure.ALGORITHM_NOT_SUPPORTED


TLS_13_CONTEXT = b" " * 64 + b"TLS 1.3, client CertificateVerify\0"
DIGEST_INFO_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


@given(
    certificate=st.binary(max_size=200) | st.just(TLS_13_CONTEXT),
    order_jws=st.text(max_size=200) | st.just(TLS_13_CONTEXT.decode()),
    app=st.from_regex(r"[a-z0-9.-]{1,32}/[0-9.]{1,16}", fullmatch=True),
    challenge=st.binary(min_size=32, max_size=32),
    algorithm=st.sampled_from(SignatureAlgorithm),
    order_type=st.sampled_from(OrderType),
    flow=st.sampled_from(Flow),
)
def test_whatever_others_choose_the_card_signs_a_jws(
    certificate: bytes,
    order_jws: str,
    app: str,
    challenge: bytes,
    algorithm: SignatureAlgorithm,
    order_type: OrderType,
    flow: Flow,
) -> None:
    octets = signing_input(
        certificate=certificate,
        algorithm=algorithm,
        order_type=order_type,
        order_jws=order_jws,
        flow=flow,
        jkt=JKT,
        challenge=b64u(challenge),
        app=app,
    ).octets
    assert octets.startswith(b"eyJ")
    assert octets.isascii()
    assert octets.count(b".") == 1
    assert set(octets) <= set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")
    # TLS 1.3 signs 64 spaces and a context, TLS 1.2 a transcript that begins with a ClientHello, others a digest.
    assert not octets.startswith((TLS_13_CONTEXT[:1], b"\x01", DIGEST_INFO_SHA256[:1]))
    assert len(octets) not in (20, 32, 36, 48, 64)


@pytest.mark.parametrize(
    "change",
    [
        {"app": "SITHS/1"},
        {"app": "a/1\n"},
        {"app": 'a"/1'},
        {"app": "a" * 33 + "/1"},
        {"app": ""},
        {"challenge": "A" * 42},
        {"challenge": "A" * 42 + "B"},
        {"challenge": TLS_13_CONTEXT.decode()},
        {"jkt": ""},
        {"order_s256": "x"},
    ],
)
def test_members_out_of_form_are_refused(change: dict[str, str]) -> None:
    members = {"app": APP, "challenge": TV5_CHALLENGE, "jkt": JKT, "order_s256": TV3_ORDER_S256} | change
    with pytest.raises(Malformed):
        ToBeSigned(flow=Flow.SAME, **members)


def test_the_leaf_is_a_digest() -> None:
    with pytest.raises(Malformed):
        SigningInput(OrderType.AUTH, SignatureAlgorithm.ES256, b"x", TV4_TO_SIGN.tbs)
