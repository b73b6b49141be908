# SPDX-License-Identifier: EUPL-1.2
"""Whether a service accepts a certificate: path, leaf rules, revocation (protocol section B8 rules 8 to 10).

Fails closed. Blocking; safe to call from many threads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from sithsapp.failures import Failure
from sithsapp.pki.certificate import Certificate
from sithsapp.pki.expiring import Expiring
from sithsapp.pki.fetching import Fetch, fetch
from sithsapp.pki.rejection import CertificateRejected, Rejection
from sithsapp.pki.revocation import (
    KeptSource,
    OnlineSource,
    Patience,
    RevocationChecker,
    RevocationEvidence,
    StatusSource,
)
from sithsapp.pki.rules import Demands, unsuitability
from sithsapp.pki.trust import PathToAnchor, TrustAnchors

_LEAF_RULE: Final = 9
_CAPACITY: Final = 100_000


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long results and answers are used again; zero: not at all."""

    leaf: timedelta = timedelta(minutes=5)
    answer: timedelta = timedelta(minutes=15)


DEFAULT_PATIENCE: Final = Patience(call=3.0, use=10.0, pause=timedelta(seconds=10))


@dataclass(frozen=True, slots=True, repr=False)
class ValidatedCertificate:
    """A certificate that has a path to an anchor and is not revoked.

    `chain` is DER below the anchor, leaf first; `policies` are the leaf's that its issuers allow; `revocation` has
    one entry for each of `chain`.
    """

    certificate: Certificate
    chain: tuple[bytes, ...]
    policies: frozenset[str]
    revocation: tuple[RevocationEvidence, ...]


def _now() -> datetime:
    return datetime.now(UTC)


class CertificateValidator:
    """Validates against explicit anchors, never the operating system's."""

    def __init__(
        self,
        anchors: TrustAnchors,
        *,
        get: Fetch = fetch,
        now: Callable[[], datetime] = _now,
        freshness: Freshness | None = None,
        patience: Patience = DEFAULT_PATIENCE,
    ) -> None:
        self._anchors = anchors
        self._get = get
        self._now = now
        self._freshness = freshness or Freshness()
        self._patience = patience
        self._failed: Expiring[str, bool] = Expiring(_CAPACITY)
        self._checker = RevocationChecker(self._freshness.answer)
        self._results: Expiring[bytes, ValidatedCertificate] = Expiring(_CAPACITY)

    def forget(self) -> None:
        """Drop every kept result and answer."""
        self._results.clear()
        self._failed.clear()
        self._checker.forget()

    def validate(self, certificates: Sequence[bytes], demands: Demands) -> ValidatedCertificate:
        """Accept or reject `certificates` (DER, leaf first) now, for an order's demands.

        Raises `CertificateRejected`.
        """
        at = self._now()
        key = hashlib.sha256(b"".join(hashlib.sha256(found).digest() for found in certificates)).digest()
        kept = self._results.get(key, at)
        if kept is not None:
            check_leaf(kept.certificate, kept.policies, demands)
            return kept
        source = OnlineSource(self._get, self._patience, self._failed, at)
        path = self._anchors.path(certificates, at)
        result = _validate(path, demands, self._checker, source, at)
        ends = [link.fields.not_after for link in path.links] + [proof.good_until for proof in result.revocation]
        until = min(at + self._freshness.leaf, *ends)
        self._results.put(key, result, until)
        return result

    def verify_again(
        self, certificates: Sequence[bytes], demands: Demands, evidence: Sequence[tuple[str, bytes]], at: datetime
    ) -> ValidatedCertificate:
        """Verify kept evidence as of an earlier time, without any network; raises `CertificateRejected`.

        `evidence` holds pairs of `ocsp` or `crl` and DER. A kept answer proves what was so at `at` and no more.
        """
        checker = RevocationChecker(timedelta(0))
        return _validate(self._anchors.path(certificates, at), demands, checker, KeptSource(evidence), at)


def check_leaf(certificate: Certificate, policies: frozenset[str], demands: Demands) -> None:
    """Check rule 9 with the policies that the path allows. Raises `CertificateRejected`."""
    allowed = tuple(policy for policy in certificate.policies if policy in policies)
    limited = replace(certificate, extensions=replace(certificate.extensions, policies=allowed))
    reason = unsuitability(limited, demands, at=None)
    if reason is not None:
        what = "holder is another" if reason.failure is Failure.WRONG_PERSON else reason.reason
        raise CertificateRejected(Rejection.WRONG_CERTIFICATE, _LEAF_RULE, what)


def _validate(
    path: PathToAnchor, demands: Demands, checker: RevocationChecker, source: StatusSource, at: datetime
) -> ValidatedCertificate:
    policies = path.policies
    check_leaf(path.leaf, policies, demands)
    # The issuers first: what a revoked authority says of a leaf is worth nothing.
    revocation = [checker.check(link, source, at) for link in reversed(path.links)]
    return ValidatedCertificate(path.leaf, path.chain, policies, tuple(reversed(revocation)))
