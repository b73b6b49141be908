# SPDX-License-Identifier: EUPL-1.2
"""Paths from a certificate to explicit trust anchors (RFC 5280 section 6; protocol section B8 rule 8). For servers.

Signatures, validity, path length, name constraints and unknown critical extensions are checked by `cryptography`.
It checks neither purpose nor policy nor revocation: see `rules`, `PathToAnchor.policies` and `revocation`.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.verification import (
    ClientVerifier,
    Criticality,
    ExtensionPolicy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from sithsapp.failures import SithsError
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.extensions import ANY_POLICY, INHIBIT_ANY_POLICY
from sithsapp.pki.rejection import CertificateRejected, Rejection
from sithsapp.pki.signed_status import MALFORMED

MAX_INTERMEDIATES: Final = 4
_RULE: Final = 8


def _ca_policy() -> ExtensionPolicy:
    """Allow also those policy extensions, critical or not, that `PathToAnchor.policies` heeds."""
    policy = ExtensionPolicy.webpki_defaults_ca()
    for kind in (x509.CertificatePolicies, x509.PolicyConstraints, x509.InhibitAnyPolicy):
        policy = policy.may_be_present(kind, Criticality.AGNOSTIC, None)
    return policy


_CA_POLICY: Final = _ca_policy()

# The library's own leaf policy is made for web servers: it demands names that a signature certificate lacks.
_LEAF_POLICY: Final = ExtensionPolicy.permit_all().may_be_present(
    x509.CertificatePolicies, Criticality.AGNOSTIC, None
)


@dataclass(frozen=True, slots=True, repr=False)
class Link:
    """A certificate and, in `issuer`, the one that issued it. `fields` are the certificate's own."""

    certificate: x509.Certificate
    fields: Certificate
    issuer: x509.Certificate


@dataclass(frozen=True, slots=True, repr=False)
class PathToAnchor:
    """A verified path: a link for every certificate below the anchor, the leaf first."""

    links: tuple[Link, ...]

    @property
    def leaf(self) -> Certificate:
        """The leaf's fields."""
        return self.links[0].fields

    @property
    def chain(self) -> tuple[bytes, ...]:
        """The certificates below the anchor in DER, leaf first."""
        return tuple(link.certificate.public_bytes(Encoding.DER) for link in self.links)

    @property
    def policies(self) -> frozenset[str]:
        """The leaf's policies that no issuer below the anchor excludes.

        An issuer without policies excludes nothing; `anyPolicy` excludes nothing unless something in the path
        inhibits it. Mappings are not followed.
        """
        inhibited = any(INHIBIT_ANY_POLICY in link.fields.extensions.present for link in self.links)
        policies = frozenset(self.leaf.policies)
        for link in self.links[1:]:
            own = link.fields.policies
            if own and (inhibited or ANY_POLICY not in own):
                policies &= frozenset(own)
        return policies


class TrustAnchors:
    """The only roots that are trusted, with intermediates that signers need not send."""

    def __init__(self, anchors: Sequence[bytes], intermediates: Sequence[bytes] = ()) -> None:
        """Take certificates in DER. Raises `ValueError` for one that cannot be read, or when there is no anchor."""
        self._store = Store([x509.load_der_x509_certificate(anchor) for anchor in anchors])
        self._intermediates = [x509.load_der_x509_certificate(found) for found in intermediates]

    def path(self, certificates: Sequence[bytes], at: datetime) -> PathToAnchor:
        """Build and verify a path from `certificates` (DER, leaf first) at an aware time.

        Raises `CertificateRejected` with `CERTIFICATE_ERR`.
        """
        if not 1 <= len(certificates) <= 1 + MAX_INTERMEDIATES:
            raise CertificateRejected(Rejection.CERTIFICATE_ERR, _RULE, "number of certificates")
        try:
            fields = [read_certificate(certificate) for certificate in certificates]
            leaf, *rest = (x509.load_der_x509_certificate(certificate) for certificate in certificates)
            found = self._verifier(at).verify(leaf, rest + self._intermediates).chain
        except (SithsError, VerificationError, *MALFORMED):
            raise CertificateRejected(Rejection.CERTIFICATE_ERR, _RULE, "no path to a trust anchor") from None
        return self._checked(PathToAnchor(_links(found, fields[0])))

    def _verifier(self, at: datetime) -> ClientVerifier:
        builder = PolicyBuilder().store(self._store).time(at).max_chain_depth(MAX_INTERMEDIATES)
        builder = builder.extension_policies(ca_policy=_CA_POLICY, ee_policy=_LEAF_POLICY)
        return builder.build_client_verifier()

    def _checked(self, path: PathToAnchor) -> PathToAnchor:
        if any(link.fields.extensions.unknown_critical for link in path.links):
            raise CertificateRejected(Rejection.CERTIFICATE_ERR, _RULE, "unknown critical extension")
        if not path.links or any(not link.fields.is_ca for link in path.links[1:]):
            raise CertificateRejected(Rejection.CERTIFICATE_ERR, _RULE, "issuer is not a CA")
        return path


def _links(chain: Sequence[x509.Certificate], leaf: Certificate) -> tuple[Link, ...]:
    return tuple(
        Link(certificate, leaf if number == 0 else read_certificate(certificate.public_bytes(Encoding.DER)), issuer)
        for number, (certificate, issuer) in enumerate(itertools.pairwise(chain))
    )
