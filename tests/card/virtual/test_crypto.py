# SPDX-License-Identifier: EUPL-1.2
"""Signatures and deciphering (fact sheet idprime940 section 6), checked with the certificate's public key."""

from __future__ import annotations

import hashlib
import os

import pytest
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import Pair
from tests.card.virtual.terminal import SELECT, Terminal, field
from tests.parts.virtual_card import CardFactory

MESSAGE = b"Legitimera dig"
HASHES: dict[str, hashes.HashAlgorithm] = {"4": hashes.SHA256(), "5": hashes.SHA384(), "6": hashes.SHA512()}


def _digest(algorithm: hashes.HashAlgorithm) -> bytes:
    return hashlib.new(algorithm.name, MESSAGE).digest()


def _public_key(card: VirtualCard, container: int = 0) -> rsa.RSAPublicKey | ec.EllipticCurvePublicKey:
    certificate = card.spec.containers[container].certificate
    assert certificate is not None
    key = x509.load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, (rsa.RSAPublicKey, ec.EllipticCurvePublicKey))
    return key


def _rsa_key(card: VirtualCard, container: int = 0) -> rsa.RSAPublicKey:
    key = _public_key(card, container)
    assert isinstance(key, rsa.RSAPublicKey)
    return key


def _ec_card(make_card: CardFactory, kind: KeyKind) -> VirtualCard:
    return make_card(pairs=(Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, kind),))


@pytest.mark.parametrize("algorithm", ["42", "52", "62"])
def test_pkcs1(card: VirtualCard, algorithm: str) -> None:
    terminal, used = Terminal(card), HASHES[algorithm[0]]
    terminal.verify_pin1()
    assert terminal.prepare(algorithm, "5E", _digest(used)) == f"61{used.digest_size:02X}"
    signature, status = terminal.send("002A9E9A00")
    assert (len(signature), status) == (512, "9000")
    _rsa_key(card).verify(bytes.fromhex(signature), MESSAGE, padding.PKCS1v15(), used)


@pytest.mark.parametrize("algorithm", ["45", "55", "65"])
def test_pss_with_a_salt_as_long_as_the_hash(card: VirtualCard, algorithm: str) -> None:
    terminal, used = Terminal(card), HASHES[algorithm[0]]
    terminal.verify_pin1()
    terminal.prepare(algorithm, "5E", _digest(used))
    signature = terminal.fetch("002A9E9A00")
    _rsa_key(card).verify(signature, MESSAGE, padding.PSS(padding.MGF1(used), used.digest_size), used)


@pytest.mark.parametrize("size", [1, 36, 51, 126])
def test_pkcs1_of_a_ready_digest_info(card: VirtualCard, size: int) -> None:
    terminal, value = Terminal(card), os.urandom(size)
    terminal.verify_pin1()
    terminal.prepare("02", "5E", value)
    signature = terminal.fetch("002A9E9A00")
    assert _rsa_key(card).recover_data_from_signature(signature, padding.PKCS1v15(), None) == value


@pytest.mark.parametrize(
    ("kind", "algorithm", "used", "padded"),
    [
        (KeyKind.P_256, "44", hashes.SHA256(), 32),
        (KeyKind.P_256, "44", hashes.SHA512(), 64),
        (KeyKind.P_256, "44", hashes.SHA224(), 32),
        (KeyKind.P_384, "44", hashes.SHA384(), 48),
        (KeyKind.P_384, "54", hashes.SHA384(), 48),
        (KeyKind.P_384, "44", hashes.SHA256(), 32),
        (KeyKind.P_521, "44", hashes.SHA512(), 64),
    ],
)
def test_ecdsa(
    make_card: CardFactory, kind: KeyKind, algorithm: str, used: hashes.HashAlgorithm, padded: int
) -> None:
    card = _ec_card(make_card, kind)
    terminal = Terminal(card)
    terminal.verify_pin1()
    digest = _digest(used)
    assert terminal.prepare(algorithm, "5E", digest.rjust(padded, b"\0")) == f"61{padded:02X}"
    signature = terminal.fetch("002A9E9A00")
    key = _public_key(card)
    half = (key.key_size + 7) // 8
    assert len(signature) == 2 * half
    assert isinstance(key, ec.EllipticCurvePublicKey)
    der = encode_dss_signature(int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big"))
    key.verify(der, digest, ec.ECDSA(Prehashed(used)))


@pytest.mark.parametrize("size", [20, 28, 33, 72])
def test_ecdsa_refuses_a_hash_that_is_not_padded(make_card: CardFactory, size: int) -> None:
    terminal = Terminal(_ec_card(make_card, KeyKind.P_256))
    assert terminal.prepare("44", "5E", bytes(size)) == "6A80"


def test_ecdsa_answers_a_wrong_le_without_signing_twice(make_card: CardFactory) -> None:
    card = _ec_card(make_card, KeyKind.P_256)
    terminal = Terminal(card)
    terminal.verify_pin1()
    terminal.prepare("44", "5E", bytes(32))
    assert terminal.sw("002A9E9A00") == "6C40"
    signature, status = terminal.send("002A9E9A40")
    assert (len(signature), status, card.signatures) == (128, "9000", 1)


@pytest.mark.parametrize("kind", [KeyKind.RSA_3072, KeyKind.RSA_4096])
def test_long_rsa_signatures_come_in_two_answers(make_card: CardFactory, kind: KeyKind) -> None:
    card = _ec_card(make_card, kind)
    terminal = Terminal(card)
    terminal.verify_pin1()
    terminal.prepare("42", "5E", _digest(hashes.SHA256()))
    signature = terminal.fetch("002A9E9A00")
    assert len(signature) * 8 == int(kind.value[4:])
    _rsa_key(card).verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())


