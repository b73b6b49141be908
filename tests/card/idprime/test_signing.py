# SPDX-License-Identifier: EUPL-1.2
"""Habits of cards at a signature, and the check of what comes out."""

from __future__ import annotations

import hashlib
import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sithsapp.card.idprime import rsa_check
from sithsapp.card.idprime.contents import Key
from sithsapp.card.idprime.habits import Habits
from sithsapp.card.idprime.signing import Signer
from sithsapp.card.iso7816 import Channel
from sithsapp.card.model import Credential, KeyType, PinRole, SignatureScheme
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import ScriptedCard

P384 = Key(
    Credential("00", "", b"", KeyType.EC_P384, 384, PinRole.AUTH, (SignatureScheme.ES384,)),
    0x56,
)
GOOD = "AA" * 96 + "9000"
DIGEST = bytes(48)


def signer(answers: list[str], habits: Habits | None = None) -> tuple[Signer, ScriptedCard]:
    card = ScriptedCard(answers)
    return Signer(Channel(card), habits or Habits()), card


def test_the_echo_of_the_hash_is_left_in_the_card() -> None:
    made, card = signer(["9000", "6130", GOOD])
    made.sign(P384, SignatureScheme.ES384, DIGEST)
    assert len(card.sent) == 3


def test_a_card_that_wants_its_echo_fetched_is_served_and_remembered() -> None:
    habits = Habits()
    made, card = signer(["9000", "6130", "6985", "6130", "00" * 48 + "9000", GOOD], habits)
    assert len(made.sign(P384, SignatureScheme.ES384, DIGEST)) == 96
    assert habits.fetch_echo
    again, card = signer(["9000", "6130", "00" * 48 + "9000", GOOD], habits)
    again.sign(P384, SignatureScheme.ES384, DIGEST)
    assert [sent[:4] for sent in card.sent] == ["0022", "002A", "00C0", "002A"]


@pytest.mark.parametrize("refused_at", [0, 1])
def test_the_other_algorithm_for_p384_is_tried_and_remembered(refused_at: int) -> None:
    habits = Habits()
    refusal = ["6A80"] if refused_at == 0 else ["9000", "6A80"]
    made, card = signer([*refusal, "9000", "6130", GOOD], habits)
    made.sign(P384, SignatureScheme.ES384, DIGEST)
    assert [sent for sent in card.sent if sent.startswith("0022")] == [
        "002241B606800154840156",
        "002241B606800144840156",
    ]
    again, card = signer(["9000", "6130", GOOD], habits)
    again.sign(P384, SignatureScheme.ES384, DIGEST)
    assert card.sent[0] == "002241B606800144840156"


@pytest.mark.parametrize(
    ("answers", "failure"),
    [
        (["6F00"], Failure.CARD_ERROR),
        (["6A80", "6A80"], Failure.ALGORITHM_NOT_SUPPORTED),
        (["9000", "6A88"], Failure.CARD_DATA_INVALID),
        (["9000", "6F00"], Failure.CARD_ERROR),
        (["9000", "9000", "6982"], Failure.CARD_ERROR),
        (["9000", "9000", "6985", "9000", "6985"], Failure.CARD_ERROR),
        (["9000", "9000", "AA9000"], Failure.CARD_ERROR),
    ],
)
def test_each_refusal_has_its_failure(answers: list[str], failure: Failure) -> None:
    made, _ = signer(answers)
    with pytest.raises(SithsError) as caught:
        made.sign(P384, SignatureScheme.ES384, DIGEST)
    assert caught.value.failure is failure


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def certificate(rsa_key: rsa.RSAPrivateKey) -> bytes:
    import datetime

    name = x509.Name([])
    day = datetime.datetime(2026, 1, 1)
    builder = x509.CertificateBuilder(name, name, rsa_key.public_key(), 1, day, day)
    return builder.sign(rsa_key, hashes.SHA256()).public_bytes(Encoding.DER)


RSA_SCHEMES = [scheme for scheme in SignatureScheme if scheme.value[0] != "E"]


def sign(key: rsa.RSAPrivateKey, scheme: SignatureScheme, message: bytes) -> bytes:
    algorithm: hashes.HashAlgorithm = getattr(hashes, scheme.hash_name.upper())()
    pss = padding.PSS(padding.MGF1(algorithm), algorithm.digest_size)
    return key.sign(message, pss if scheme.value.startswith("PS") else padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize(("made", "asked"), list(itertools.product(RSA_SCHEMES, RSA_SCHEMES)))
def test_a_signature_fits_its_own_scheme_alone(
    rsa_key: rsa.RSAPrivateKey, certificate: bytes, made: SignatureScheme, asked: SignatureScheme
) -> None:
    signature = sign(rsa_key, made, b"m")
    digest = hashlib.new(asked.hash_name, b"m").digest()
    assert rsa_check.fits(certificate, asked, digest, signature) is (made is asked)
    assert not rsa_check.fits(certificate, asked, hashlib.new(asked.hash_name, b"n").digest(), signature)


def test_another_key_does_not_fit(certificate: bytes) -> None:
    other = rsa.generate_private_key(65537, 2048)
    for scheme in RSA_SCHEMES:
        digest = hashlib.new(scheme.hash_name, b"m").digest()
        assert not rsa_check.fits(certificate, scheme, digest, sign(other, scheme, b"m"))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(signature=st.binary(min_size=250, max_size=260), scheme=st.sampled_from(RSA_SCHEMES))
def test_noise_does_not_fit(certificate: bytes, signature: bytes, scheme: SignatureScheme) -> None:
    assert not rsa_check.fits(certificate, scheme, hashlib.new(scheme.hash_name).digest(), signature)
