# SPDX-License-Identifier: EUPL-1.2
"""Builds the test CA's certificates: root, issuing CA, OCSP responder, person (fact sheet siths-domain section 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256, SHA512
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from sithsapp.card.virtual import ca_profile as profile
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose, LeafVariant, Person
from sithsapp.card.virtual.keys import PrivateKey

_CA_LIFE = timedelta(days=20 * 365)
_CA_AGE = timedelta(days=5 * 365)
_LEAF_LIFE = timedelta(days=2 * 365)
_UNKNOWN_EXTENSION = x509.ObjectIdentifier("1.2.752.999.1")


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA with its key. `slug` names it in addresses and files."""

    slug: str
    certificate: x509.Certificate
    key: PrivateKey


def now() -> datetime:
    """Return the present time in whole seconds, UTC."""
    return datetime.now(UTC).replace(microsecond=0)


def root(key: PrivateKey) -> x509.Certificate:
    """Issue the self-signed root."""
    name = _ca_name(profile.ROOT_NAME)
    builder = _begin(name, name, key.public_key(), now() - _CA_AGE, now() + _CA_LIFE)
    return _add_ca_extensions(builder, None).sign(key, SHA512())


def issuing_ca(issuer: Authority, common_name: str, key: PrivateKey, base_url: str) -> x509.Certificate:
    """Issue an issuing CA under the root."""
    name = _ca_name(common_name)
    builder = _begin(name, issuer.certificate.subject, key.public_key(), now() - _CA_AGE, now() + _CA_LIFE / 2)
    builder = _add_ca_extensions(builder, 0)
    return _add_issuer_extensions(builder, issuer, base_url).sign(issuer.key, SHA512())


def responder(issuer: Authority, key: PrivateKey) -> x509.Certificate:
    """Issue a delegated OCSP responder."""
    name = _ca_name(f"TEST OCSP {issuer.slug}")
    builder = _begin(name, issuer.certificate.subject, key.public_key(), now() - _CA_AGE, now() + _LEAF_LIFE)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage("digital_signature"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING]), critical=False)
    builder = builder.add_extension(x509.OCSPNoCheck(), critical=False)
    builder = builder.add_extension(_authority_key(issuer), critical=False)
    return builder.sign(issuer.key, SHA256())


@dataclass(frozen=True, slots=True)
class LeafRequest:
    """What a person's certificate is to say."""

    profile: IssuerProfile
    purpose: KeyPurpose
    person: Person
    public_key: CertificatePublicKeyTypes
    variant: LeafVariant = LeafVariant.NORMAL


def leaf(issuer: Authority, request: LeafRequest, base_url: str) -> x509.Certificate:
    """Issue a person's certificate."""
    start, end = _validity(request.variant)
    builder = _begin(_person_name(request), issuer.certificate.subject, request.public_key, start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    usage = "digital_signature" if request.purpose is KeyPurpose.AUTH else "content_commitment"
    builder = builder.add_extension(_key_usage(usage), critical=True)
    builder = _add_purpose(builder, request)
    builder = _add_variant(builder, request)
    card_number = _printable_string(request.person.card_number)
    builder = builder.add_extension(
        x509.UnrecognizedExtension(x509.ObjectIdentifier(profile.CARD_NUMBER_OID), card_number), critical=False
    )
    return _add_issuer_extensions(builder, issuer, base_url).sign(issuer.key, SHA256())


def _begin(
    subject: x509.Name, issuer: x509.Name, key: CertificatePublicKeyTypes, start: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _ca_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, profile.COUNTRY),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, profile.ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _person_name(request: LeafRequest) -> x509.Name:
    person = request.person
    parts = [(NameOID.COUNTRY_NAME, profile.COUNTRY)]
    if request.profile.by_hsa_id:
        parts.append((NameOID.ORGANIZATION_NAME, person.organisation))
    parts += [
        (NameOID.COMMON_NAME, f"{person.given_name} {person.surname}"),
        (NameOID.SURNAME, person.surname),
        (NameOID.GIVEN_NAME, person.given_name),
        (NameOID.SERIAL_NUMBER, person.hsa_id if request.profile.by_hsa_id else person.personal_number),
    ]
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in parts])


def _validity(variant: LeafVariant) -> tuple[datetime, datetime]:
    if variant is LeafVariant.EXPIRED:
        return now() - _LEAF_LIFE, now() - timedelta(days=1)
    if variant is LeafVariant.NOT_YET_VALID:
        return now() + timedelta(days=1), now() + _LEAF_LIFE
    return now() - timedelta(hours=1), now() + _LEAF_LIFE


def _add_purpose(builder: x509.CertificateBuilder, request: LeafRequest) -> x509.CertificateBuilder:
    if request.variant is LeafVariant.SERVER_AUTH_ONLY:
        return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    if request.purpose is KeyPurpose.SIGN:
        return builder
    usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SMARTCARD_LOGON]
    upn = x509.OtherName(x509.ObjectIdentifier(profile.UPN_OID), _utf8_string(request.person.upn))
    builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return builder.add_extension(x509.SubjectAlternativeName([upn]), critical=False)


def _add_variant(builder: x509.CertificateBuilder, request: LeafRequest) -> x509.CertificateBuilder:
    if request.variant is LeafVariant.UNKNOWN_CRITICAL_EXTENSION:
        builder = builder.add_extension(x509.UnrecognizedExtension(_UNKNOWN_EXTENSION, b"\x05\x00"), critical=True)
    if request.variant is LeafVariant.NO_POLICY:
        return builder
    policy = x509.PolicyInformation(x509.ObjectIdentifier(request.profile.policy), None)
    return builder.add_extension(x509.CertificatePolicies([policy]), critical=False)


def _add_ca_extensions(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    any_policy = x509.PolicyInformation(x509.ObjectIdentifier("2.5.29.32.0"), None)
    if path_length is not None:
        builder = builder.add_extension(x509.CertificatePolicies([any_policy]), critical=False)
    return builder.add_extension(_key_usage("key_cert_sign", "crl_sign"), critical=True)


def _add_issuer_extensions(
    builder: x509.CertificateBuilder, issuer: Authority, base_url: str
) -> x509.CertificateBuilder:
    def address(kind: str) -> x509.UniformResourceIdentifier:
        return x509.UniformResourceIdentifier(f"{base_url}/{kind}/{issuer.slug}")

    access = [
        x509.AccessDescription(AuthorityInformationAccessOID.OCSP, address("ocsp")),
        x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, address("ca")),
    ]
    point = x509.DistributionPoint([address("crl")], None, None, None)
    builder = builder.add_extension(_authority_key(issuer), critical=False)
    builder = builder.add_extension(x509.CRLDistributionPoints([point]), critical=False)
    return builder.add_extension(x509.AuthorityInformationAccess(access), critical=False)


def _authority_key(issuer: Authority) -> x509.AuthorityKeyIdentifier:
    own = issuer.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)


def _key_usage(*wanted: str) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: name in wanted for name in names})


def _printable_string(text: str) -> bytes:
    return _der_string(0x13, text.encode("ascii"))


def _utf8_string(text: str) -> bytes:
    return _der_string(0x0C, text.encode("utf-8"))


def _der_string(tag: int, value: bytes) -> bytes:
    if len(value) >= 0x80:
        raise ValueError("string too long for a one-byte length")
    return bytes([tag, len(value)]) + value
