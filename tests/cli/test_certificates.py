# SPDX-License-Identifier: EUPL-1.2
"""`siths card` and `siths certs`: what is shown, what is written, and that no file is lost."""

from __future__ import annotations

import base64
import json
import stat
import sys
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.spec import ContainerSpec
from sithsapp.failures import Failure
from tests.parts.siths import Siths
from tests.parts.virtual_card import CardFactory, KeyPool

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(sys.platform == "win32", reason="sockets of Unix")]


@pytest.fixture
def siths(card: VirtualCard, make_card: CardFactory, tmp_path: Path) -> Siths:
    return Siths(make_card.directory(), tmp_path / "home")


def trust(siths: Siths, pki: VirtualPki, tmp_path: Path) -> None:
    """Let the settings name the test CA's root."""
    root = tmp_path / "root.pem"
    root.write_bytes(pki.root.certificate.public_bytes(Encoding.PEM))
    path = Path(siths.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"card_issuers": [str(root)]}))


def leaf(card: VirtualCard, number: int = 0) -> x509.Certificate:
    der = card.spec.containers[number].certificate
    assert der is not None
    return x509.load_der_x509_certificate(der)


def add_issuers(card: VirtualCard, *issuers: x509.Certificate) -> None:
    containers = tuple(
        ContainerSpec(number=5 + at, pin=0x11, certificate=issuer.public_bytes(Encoding.DER), key_reference=0)
        for at, issuer in enumerate(issuers)
    )
    card.set_containers((*card.spec.containers, *containers))


def test_cards(siths: Siths, card: VirtualCard) -> None:
    listed = siths.run("card", "list", "--json")
    assert (listed.exit_code, listed.data["cards"][0]["atr"]) == (0, card.atr.hex())
    assert siths.run("card", "read", "--json").data == listed.data
    assert siths.run("card", "read", "--reader", "none", "--json").number == "R102"
    assert "auth: 3 attempts left" in siths.run("card", "list").out


def test_reading_passes_what_is_kept(siths: Siths, card: VirtualCard) -> None:
    siths.run("card", "list")
    kept = next(Path(siths.environment["XDG_CACHE_HOME"]).rglob("*.card"))
    whole = kept.read_bytes()
    before = kept.stat().st_ino
    card.set_containers(card.spec.containers[:1])
    assert siths.run("card", "read", "--json").data["cards"][0]["certificates"] == 1
    assert (kept.read_bytes() != whole, kept.stat().st_ino != before) == (True, True)


def test_list_and_show(siths: Siths, card: VirtualCard) -> None:
    assert [found["id"] for found in siths.run("certs", "--json").data["certificates"]] == ["00", "01"]
    (found,) = siths.run("certs", "show", "--id", "01", "--json").data["certificates"]
    assert found["serial"] == f"{leaf(card, 1).serial_number:x}"
    assert found["key_usage"] == ["contentCommitment"] or "contentCommitment" in found["key_usage"]
    assert siths.run("certs", "--json", "show").data["certificates"][0]["id"] == "00"
    assert "holder: Anna Andersson" in siths.run("certs", "show").out
    assert siths.run("certs", "show", "--id", "77", "--json").number == "C214"


def test_show_every_field(siths: Siths, card: VirtualCard) -> None:
    (found,) = siths.run("certs", "show", "--id", "00", "--all", "--json").data["certificates"]
    oids = [extension["oid"] for extension in found["extensions"]]
    assert oids == [extension.oid.dotted_string for extension in leaf(card).extensions]
    said = siths.run("certs", "show", "--id", "00", "--all").out
    assert "Key usage (2.5.29.15), critical: Digital signature" in said
    assert "        Smart card logon (1.3.6.1.4.1.311.20.2.2)" in said


def test_export_to_standard_output(siths: Siths, card: VirtualCard) -> None:
    text = siths.run("certs", "export", "--id", "00").out
    assert x509.load_pem_x509_certificate(text.encode()) == leaf(card)
    data = siths.run("certs", "export", "--id", "00", "--format", "der", "--json").data
    assert x509.load_der_x509_certificate(base64.b64decode(data["der_base64"])) == leaf(card)
    assert siths.run("certs", "export", "--json").number == "C213"


