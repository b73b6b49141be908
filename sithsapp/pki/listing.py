# SPDX-License-Identifier: EUPL-1.2
"""Everything that a certificate says, as labels and values. Never fails: what it does not understand is hex."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sithsapp.locale import tr
from sithsapp.pki import der, listing_values, oids
from sithsapp.pki.names import read_name
from sithsapp.pki.parts import Parts, RawExtension, take_apart

_MOST_OCTETS: Final = 1024
_MOST_TEXT: Final = 8192
_MOST_EXTENSIONS: Final = 64  # read_certificate takes no more, so whatever has more is shown and never used


@dataclass(frozen=True, slots=True, repr=False)
class Field:
    """A label of ours and a value from the certificate, which may have several lines. `critical` for extensions."""

    label: str
    value: str
    critical: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Listing:
    """The certificate's own fields, then its extensions in their order. `readable` is False for what is none."""

    fields: tuple[Field, ...]
    extensions: tuple[Field, ...]
    readable: bool


def list_fields(data: bytes) -> Listing:
    """Return everything that a certificate (DER) says, in the language in use. Never raises."""
    digests = (
        Field(tr("Fingerprint (SHA-256)"), hex_text(hashlib.sha256(data).digest())),
        # Not for security: Windows and domain controllers call certificates by it.
        Field(tr("Fingerprint (SHA-1)"), hex_text(hashlib.sha1(data, usedforsecurity=False).digest())),
    )
    try:
        parts = take_apart(data)
    except der.DerError:
        return Listing((Field(tr("Contents that cannot be read"), hex_text(data)), *digests), (), readable=False)
    shown = parts.extensions[:_MOST_EXTENSIONS]
    return Listing((*_own_fields(parts), *digests), tuple(map(_extension, shown)), readable=True)


def hex_text(data: bytes) -> str:
    """Return octets as pairs of hexadecimal digits, cut off after a while."""
    shown = data[:_MOST_OCTETS].hex(" ").upper()
    return shown if len(data) <= _MOST_OCTETS else shown + " …"


def _own_fields(parts: Parts) -> tuple[Field, ...]:
    return (
        Field(tr("Version"), str(parts.version)),
        Field(tr("Serial number"), hex_text(parts.serial_number)),
        Field(tr("Signature algorithm"), oids.technical_name(parts.algorithm)),
        Field(tr("Issued by"), _value(parts.issuer, _name)),
        *_validity(parts.validity),
        Field(tr("Issued to"), _value(parts.subject, _name)),
        Field(tr("Public key"), _value(parts.key, listing_values.public_key)),
    )


def _validity(element: bytes) -> tuple[Field, ...]:
    labels = (tr("Valid from"), tr("Valid until"))
    try:
        reader = der.Reader(element).enter(der.SEQUENCE)
        times = [f"{der.time(*reader.any()):%Y-%m-%d %H:%M:%S} UTC" for _ in labels]
    except der.DerError:
        return (Field(tr("Validity"), hex_text(element)),)
    return tuple(Field(label, moment) for label, moment in zip(labels, times, strict=True))


def _name(reader: der.Reader) -> str:
    """Return a name with one attribute a line, in the certificate's order."""
    parts = read_name(reader).parts
    return "\n".join(f"{oids.attribute_name(oid)}: {value}" for part in parts for oid, value in part)


def _extension(extension: RawExtension) -> Field:
    label = oids.named(oids.extension_name(extension.oid), extension.oid)
    decode = listing_values.DECODERS.get(extension.oid)
    value = _value(extension.value, decode) if decode is not None else hex_text(extension.value)
    return Field(label, value, extension.critical)


def _value(element: bytes, decode: Callable[[der.Reader], str]) -> str:
    reader = der.Reader(element)
    try:
        text = decode(reader)
        reader.finish()
    except der.DerError:
        return hex_text(element)
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + " …"
