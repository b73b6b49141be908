# SPDX-License-Identifier: EUPL-1.2
"""Is a certificate revoked? OCSP first, then CRL; without a good and fresh answer the answer is no (rule 10)."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, Protocol

from cryptography.hazmat.primitives import hashes

from sithsapp.pki import crl, ocsp
from sithsapp.pki.expiring import Expiring
from sithsapp.pki.fetching import Fetch, FetchError
from sithsapp.pki.rejection import (
    CertificateNotKnown,
    CertificateRejected,
    CertificateRevoked,
    Rejection,
    StatusUnusable,
)
from sithsapp.pki.trust import Link

_log = logging.getLogger(__name__)

_RULE: Final = 10
_MAX_ADDRESSES: Final = 3
_CAPACITY: Final = 100_000
_CRL_CAPACITY: Final = 64


@dataclass(frozen=True, slots=True, repr=False)
class RevocationEvidence:
    """The answer (DER) that a decision stood on, and until when it may be used again."""

    kind: Literal["ocsp", "crl"]
    der: bytes
    good_until: datetime


class StatusSource(Protocol):
    """Where answers come from."""

    def ocsp_answers(self, link: Link) -> Iterator[bytes]:
        """Yield OCSP answers that may concern the link's certificate."""

    def crls(self, link: Link) -> Iterator[bytes]:
        """Yield CRLs that may concern the link's certificate."""


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds for one call, seconds for all calls of one use, and how long a responder that failed is left alone."""

    call: float
    use: float
    pause: timedelta


class OnlineSource:
    """Asks the addresses that the certificate names; made anew for each use, at an aware time.

    `failed` is kept between uses: responders that did not answer, so that an outage costs one time-out now and
    then and not one for every log-in. It concerns OCSP alone, where a CRL can take over.
    """

    def __init__(self, fetch: Fetch, patience: Patience, failed: Expiring[str, bool], at: datetime) -> None:
        self._fetch = fetch
        self._patience = patience
        self._failed = failed
        self._at = at
        self._deadline = time.monotonic() + patience.use

    def ocsp_answers(self, link: Link) -> Iterator[bytes]:
        """Yield what the OCSP responders answer."""
        for url in link.fields.extensions.ocsp_urls[:_MAX_ADDRESSES]:
            if self._failed.get(url, self._at):
                continue
            answers = list(self._get(url, ocsp.request_for(link)))
            if not answers:
                self._failed.put(url, True, self._at + self._patience.pause)
            yield from answers

    def crls(self, link: Link) -> Iterator[bytes]:
        """Yield what the distribution points hold."""
        for url in link.fields.extensions.crl_urls[:_MAX_ADDRESSES]:
            yield from self._get(url, None)

    def _get(self, url: str, body: bytes | None) -> Iterator[bytes]:
        timeout = min(self._patience.call, self._deadline - time.monotonic())
        if timeout <= 0 or not url.startswith(("http://", "https://")):
            return
        try:
            yield self._fetch(url, body, timeout)
        except FetchError as error:
            _log.warning("revocation answer not fetched: %s", error)


class KeptSource:
    """Gives the answers of an earlier decision, to verify evidence again."""

    def __init__(self, evidence: Sequence[tuple[str, bytes]]) -> None:
        """Take pairs of `ocsp` or `crl` and DER."""
        self._evidence = evidence

    def ocsp_answers(self, link: Link) -> Iterator[bytes]:
        """Yield every kept OCSP answer."""
        return (data for kind, data in self._evidence if kind == "ocsp")

    def crls(self, link: Link) -> Iterator[bytes]:
        """Yield every kept CRL."""
        return (data for kind, data in self._evidence if kind == "crl")


class RevocationChecker:
    """Decides, and keeps good answers until they end or `keep` has passed. Thread-safe."""

    def __init__(self, keep: timedelta) -> None:
        self._keep = keep
        self._answers: Expiring[tuple[bytes, int], RevocationEvidence] = Expiring(_CAPACITY)
        self._lists: Expiring[tuple[bytes, tuple[str, ...]], crl.RevocationList] = Expiring(_CRL_CAPACITY)

    def forget(self) -> None:
        """Drop every kept answer."""
        self._answers.clear()
        self._lists.clear()

    def check(self, link: Link, source: StatusSource, at: datetime) -> RevocationEvidence:
        """Return what says that the link's certificate is not revoked.

        Raises `CertificateRejected`: `CERTIFICATE_ERR` when it is revoked, `STATUS_UNAVAILABLE` when nothing good and
        fresh says that it is not, which a signed "unknown" does not either. `CertificateRevoked` knows since when.
        """
        evidence = self._by_ocsp(link, source, at) or self._by_crl(link, source, at)
        if evidence is None:
            raise CertificateRejected(Rejection.STATUS_UNAVAILABLE, _RULE, "no usable answer")
        return evidence

    def _by_ocsp(self, link: Link, source: StatusSource, at: datetime) -> RevocationEvidence | None:
        key = (_fingerprint(link), link.fields.serial_number)
        kept = self._answers.get(key, at)
        if kept is not None:
            return kept
        for data in source.ocsp_answers(link):
            try:
                answer = ocsp.read_answer(
                    data, link, at, lambda responder: self._check_responder(responder, source, at)
                )
            except StatusUnusable as error:
                _log.info("OCSP answer not used: %s", error)
                continue
            _require_good(answer)
            evidence = RevocationEvidence("ocsp", data, min(answer.good_until, at + self._keep))
            self._answers.put(key, evidence, evidence.good_until)
            return evidence
        return None

    def _by_crl(self, link: Link, source: StatusSource, at: datetime) -> RevocationEvidence | None:
        for revocations in self._lists_for(link, source, at):
            try:
                listed = crl.is_listed(revocations, link, at)
            except StatusUnusable as error:
                _log.info("CRL not used: %s", error)
                continue
            if listed:
                raise CertificateRevoked(_RULE, crl.revoked_since(revocations, link.fields.serial_number))
            until = min(revocations.next_update or at, at + self._keep)
            self._lists.put(_list_key(link), revocations, until)
            return RevocationEvidence("crl", revocations.der, until)
        return None

    def _lists_for(self, link: Link, source: StatusSource, at: datetime) -> Iterator[crl.RevocationList]:
        kept = self._lists.get(_list_key(link), at)
        if kept is not None:
            yield kept
            return
        for data in source.crls(link):
            try:
                yield crl.read_list(data, link.issuer)
            except StatusUnusable as error:
                _log.info("CRL not used: %s", error)

    def _check_responder(self, responder: Link, source: StatusSource, at: datetime) -> None:
        try:
            evidence = self._by_crl(responder, source, at)
        except CertificateRejected:
            raise StatusUnusable("responder is revoked") from None
        if evidence is None:
            raise StatusUnusable("responder's own status is not known")


def _require_good(answer: ocsp.OcspAnswer) -> None:
    if answer.status is ocsp.Status.REVOKED:
        raise CertificateRevoked(_RULE, answer.revoked_at)
    if answer.status is not ocsp.Status.GOOD:
        raise CertificateNotKnown(_RULE)


def _fingerprint(link: Link) -> bytes:
    return link.issuer.fingerprint(hashes.SHA256())


def _list_key(link: Link) -> tuple[bytes, tuple[str, ...]]:
    return _fingerprint(link), link.fields.extensions.crl_urls
