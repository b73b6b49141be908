# SPDX-License-Identifier: EUPL-1.2
"""Windows log-on: one certificate for each demand, and the values that a directory knows a certificate by."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import Authority
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.pki.ad_checks import AdCheck, MappingKind, Verdict
from sithsapp.pki.ad_readiness import AdReadiness, LogonCertificate, Readiness, ad_readiness
from sithsapp.pki.certificate import read_certificate
from sithsapp.pki.parts import take_apart
from sithsapp.pki.windows_names import issuer_and_serial, windows_name
from tests.pki.conftest import People
from tests.pki.reissuing import Change, reissue

SID = "S-1-5-21-2857422465-1465058494-1690550294-500"
UPN_OID = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")


@pytest.fixture(scope="module")
def issuing(pki: VirtualPki) -> Authority:
    return pki.issuer(IssuerProfile.HSA_ID_3)


def sid_extension(sid: str = SID) -> Change:
    """Return the security extension of KB5014754."""
    text = sid.encode()
    inner = b"\xa0" + bytes([len(text) + 2]) + b"\x04" + bytes([len(text)]) + text
    name = bytes.fromhex("060a2b060104018237190201") + inner
    value = b"\x30" + bytes([len(name) + 2]) + b"\xa0" + bytes([len(name)]) + name
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.311.25.2"), value), False


def _names(*names: x509.GeneralName) -> Change:
    return x509.SubjectAlternativeName(names), False


def _ask(data: bytes, issuer: bytes | None = None, at: datetime | None = None) -> AdReadiness:
    return ad_readiness(LogonCertificate(data, read_certificate(data), issuer), at or datetime.now(UTC))


def _verdicts(result: AdReadiness) -> dict[AdCheck, Verdict]:
    return {finding.check: finding.verdict for finding in result.findings}


def test_the_extension_is_byte_for_byte_what_windows_writes() -> None:
    value, _ = sid_extension()
    assert isinstance(value, x509.UnrecognizedExtension)
    head = bytes.fromhex("303fa03d060a2b060104018237190201a02f042d")
    assert value.value == head + SID.encode()


def test_a_siths_certificate_needs_a_mapping(people: People) -> None:
    result = _ask(people.issue()[0])
    assert result.readiness is Readiness.NEEDS_SETUP
    assert [each.check for each in result.findings if each.verdict is Verdict.SETUP] == [AdCheck.STRONG_MAPPING]
    met = _verdicts(result)
    assert met[AdCheck.USER_NAME] is met[AdCheck.LOGON_PURPOSE] is met[AdCheck.REVOCATION_LIST] is Verdict.MET
    assert met[AdCheck.ISSUER_IN_NTAUTH] is met[AdCheck.DOMAIN_CONTROLLERS] is Verdict.NOT_CHECKED
    assert result.findings[0].verdict is Verdict.SETUP


def test_a_certificate_with_sid_is_ready(people: People, issuing: Authority) -> None:
    result = _ask(reissue(people.issue()[0], issuing, add=[sid_extension()]))
    assert result.readiness is Readiness.READY
    assert [each.detail for each in result.findings if each.check is AdCheck.STRONG_MAPPING] == [SID]


def test_a_sid_as_an_address_counts(people: People, issuing: Authority) -> None:
    upn = x509.OtherName(UPN_OID, b"\x0c\x03a@b")
    uri = x509.UniformResourceIdentifier(f"tag:microsoft.com,2022-09-14:sid:{SID}")
    assert _ask(reissue(people.issue()[0], issuing, add=[_names(upn, uri)])).readiness is Readiness.READY
    wrong = x509.UniformResourceIdentifier("tag:microsoft.com,2022-09-14:sid:S-1-5-x")
    assert _ask(reissue(people.issue()[0], issuing, add=[_names(upn, wrong)])).readiness is Readiness.NEEDS_SETUP


@pytest.mark.parametrize("sid", ["", "S-1", "S-1-5-21-1\n", "s-1-5-21-1-2-3-4", "S-1-5-21-" + "9" * 11])
def test_what_is_no_sid_does_not_count(people: People, issuing: Authority, sid: str) -> None:
    result = _ask(reissue(people.issue()[0], issuing, add=[sid_extension(sid)]))
    assert _verdicts(result)[AdCheck.STRONG_MAPPING] is Verdict.SETUP


@pytest.mark.parametrize(
    ("change", "check", "verdict"),
    [
        ([x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])], AdCheck.LOGON_PURPOSE, Verdict.NOT_MET),
        ([x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SMARTCARD_LOGON])], AdCheck.CLIENT_PURPOSE, Verdict.ADVICE),
        ([x509.SubjectAlternativeName([x509.DNSName("a.example")])], AdCheck.USER_NAME, Verdict.SETUP),
        (
            [x509.SubjectAlternativeName([x509.OtherName(UPN_OID, b"\x13\x03a@b")])],
            AdCheck.USER_NAME_FORM,
            Verdict.SETUP,
        ),
        (
            [x509.SubjectAlternativeName([x509.OtherName(UPN_OID, b"\x0c\x02@b")])],
            AdCheck.USER_NAME_FORM,
            Verdict.SETUP,
        ),
    ],
)
def test_one_demand_at_a_time(
    people: People, issuing: Authority, change: Sequence[x509.ExtensionType], check: AdCheck, verdict: Verdict
) -> None:
    data = reissue(people.issue()[0], issuing, add=[(value, False) for value in change] + [sid_extension()])
    found = [each for each in _ask(data).findings if each.verdict not in (Verdict.MET, Verdict.NOT_CHECKED)]
    assert [(each.check, each.verdict) for each in found] == [(check, verdict)]


@pytest.mark.parametrize(
    ("drop", "check", "verdict"),
    [
        (ExtensionOID.EXTENDED_KEY_USAGE, AdCheck.NO_PURPOSES, Verdict.ADVICE),
        (ExtensionOID.CRL_DISTRIBUTION_POINTS, AdCheck.REVOCATION_LIST, Verdict.ADVICE),
        (ExtensionOID.KEY_USAGE, AdCheck.KEY_USAGE, Verdict.NOT_MET),
    ],
)
def test_what_is_left_out(
    people: People, issuing: Authority, drop: x509.ObjectIdentifier, check: AdCheck, verdict: Verdict
) -> None:
    data = reissue(people.issue()[0], issuing, drop=[drop], add=[sid_extension()])
    assert _verdicts(_ask(data))[check] is verdict


def test_a_signing_or_expired_certificate_is_not_ready(people: People) -> None:
    assert _verdicts(_ask(people.issue(purpose=KeyPurpose.SIGN)[0]))[AdCheck.KEY_USAGE] is Verdict.NOT_MET
    expired = _ask(people.issue(variant=LeafVariant.EXPIRED)[0])
    assert (expired.readiness, expired.findings[0].check) == (Readiness.NOT_READY, AdCheck.VALIDITY)
    later = _ask(people.issue()[0], at=datetime.now(UTC) + timedelta(days=1000))
    assert later.readiness is Readiness.NOT_READY


def test_a_key_that_is_not_on_the_card(people: People) -> None:
    data = people.issue()[0]
    subject = LogonCertificate(data, read_certificate(data), key_on_card=False)
    assert ad_readiness(subject, datetime.now(UTC)).readiness is Readiness.NOT_READY


def test_mappings(people: People, issuing: Authority) -> None:
    data, issuer = people.issue()
    values = {mapping.kind: mapping.value for mapping in _ask(data, issuer).mappings}
    loaded = x509.load_der_x509_certificate(data)
    size = (loaded.serial_number.bit_length() + 7) // 8
    serial = loaded.serial_number.to_bytes(size, "little").hex()
    name = "C=SE,O=Fiktiv Utfardare AB,CN=TEST SITHS e-id Person HSA-id 3 CA v1"
    assert values[MappingKind.ISSUER_AND_SERIAL] == f"X509:<I>{name}<SR>{serial}"
    key_id = loaded.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()
    assert values[MappingKind.SUBJECT_KEY] == f"X509:<SKI>{key_id}"
    thumbprint, policies, match = values[MappingKind.NAME_RULE].split("; ")
    assert thumbprint == issuing.certificate.fingerprint(hashes.SHA1()).hex()  # noqa: S303 - names the issuer
    assert (policies, match) == ("1.2.752.74.8.503", f"UpnSuffix={DEFAULT_PERSON.upn.partition('@')[2]}")
    assert {mapping.kind for mapping in _ask(data).mappings} == set(values) - {MappingKind.NAME_RULE}


def test_a_serial_number_is_reversed_as_microsoft_shows_it() -> None:
    """Microsoft's own example: 2B0000000011AC0000000012 becomes 1200000000AC11000000002B."""
    parts = take_apart(_certificate_with_serial(0x2B0000000011AC0000000012))
    assert (issuer_and_serial(parts) or "").endswith("<SR>1200000000ac11000000002b")
    high = take_apart(_certificate_with_serial(0xFF01))
    assert (issuer_and_serial(high) or "").endswith("<SR>01ff")


def _certificate_with_serial(number: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name.from_rfc4514_string("CN=x")
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(number).not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("CN=CONTOSO-DC-CA,DC=contoso,DC=com", "DC=com,DC=contoso,CN=CONTOSO-DC-CA"),
        ("CN=A\\, B,O=Ett \\+ ett,C=SE", 'C=SE,O="Ett + ett",CN="A, B"'),
        ('CN=A \\"B\\"', 'CN="A ""B"""'),
    ],
)
def test_names_as_windows_writes_them(written: str, expected: str) -> None:
    assert windows_name(x509.Name.from_rfc4514_string(written).public_bytes()) == expected


def test_damaged_names_are_left_out(people: People, issuing: Authority) -> None:
    odd = x509.UnrecognizedExtension(ExtensionOID.SUBJECT_KEY_IDENTIFIER, b"\x05\x00")
    data = reissue(people.issue()[0], issuing, drop=[ExtensionOID.SUBJECT_KEY_IDENTIFIER], add=[(odd, False)])
    assert [mapping.kind for mapping in _ask(data).mappings] == [MappingKind.ISSUER_AND_SERIAL]
