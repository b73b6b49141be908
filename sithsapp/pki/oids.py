# SPDX-License-Identifier: EUPL-1.2
"""What object identifiers and key usages are called, for people. Texts are message ids for `sithsapp.locale.tr`."""

from __future__ import annotations

from typing import Final

from sithsapp.locale import tr
from sithsapp.pki.extensions import KeyUsage


def _(text: str) -> str:
    """Mark a text for the catalogue."""
    return text


_PURPOSES: Final = {
    "1.3.6.1.5.5.7.3.1": _("Server authentication"),
    "1.3.6.1.5.5.7.3.2": _("Client authentication"),
    "1.3.6.1.5.5.7.3.3": _("Code signing"),
    "1.3.6.1.5.5.7.3.4": _("Secure e-mail"),
    "1.3.6.1.5.5.7.3.8": _("Time stamping"),
    "1.3.6.1.5.5.7.3.9": _("OCSP signing"),
    "1.3.6.1.5.5.7.3.36": _("Document signing"),
    "1.3.6.1.4.1.311.20.2.2": _("Smart card logon"),
    "1.3.6.1.4.1.311.10.3.4": _("Encrypting File System"),
    "1.3.6.1.4.1.311.10.3.12": _("Document signing"),
    "1.3.6.1.5.2.3.4": _("Kerberos logon (PKINIT)"),
    "1.3.6.1.5.2.3.5": _("Kerberos domain controller"),
    "2.5.29.37.0": _("Any purpose"),
}

_EXTENSIONS: Final = {
    "2.5.29.9": _("Subject directory attributes"),
    "2.5.29.14": _("Subject key identifier"),
    "2.5.29.15": _("Key usage"),
    "2.5.29.17": _("Subject alternative name"),
    "2.5.29.18": _("Issuer alternative name"),
    "2.5.29.19": _("Basic constraints"),
    "2.5.29.30": _("Name constraints"),
    "2.5.29.31": _("CRL distribution points"),
    "2.5.29.32": _("Certificate policies"),
    "2.5.29.33": _("Policy mappings"),
    "2.5.29.35": _("Authority key identifier"),
    "2.5.29.36": _("Policy constraints"),
    "2.5.29.37": _("Extended key usage"),
    "2.5.29.46": _("Freshest CRL"),
    "2.5.29.54": _("Inhibit any policy"),
    "1.3.6.1.5.5.7.1.1": _("Authority information access"),
    "1.3.6.1.5.5.7.1.3": _("Qualified certificate statements"),
    "1.3.6.1.5.5.7.1.11": _("Subject information access"),
    "1.3.6.1.5.5.7.48.1.5": _("No OCSP check"),
    "1.3.6.1.4.1.311.20.2": _("Certificate template name"),
    "1.3.6.1.4.1.311.21.7": _("Certificate template"),
    "1.3.6.1.4.1.311.21.10": _("Application policies"),
    "1.3.6.1.4.1.311.25.2": _("Windows security identifier (SID)"),
    "1.2.752.34.2.1": _("Card number"),
}

_TECHNICAL: Final = {
    "1.2.840.113549.1.1.1": "RSA",
    "1.2.840.113549.1.1.5": "RSA, SHA-1",
    "1.2.840.113549.1.1.10": "RSA-PSS",
    "1.2.840.113549.1.1.11": "RSA, SHA-256",
    "1.2.840.113549.1.1.12": "RSA, SHA-384",
    "1.2.840.113549.1.1.13": "RSA, SHA-512",
    "1.2.840.10045.2.1": "EC",
    "1.2.840.10045.4.3.2": "ECDSA, SHA-256",
    "1.2.840.10045.4.3.3": "ECDSA, SHA-384",
    "1.2.840.10045.4.3.4": "ECDSA, SHA-512",
    "1.3.6.1.5.5.7.48.1": "OCSP",
    "1.3.6.1.5.5.7.48.2": "CA",
    "2.5.29.32.0": "anyPolicy",
    "1.3.6.1.4.1.311.20.2.3": "UPN",
}

_ATTRIBUTES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.42": "GN",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
}

_USAGES: Final = {
    KeyUsage.DIGITAL_SIGNATURE: _("Digital signature"),
    KeyUsage.CONTENT_COMMITMENT: _("Content commitment (non-repudiation)"),
    KeyUsage.KEY_ENCIPHERMENT: _("Key encipherment"),
    KeyUsage.DATA_ENCIPHERMENT: _("Data encipherment"),
    KeyUsage.KEY_AGREEMENT: _("Key agreement"),
    KeyUsage.KEY_CERT_SIGN: _("Signing certificates"),
    KeyUsage.CRL_SIGN: _("Signing revocation lists"),
    KeyUsage.ENCIPHER_ONLY: _("Encipher only"),
    KeyUsage.DECIPHER_ONLY: _("Decipher only"),
}


def purpose_name(oid: str) -> str:
    """Return what an extended key usage is called, or its OID."""
    return tr(_PURPOSES.get(oid, oid))


def usage_name(usage: KeyUsage) -> str:
    """Return what a key usage is called."""
    return tr(_USAGES[usage])


def extension_name(oid: str) -> str:
    """Return what an extension is called, or its OID."""
    return tr(_EXTENSIONS.get(oid, oid))


def technical_name(oid: str) -> str:
    """Return the short name of an algorithm, policy or access method with its OID, or the OID alone."""
    return f"{_TECHNICAL[oid]} ({oid})" if oid in _TECHNICAL else oid


def algorithm_name(oid: str) -> str:
    """Return the short name of an algorithm, or its OID."""
    return _TECHNICAL.get(oid, oid)


def attribute_name(oid: str) -> str:
    """Return the short name of a name's attribute, or its OID."""
    return _ATTRIBUTES.get(oid, oid)


def named(name: str, oid: str) -> str:
    """Return a name with its OID behind it, once where they are the same."""
    return name if name == oid else f"{name} ({oid})"
