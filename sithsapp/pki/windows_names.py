# SPDX-License-Identifier: EUPL-1.2
"""What Windows and Active Directory read in a certificate: user principal name, SID, and how accounts name it.

Sources: MS-PKCA 3.1.5, KB5014754, facts: platforms section 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from sithsapp.pki import der
from sithsapp.pki.extensions import SUBJECT_ALTERNATIVE_NAME
from sithsapp.pki.names import read_name
from sithsapp.pki.parts import Parts

UPN: Final = "1.3.6.1.4.1.311.20.2.3"
SID: Final = "1.3.6.1.4.1.311.25.2.1"
SID_EXTENSION: Final = "1.3.6.1.4.1.311.25.2"

_SUBJECT_KEY_ID: Final = "2.5.29.14"
_SID_URI: Final = "tag:microsoft.com,2022-09-14:sid:"
_SID_FORM: Final = re.compile(r"S-1-[0-9]{1,15}(?:-[0-9]{1,10}){1,15}")
_OTHER_NAME: Final = der.context(0, constructed=True)
_URI: Final = der.context(6, constructed=False)
_SHORT_NAMES: Final = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "SERIALNUMBER",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "S",
    "2.5.4.9": "STREET",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "T",
    "2.5.4.42": "G",
    "2.5.4.43": "I",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "E",
}
_QUOTED: Final = frozenset(',+="\n<>#;')

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, repr=False)
class WindowsNames:
    """What a log-on goes by; None for what the certificate does not say or says in another form.

    `upn_is_utf8` tells whether the name is a UTF8String, the one type that Windows takes.
    """

    upn: str | None
    upn_is_utf8: bool
    sid: str | None
    subject_key_id: bytes | None


def read_windows_names(parts: Parts) -> WindowsNames:
    """Read the names; never raises."""
    names = _from(parts, SUBJECT_ALTERNATIVE_NAME, _alternative_names) or ()
    tag, upn = next(((tag, text) for tag, text in names if tag != _URI), (0, None))
    uris = (text.removeprefix(_SID_URI) for tag, text in names if tag == _URI and text.startswith(_SID_URI))
    sid = _from(parts, SID_EXTENSION, read_sid) or next((uri for uri in uris if _SID_FORM.fullmatch(uri)), None)
    return WindowsNames(upn, tag == der.UTF8_STRING, sid, _from(parts, _SUBJECT_KEY_ID, _key_id))


def read_sid(reader: der.Reader) -> str:
    """Return the SID of the security extension's value. Raises `der.DerError`."""
    other = reader.enter(der.SEQUENCE).enter(_OTHER_NAME)
    if der.oid(other.read(der.OID)) != SID:
        raise der.DerError("name of another kind")
    sid = der.text(der.UTF8_STRING, other.enter(_OTHER_NAME).read(der.OCTET_STRING))
    if not _SID_FORM.fullmatch(sid):
        raise der.DerError("SID has the wrong form")
    return sid


def windows_name(element: bytes) -> str:
    """Return a Name (DER) as Windows writes it, in the certificate's own order. Raises `der.DerError`.

    Tools show issuers the other way round; `altSecurityIdentities` has them as they stand in the certificate.
    """
    parts = read_name(der.Reader(element)).parts
    return ",".join("+".join(_assertion(*pair) for pair in part) for part in parts)


def issuer_and_serial(parts: Parts) -> str | None:
    """Return the strong mapping by issuer and serial number, None for a certificate that it cannot name."""
    try:
        issuer = windows_name(parts.issuer)
    except der.DerError:
        return None
    return f"X509:<I>{issuer}<SR>{parts.serial_number.lstrip(bytes(1))[::-1].hex()}"


def subject_key(names: WindowsNames) -> str | None:
    """Return the strong mapping by the subject key identifier, None where there is none."""
    return f"X509:<SKI>{names.subject_key_id.hex()}" if names.subject_key_id else None


def _assertion(attribute: str, value: str) -> str:
    name = _SHORT_NAMES.get(attribute, f"OID.{attribute}")
    if _QUOTED.isdisjoint(value) and value == value.strip() and value:
        return f"{name}={value}"
    doubled = value.replace('"', '""')
    return f'{name}="{doubled}"'


def _alternative_names(reader: der.Reader) -> tuple[tuple[int, str], ...]:
    """Return user principal names with the tag of their string type, and URIs with their own tag."""
    found: list[tuple[int, str]] = []
    names = reader.enter(der.SEQUENCE)
    while not names.at_end:
        tag, contents = names.any()
        if tag == _URI:
            found.append((tag, der.text(0x16, contents)))
        elif tag == _OTHER_NAME:
            found += _upn(der.Reader(contents))
    return tuple(found)


def _upn(reader: der.Reader) -> list[tuple[int, str]]:
    kind, value = der.oid(reader.read(der.OID)), reader.enter(_OTHER_NAME)
    if kind != UPN:
        return []
    tag, contents = value.any()
    return [(tag, der.text(tag, contents))]


def _key_id(reader: der.Reader) -> bytes:
    return reader.read(der.OCTET_STRING)


def _from(parts: Parts, oid: str, read: Callable[[der.Reader], _T]) -> _T | None:
    value = parts.extension(oid)
    if value is None:
        return None
    try:
        return read(der.Reader(value))
    except der.DerError:
        return None
