# SPDX-License-Identifier: EUPL-1.2
"""A certificate authority for one moment: it vouches for the local proxy under the listed servers' names.

Its key signs one certificate and goes; it is never written anywhere. What stays is a CA certificate that the person's
own browsers trust and that nobody can use again, and that could not vouch for any other server if somebody could
(RFC 5280 section 4.2.1.10; a host's constraint covers names below that host too, there is no narrower one).
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

NAME_BEGINS: Final = "SITHS eID-app mTLS "
"""How the common name of each of our authorities begins; random digits follow."""
VALID: Final = timedelta(days=390)
_CLOCKS_DIFFER: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, repr=False)
class Issued:
    """An authority's certificate (DER), and the one certificate that it issued with its key, in PEM."""

    authority: bytes
    certificate: bytes
    key: bytes


def issue_once(hosts: Sequence[str], at: datetime) -> Issued:
    """Return a certificate for `hosts` (DNS names), valid from `at` on, by an authority whose key is gone by then."""
    return Authority(hosts, at).issue(hosts)


class Authority:
    """An authority with its key; to be let go after one use."""

    def __init__(self, permitted: Sequence[str], at: datetime) -> None:
        """Make one that may vouch for `permitted` alone."""
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        self._key = ec.generate_private_key(ec.SECP256R1())
        self._at = at
        name = _name(NAME_BEGINS + secrets.token_hex(4))
        builder = self._builder(name, name, self._key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_usage(key_cert_sign=True), critical=True)
        self.certificate = self._signed(builder.add_extension(_constraints(permitted), critical=True))

    def issue(self, hosts: Sequence[str]) -> Issued:
        """Issue a server's certificate for `hosts`, with a key of its own."""
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        issuer = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        builder = self._builder(_name("SITHS eID-app"), self.certificate.subject, key.public_key())
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(names, critical=False)
        identifier = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(issuer)
        certificate = self._signed(builder.add_extension(identifier, critical=False))
        return Issued(
            self.certificate.public_bytes(Encoding.DER),
            certificate.public_bytes(Encoding.PEM),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        )

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
    ) -> x509.CertificateBuilder:
        from cryptography import x509

        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(self._at - _CLOCKS_DIFFER).not_valid_after(self._at + VALID)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        return builder.add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), critical=False
        )

    def _signed(self, builder: x509.CertificateBuilder) -> x509.Certificate:
        from cryptography.hazmat.primitives.hashes import SHA256

        return builder.sign(self._key, SHA256())


def _name(common_name: str) -> x509.Name:
    from cryptography import x509

    return x509.Name([x509.NameAttribute(x509.oid.NameOID.COMMON_NAME, common_name)])


def _usage(*, digital_signature: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(digital_signature, False, False, False, False, key_cert_sign, False, False, False)


def _constraints(permitted: Sequence[str]) -> x509.NameConstraints:
    from cryptography import x509

    addresses = [x509.IPAddress(ip_network(each)) for each in ("0.0.0.0/0", "::/0")]
    return x509.NameConstraints([x509.DNSName(host) for host in permitted], addresses)
