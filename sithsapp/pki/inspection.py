# SPDX-License-Identifier: EUPL-1.2
"""Looks into a certificate for the person who has it: chain, validity, revocation. Blocking; for window and terminal.

It decides nothing: services judge by `sithsapp.pki.validation` with anchors of their own.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from cryptography import x509

from sithsapp.failures import Failure, SithsError
from sithsapp.pki.certificate import read_certificate
from sithsapp.pki.expiring import Expiring
from sithsapp.pki.fetching import Fetch
from sithsapp.pki.findings import Chain, Inspection, Known, Origin, Revocation, Status
from sithsapp.pki.issuers import build_chain
from sithsapp.pki.rejection import CertificateNotKnown, CertificateRejected, CertificateRevoked
from sithsapp.pki.revocation import OnlineSource, Patience, RevocationChecker
from sithsapp.pki.signed_status import MALFORMED
from sithsapp.pki.trust import Link, TrustAnchors

_PATIENCE: Final = Patience(call=5.0, use=15.0, pause=timedelta(0))
_TRUSTED: Final = (Origin.SETTINGS, Origin.SYSTEM)


def _now() -> datetime:
    return datetime.now(UTC)


def inspect(leaf: bytes, known: Iterable[Known], get: Fetch, *, now: Callable[[], datetime] = _now) -> Inspection:
    """Look into `leaf` (DER) with the certificates that are known and those that its issuers publish.

    Raises `SithsError(CARD_DATA_INVALID)` for a certificate that cannot be read.
    """
    fields = read_certificate(leaf)
    candidates = tuple(known)
    chain = build_chain(Known(leaf, Origin.CARD), candidates, get)
    at = now()
    statuses = _statuses(chain, get, at)
    anchored = _is_anchored(chain, candidates, at)
    failure = _failure(chain, statuses, anchored=anchored, in_time=fields.is_valid_at(at))
    return Inspection(chain, statuses, anchored, at, failure)


def _statuses(chain: Chain, get: Fetch, at: datetime) -> tuple[Status, ...]:
    source = OnlineSource(get, _PATIENCE, Expiring(1), at)
    checker = RevocationChecker(timedelta(0))
    found: list[Status] = []
    # The issuers first: what a revoked authority says of a leaf is worth nothing.
    for link in reversed(_links(chain)):
        below_bad = bool(found) and found[-1].revocation is Revocation.REVOKED
        found.append(Status(Revocation.NOT_CHECKED) if below_bad else _status(link, source, checker, at))
    return tuple(reversed(found))


def _links(chain: Chain) -> list[Link]:
    links: list[Link] = []
    for certificate, issuer in itertools.pairwise(chain.certificates):
        try:
            fields = read_certificate(certificate)
            loaded = x509.load_der_x509_certificate(certificate), x509.load_der_x509_certificate(issuer)
        except (SithsError, *MALFORMED):
            break
        links.append(Link(loaded[0], fields, loaded[1]))
    return links


def _status(link: Link, source: OnlineSource, checker: RevocationChecker, at: datetime) -> Status:
    try:
        checker.check(link, source, at)
    except CertificateRevoked as revoked:
        return Status(Revocation.REVOKED, revoked.since)
    except CertificateNotKnown:
        return Status(Revocation.NOT_KNOWN)
    except CertificateRejected:
        return Status(Revocation.NOT_CHECKED)
    return Status(Revocation.GOOD)


def _is_anchored(chain: Chain, candidates: Sequence[Known], at: datetime) -> bool:
    root = chain.members[-1].der
    trusted = any(each.der == root and each.origin in _TRUSTED for each in candidates)
    if not chain.complete or not trusted or len(chain.members) == 1:
        return False
    try:
        TrustAnchors([root]).path(chain.certificates[:-1], at)
    except (CertificateRejected, *MALFORMED):
        return False
    return True


def _failure(chain: Chain, statuses: Sequence[Status], *, anchored: bool, in_time: bool) -> Failure | None:
    revocations = [status.revocation for status in statuses]
    for failure, holds in (
        (Failure.CERTIFICATE_REVOKED, Revocation.REVOKED in revocations),
        (Failure.CERTIFICATE_EXPIRED, not in_time),
        (Failure.ISSUER_NOT_FOUND, not chain.complete),
        (Failure.CERTIFICATE_NOT_KNOWN, Revocation.NOT_KNOWN in revocations),
        (Failure.REVOCATION_NOT_CHECKED, Revocation.NOT_CHECKED in revocations or not revocations),
        (Failure.CHAIN_NOT_TRUSTED, not anchored),
    ):
        if holds:
            return failure
    return None
