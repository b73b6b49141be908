# SPDX-License-Identifier: EUPL-1.2
"""Everything that a certificate says: agreement with OpenSSL, and no end of hostile octets that change nothing."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Iterator

import pytest
from cryptography import x509
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.locale import set_language
from sithsapp.pki.certificate import MAX_CERTIFICATE
from sithsapp.pki.listing import Field, Listing, list_fields
from tests.pki.conftest import BASE, People
from tests.pki.generated import certificates
from tests.pki.reissuing import reissue

UNKNOWN = x509.ObjectIdentifier("1.2.752.999.9")


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("system")


def _values(listing: Listing) -> dict[str, str]:
    return {field.label.partition(" (1.")[0].partition(" (2.")[0]: field.value for field in _all(listing)}


def _all(listing: Listing) -> list[Field]:
    return [*listing.fields, *listing.extensions]


def _openssl(data: bytes, *options: str) -> str:
    command = ["openssl", "x509", "-inform", "DER", "-noout", "-nameopt", "RFC2253,utf8,-esc_msb", *options]
    return subprocess.run(command, input=data, capture_output=True, check=True, timeout=30).stdout.decode()


def test_the_fields_of_a_card_certificate(people: People) -> None:
    data = people.issue()[0]
    listing = list_fields(data)
    values = _values(listing)
    assert listing.readable
    assert "UPN: " + DEFAULT_PERSON.upn == values["Subject alternative name"]
    assert values["Card number"] == DEFAULT_PERSON.card_number
    assert values["Key usage"] == "Digital signature"
    assert values["Extended key usage"].splitlines() == [
        "Client authentication (1.3.6.1.5.5.7.3.2)",
        "Smart card logon (1.3.6.1.4.1.311.20.2.2)",
    ]
    assert values["CRL distribution points"] == f"URI: {BASE}/crl/hsa-id-3"
    assert values["Authority information access"].splitlines() == [
        f"OCSP: URI: {BASE}/ocsp/hsa-id-3",
        f"CA: URI: {BASE}/ca/hsa-id-3",
    ]
    assert values["Basic constraints"] == "Not a certification authority"
    assert values["Public key"] == "P-256 256"
    assert [field.critical for field in listing.extensions if "Key usage" in field.label] == [True]


def test_openssl_reads_the_same(people: People, pki: VirtualPki) -> None:
    for data in (people.issue()[0], people.issue(IssuerProfile.PERSON_ID_3, KeyPurpose.SIGN)[0], people.issue()[1]):
        values = _values(list_fields(data))
        said = _openssl(data, "-subject", "-issuer", "-serial", "-fingerprint", "-sha256")
        issuer = ",".join(line.replace(": ", "=", 1) for line in reversed(values["Issued by"].splitlines()))
        assert f"issuer={issuer}\n" in said
        serial = values["Serial number"].replace(" ", "").lstrip("0")
        assert f"serial={serial}" in said.replace("serial=0", "serial=")
        assert values["Fingerprint (SHA-256)"].replace(" ", ":") in said
        key_id = _openssl(data, "-ext", "subjectKeyIdentifier").split()[-1]
        assert values["Subject key identifier"].replace(" ", ":") == key_id


def test_what_is_unknown_is_shown_as_octets(people: People, pki: VirtualPki) -> None:
    odd = x509.UnrecognizedExtension(UNKNOWN, b"\x30\x03\x02\x01\x07")
    data = reissue(people.issue()[0], pki.issuer(IssuerProfile.HSA_ID_3), add=[(odd, False)])
    assert _values(list_fields(data))["1.2.752.999.9"] == "30 03 02 01 07"


@pytest.mark.parametrize(
    ("oid", "value"),
    [
        ("2.5.29.32", b"\x30\x03\x02\x01\x00"),
        ("2.5.29.37", b"\x30\x00\x00"),
        ("1.3.6.1.4.1.311.25.2", b"\x04\x00"),
        ("2.5.29.17", b"\x30\x06\xa0\x04\x06\x02\x2a\x03"),
        ("1.2.752.34.2.1", b"\x0c\x03\x1b[J"),
    ],
)
def test_a_damaged_extension_is_shown_as_octets(people: People, pki: VirtualPki, oid: str, value: bytes) -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), value)
    drop = [x509.ObjectIdentifier(oid)]
    data = reissue(people.issue()[0], pki.issuer(IssuerProfile.HSA_ID_3), drop=drop, add=[(odd, False)])
    (field,) = [field for field in list_fields(data).extensions if f"({oid})" in field.label]
    assert field.value == value.hex(" ").upper()


def test_no_escape_sequence_reaches_a_value(people: People, pki: VirtualPki) -> None:
    odd = x509.UnrecognizedExtension(UNKNOWN, b"\x1b[2J\x1b]0;owned\x07")
    data = reissue(people.issue()[0], pki.issuer(IssuerProfile.HSA_ID_3), add=[(odd, True)])
    values = [field.value for field in _all(list_fields(data))]
    assert all(line.isprintable() for value in values for line in value.split("\n"))


def test_what_is_no_certificate_has_its_digest_and_octets() -> None:
    listing = list_fields(b"no certificate")
    assert not listing.readable
    assert listing.fields[0].value == b"no certificate".hex(" ").upper()
    assert listing.fields[1].value == hashlib.sha256(b"no certificate").digest().hex(" ").upper()


def test_a_flood_of_extensions_is_cut_off(people: People, pki: VirtualPki) -> None:
    flood = [(x509.UnrecognizedExtension(x509.ObjectIdentifier(f"1.2.{n}"), b""), False) for n in range(900, 1200)]
    data = reissue(people.issue()[0], pki.issuer(IssuerProfile.HSA_ID_3), add=flood)
    assert len(list_fields(data).extensions) == 64


def test_long_contents_are_cut_off() -> None:
    listing = list_fields(bytes(MAX_CERTIFICATE * 64))
    assert len(listing.fields[0].value) < 4000


@settings(max_examples=300, deadline=2000, phases=(Phase.explicit, Phase.generate))
@given(st.binary(max_size=600))
@example(b"\x30\x80\x00\x00")
@example(b"\x30\x83\xff\xff\xff")
def test_octets_never_fail(data: bytes) -> None:
    assert list_fields(data).fields


@settings(max_examples=120, deadline=5000, phases=(Phase.explicit, Phase.generate))
@given(certificates(), st.data())
def test_spoilt_certificates_never_fail(data: bytes, draw: st.DataObject) -> None:
    whole = list_fields(data)
    assert whole.readable
    spoilt = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 6))):
        spoilt[draw.draw(st.integers(0, len(spoilt) - 1))] = draw.draw(st.integers(0, 255))
    listing = list_fields(bytes(spoilt[: draw.draw(st.integers(1, len(spoilt)))]))
    assert all(len(field.value) <= 8200 for field in (*listing.fields, *listing.extensions))


@settings(max_examples=150, deadline=2000, phases=(Phase.generate,))
@given(value=st.binary(max_size=80), oid=st.sampled_from(["2.5.29.15", "2.5.29.17", "2.5.29.31", "2.5.29.35"]))
def test_hostile_extension_values_never_fail(people: People, pki: VirtualPki, value: bytes, oid: str) -> None:
    name = x509.ObjectIdentifier(oid)
    odd = x509.UnrecognizedExtension(name, value)
    data = reissue(people.issue()[0], pki.issuer(IssuerProfile.HSA_ID_3), drop=[name], add=[(odd, False)])
    assert [field for field in list_fields(data).extensions if f"({oid})" in field.label]


def test_swedish_words(people: People) -> None:
    set_language("sv")
    values = _values(list_fields(people.issue(variant=LeafVariant.NORMAL)[0]))
    assert values["Nyckelanvändning"] == "Digital signatur"
