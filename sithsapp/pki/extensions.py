# SPDX-License-Identifier: EUPL-1.2
"""Certificate extensions that the app reads (RFC 5280 section 4.2, SS 61 43 31 for the card number)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final, TypeVar

from sithsapp.pki import der

KEY_USAGE: Final = "2.5.29.15"
SUBJECT_ALTERNATIVE_NAME: Final = "2.5.29.17"
BASIC_CONSTRAINTS: Final = "2.5.29.19"
NAME_CONSTRAINTS: Final = "2.5.29.30"
CRL_DISTRIBUTION_POINTS: Final = "2.5.29.31"
CERTIFICATE_POLICIES: Final = "2.5.29.32"
POLICY_CONSTRAINTS: Final = "2.5.29.36"
EXTENDED_KEY_USAGE: Final = "2.5.29.37"
INHIBIT_ANY_POLICY: Final = "2.5.29.54"
AUTHORITY_INFORMATION_ACCESS: Final = "1.3.6.1.5.5.7.1.1"
CARD_NUMBER: Final = "1.2.752.34.2.1"
OCSP_NO_CHECK: Final = "1.3.6.1.5.5.7.48.1.5"

ANY_POLICY: Final = "2.5.29.32.0"

CLIENT_AUTH: Final = "1.3.6.1.5.5.7.3.2"
OCSP_SIGNING: Final = "1.3.6.1.5.5.7.3.9"
SMART_CARD_LOGON: Final = "1.3.6.1.4.1.311.20.2.2"

_UPN: Final = "1.3.6.1.4.1.311.20.2.3"
_OCSP: Final = "1.3.6.1.5.5.7.48.1"
_CA_ISSUERS: Final = "1.3.6.1.5.5.7.48.2"
_URI: Final = der.context(6, constructed=False)
_MAX_EXTENSIONS: Final = 64
_MAX_ITEMS: Final = 64

_T = TypeVar("_T")
_D = TypeVar("_D")


class KeyUsage(Enum):
    """Key usage bits by their names in RFC 5280, in bit order."""

    DIGITAL_SIGNATURE = "digitalSignature"
    CONTENT_COMMITMENT = "contentCommitment"
    KEY_ENCIPHERMENT = "keyEncipherment"
    DATA_ENCIPHERMENT = "dataEncipherment"
    KEY_AGREEMENT = "keyAgreement"
    KEY_CERT_SIGN = "keyCertSign"
    CRL_SIGN = "cRLSign"
    ENCIPHER_ONLY = "encipherOnly"
    DECIPHER_ONLY = "decipherOnly"


@dataclass(frozen=True, slots=True, repr=False)
class Extensions:
    """What the extensions say. None for `key_usage` and `extended_key_usage`: the extension is not there.

    `crl_urls` leaves out distribution points of other issuers or for some reasons only. `unknown_critical` and
    `present` hold OIDs.
    """

    key_usage: frozenset[KeyUsage] | None
    extended_key_usage: tuple[str, ...] | None
    policies: tuple[str, ...]
    is_ca: bool
    upn: str | None
    card_number: str | None
    ocsp_urls: tuple[str, ...]
    ca_issuer_urls: tuple[str, ...]
    crl_urls: tuple[str, ...]
    unknown_critical: tuple[str, ...]
    present: frozenset[str]


def read_extensions(reader: der.Reader) -> Extensions:
    """Read the Extensions sequence; raises `der.DerError`, also for an extension that comes twice."""
    values, critical = _values(reader)
    access = _read(values, AUTHORITY_INFORMATION_ACCESS, _access, ())
    return Extensions(
        key_usage=_read(values, KEY_USAGE, _key_usage, None),
        extended_key_usage=_read(values, EXTENDED_KEY_USAGE, _oids, None),
        policies=_read(values, CERTIFICATE_POLICIES, _policies, ()),
        is_ca=_read(values, BASIC_CONSTRAINTS, _is_ca, False),
        upn=_read(values, SUBJECT_ALTERNATIVE_NAME, _upn, None),
        card_number=_read(values, CARD_NUMBER, _card_number, None),
        ocsp_urls=tuple(url for method, url in access if method == _OCSP),
        ca_issuer_urls=tuple(url for method, url in access if method == _CA_ISSUERS),
        crl_urls=_read(values, CRL_DISTRIBUTION_POINTS, _crl_urls, ()),
        unknown_critical=tuple(sorted(critical - _KNOWN)),
        present=frozenset(values),
    )


_KNOWN: Final = frozenset(
    {
        KEY_USAGE,
        SUBJECT_ALTERNATIVE_NAME,
        BASIC_CONSTRAINTS,
        NAME_CONSTRAINTS,
        CERTIFICATE_POLICIES,
        POLICY_CONSTRAINTS,
        EXTENDED_KEY_USAGE,
        INHIBIT_ANY_POLICY,
        CRL_DISTRIBUTION_POINTS,
    }
)


def _values(reader: der.Reader) -> tuple[dict[str, bytes], frozenset[str]]:
    values: dict[str, bytes] = {}
    critical: set[str] = set()
    while not reader.at_end:
        extension = reader.enter(der.SEQUENCE)
        name = der.oid(extension.read(der.OID))
        if name in values or len(values) >= _MAX_EXTENSIONS:
            raise der.DerError("extension comes twice, or there are too many")
        if extension.true_or_absent():
            critical.add(name)
        values[name] = extension.read(der.OCTET_STRING)
        extension.finish()
    return values, frozenset(critical)


def _read(values: dict[str, bytes], name: str, read: Callable[[der.Reader], _T], default: _D) -> _T | _D:
    if name not in values:
        return default
    reader = der.Reader(values[name])
    result = read(reader)
    reader.finish()
    return result


def _key_usage(reader: der.Reader) -> frozenset[KeyUsage]:
    unused, octets = der.bits(reader.read(der.BIT_STRING))
    if not octets or len(octets) > 2 or (unused and not octets[-1] & (1 << unused)):
        raise der.DerError("key usage is empty, too long or not the shortest")
    value = int.from_bytes(octets.ljust(2, b"\0"))
    return frozenset(usage for position, usage in enumerate(KeyUsage) if value & (0x8000 >> position))


def _oids(reader: der.Reader) -> tuple[str, ...]:
    sequence = reader.enter(der.SEQUENCE)
    found: list[str] = []
    while not sequence.at_end:
        found.append(der.oid(sequence.read(der.OID)))
    return _bounded(found)


def _policies(reader: der.Reader) -> tuple[str, ...]:
    sequence = reader.enter(der.SEQUENCE)
    found: list[str] = []
    while not sequence.at_end:
        policy = sequence.enter(der.SEQUENCE)
        found.append(der.oid(policy.read(der.OID)))
        policy.optional(der.SEQUENCE)  # qualifiers are texts for people; RFC 5280 lets applications ignore them
        policy.finish()
    if len(set(found)) != len(found):
        raise der.DerError("a policy comes twice")
    return _bounded(found)


def _is_ca(reader: der.Reader) -> bool:
    sequence = reader.enter(der.SEQUENCE)
    is_ca = sequence.true_or_absent()
    path_length = sequence.optional(der.INTEGER)
    if path_length is not None:
        der.integer(path_length, max_octets=2)
    sequence.finish()
    return is_ca


def _upn(reader: der.Reader) -> str | None:
    upn: str | None = None
    for tag, contents in _all(reader.enter(der.SEQUENCE)):
        if tag != der.context(0, constructed=True):
            continue
        other = der.Reader(contents)
        name, value = der.oid(other.read(der.OID)), other.enter(der.context(0, constructed=True))
        other.finish()
        if name == _UPN:
            if upn is not None:
                raise der.DerError("two user principal names")
            upn = der.text(*value.any())
            value.finish()
    return upn


def _card_number(reader: der.Reader) -> str:
    return der.text(*reader.any())


def _access(reader: der.Reader) -> tuple[tuple[str, str], ...]:
    sequence = reader.enter(der.SEQUENCE)
    found: list[tuple[str, str]] = []
    while not sequence.at_end:
        description = sequence.enter(der.SEQUENCE)
        method = der.oid(description.read(der.OID))
        tag, contents = description.any()
        description.finish()
        if tag == _URI:
            found.append((method, _url(contents)))
    return _bounded(found)


def _crl_urls(reader: der.Reader) -> tuple[str, ...]:
    sequence = reader.enter(der.SEQUENCE)
    found: list[str] = []
    while not sequence.at_end:
        point = sequence.enter(der.SEQUENCE)
        name = point.optional(der.context(0, constructed=True))
        if name is not None and point.at_end:
            found += _full_names(der.Reader(name))
    return tuple(found[:_MAX_ITEMS])


def _full_names(reader: der.Reader) -> list[str]:
    names = reader.optional(der.context(0, constructed=True))
    if names is None:
        return []
    return [_url(contents) for tag, contents in _all(der.Reader(names)) if tag == _URI]


def _url(contents: bytes) -> str:
    return der.text(0x16, contents)


def _all(reader: der.Reader) -> list[tuple[int, bytes]]:
    found: list[tuple[int, bytes]] = []
    while not reader.at_end:
        found.append(reader.any())
    return list(_bounded(found))


def _bounded(found: list[_T]) -> tuple[_T, ...]:
    if not 1 <= len(found) <= _MAX_ITEMS:
        raise der.DerError("empty, or too many items")
    return tuple(found)
