# SPDX-License-Identifier: EUPL-1.2
"""Certificate revocation lists (RFC 5280 section 5; protocol section B8 rule 10). For servers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from sithsapp.pki.rejection import StatusUnusable
from sithsapp.pki.signed_status import MALFORMED, STRONG_HASHES, check_freshness
from sithsapp.pki.trust import Link

MAX_CRL: Final = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, repr=False)
class RevocationList:
    """A list whose signature was verified. `names` are the addresses it says it stands at, if it says so."""

    der: bytes
    this_update: datetime
    next_update: datetime | None
    serial_numbers: frozenset[int]
    for_people: bool
    for_authorities: bool
    names: frozenset[str]


def read_list(data: bytes, issuer: x509.Certificate) -> RevocationList:
    """Read a list and verify that `issuer` signed it. Raises `StatusUnusable`."""
    if len(data) > MAX_CRL:
        raise StatusUnusable("list is too long")
    try:
        found = x509.load_der_x509_crl(data)
        _verify(found, issuer)
        scope = _scope(found)
        return RevocationList(
            der=data,
            this_update=found.last_update_utc,
            next_update=found.next_update_utc,
            serial_numbers=frozenset(entry.serial_number for entry in found),
            for_people=scope is None or not scope.only_contains_ca_certs,
            for_authorities=scope is None or not scope.only_contains_user_certs,
            names=_names(scope),
        )
    except MALFORMED:
        raise StatusUnusable("list is malformed") from None


def is_listed(revocations: RevocationList, link: Link, at: datetime) -> bool:
    """Tell whether the link's certificate is on the list; raises `StatusUnusable` if that does not cover it now."""
    check_freshness(revocations.this_update, revocations.next_update, at)
    if not (revocations.for_authorities if link.fields.is_ca else revocations.for_people):
        raise StatusUnusable("list is for certificates of another kind")
    if revocations.names and revocations.names.isdisjoint(link.fields.extensions.crl_urls):
        raise StatusUnusable("list is for another distribution point")
    return link.fields.serial_number in revocations.serial_numbers


def revoked_since(revocations: RevocationList, serial_number: int) -> datetime | None:
    """Return when a certificate was put on the list, None if it is not there."""
    # Read again, as it is seldom asked for: keeping every entry's time would double what a long list costs.
    found = x509.load_der_x509_crl(revocations.der).get_revoked_certificate_by_serial_number(serial_number)
    return found.revocation_date_utc if found is not None else None


def _verify(found: x509.CertificateRevocationList, issuer: x509.Certificate) -> None:
    if found.issuer != issuer.subject:
        raise StatusUnusable("list is another issuer's")
    if not isinstance(found.signature_hash_algorithm, STRONG_HASHES):
        raise StatusUnusable("weak or unknown hash")
    key_usage = [extension.value for extension in issuer.extensions if isinstance(extension.value, x509.KeyUsage)]
    if any(not usage.crl_sign for usage in key_usage):
        raise StatusUnusable("issuer may not sign lists")
    # A certificate's key always is of a kind that signs; what cannot verify gives False or a TypeError.
    if not found.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]  # see above
        raise StatusUnusable("signature does not verify")


def _scope(found: x509.CertificateRevocationList) -> x509.IssuingDistributionPoint | None:
    scope: x509.IssuingDistributionPoint | None = None
    for extension in found.extensions:
        if isinstance(extension.value, x509.IssuingDistributionPoint):
            scope = extension.value
        elif extension.critical or isinstance(extension.value, x509.DeltaCRLIndicator):
            raise StatusUnusable("list is a delta or has an unknown critical extension")
    if scope is not None and (
        scope.indirect_crl
        or scope.only_contains_attribute_certs
        or scope.only_some_reasons is not None
        or scope.relative_name is not None
    ):
        raise StatusUnusable("list has a scope that is not supported")
    return scope


def _names(scope: x509.IssuingDistributionPoint | None) -> frozenset[str]:
    if scope is None or scope.full_name is None:
        return frozenset()
    return frozenset(name.value for name in scope.full_name if isinstance(name, x509.UniformResourceIdentifier))
