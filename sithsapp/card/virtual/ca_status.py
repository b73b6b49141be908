# SPDX-License-Identifier: EUPL-1.2
"""Revocation answers of the test CA: CRLs and OCSP responses, right ones and wrong ones."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from sithsapp.card.virtual import ca_certificates
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import Authority
from sithsapp.card.virtual.keys import KeyKind, generate_key

_FRESH = timedelta(hours=12)
_STALE = timedelta(days=-2)


class StatusMode(Enum):
    """How the CA's status service behaves."""

    NORMAL = "normal"
    DOWN = "down"  # the connection ends without an answer
    WRONG_SIGNER = "wrong signer"
    STALE = "stale"
    UNKNOWN = "unknown"  # OCSP: status unknown; CRL: 404
    GARBAGE = "garbage"


def crl(pki: VirtualPki, authority: Authority, mode: StatusMode = StatusMode.NORMAL) -> bytes:
    """Return the CA's CRL (DER)."""
    begin = ca_certificates.now() + (_STALE if mode is StatusMode.STALE else -timedelta(minutes=1))
    builder = x509.CertificateRevocationListBuilder().issuer_name(authority.certificate.subject)
    builder = builder.last_update(begin).next_update(begin + _FRESH)
    builder = builder.add_extension(x509.CRLNumber(pki.next_crl_number()), critical=False)
    own = authority.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    key_id = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(own)
    builder = builder.add_extension(key_id, critical=False)
    for entry in pki.revocations(authority.slug):
        revoked = x509.RevokedCertificateBuilder().serial_number(int(entry.serial, 16)).revocation_date(entry.at)
        builder = builder.add_revoked_certificate(revoked.build())
    signer = generate_key(KeyKind.P_256) if mode is StatusMode.WRONG_SIGNER else authority.key
    return builder.sign(signer, hashes.SHA256()).public_bytes(Encoding.DER)


def ocsp_response(
    pki: VirtualPki, authority: Authority, request: bytes, mode: StatusMode = StatusMode.NORMAL
) -> bytes:
    """Answer an OCSP request (DER) for a certificate of that CA; a request that is none gets malformedRequest."""
    try:
        asked = ocsp.load_der_ocsp_request(request)
    except (ValueError, NotImplementedError):
        return _unsuccessful(ocsp.OCSPResponseStatus.MALFORMED_REQUEST)
    if _key_hash(authority, asked.hash_algorithm) != asked.issuer_key_hash:
        return _unsuccessful(ocsp.OCSPResponseStatus.UNAUTHORIZED)
    return _successful(pki, authority, asked, mode)


def _successful(pki: VirtualPki, authority: Authority, asked: ocsp.OCSPRequest, mode: StatusMode) -> bytes:
    serial = asked.serial_number
    revoked = {int(entry.serial, 16): entry.at for entry in pki.revocations(authority.slug)}.get(serial)
    status = ocsp.OCSPCertStatus.REVOKED if revoked else ocsp.OCSPCertStatus.GOOD
    if mode is StatusMode.UNKNOWN or not pki.has_issued(authority.slug, serial):
        status, revoked = ocsp.OCSPCertStatus.UNKNOWN, None
    begin = ca_certificates.now() + (_STALE if mode is StatusMode.STALE else -timedelta(minutes=1))
    signer = _stranger(authority) if mode is StatusMode.WRONG_SIGNER else pki.responder(authority)
    builder = ocsp.OCSPResponseBuilder().add_response_by_hash(
        asked.issuer_name_hash,
        asked.issuer_key_hash,
        serial,
        asked.hash_algorithm,
        status,
        begin,
        begin + _FRESH,
        revoked,
        None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer.certificate)
    builder = builder.certificates([signer.certificate])
    for extension in asked.extensions:
        if isinstance(extension.value, x509.OCSPNonce):
            builder = builder.add_extension(extension.value, critical=False)
    return builder.sign(signer.key, hashes.SHA256()).public_bytes(Encoding.DER)


def _stranger(authority: Authority) -> Authority:
    """Make a responder that looks right but is issued by nobody in the PKI."""
    key = generate_key(KeyKind.P_256)
    impostor = Authority(authority.slug, authority.certificate, key)
    return Authority("stranger", ca_certificates.responder(impostor, key), key)


def _unsuccessful(status: ocsp.OCSPResponseStatus) -> bytes:
    return ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)


def _key_hash(authority: Authority, algorithm: hashes.HashAlgorithm) -> bytes:
    own = authority.certificate
    return ocsp.OCSPRequestBuilder().add_certificate(own, own, algorithm).build().issuer_key_hash
