# SPDX-License-Identifier: EUPL-1.2
"""A certificate as people and services see it, read without a cryptographic library (facts: siths-domain section 5).

Reading says nothing about trust: no signature is verified here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.pki import der
from sithsapp.pki.extensions import Extensions, KeyUsage, read_extensions
from sithsapp.pki.lean_sha256 import lean_sha256
from sithsapp.pki.names import COMMON_NAME, GIVEN_NAME, ORGANISATION, SERIAL_NUMBER, SURNAME, Name, read_name

MAX_CERTIFICATE: Final = 16 * 1024
"""Longest certificate that is read, in octets."""

_HSA_ID: Final = re.compile(r"(?:SE|TST[A-Z]{1,5})[0-9]{10}-[A-Za-z0-9]{1,18}")
_PERSONAL_NUMBER: Final = re.compile(r"(?:18|19|20)[0-9]{10}")
_RSA: Final = "1.2.840.113549.1.1.1"
_EC: Final = "1.2.840.10045.2.1"
_CURVES: Final = {
    "1.2.840.10045.3.1.7": ("P-256", 256),
    "1.3.132.0.34": ("P-384", 384),
    "1.3.132.0.35": ("P-521", 521),
}
_NO_EXTENSIONS: Final = Extensions(None, None, (), False, None, None, (), (), (), (), frozenset())


@dataclass(frozen=True, slots=True)
class PublicKeyInfo:
    """Algorithm (`RSA`, `P-256`, `P-384` or `P-521`) and size in bits."""

    algorithm: str
    bits: int


@dataclass(frozen=True, slots=True, repr=False)
class Certificate:
    """The fields of a certificate. Times are UTC; `sha256` is the digest of the DER, 32 octets.

    `repr` shows the beginning of the digest and no personal data.
    """

    sha256: bytes
    serial_number: int
    subject: Name
    issuer_name: Name
    not_before: datetime
    not_after: datetime
    key: PublicKeyInfo
    extensions: Extensions

    @property
    def given_name(self) -> str | None:
        """The holder's given name."""
        return self.subject.get(GIVEN_NAME)

    @property
    def surname(self) -> str | None:
        """The holder's surname."""
        return self.subject.get(SURNAME)

    @property
    def common_name(self) -> str | None:
        """The subject's common name."""
        return self.subject.get(COMMON_NAME)

    @property
    def organisation(self) -> str | None:
        """The holder's organisation."""
        return self.subject.get(ORGANISATION)

    @property
    def hsaid(self) -> str | None:
        """The holder's HSA-id, if the subject's serial number has that form."""
        return self._serial_number_as(_HSA_ID)

    @property
    def personal_number(self) -> str | None:
        """The holder's personal or co-ordination number (12 digits), if the subject's serial number has that form."""
        return self._serial_number_as(_PERSONAL_NUMBER)

    @property
    def issuer(self) -> str:
        """The issuer's common name, or its whole name where there is none."""
        return self.issuer_name.get(COMMON_NAME) or self.issuer_name.rfc4514

    @property
    def key_type(self) -> str:
        """`RSA`, `P-256`, `P-384` or `P-521`."""
        return self.key.algorithm

    @property
    def key_bits(self) -> int:
        """The size of the key in bits."""
        return self.key.bits

    @property
    def key_usage(self) -> frozenset[KeyUsage]:
        """What the key may be used for; empty where the certificate does not say."""
        return self.extensions.key_usage or frozenset()

    @property
    def extended_key_usage(self) -> tuple[str, ...] | None:
        """OIDs of purposes, or None where the certificate does not say."""
        return self.extensions.extended_key_usage

    @property
    def policies(self) -> tuple[str, ...]:
        """OIDs of the policies that the certificate was issued under."""
        return self.extensions.policies

    @property
    def upn(self) -> str | None:
        """The user principal name for Windows log-on."""
        return self.extensions.upn

    @property
    def card_number(self) -> str | None:
        """The number that is printed on the card (extension 1.2.752.34.2.1)."""
        return self.extensions.card_number

    @property
    def is_ca(self) -> bool:
        """Whether the certificate is a certification authority's."""
        return self.extensions.is_ca

    def is_valid_at(self, moment: datetime) -> bool:
        """Tell whether `moment` (aware) lies within the validity."""
        return self.not_before <= moment <= self.not_after

    def __repr__(self) -> str:
        return f"<Certificate {self.sha256.hex()[:8]}>"

    def _serial_number_as(self, form: re.Pattern[str]) -> str | None:
        value = self.subject.get(SERIAL_NUMBER)
        return value if value is not None and form.fullmatch(value) else None


