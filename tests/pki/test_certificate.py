# SPDX-License-Identifier: EUPL-1.2
"""The light certificate reader: SITHS fields, strictness, and agreement with `cryptography`."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import AuthorityInformationAccessOID, NameOID
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.failures import Failure, SithsError
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.extensions import KeyUsage
from tests.pki.conftest import BASE, People
from tests.pki.generated import certificates, keys


def test_a_log_in_certificate_by_hsa_id(people: People) -> None:
    found = read_certificate(people.issue()[0])
    assert (found.given_name, found.surname) == ("Anna", "Andersson")
    assert (found.common_name, found.organisation) == ("Anna Andersson", "Region Exempel")
    assert (found.hsaid, found.personal_number) == (DEFAULT_PERSON.hsa_id, None)
    assert found.issuer == "TEST SITHS e-id Person HSA-id 3 CA v1"
    assert (found.key_type, found.key_bits) == ("P-256", 256)
    assert found.key_usage == {KeyUsage.DIGITAL_SIGNATURE}
    assert found.extended_key_usage == ("1.3.6.1.5.5.7.3.2", "1.3.6.1.4.1.311.20.2.2")
    assert found.policies == ("1.2.752.74.8.503",)
    assert (found.upn, found.card_number) == (DEFAULT_PERSON.upn, DEFAULT_PERSON.card_number)
    assert found.extensions.ocsp_urls == (f"{BASE}/ocsp/hsa-id-3",)
    assert found.extensions.ca_issuer_urls == (f"{BASE}/ca/hsa-id-3",)
    assert found.extensions.crl_urls == (f"{BASE}/crl/hsa-id-3",)
    assert not found.is_ca
    assert found.is_valid_at(datetime.now(UTC))
    assert not found.is_valid_at(datetime(2000, 1, 1, tzinfo=UTC))


def test_a_signature_certificate_by_personal_number(people: People) -> None:
    found = read_certificate(people.issue(IssuerProfile.PERSON_ID_3, KeyPurpose.SIGN)[0])
    assert (found.hsaid, found.personal_number) == (None, DEFAULT_PERSON.personal_number)
    assert found.key_usage == {KeyUsage.CONTENT_COMMITMENT}
    assert found.extended_key_usage is None
    assert (found.upn, found.organisation) == (None, None)


def test_an_unknown_critical_extension_is_told(people: People) -> None:
    found = read_certificate(people.issue(variant=LeafVariant.UNKNOWN_CRITICAL_EXTENSION)[0])
    assert found.extensions.unknown_critical == ("1.2.752.999.1",)


def test_ca_certificates_are_read(pki: VirtualPki) -> None:
    root = read_certificate(pki.root.certificate.public_bytes(Encoding.DER))
    assert root.is_ca
    assert root.key_usage == {KeyUsage.KEY_CERT_SIGN, KeyUsage.CRL_SIGN}


def test_repr_shows_no_personal_data(people: People) -> None:
    found = read_certificate(people.issue()[0])
    assert repr(found) == f"<Certificate {found.sha256.hex()[:8]}>"
    shown = f"{found.subject!r} {found.issuer_name!r} {found.extensions!r}"
    assert not [text for text in ("Anna", "TSTNMT", DEFAULT_PERSON.card_number) if text in shown]


def test_reading_loads_no_cryptographic_library() -> None:
    code = (
        "import sys, sithsapp.pki.rules, sithsapp.pki.loa;"
        "print([name for name in sys.modules if name.split('.')[0] in ('cryptography', 'asn1crypto', 'msgspec')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"


def _usage(certificate: x509.Certificate) -> set[str] | None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
    names = ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"]
    found = {name for name in [*names, "key_cert_sign", "crl_sign"] if getattr(usage, name)}
    if usage.key_agreement:
        found |= {name for name in ("encipher_only", "decipher_only") if getattr(usage, name)}
    return found


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> object:
    found = name.get_attributes_for_oid(oid)
    return found[0].value if found else None


def _compare(ours: Certificate, data: bytes) -> None:
    theirs = x509.load_der_x509_certificate(data)
    assert ours.sha256 == hashlib.sha256(data).digest()
    assert ours.serial_number == theirs.serial_number
    assert (ours.not_before, ours.not_after) == (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    for value, oid in (
        (ours.given_name, NameOID.GIVEN_NAME),
        (ours.surname, NameOID.SURNAME),
        (ours.common_name, NameOID.COMMON_NAME),
        (ours.organisation, NameOID.ORGANIZATION_NAME),
    ):
        assert value == _attribute(theirs.subject, oid)
    assert ours.issuer_name.rfc4514 == theirs.issuer.rfc4514_string()
    assert ours.subject.rfc4514 == theirs.subject.rfc4514_string()
    _compare_key(ours, theirs)
    _compare_extensions(ours, theirs)


def _compare_key(ours: Certificate, theirs: x509.Certificate) -> None:
    try:
        key = theirs.public_key()
    except ValueError:
        return  # a point that is not on its curve; the light reader does no arithmetic
    if isinstance(key, rsa.RSAPublicKey):
        assert (ours.key_type, ours.key_bits) == ("RSA", key.key_size)
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        assert (ours.key_type, ours.key_bits) == (f"P-{key.key_size}", key.key_size)


def _compare_extensions(ours: Certificate, theirs: x509.Certificate) -> None:
    found = {extension.oid.dotted_string: extension for extension in theirs.extensions}
    assert ours.extensions.present == found.keys()
    usage = None if ours.extensions.key_usage is None else {value.name.lower() for value in ours.extensions.key_usage}
    if usage is not None and "key_agreement" not in usage:
        usage -= {"encipher_only", "decipher_only"}
    assert usage == _usage(theirs)
    purposes = found.get("2.5.29.37")
    assert ours.extended_key_usage == (purposes and tuple(oid.dotted_string for oid in purposes.value))
    policies = found.get("2.5.29.32")
    wanted = tuple(policy.policy_identifier.dotted_string for policy in policies.value) if policies else ()
    assert ours.policies == wanted
    basic = found.get("2.5.29.19")
    assert ours.is_ca == bool(basic and basic.value.ca)
    access = found.get("1.3.6.1.5.5.7.1.1")
    urls = [
        (item.access_method, item.access_location.value)
        for item in (access.value if access else [])
        if isinstance(item.access_location, x509.UniformResourceIdentifier)
    ]
    assert ours.extensions.ocsp_urls == tuple(url for kind, url in urls if kind == AuthorityInformationAccessOID.OCSP)
    assert ours.extensions.ca_issuer_urls == tuple(
        url for kind, url in urls if kind == AuthorityInformationAccessOID.CA_ISSUERS
    )


@settings(deadline=None)
@given(certificates())
def test_agreement_over_generated_certificates(data: bytes) -> None:
    _compare(read_certificate(data), data)


@pytest.fixture(scope="module")
def samples(people: People, pki: VirtualPki) -> list[bytes]:
    """Give certificates to damage: of both kinds of keys, of persons and CAs, with all extensions that are read."""
    leaf = people.issue()[0]
    person = people.issue(IssuerProfile.PERSON_ID_3, KeyPurpose.SIGN)[0]
    rsa_leaf = _build((NameOID.COMMON_NAME, "Örjan"), (NameOID.SERIAL_NUMBER, "191212121212"), key=keys()[0])
    return [leaf, person, rsa_leaf, pki.root.certificate.public_bytes(Encoding.DER), people.issue()[1]]


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@pytest.mark.filterwarnings("ignore:The parsed certificate contains a NULL:UserWarning")
@pytest.mark.filterwarnings("ignore:Attribute's length must be:UserWarning")
# The certificates differ between runs, as keys do, so that failures are shown as found and not shrunk.
@settings(deadline=None, max_examples=200, phases=[Phase.generate], database=None)
@given(st.integers(0, 4), st.data())
def test_what_is_read_of_damaged_certificates_is_what_they_say(
    samples: list[bytes], number: int, draw: st.DataObject
) -> None:
    data = samples[number]
    damaged = bytearray(data)
    for _ in range(draw.draw(st.integers(1, 3))):
        position = draw.draw(st.integers(0, 2**16)) % len(damaged)
        action = draw.draw(st.sampled_from(["change", "drop", "add"]))
        if action == "change":
            damaged[position] = draw.draw(st.integers(0, 255))
        elif action == "drop":
            del damaged[position]
        else:
            damaged.insert(position, draw.draw(st.integers(0, 255)))
    try:
        ours = read_certificate(bytes(damaged))
    except SithsError as error:
        assert error.failure is Failure.CARD_DATA_INVALID
        return
    try:
        x509.load_der_x509_certificate(bytes(damaged)).extensions  # noqa: B018 - parses them
    except (ValueError, x509.DuplicateExtension):
        return  # damage in a part that the light reader does not read
    _compare(ours, bytes(damaged))


@given(st.binary(max_size=200))
def test_garbage_fails_in_one_way_only(data: bytes) -> None:
    with pytest.raises(SithsError):
        read_certificate(data)


def test_truncated_padded_and_long_certificates_are_refused(people: People) -> None:
    data = people.issue()[0]
    for bad in (data[:-1], data + b"\0", b"", data + bytes(20_000), data[:100]):
        with pytest.raises(SithsError):
            read_certificate(bad)


def _build(
    *names: tuple[x509.ObjectIdentifier, str],
    extensions: tuple[x509.ExtensionType, ...] = (),
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None = None,
) -> bytes:
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject).serial_number(1)
    builder = builder.not_valid_before(datetime(2026, 1, 1)).not_valid_after(datetime(2027, 1, 1))
    builder = builder.public_key((key or keys()[1]).public_key())
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(keys()[1], hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize(
    ("serial_number", "hsaid", "number"),
    [
        ("SE2321000016-3X8K", True, False),
        ("TSTNMT2321000156-1003", True, False),
        ("191212121212", False, True),
        ("197010632391", False, True),
        ("SE2321000016", False, False),
        ("SE2321000016-", False, False),
        ("XX2321000016-3X8K", False, False),
        ("1212121212", False, False),
        ("211212121212", False, False),
        ("191212121212 ", False, False),
        ("PNOSE-191212121212", False, False),
    ],
)
def test_identities_are_told_by_their_form(serial_number: str, hsaid: bool, number: bool) -> None:
    found = read_certificate(_build((NameOID.SERIAL_NUMBER, serial_number)))
    assert found.hsaid == (serial_number if hsaid else None)
    assert found.personal_number == (serial_number if number else None)


@pytest.mark.parametrize(
    "oid",
    [NameOID.SERIAL_NUMBER, NameOID.COMMON_NAME, NameOID.GIVEN_NAME, NameOID.SURNAME, NameOID.ORGANIZATION_NAME],
)
def test_two_identities_are_refused(oid: x509.ObjectIdentifier) -> None:
    with pytest.raises(SithsError):
        read_certificate(_build((oid, "A"), (oid, "B")))


def test_names_that_would_mislead_are_refused() -> None:
    with pytest.raises(SithsError):
        read_certificate(_build((NameOID.COMMON_NAME, "Anna\u202eX")))


def test_an_issuer_without_common_name_is_told_by_its_whole_name() -> None:
    assert read_certificate(_build((NameOID.COUNTRY_NAME, "SE"))).issuer == "C=SE"


def test_two_user_principal_names_are_refused() -> None:
    name = x509.OtherName(x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.3"), b"\x0c\x01a")
    with pytest.raises(SithsError):
        read_certificate(
            _build((NameOID.COUNTRY_NAME, "SE"), extensions=(x509.SubjectAlternativeName([name, name]),))
        )


def test_distribution_points_of_others_are_left_out() -> None:
    url = [x509.UniformResourceIdentifier("http://a.example/crl")]
    issuer = [x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Other")]))]
    some = frozenset({x509.ReasonFlags.key_compromise})
    points = [x509.DistributionPoint(url, None, some, None), x509.DistributionPoint(url, None, None, issuer)]
    data = _build((NameOID.COUNTRY_NAME, "SE"), extensions=(x509.CRLDistributionPoints(points),))
    assert read_certificate(data).extensions.crl_urls == ()


def test_other_kinds_of_keys_are_refused() -> None:
    name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "SE")])
    for public in (
        ed25519.Ed25519PrivateKey.generate().public_key(),
        ec.derive_private_key(9, ec.SECP256K1()).public_key(),
    ):
        builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(1).public_key(public)
        builder = builder.not_valid_before(datetime(2026, 1, 1)).not_valid_after(datetime(2027, 1, 1))
        with pytest.raises(SithsError):
            read_certificate(builder.sign(keys()[1], hashes.SHA256()).public_bytes(Encoding.DER))
