# SPDX-License-Identifier: EUPL-1.2
"""OpenSC as second opinion on the virtual card, through real pcscd (fact sheet idprime940 sections 8 and 9)."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.spec import CHIP_940C, NO_COUNTRY, PinReference
from tests.card.virtual.terminal import SELECT
from tests.parts.opensc import OpenSc, require_opensc
from tests.parts.pcscd import PcscSlots
from tests.parts.virtual_card import CardFactory

pytestmark = pytest.mark.e2e

PIN1, PUK = DEMO_CODES.pin1, DEMO_CODES.puk
NEW_PIN = "246810"
OPENSC_0_23 = "OpenSC 0.23"


def _openssl(*arguments: str | Path) -> str:
    result = subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=10, check=False
    )
    return result.stdout + result.stderr


def _public_key(opensc: OpenSc) -> Path:
    certificate, key = opensc.home / "certificate.pem", opensc.home / "key.pem"
    assert opensc.run("pkcs15-tool", "--read-certificate", "0001", "--output", certificate).returncode == 0
    key.write_text(_openssl("x509", "-in", certificate, "-noout", "-pubkey"))
    return key


def _sign(opensc: OpenSc, *mechanism: str) -> tuple[Path, Path]:
    document, signature = opensc.home / "document", opensc.home / "signature"
    document.write_bytes(b"Legitimera dig\n")
    login = ("--login", "--pin", PIN1, "--sign", "--id", "0001")
    result = opensc.pkcs11(*login, *mechanism, "--input-file", document, "--output-file", signature)
    assert result.returncode == 0, result.stderr
    return document, signature


def _is_version_0_23(opensc: OpenSc) -> bool:
    return "0.23." in opensc.run("opensc-tool", "--info").stdout.splitlines()[0]


def test_reader_and_card_are_recognised(opensc: OpenSc) -> None:
    assert opensc.reader in opensc.run("opensc-tool", "--list-readers").stdout
    atr = opensc.run("opensc-tool", "--atr").stdout.strip().replace(":", "")
    assert bytes.fromhex(atr) == opensc.card.atr
    assert "IDPrime" in opensc.run("opensc-tool", "--name").stdout


def test_certificates_are_read(opensc: OpenSc) -> None:
    for container in opensc.card.spec.containers:
        target = opensc.home / "read.pem"
        name = f"{container.number + 1:04d}"
        assert opensc.run("pkcs15-tool", "--read-certificate", name, "--output", target).returncode == 0
        der = opensc.home / "read.der"
        _openssl("x509", "-in", target, "-outform", "DER", "-out", der)
        assert der.read_bytes() == container.certificate


def test_token_label_and_serial(opensc: OpenSc) -> None:
    dump = opensc.run("pkcs15-tool", "--dump").stdout
    assert "SITHS e-id kort" in dump
    assert (opensc.card.spec.serial * 2).hex() in dump


@pytest.mark.parametrize(
    ("mechanism", "options"),
    [
        (("--mechanism", "SHA256-RSA-PKCS"), ()),
        (
            (
                "--mechanism",
                "SHA256-RSA-PKCS-PSS",
                "--mgf",
                "MGF1-SHA256",
                "--salt-len",
                "32",
            ),
            ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"),
        ),
    ],
    ids=["PKCS#1", "PSS"],
)
def test_signatures_verify(opensc: OpenSc, mechanism: tuple[str, ...], options: tuple[str, ...]) -> None:
    document, signature = _sign(opensc, *mechanism)
    answer = _openssl("dgst", "-sha256", "-verify", _public_key(opensc), *options, "-signature", signature, document)
    assert "Verified OK" in answer
    assert opensc.card.signatures == 1


def test_a_wrong_pin_counts_down_and_a_right_one_up(opensc: OpenSc) -> None:
    wrong = opensc.pkcs11("--login", "--pin", "000000", "--list-objects")
    assert "CKR_PIN_INCORRECT" in wrong.stderr
    assert opensc.card.tries_left(PinReference.PIN1) == 2
    status = opensc.run("opensc-tool", "--send-apdu", SELECT, "--send-apdu", "0020001100").stdout
    assert "SW1=0x63, SW2=0xC2" in status
    assert opensc.pkcs11("--login", "--pin", PIN1, "--list-objects").returncode == 0
    assert opensc.card.tries_left(PinReference.PIN1) == 3


def test_change_pin(opensc: OpenSc) -> None:
    changed = opensc.run("pkcs15-tool", "--change-pin", "--pin", PIN1, "--new-pin", NEW_PIN)
    assert changed.returncode == 0, changed.stderr
    assert "CKR_PIN_INCORRECT" in opensc.pkcs11("--login", "--pin", PIN1, "--list-objects").stderr
    assert opensc.pkcs11("--login", "--pin", NEW_PIN, "--list-objects").returncode == 0


def test_change_pin_by_pkcs11(opensc: OpenSc) -> None:
    changed = opensc.pkcs11("--login", "--pin", PIN1, "--change-pin", "--new-pin", NEW_PIN)
    assert changed.returncode == 0, changed.stderr
    assert opensc.pkcs11("--login", "--pin", NEW_PIN, "--list-objects").returncode == 0


def test_block_and_unblock(opensc: OpenSc) -> None:
    for left in (2, 1, 0):
        opensc.pkcs11("--login", "--pin", "000000", "--list-objects")
        assert opensc.card.tries_left(PinReference.PIN1) == left
    assert "CKR_PIN_LOCKED" in opensc.pkcs11("--login", "--pin", PIN1, "--list-objects").stderr
    unblocked = opensc.run("pkcs15-tool", "--unblock-pin", "--puk", PUK, "--new-pin", NEW_PIN)
    assert unblocked.returncode == 0, unblocked.stderr
    assert opensc.card.tries_left(PinReference.PIN1) == 3
    assert opensc.pkcs11("--login", "--pin", NEW_PIN, "--list-objects").returncode == 0


def test_a_wrong_puk_counts_down(opensc: OpenSc) -> None:
    assert opensc.run("pkcs15-tool", "--unblock-pin", "--puk", "00000000", "--new-pin", NEW_PIN).returncode != 0
    assert opensc.card.tries_left(PinReference.PUK) == 9


def test_counts_are_those_of_the_reference(opensc: OpenSc) -> None:
    if not _is_version_0_23(opensc):
        pytest.skip("the reference is " + OPENSC_0_23)
    opensc.run("pkcs15-tool", "--list-certificates")
    assert (len(opensc.commands), sum(map(len, opensc.commands))) == (34, 210)
    _sign(opensc, "--mechanism", "SHA256-RSA-PKCS")
    assert len(opensc.commands) == 41
    opensc.run("pkcs15-tool", "--change-pin", "--pin", PIN1, "--new-pin", NEW_PIN)
    assert len(opensc.commands) == 35
    opensc.run("pkcs15-tool", "--unblock-pin", "--puk", PUK, "--new-pin", PIN1)
    assert len(opensc.commands) == 35


def test_random_numbers(opensc: OpenSc) -> None:
    shown = opensc.pkcs11("--generate-random", "16", "--output-file", opensc.home / "random")
    assert shown.returncode == 0
    assert len((opensc.home / "random").read_bytes()) == 16


def test_version_0_23_does_not_know_the_swedish_country_code(
    tmp_path: Path, pcsc_slots: PcscSlots, make_card: CardFactory
) -> None:
    require_opensc()
    opensc = OpenSc(tmp_path, pcsc_slots, make_card())
    if not _is_version_0_23(opensc):
        pytest.skip("the reference is " + OPENSC_0_23)
    assert "IDPrime" not in opensc.run("opensc-tool", "--name").stdout


def test_the_atr_of_a_940c_is_passed_on(tmp_path: Path, pcsc_slots: PcscSlots, make_card: CardFactory) -> None:
    require_opensc()
    opensc = OpenSc(tmp_path, pcsc_slots, make_card(chip=CHIP_940C, country=NO_COUNTRY))
    shown = opensc.run("opensc-tool", "--atr").stdout
    assert re.sub(r"[^0-9a-f]", "", shown) == opensc.card.atr.hex()
