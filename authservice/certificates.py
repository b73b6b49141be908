# SPDX-License-Identifier: EUPL-1.2
"""How the service and the relying party's library judge certificates (protocol section B8, rules 8-10)."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from authservice.clock import Clock
from sithsapp.oob.protocol.encoding import b64_decode, b64u
from sithsapp.oob.protocol.order import Requirements
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.rp_messages import RevocationProof, Subject
from sithsapp.pki.loa import level_of
from sithsapp.pki.rejection import CertificateRejected, Rejection
from sithsapp.pki.trust import TrustAnchors
from sithsapp.pki.validation import CertificateValidator, ValidatedCertificate

_CODES: Final = {
    Rejection.WRONG_CERTIFICATE: ProblemCode.WRONG_CERTIFICATE,
    Rejection.CERTIFICATE_ERR: ProblemCode.CERTIFICATE_ERR,
    Rejection.STATUS_UNAVAILABLE: ProblemCode.STATUS_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True, repr=False)
class JudgedCertificate:
    """A certificate that passed every rule: whose it is, and the revocation data that the judgement stood on."""

    subject: Subject
    revocation: tuple[RevocationProof, ...]


class CertificateJudge(Protocol):
    """Checks path, leaf rules and revocation; fails closed. Safe for many threads.

    Both methods take DER, leaf first, and raise `ProtocolViolation` with the rule's number: `WRONG_CERTIFICATE` where
    another card helps, `CERTIFICATE_ERR`, or `STATUS_UNAVAILABLE`.
    """

    def judge(self, certificates: Sequence[bytes], requirements: Requirements) -> JudgedCertificate:
        """Judge as of now, with revocation data from the network."""

    def judge_again(
        self,
        certificates: Sequence[bytes],
        requirements: Requirements,
        revocation: Sequence[RevocationProof],
        at: datetime,
    ) -> JudgedCertificate:
        """Judge as of `at` with revocation data that somebody else gathered then; without any network."""


class AnchoredJudge:
    """Judges by explicit anchors, never the operating system's."""

    def __init__(self, validator: CertificateValidator) -> None:
        self._validator = validator

    @classmethod
    def from_files(cls, anchors: Path, intermediates: Path | None, clock: Clock) -> AnchoredJudge:
        """Read PEM files; raises ValueError when a file holds no certificate."""
        extra = [] if intermediates is None else _read_pem(intermediates)
        trust = TrustAnchors(_read_pem(anchors), extra)
        return cls(CertificateValidator(trust, now=lambda: datetime.fromtimestamp(clock.now(), UTC)))

    def judge(self, certificates: Sequence[bytes], requirements: Requirements) -> JudgedCertificate:
        """Judge as of now."""
        try:
            return _judged(self._validator.validate(certificates, requirements))
        except CertificateRejected as rejected:
            raise _violation(rejected) from None

    def judge_again(
        self,
        certificates: Sequence[bytes],
        requirements: Requirements,
        revocation: Sequence[RevocationProof],
        at: datetime,
    ) -> JudgedCertificate:
        """Judge as of `at` by kept revocation data."""
        kept = [(proof.type, b64_decode(proof.der)) for proof in revocation]
        try:
            return _judged(self._validator.verify_again(certificates, requirements, kept, at))
        except CertificateRejected as rejected:
            raise _violation(rejected) from None


def _read_pem(path: Path) -> list[bytes]:
    return [found.public_bytes(Encoding.DER) for found in x509.load_pem_x509_certificates(path.read_bytes())]


def _judged(valid: ValidatedCertificate) -> JudgedCertificate:
    leaf = valid.certificate
    level = level_of(leaf)
    if level is None:
        raise ProtocolViolation(ProblemCode.WRONG_CERTIFICATE, "certificate has no level of assurance", rule=9)
    subject = Subject(
        cert_sha256=b64u(leaf.sha256),
        issuer=leaf.issuer,
        policies=sorted(valid.policies),
        loa=level,
        hsaid=leaf.hsaid,
        pnr=leaf.personal_number,
        given_name=leaf.given_name,
        surname=leaf.surname,
        org=leaf.organisation,
    )
    proofs = (RevocationProof(type=found.kind, der=_base64(found.der)) for found in valid.revocation)
    return JudgedCertificate(subject, tuple(proofs))


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _violation(rejected: CertificateRejected) -> ProtocolViolation:
    return ProtocolViolation(_CODES[rejected.kind], rejected.detail, rule=rejected.rule)
