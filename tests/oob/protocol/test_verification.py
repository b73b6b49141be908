# SPDX-License-Identifier: EUPL-1.2
"""The verifier's rules 1, 2 and 5 to 7 of protocol section B8: each attack fails by its own number."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given, settings
from hypothesis import strategies as st

from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import b64u, b64u_decode, jcs
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.signature import SignatureAlgorithm
from sithsapp.oob.protocol.verification import Expected, VerifiedSignature, parse_signature, verify_signature
from tests.oob.protocol.vectors import (
    APP,
    EXPECTED,
    TV5_CHALLENGE,
    PrivateKey,
    card_signature,
    certificate,
    key,
    to_sign,
    x5c,
)

ES256 = SignatureAlgorithm.ES256
KEY = key(ES256)
LEAF = certificate(KEY)
TO_SIGN = to_sign(ES256, LEAF)
SIGNATURE = card_signature(KEY, ES256, TO_SIGN.octets)
JWS = TO_SIGN.detached_jws(SIGNATURE)
HEADER = {"alg": "ES256", "typ": "oob-auth+jws", "x5t#S256": b64u(TO_SIGN.leaf)}


def _verify(
    jws: str = JWS,
    certificates: list[str] | None = None,
    expected: Expected = EXPECTED,
    challenge: str = TV5_CHALLENGE,
    app: str = APP,
) -> VerifiedSignature:
    posted = parse_signature(jws, x5c(LEAF) if certificates is None else certificates)
    return verify_signature(posted, expected, challenge=challenge, app=app)


def _with_header(header: object, *, octets: bytes | None = None) -> str:
    """Return a JWS with another header, signed properly over it."""
    text = b64u(jcs(header) if octets is None else octets)
    signature = card_signature(KEY, ES256, f"{text}.{b64u(TO_SIGN.tbs.octets)}".encode())
    return f"{text}..{b64u(signature)}"


@pytest.mark.parametrize("algorithm", SignatureAlgorithm)
def test_each_algorithm_verifies(algorithm: SignatureAlgorithm) -> None:
    leaf = certificate(key(algorithm))
    wanted = to_sign(algorithm, leaf)
    jws = wanted.detached_jws(card_signature(key(algorithm), algorithm, wanted.octets))
    verified = _verify(jws, x5c(leaf, LEAF))
    assert verified.algorithm is algorithm
    assert verified.certificates == (leaf, LEAF)
    assert verified.tbs == wanted.tbs.octets
    assert verified.jws == jws


RULE_1: dict[str, Callable[[], object]] = {
    "middle part": lambda: _verify(JWS.replace("..", f".{b64u(TO_SIGN.tbs.octets)}.")),
    "two parts": lambda: _verify(JWS.replace("..", ".")),
    "four parts": lambda: _verify(JWS + "."),
    "extra member": lambda: _verify(_with_header(HEADER | {"x5c": []})),
    "crit": lambda: _verify(_with_header(HEADER | {"crit": ["b64"]})),
    "b64": lambda: _verify(_with_header(HEADER | {"b64": False})),
    "jwk": lambda: _verify(_with_header(HEADER | {"jwk": {}})),
    "missing member": lambda: _verify(_with_header({"alg": "ES256", "typ": "oob-auth+jws"})),
    "twice a member": lambda: _verify(
        _with_header(None, octets=jcs(HEADER).replace(b'{"alg":"ES256"', b'{"alg":"none","alg":"ES256"'))
    ),
    "number": lambda: _verify(_with_header(HEADER | {"alg": 1})),
    "list": lambda: _verify(_with_header(["alg", "typ", "x5t#S256"])),
    "deep": lambda: _verify(_with_header(None, octets=b'{"alg":' * 100)),
    "long header": lambda: _verify(_with_header(HEADER | {"alg": "E" * 1100})),
    "padding": lambda: _verify(JWS + "="),
    "plain base64": lambda: _verify(JWS.replace("..", "..+/")),
    "not ASCII": lambda: _verify(JWS + "å"),
    "no signature": lambda: _verify(JWS.partition("..")[0] + ".."),
    "long signature": lambda: _verify(JWS.partition("..")[0] + ".." + b64u(bytes(1025))),
    "long JWS": lambda: _verify("A" * 5000),
    "no certificates": lambda: _verify(certificates=[]),
    "four certificates": lambda: _verify(certificates=x5c(LEAF, LEAF, LEAF, LEAF)),
    "base64url certificate": lambda: _verify(certificates=["-_-_"]),
    "long certificate": lambda: _verify(certificates=[base64.b64encode(bytes(9000)).decode()]),
}


@pytest.mark.parametrize("name", RULE_1)
def test_rule_1_form(name: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        RULE_1[name]()
    assert (caught.value.rule, caught.value.code) == (1, ProblemCode.INVALID_SIGNATURE)


def _expect(number: int, code: ProblemCode, action: Callable[[], object]) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        action()
    assert (caught.value.rule, caught.value.code) == (number, code)


@pytest.mark.parametrize("alg", ["none", "HS256", "RS512", "ES512", "EdDSA", "es256", ""])
def test_rule_2_algorithm(alg: str) -> None:
    _expect(2, ProblemCode.UNSUPPORTED_ALG, lambda: _verify(_with_header(HEADER | {"alg": alg})))


@pytest.mark.parametrize("typ", ["oob-sign+jws", "oob-order+jws", "JWT", ""])
def test_rule_2_type(typ: str) -> None:
    _expect(2, ProblemCode.INVALID_SIGNATURE, lambda: _verify(_with_header(HEADER | {"typ": typ})))


def test_rule_2_a_log_in_is_no_signature() -> None:
    expected = replace(EXPECTED, order_type=OrderType.SIGN)
    _expect(2, ProblemCode.INVALID_SIGNATURE, lambda: _verify(expected=expected))


@pytest.mark.parametrize("challenge", ["A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "Å" * 43])
def test_rule_5_challenge_form(challenge: str) -> None:
    _expect(5, ProblemCode.INVALID_SIGNATURE, lambda: _verify(challenge=challenge))


@pytest.mark.parametrize("app", ["", "App/1", "a/1/2", 'a"/1', "a/1\n", "a" * 33 + "/1"])
def test_rule_5_app_form(app: str) -> None:
    _expect(5, ProblemCode.INVALID_SIGNATURE, lambda: _verify(app=app))


def test_rule_6_another_certificate_over_the_same_key() -> None:
    other = certificate(KEY, "Bo Bergström")
    _expect(6, ProblemCode.INVALID_SIGNATURE, lambda: _verify(certificates=x5c(other)))


def test_rule_6_the_leaf_comes_first() -> None:
    issuer = certificate(key(SignatureAlgorithm.ES384))
    _expect(6, ProblemCode.INVALID_SIGNATURE, lambda: _verify(certificates=x5c(issuer, LEAF)))


def _claiming(alg: SignatureAlgorithm, holder: PrivateKey, signature: bytes) -> VerifiedSignature:
    leaf = certificate(holder)
    return _verify(to_sign(alg, leaf).detached_jws(signature), x5c(leaf))


@pytest.mark.parametrize("claimed", [SignatureAlgorithm.RS256, SignatureAlgorithm.PS256, SignatureAlgorithm.ES384])
def test_rule_6_the_key_must_fit_the_algorithm(claimed: SignatureAlgorithm) -> None:
    _expect(6, ProblemCode.UNSUPPORTED_ALG, lambda: _claiming(claimed, KEY, SIGNATURE))


def test_rule_6_rsa_keys_do_not_fit_ecdsa() -> None:
    holder = key(SignatureAlgorithm.RS256)
    _expect(6, ProblemCode.UNSUPPORTED_ALG, lambda: _claiming(ES256, holder, SIGNATURE))


def test_rule_6_short_rsa_keys() -> None:
    holder = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the test refuses it
    leaf = certificate(holder)
    wanted = to_sign(SignatureAlgorithm.RS256, leaf)
    jws = wanted.detached_jws(card_signature(holder, SignatureAlgorithm.RS256, wanted.octets))
    _expect(6, ProblemCode.UNSUPPORTED_ALG, lambda: _verify(jws, x5c(leaf)))


@pytest.mark.parametrize("leaf", [b"test-cert", LEAF.replace(b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x21")])
def test_rule_6_a_leaf_that_is_no_certificate(leaf: bytes) -> None:
    wanted = to_sign(ES256, leaf)
    jws = wanted.detached_jws(card_signature(KEY, ES256, wanted.octets))
    _expect(6, ProblemCode.INVALID_SIGNATURE, lambda: _verify(jws, x5c(leaf)))


RULE_7: dict[str, Callable[[], object]] = {
    "another order": lambda: _verify(expected=replace(EXPECTED, order_jws="eyJ.other.x")),
    "another flow": lambda: _verify(expected=replace(EXPECTED, flow=Flow.OTHER)),
    "another app's key": lambda: _verify(expected=replace(EXPECTED, jkt="A" * 43)),
    "another challenge": lambda: _verify(challenge=TV5_CHALLENGE.replace("g", "h", 1)),
    "another app": lambda: _verify(app="oobeid/1.0.1"),
    "ECDSA in DER": lambda: _verify(TO_SIGN.detached_jws(es256.der_from_raw(SIGNATURE, 32))),
    "r and s too short": lambda: _verify(TO_SIGN.detached_jws(SIGNATURE[:-1])),
    "r and s too long": lambda: _verify(TO_SIGN.detached_jws(b"\0" + SIGNATURE[:32] + b"\0" + SIGNATURE[32:])),
    "zeroes": lambda: _verify(TO_SIGN.detached_jws(bytes(64))),
    "one bit": lambda: _verify(TO_SIGN.detached_jws(SIGNATURE[:-1] + bytes([SIGNATURE[-1] ^ 1]))),
    "header written otherwise": lambda: _verify(JWS.replace(JWS.partition("..")[0], b64u(jcs(HEADER) + b" "))),
}


@pytest.mark.parametrize("name", RULE_7)
def test_rule_7_signature(name: str) -> None:
    _expect(7, ProblemCode.INVALID_SIGNATURE, RULE_7[name])


@pytest.mark.parametrize("salt", [0, 20, 31, 33, 64])
def test_rule_7_pss_salt_is_as_long_as_the_hash(salt: int) -> None:
    algorithm = SignatureAlgorithm.PS256
    wanted = to_sign(algorithm, certificate(key(algorithm)))
    signature = card_signature(key(algorithm), algorithm, wanted.octets, salt=salt)
    _expect(7, ProblemCode.INVALID_SIGNATURE, lambda: _claiming(algorithm, key(algorithm), signature))


def test_rule_7_pkcs1_is_not_pss() -> None:
    holder, algorithm = key(SignatureAlgorithm.PS256), SignatureAlgorithm.PS256
    wanted = to_sign(algorithm, certificate(holder))
    signature = card_signature(holder, SignatureAlgorithm.RS256, wanted.octets)
    _expect(7, ProblemCode.INVALID_SIGNATURE, lambda: _claiming(algorithm, holder, signature))


@settings(deadline=None)
@given(
    jws=st.text("eyJ.AQ-_=", max_size=80) | st.text(max_size=80) | st.just(JWS),
    certificates=st.lists(
        st.binary(max_size=40).map(lambda data: base64.b64encode(data).decode()) | st.text(), max_size=4
    ),
    challenge=st.text(max_size=50),
    app=st.text(max_size=50),
)
def test_nothing_but_violations_escape(jws: str, certificates: list[str], challenge: str, app: str) -> None:
    with pytest.raises(ProtocolViolation):
        _verify(jws, certificates, challenge=challenge, app=app)


@pytest.mark.filterwarnings("ignore:Parsed a serial number:cryptography.utils.CryptographyDeprecationWarning")
@settings(deadline=None)
@given(st.integers(0, len(LEAF) - 1), st.integers(1, 255))
def test_damaged_certificates_are_violations(position: int, change: int) -> None:
    damaged = LEAF[:position] + bytes([LEAF[position] ^ change]) + LEAF[position + 1 :]
    wanted = to_sign(ES256, damaged)
    jws = wanted.detached_jws(card_signature(KEY, ES256, wanted.octets))
    try:
        verified = _verify(jws, x5c(damaged))
    except ProtocolViolation as violation:
        assert violation.rule in (6, 7)
    else:
        assert verified.certificates == (damaged,)  # path validation is what finds this one


@settings(deadline=None)
@given(st.integers(0, len(JWS) - 1), st.sampled_from("ABCxyz019-_."))
def test_one_changed_sign_is_a_violation(position: int, sign: str) -> None:
    changed = JWS[:position] + sign + JWS[position + 1 :]
    if changed != JWS:
        with pytest.raises(ProtocolViolation):
            _verify(changed)


def test_what_is_posted_is_not_shown() -> None:
    assert b64u_decode(JWS.partition("..")[0]).decode() not in repr(parse_signature(JWS, x5c(LEAF)))
    assert "x5c" not in repr(_verify())