def test_pin1_lasts_and_pin2_is_consumed(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    for _ in range(2):
        terminal.prepare("42", "5E", bytes(32))
        assert terminal.sw("002A9E9A00") == "9000"
    terminal.verify_pin2()
    terminal.prepare("42", "5F", bytes(32))
    assert terminal.sw("002A9E9A00") == "9000"
    terminal.prepare("42", "5F", bytes(32))
    assert terminal.sw("002A9E9A00") == "6982"
    assert card.signatures == 3


@pytest.mark.parametrize(("key", "pin"), [("5E", "83"), ("5F", "11")])
def test_the_other_code_does_not_open_a_key(card: VirtualCard, key: str, pin: str) -> None:
    terminal = Terminal(card)
    (terminal.verify_pin1 if pin == "11" else terminal.verify_pin2)()
    terminal.prepare("42", key, bytes(32))
    assert terminal.sw("002A9E9A00") == "6982"
    assert card.signatures == 0


@pytest.mark.parametrize("spoiler", ["0020FF11", "0020001110" + field("000000")])
def test_no_signature_after_the_verification_ends(card: VirtualCard, spoiler: str) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    terminal.prepare("42", "5E", bytes(32))
    terminal.sw(spoiler)
    assert terminal.sw("002A9E9A00") == "6982"


def test_a_hash_signs_once(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    terminal.prepare("42", "5E", bytes(32))
    assert terminal.sw("002A9E9A00") == "9000"
    assert terminal.sw("002A9E9A00") == "6985"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("002241B60680014284015E", "9000"),
        ("002241B60684015E800142", "9000"),
        ("002241B606800142840177", "9000"),
        ("002241B60680011284015E", "6A80"),
        ("002241B60680011A84015E", "6A80"),
        ("002241B80680011A84015E", "9000"),
        ("002241B80680014284015E", "6A80"),
        ("002241A40680014284015E", "6A86"),
        ("0022F3B60680014284015E", "6A86"),
        ("002241B603800142", "6A80"),
        ("002241B60680014280015E", "6A80"),
        ("002241B6078002420084015E", "6A80"),
        ("002241B605800142845E", "6A80"),
    ],
)
def test_manage_security_environment(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card).sw(command) == status


def test_an_unknown_key_shows_at_the_hash(card: VirtualCard) -> None:
    assert Terminal(card).prepare("42", "77", bytes(32)) == "6A88"


@pytest.mark.parametrize(
    ("algorithm", "command", "status"),
    [
        ("42", "002A90A02190" + "1F" + "00" * 31, "6A80"),
        ("42", "002A90A02280" + "20" + "00" * 32, "6A80"),
        ("42", "002A90A02290" + "21" + "00" * 32, "6A80"),
        ("02", "002A90A08190" + "7F" + "00" * 127, "6A80"),
        ("02", "002A90A0029000", "6A80"),
        ("44", "002A90A02290" + "20" + "00" * 32, "6985"),
        ("42", "002A9E9A00", "6985"),
        ("42", "002A9E9A0100", "6700"),
        ("42", "002A808500", "6A86"),
        ("42", "002A900000", "6A86"),
        ("42", "002A808602" + "8100", "6985"),
    ],
)
def test_perform_security_operation_refused(card: VirtualCard, algorithm: str, command: str, status: str) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    assert terminal.sw(f"002241B6068001{algorithm}84015E") == "9000"
    assert terminal.sw(command) == status


def test_nothing_is_set_after_select(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.prepare("42", "5E", bytes(32))
    terminal.sw(SELECT)
    terminal.verify_pin1()
    assert terminal.sw("002A9E9A00") == "6985"


@pytest.mark.parametrize(
    ("algorithm", "scheme"),
    [
        ("1A", padding.PKCS1v15()),
        ("4D", padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)),
        ("6D", padding.OAEP(padding.MGF1(hashes.SHA512()), hashes.SHA512(), None)),
    ],
)
def test_decipher_by_chaining(card: VirtualCard, algorithm: str, scheme: padding.AsymmetricPadding) -> None:
    terminal = Terminal(card)
    cryptogram = "81" + _rsa_key(card).encrypt(b"secret", scheme).hex()
    assert terminal.sw(f"002241B8068001{algorithm}84015E") == "9000"
    assert terminal.sw("102A8086FF" + cryptogram[:510]) == "9000"
    assert terminal.sw("002A808602" + cryptogram[510:]) == "6982"
    terminal.verify_pin1()
    assert terminal.sw("102A8086FF" + cryptogram[:510]) == "9000"
    assert terminal.fetch("002A808602" + cryptogram[510:]) == b"secret"


@pytest.mark.parametrize(
    ("second", "status"),
    [("00A40800020101", "6883"), ("002A9E9A00", "6883"), ("002A80860100", "6A80")],
)
def test_a_broken_chain(card: VirtualCard, second: str, status: str) -> None:
    terminal = Terminal(card)
    terminal.sw("002241B80680011A84015E")
    assert terminal.sw("102A8086FF" + "00" * 255) == "9000"
    assert terminal.sw(second) == status
    assert terminal.sw("00A40800020101") == "6114"


def test_a_chain_is_bounded(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.sw("002241B80680011A84015E")
    assert [terminal.sw("102A8086FF" + "00" * 255) for _ in range(5)] == ["9000"] * 4 + ["6700"]


def test_signatures_differ_from_another_message(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    terminal.prepare("42", "5E", _digest(hashes.SHA256()))
    signature = terminal.fetch("002A9E9A00")
    with pytest.raises(InvalidSignature):
        _rsa_key(card).verify(signature, b"another", padding.PKCS1v15(), hashes.SHA256())
