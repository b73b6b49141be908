# SPDX-License-Identifier: EUPL-1.2
"""OCSP requests and answers (RFC 6960; protocol section B8 rule 10). For servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sithsapp.failures import SithsError
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.extensions import OCSP_NO_CHECK, OCSP_SIGNING, KeyUsage
from sithsapp.pki.rejection import StatusUnusable
from sithsapp.pki.signed_status import MALFORMED, check_freshness, verify_signature
from sithsapp.pki.trust import Link

MAX_RESPONSE: Final = 64 * 1024
_MAX_CERTIFICATES: Final = 4
_ID_HASHES: Final = (hashes.SHA1, hashes.SHA256, hashes.SHA384, hashes.SHA512)


class Status(Enum):
    """What the responder says of the certificate."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, repr=False)
class OcspAnswer:
    """A verified answer for one certificate, and until when it is good. `revoked_at` is set when it is revoked."""

    status: Status
    good_until: datetime
    der: bytes
    revoked_at: datetime | None = None


ResponderCheck = Callable[[Link], None]
"""Raises `StatusUnusable` or `CertificateRejected` unless the responder's own certificate is known to be good."""


def request_for(link: Link) -> bytes:
    """Return a request (DER) for the link's certificate, without nonce so that answers may be shared."""
    # SHA-1 only names the issuer here; it is the one hash that every responder knows (RFC 5019 section 2.1.1).
    digest = hashes.SHA1()  # noqa: S303 - see above
    return (
        ocsp.OCSPRequestBuilder()
        .add_certificate(link.certificate, link.issuer, digest)
        .build()
        .public_bytes(Encoding.DER)
    )


def read_answer(data: bytes, link: Link, at: datetime, check_responder: ResponderCheck) -> OcspAnswer:
    """Verify an answer for the link's certificate at an aware time. Raises `StatusUnusable`."""
    try:
        response = _successful(data)
        status = _status(response, link)
        good_until = check_freshness(response.this_update_utc, response.next_update_utc, at)
        _verify_responder(response, link, at, check_responder)
        revoked_at = response.revocation_time_utc
    except MALFORMED:
        raise StatusUnusable("answer is malformed") from None
    return OcspAnswer(status, good_until, data, revoked_at)


def _successful(data: bytes) -> ocsp.OCSPResponse:
    if len(data) > MAX_RESPONSE:
        raise StatusUnusable("answer is too long")
    response = ocsp.load_der_ocsp_response(data)
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise StatusUnusable("responder gives no answer")
    if len(list(response.responses)) != 1:
        raise StatusUnusable("answer is not for one certificate")
    extensions = [*response.extensions, *response.single_extensions]
    if any(extension.critical for extension in extensions):
        raise StatusUnusable("answer has a critical extension")
    return response


def _status(response: ocsp.OCSPResponse, link: Link) -> Status:
    digest = response.hash_algorithm
    if not isinstance(digest, _ID_HASHES):
        raise StatusUnusable("certificate is named by an unknown hash")
    own = ocsp.OCSPRequestBuilder().add_certificate(link.certificate, link.issuer, digest).build()
    asked = (own.issuer_name_hash, own.issuer_key_hash, own.serial_number)
    if asked != (response.issuer_name_hash, response.issuer_key_hash, response.serial_number):
        raise StatusUnusable("answer is for another certificate")
    return Status[response.certificate_status.name]


def _verify_responder(response: ocsp.OCSPResponse, link: Link, at: datetime, check: ResponderCheck) -> None:
    for signer in _signers(response, link.issuer):
        verify_signature(
            signer,
            response.signature,
            response.tbs_response_bytes,
            response.signature_hash_algorithm,
            response.signature_algorithm_oid,
        )
        if signer != link.issuer:
            _check_delegation(Link(signer, _fields(signer), link.issuer), at, check)
        return
    raise StatusUnusable("signer is unknown")


def _signers(response: ocsp.OCSPResponse, issuer: x509.Certificate) -> Iterator[x509.Certificate]:
    for candidate in [issuer, *response.certificates[:_MAX_CERTIFICATES]]:
        if response.responder_key_hash in (None, _key_hash(candidate)) and response.responder_name in (
            None,
            candidate.subject,
        ):
            yield candidate


def _key_hash(certificate: x509.Certificate) -> bytes:
    return x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest


def _check_delegation(responder: Link, at: datetime, check: ResponderCheck) -> None:
    try:
        responder.certificate.verify_directly_issued_by(responder.issuer)
    except (InvalidSignature, ValueError, TypeError):
        raise StatusUnusable("signer is not the issuer's responder") from None
    fields = responder.fields
    if OCSP_SIGNING not in (fields.extended_key_usage or ()) or fields.extensions.unknown_critical:
        raise StatusUnusable("signer may not sign answers")
    if fields.extensions.key_usage is not None and KeyUsage.DIGITAL_SIGNATURE not in fields.key_usage:
        raise StatusUnusable("signer may not sign")
    if not fields.is_valid_at(at):
        raise StatusUnusable("signer's certificate is not valid now")
    if OCSP_NO_CHECK not in fields.extensions.present:
        check(responder)


def _fields(certificate: x509.Certificate) -> Certificate:
    try:
        return read_certificate(certificate.public_bytes(Encoding.DER))
    except SithsError:
        raise StatusUnusable("signer's certificate cannot be read") from None
