# SPDX-License-Identifier: EUPL-1.2
"""Certificates and revocation answers with chosen faults, made from the test PKI's own."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sithsapp.card.virtual.ca_certificates import Authority
from sithsapp.card.virtual.keys import PrivateKey
from sithsapp.pki.certificate import read_certificate
from sithsapp.pki.trust import Link

Change = tuple[x509.ExtensionType, bool]


def reissue(
    data: bytes,
    issuer: Authority,
    *,
    add: Sequence[Change] = (),
    drop: Sequence[x509.ObjectIdentifier] = (),
    not_after: datetime | None = None,
    key: PrivateKey | None = None,
) -> bytes:
    """Issue a certificate anew with the same serial number; extensions in `add` replace those of their kind."""
    old = x509.load_der_x509_certificate(data)
    gone = {*drop, *(extension.oid for extension, _ in add)}
    builder = x509.CertificateBuilder().subject_name(old.subject).issuer_name(issuer.certificate.subject)
    builder = builder.public_key(key.public_key() if key else old.public_key()).serial_number(old.serial_number)
    builder = builder.not_valid_before(old.not_valid_before_utc).not_valid_after(not_after or old.not_valid_after_utc)
    for extension in old.extensions:
        if extension.oid not in gone:
            builder = builder.add_extension(extension.value, extension.critical)
    for value, critical in add:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def link(data: bytes, issuer: bytes) -> Link:
    """Return the link of a certificate to its issuer."""
    return Link(x509.load_der_x509_certificate(data), read_certificate(data), x509.load_der_x509_certificate(issuer))


def answer(
    about: Link,
    signer: Authority,
    *,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    this_update: timedelta = -timedelta(minutes=1),
    next_update: timedelta | None = timedelta(hours=1),
    certificates: Sequence[x509.Certificate] | None = None,
    extensions: Sequence[Change] = (),
    by_name: bool = False,
    digest: hashes.HashAlgorithm | None = None,
) -> bytes:
    """Return an OCSP answer about the link's certificate, by whoever `signer` is."""
    now = datetime.now(UTC).replace(microsecond=0)
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=about.certificate,
        issuer=about.issuer,
        algorithm=digest or hashes.SHA1(),  # noqa: S303 - names the certificate only
        cert_status=status,
        this_update=now + this_update,
        next_update=None if next_update is None else now + next_update,
        revocation_time=now if status is ocsp.OCSPCertStatus.REVOKED else None,
        revocation_reason=None,
    )
    kind = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = builder.responder_id(kind, signer.certificate)
    sent = [signer.certificate] if certificates is None else certificates
    builder = builder.certificates(sent) if sent else builder
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def revocation_list(
    issuer: Authority,
    *serial_numbers: int,
    add: Sequence[Change] = (),
    last_update: timedelta = -timedelta(minutes=1),
    next_update: timedelta = timedelta(hours=1),
    name: x509.Name | None = None,
) -> bytes:
    """Return a CRL with chosen extensions."""
    now = datetime.now(UTC).replace(microsecond=0)
    builder = x509.CertificateRevocationListBuilder().issuer_name(name or issuer.certificate.subject)
    builder = builder.last_update(now + last_update).next_update(now + next_update)
    for serial_number in serial_numbers:
        entry = x509.RevokedCertificateBuilder().serial_number(serial_number).revocation_date(now).build()
        builder = builder.add_revoked_certificate(entry)
    for value, critical in add:
        builder = builder.add_extension(value, critical)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def scope(
    url: str | None = None,
    *,
    only_users: bool = False,
    only_cas: bool = False,
    reasons: frozenset[x509.ReasonFlags] | None = None,
    indirect: bool = False,
    only_attributes: bool = False,
) -> Change:
    """Return an issuing distribution point."""
    names = [x509.UniformResourceIdentifier(url)] if url else None
    value = x509.IssuingDistributionPoint(names, None, only_users, only_cas, reasons, indirect, only_attributes)
    return value, True
