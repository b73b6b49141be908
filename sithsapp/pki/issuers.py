# SPDX-License-Identifier: EUPL-1.2
"""The chain of a certificate for people to see: who issued whom, and where each certificate came from.

Each certificate in it was signed by the next. That alone is no trust: see `sithsapp.pki.inspection`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from sithsapp.failures import SithsError
from sithsapp.pki.certificate import MAX_CERTIFICATE, read_certificate
from sithsapp.pki.der import DerError
from sithsapp.pki.fetching import Fetch, FetchError
from sithsapp.pki.findings import Chain, Known, Origin
from sithsapp.pki.parts import take_apart
from sithsapp.pki.signed_status import MALFORMED

MAX_LENGTH: Final = 8
_MAX_ADDRESSES: Final = 2
_MAX_BUNDLE: Final = 8 * MAX_CERTIFICATE
_CALL_SECONDS: Final = 5.0


def build_chain(leaf: Known, known: Iterable[Known], get: Fetch | None = None) -> Chain:
    """Return the chain of `leaf` with issuers among `known`, the first that fits; `get` asks the network for others.

    Addresses come from the certificates. What they give counts only if it signed the certificate that names them.
    """
    candidates, members = tuple(known), [leaf]
    while len(members) < MAX_LENGTH:
        last = members[-1].der
        if has_signed(last, last):
            return Chain(tuple(members), complete=True)
        issuer = _known_issuer(last, candidates) or (_fetched_issuer(last, get) if get is not None else None)
        if issuer is None or any(issuer.der == member.der for member in members):
            break
        members.append(issuer)
    return Chain(tuple(members), complete=False)


def has_signed(issuer: bytes, certificate: bytes) -> bool:
    """Tell whether `issuer` names and signed `certificate` (both DER)."""
    if not _names(issuer, certificate):
        return False
    try:
        x509.load_der_x509_certificate(certificate).verify_directly_issued_by(x509.load_der_x509_certificate(issuer))
    except (InvalidSignature, *MALFORMED):
        return False
    return True


def _names(issuer: bytes, certificate: bytes) -> bool:
    """Tell whether the names fit. Looked at first: of a store's many certificates few need to be loaded."""
    try:
        return take_apart(certificate).issuer == take_apart(issuer).subject
    except DerError:
        return False


def _known_issuer(certificate: bytes, candidates: Sequence[Known]) -> Known | None:
    return next((each for each in candidates if has_signed(each.der, certificate)), None)


def _fetched_issuer(certificate: bytes, get: Fetch) -> Known | None:
    for url in _addresses(certificate)[:_MAX_ADDRESSES]:
        try:
            answer = get(url, None, _CALL_SECONDS)
        except FetchError:
            continue
        for found in _certificates(answer):
            if has_signed(found, certificate):
                return Known(found, Origin.FETCHED)
    return None


def _addresses(certificate: bytes) -> tuple[str, ...]:
    try:
        return read_certificate(certificate).extensions.ca_issuer_urls
    except SithsError:
        return ()


def _certificates(answer: bytes) -> list[bytes]:
    """Return the certificates of an answer: one in DER, or a bundle without signatures (RFC 5280 section 4.2.2.1)."""
    if len(answer) > _MAX_BUNDLE:
        return []
    try:
        return [x509.load_der_x509_certificate(answer).public_bytes(Encoding.DER)]
    except MALFORMED:
        pass
    try:
        found = pkcs7.load_der_pkcs7_certificates(answer)
    except (UnsupportedAlgorithm, *MALFORMED):
        return []
    return [each.public_bytes(Encoding.DER) for each in found[:MAX_LENGTH]]
