# SPDX-License-Identifier: EUPL-1.2
"""A certificate taken apart without judging it: what cannot be understood is kept as octets.

For showing a certificate and for advice on it. What decides anything reads by `sithsapp.pki.certificate`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sithsapp.pki import der
from sithsapp.pki.certificate import MAX_CERTIFICATE

_EXTENSIONS: Final = der.context(3, constructed=True)
_VERSION: Final = der.context(0, constructed=True)
_UNIQUE_IDS: Final = (der.context(1, constructed=False), der.context(2, constructed=False))


@dataclass(frozen=True, slots=True, repr=False)
class RawExtension:
    """One extension: its OID in dotted form, and the octets of its value."""

    oid: str
    critical: bool
    value: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Parts:
    """The parts of a certificate. Names, validity and key are whole DER elements.

    `serial_number` holds the INTEGER's contents and `algorithm` the signature algorithm's OID; `version` is 1 to 3.
    """

    version: int
    serial_number: bytes
    algorithm: str
    issuer: bytes
    validity: bytes
    subject: bytes
    key: bytes
    extensions: tuple[RawExtension, ...]

    def extension(self, oid: str) -> bytes | None:
        """Return the value of the first extension with that OID, or None."""
        return next((found.value for found in self.extensions if found.oid == oid), None)


def take_apart(data: bytes) -> Parts:
    """Take a certificate (DER) apart. Raises `der.DerError` where not even its outline can be read."""
    if len(data) > MAX_CERTIFICATE:
        raise der.DerError("certificate is too long")
    body = der.Reader(data).enter(der.SEQUENCE).enter(der.SEQUENCE)
    version = _version(body.optional(_VERSION))
    serial_number = body.read(der.INTEGER)
    algorithm = der.oid(body.enter(der.SEQUENCE).read(der.OID))
    issuer, validity, subject, key = (body.raw(der.SEQUENCE) for _ in range(4))
    for tag in _UNIQUE_IDS:
        body.optional(tag)
    return Parts(version, serial_number, algorithm, issuer, validity, subject, key, _extensions(body))


def _version(contents: bytes | None) -> int:
    if contents is None:
        return 1
    return der.integer(der.Reader(contents).read(der.INTEGER), max_octets=1) + 1


def _extensions(body: der.Reader) -> tuple[RawExtension, ...]:
    wrapper = body.optional(_EXTENSIONS)
    if wrapper is None:
        return ()
    reader = der.Reader(wrapper).enter(der.SEQUENCE)
    found: list[RawExtension] = []
    while not reader.at_end:
        extension = reader.enter(der.SEQUENCE)
        name = der.oid(extension.read(der.OID))
        critical = extension.optional(der.BOOLEAN) not in (None, b"\x00")
        found.append(RawExtension(name, critical, extension.read(der.OCTET_STRING)))
    return tuple(found)
