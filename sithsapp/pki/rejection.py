# SPDX-License-Identifier: EUPL-1.2
"""Why a service does not accept a certificate (protocol section B8 rules 8 to 10)."""

from __future__ import annotations

from datetime import datetime
from enum import Enum


class Rejection(Enum):
    """What the person can do about it decides the kind."""

    WRONG_CERTIFICATE = "wrongCertificate"  # another card or certificate may do
    CERTIFICATE_ERR = "certificateErr"  # revoked, expired or untrusted
    STATUS_UNAVAILABLE = "statusUnavailable"  # nobody could tell; trying later may help


class CertificateRejected(Exception):
    """A certificate was not accepted. `rule` is the number in section B8; `detail` holds no personal data."""

    def __init__(self, kind: Rejection, rule: int, detail: str) -> None:
        super().__init__(f"{kind.value} (rule {rule}): {detail}")
        self.kind = kind
        self.rule = rule
        self.detail = detail


class CertificateRevoked(CertificateRejected):
    """The issuer says that a certificate is revoked; `since` is an aware time."""

    def __init__(self, rule: int, since: datetime | None) -> None:
        super().__init__(Rejection.CERTIFICATE_ERR, rule, "certificate is revoked")
        self.since = since


class CertificateNotKnown(CertificateRejected):
    """The issuer says that it does not know a certificate."""

    def __init__(self, rule: int) -> None:
        super().__init__(Rejection.STATUS_UNAVAILABLE, rule, "responder does not know the certificate")


class StatusUnusable(Exception):
    """A revocation answer cannot be used: wrong signer, old, malformed, for another certificate."""
