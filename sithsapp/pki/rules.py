# SPDX-License-Identifier: EUPL-1.2
"""Which certificate suits an order, and why another does not (protocol section B8 rule 9). For client and service.

`Demands` is the shape of `sithsapp.oob.protocol.order.Requirements`: pass an order's `req` as it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import Enum
from typing import Final, Protocol, TypeVar

from sithsapp.failures import Failure
from sithsapp.pki.certificate import Certificate
from sithsapp.pki.extensions import CLIENT_AUTH, KeyUsage

AUTH: Final = "auth"
SIGN: Final = "sign"

_USAGE: Final = {
    AUTH: (KeyUsage.DIGITAL_SIGNATURE, KeyUsage.CONTENT_COMMITMENT),
    SIGN: (KeyUsage.CONTENT_COMMITMENT, KeyUsage.DIGITAL_SIGNATURE),
}

_T = TypeVar("_T")


class Demands(Protocol):
    """What an order asks: `key.value` is `auth` or `sign`, `cert_id.value` `hsaid`, `pnr` or `any`."""

    @property
    def key(self) -> Enum:
        """Which key signs."""

    @property
    def policies(self) -> Sequence[str]:
        """OIDs of which the certificate must have one."""

    @property
    def issuers(self) -> Sequence[str] | None:
        """Common names or RFC 4514 names of the issuers that will do."""

    @property
    def cert_id(self) -> Enum | None:
        """Which identity the certificate must carry."""

    @property
    def subject_hash(self) -> str | None:
        """See `subject_hash`."""


class Unsuitable(Enum):
    """Why a certificate does not suit, with the failure that the person sees."""

    KEY_USAGE = ("key usage is another", Failure.NO_SUITABLE_CERTIFICATE)
    CERTIFICATE_AUTHORITY = ("it is a CA certificate", Failure.NO_SUITABLE_CERTIFICATE)
    CRITICAL_EXTENSION = ("it has an unknown critical extension", Failure.NO_SUITABLE_CERTIFICATE)
    PURPOSE = ("extended key usage lacks client authentication", Failure.NO_SUITABLE_CERTIFICATE)
    POLICY = ("policy is another", Failure.NO_SUITABLE_CERTIFICATE)
    ISSUER = ("issuer is another", Failure.NO_SUITABLE_CERTIFICATE)
    IDENTITY = ("it carries another kind of identity", Failure.NO_SUITABLE_CERTIFICATE)
    SUBJECT = ("it belongs to another person", Failure.WRONG_PERSON)
    VALIDITY = ("it is not valid now", Failure.CERTIFICATE_EXPIRED)

    @property
    def reason(self) -> str:
        """A technical line, without personal data."""
        return self.value[0]

    @property
    def failure(self) -> Failure:
        """The catalogued failure."""
        return self.value[1]


def subject_hash(identity: str) -> str:
    """Return how an order names a person: base64url of the SHA-256 of an HSA-id or 12-digit personal number.

    HSA-ids are hashed in upper case.
    """
    return base64.urlsafe_b64encode(hashlib.sha256(identity.upper().encode()).digest()).rstrip(b"=").decode("ascii")


def unsuitability(certificate: Certificate, demands: Demands, *, at: datetime | None) -> Unsuitable | None:
    """Return the first reason why `certificate` does not suit, or None when it does.

    `at` is an aware time; None leaves validity to somebody else. What concerns the kind of certificate comes before
    what concerns its holder and its time.
    """
    for reason, holds in (
        (Unsuitable.KEY_USAGE, _has_usage(certificate, demands)),
        (Unsuitable.CERTIFICATE_AUTHORITY, not certificate.is_ca),
        (Unsuitable.CRITICAL_EXTENSION, not certificate.extensions.unknown_critical),
        (Unsuitable.PURPOSE, _has_purpose(certificate, demands)),
        (Unsuitable.POLICY, not set(demands.policies).isdisjoint(certificate.policies)),
        (Unsuitable.ISSUER, _has_issuer(certificate, demands)),
        (Unsuitable.IDENTITY, _has_identity(certificate, demands)),
        (Unsuitable.SUBJECT, _has_subject(certificate, demands)),
        (Unsuitable.VALIDITY, at is None or certificate.is_valid_at(at)),
    ):
        if not holds:
            return reason
    return None


def explain(reasons: Iterable[Unsuitable]) -> Failure:
    """Return the failure that tells most when every certificate was unsuitable: nearest miss first."""
    nearest = max(reasons, key=list(Unsuitable).index, default=Unsuitable.KEY_USAGE)
    return nearest.failure


def preferred(candidates: Iterable[tuple[Certificate, _T]]) -> list[_T]:
    """Return the things that belong to suitable certificates, the best first.

    A personal-number certificate comes before an HSA-id certificate, as in the SITHS app, then the one that is valid
    longest.
    """
    ordered = sorted(
        candidates,
        key=lambda pair: (pair[0].personal_number is None, -pair[0].not_after.timestamp()),
    )
    return [thing for _, thing in ordered]


def _has_usage(certificate: Certificate, demands: Demands) -> bool:
    wanted, unwanted = _USAGE[demands.key.value]
    return wanted in certificate.key_usage and unwanted not in certificate.key_usage


def _has_purpose(certificate: Certificate, demands: Demands) -> bool:
    purposes = certificate.extended_key_usage
    return demands.key.value != AUTH or purposes is None or CLIENT_AUTH in purposes


def _has_issuer(certificate: Certificate, demands: Demands) -> bool:
    if demands.issuers is None:
        return True
    return certificate.issuer in demands.issuers or certificate.issuer_name.rfc4514 in demands.issuers


def _has_identity(certificate: Certificate, demands: Demands) -> bool:
    kind = "any" if demands.cert_id is None else demands.cert_id.value
    has_hsaid, has_number = certificate.hsaid is not None, certificate.personal_number is not None
    return {"hsaid": has_hsaid, "pnr": has_number, "any": has_hsaid or has_number}[kind]


def _has_subject(certificate: Certificate, demands: Demands) -> bool:
    if demands.subject_hash is None:
        return True
    identity = certificate.hsaid or certificate.personal_number
    return identity is not None and hmac.compare_digest(subject_hash(identity), demands.subject_hash)