def read_certificate(data: bytes) -> Certificate:
    """Read an X.509 v3 certificate in DER.

    Raises `SithsError` with `CARD_DATA_INVALID` for anything that is not strict DER of RFC 5280's form, has a key of
    another kind than RSA and the NIST curves, or is longer than `MAX_CERTIFICATE`.
    """
    if len(data) > MAX_CERTIFICATE:
        raise SithsError(Failure.CARD_DATA_INVALID, "certificate is too long")
    try:
        return _certificate(data)
    except der.DerError as error:
        raise SithsError(Failure.CARD_DATA_INVALID, f"certificate: {error}") from None


def _certificate(data: bytes) -> Certificate:
    outer = der.Reader(data)
    signed = outer.enter(der.SEQUENCE)
    outer.finish()
    body = signed.enter(der.SEQUENCE)
    algorithm = signed.raw(der.SEQUENCE)
    der.whole_octets(signed.read(der.BIT_STRING))
    signed.finish()
    if body.read(der.context(0, constructed=True)) != b"\x02\x01\x02":
        raise der.DerError("not version 3")
    serial_number = der.integer(body.read(der.INTEGER), max_octets=21)
    if serial_number == 0:
        raise der.DerError("serial number is zero")
    if body.raw(der.SEQUENCE) != algorithm:
        raise der.DerError("two signature algorithms")
    issuer = read_name(body)
    not_before, not_after = _validity(body.enter(der.SEQUENCE))
    subject = read_name(body)
    key = read_key(body.enter(der.SEQUENCE))
    extensions = _extensions(body)
    digest = lean_sha256(data)
    return Certificate(digest, serial_number, subject, issuer, not_before, not_after, key, extensions)


def _validity(reader: der.Reader) -> tuple[datetime, datetime]:
    not_before, not_after = der.time(*reader.any()), der.time(*reader.any())
    reader.finish()
    if not_after < not_before:
        raise der.DerError("validity ends before it begins")
    return not_before, not_after


def read_key(reader: der.Reader) -> PublicKeyInfo:
    """Read the contents of a SubjectPublicKeyInfo; raises `der.DerError` for kinds that the app does not use."""
    algorithm = reader.enter(der.SEQUENCE)
    kind = der.oid(algorithm.read(der.OID))
    tag, parameters = algorithm.any()
    algorithm.finish()
    key = der.whole_octets(reader.read(der.BIT_STRING))
    reader.finish()
    if kind == _RSA and (tag, parameters) == (der.NULL, b""):
        return PublicKeyInfo("RSA", _modulus_bits(der.Reader(key)))
    if kind == _EC and tag == der.OID:
        return _curve(der.oid(parameters), key)
    raise der.DerError("key of another kind")


def _modulus_bits(outer: der.Reader) -> int:
    reader = outer.enter(der.SEQUENCE)
    outer.finish()
    modulus = der.integer(reader.read(der.INTEGER), max_octets=2049)
    der.integer(reader.read(der.INTEGER), max_octets=9)
    reader.finish()
    return modulus.bit_length()


def _curve(name: str, point: bytes) -> PublicKeyInfo:
    if name not in _CURVES:
        raise der.DerError("curve of another kind")
    algorithm, bits = _CURVES[name]
    if point[:1] != b"\x04" or len(point) != 1 + 2 * ((bits + 7) // 8):
        raise der.DerError("point has the wrong form")
    return PublicKeyInfo(algorithm, bits)


def _extensions(body: der.Reader) -> Extensions:
    if body.at_end:
        return _NO_EXTENSIONS
    wrapper = body.enter(der.context(3, constructed=True))
    body.finish()
    extensions = read_extensions(wrapper.enter(der.SEQUENCE))
    wrapper.finish()
    return extensions