def test_export_never_overwrites_unasked(siths: Siths, card: VirtualCard, tmp_path: Path) -> None:
    target = tmp_path / "certificate.der"
    command = ("certs", "export", "--id", "00", "--format", "der", "--output", str(target), "--json")
    assert siths.run(*command).exit_code == 0
    assert x509.load_der_x509_certificate(target.read_bytes()) == leaf(card)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    target.write_text("mine")
    refused = siths.run(*command)
    assert (refused.number, refused.exit_code, target.read_text()) == ("A910", 129, "mine")
    assert siths.run(*command, "--force").exit_code == 0
    assert target.read_bytes() != b"mine"
    assert siths.run(*command[:-2], str(tmp_path / "none" / "file"), "--json").number == "A910"
    assert sorted(path.name for path in tmp_path.glob("*.der")) + list(tmp_path.glob(".siths*")) == [target.name]


def test_a_link_is_not_followed(siths: Siths, tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.write_text("mine")
    link.symlink_to(mine)
    for options in ((), ("--force",)):
        siths.run("certs", "export", "--id", "00", "--output", str(link), *options)
        assert mine.read_text() == "mine"


@pytest.mark.parametrize("issuers", [0, 1, 2])
def test_a_chain_says_whether_it_is_complete(
    siths: Siths, card: VirtualCard, make_card: CardFactory, issuers: int
) -> None:
    issued_by = make_card.pki.chain(leaf(card))[1:]
    add_issuers(card, *issued_by[:issuers])
    result = siths.run("certs", "export", "--id", "00", "--format", "chain", "--json")
    chain = x509.load_pem_x509_certificates(result.data["pem"].encode())
    assert chain == [leaf(card), *issued_by[:issuers]]
    assert result.data["complete"] is (issuers == 2)
    assert ("incomplete" in result.err) is (issuers < 2)
    assert [found["id"] for found in siths.run("certs", "--json").data["certificates"]] == ["00", "01"]


def test_check_asks_the_issuers(siths: Siths, make_card: CardFactory, tmp_path: Path) -> None:
    untrusted = siths.run("certs", "check", "--id", "00", "--json")
    assert (untrusted.exit_code, untrusted.data["certificates"][0]["failure"]) == (
        Failure.CHAIN_NOT_TRUSTED.exit_code,
        "C224",
    )
    trust(siths, make_card.pki, tmp_path)
    checked = siths.run("certs", "check", "--json")
    assert checked.exit_code == 0
    assert [each["id"] for each in checked.data["certificates"]] == ["00", "01"]
    first = checked.data["certificates"][0]
    assert (first["chain"], first["complete"], first["trusted"]) == (["card", "fetched", "settings"], True, True)
    assert first["statuses"] == [{"revocation": "good", "since": None}] * 2
    said = siths.run("certs", "check", "--id", "01").out
    assert "The certificate is valid and not revoked" in said


def test_check_tells_of_a_revocation(ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    assert ca.pki is not None
    make_card = CardFactory(tmp_path, ca.pki, key_pool)
    card = make_card()
    siths = Siths(make_card.directory(), tmp_path / "home")
    trust(siths, ca.pki, tmp_path)
    ca.pki.revoke(leaf(card, 1))
    checked = siths.run("certs", "check", "--json")
    assert checked.exit_code == Failure.CERTIFICATE_REVOKED.exit_code
    assert [each["failure"] for each in checked.data["certificates"]] == [None, "C207"]
    assert checked.data["certificates"][1]["statuses"][0]["since"].startswith("20")
    said = siths.run("certs", "check", "--id", "01")
    assert "Revoked since 20" in said.out
    assert said.number == "C207"


def test_ad_names_what_the_directory_needs(siths: Siths, card: VirtualCard) -> None:
    result = siths.run("certs", "ad", "--json")
    assert result.exit_code == 0
    (found,) = result.data["certificates"]
    assert (found["id"], found["readiness"]) == ("00", "needs set-up")
    assert found["findings"][0]["check"] == "strong-mapping"
    assert found["mappings"][0]["value"].startswith("X509:<I>C=SE,O=Fiktiv Utfardare AB,CN=TEST SITHS")
    assert "Needs a setting: The certificate is tied to one account (SID)" in siths.run("certs", "ad").out


def test_ad_refuses_a_signing_certificate(siths: Siths, card: VirtualCard) -> None:
    result = siths.run("certs", "ad", "--id", "01", "--json")
    assert (result.exit_code, result.data["certificates"][0]["readiness"]) == (
        Failure.NOT_READY_FOR_AD.exit_code,
        "not ready",
    )
    assert siths.run("certs", "ad", "--id", "01").number == "C223"
    assert siths.run("certs", "ad", "--id", "77", "--json").number == "C214"
