# SPDX-License-Identifier: EUPL-1.2
"""Strict readers for the card's files and data objects (fact sheet idprime940 sections 3 to 5). No I/O.

Everything here comes from a card, a reader or a cache file and may be hostile. What cannot be read raises
`SithsError(CARD_DATA_INVALID)`; what cards legally differ in is accepted.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from sithsapp.card.idprime.profile import KEY_MAP_PIN1
from sithsapp.card.model import PinRole
from sithsapp.card.pin import MAX_PIN_LENGTH
from sithsapp.failures import Failure, SithsError

MAX_CERTIFICATE_FILE = 8192
MAX_CERTIFICATES = 16
_INDEX_ENTRY = struct.Struct(">HH8s8sB")
_MAX_INDEX_ENTRIES = 96
_KEY_RECORD = 8
_COMPRESSED = b"\x01\x00"
_COMPRESSED_HEADER = 4
_CERTIFICATE_NAME = re.compile(rb"k[xs]c([0-9]{2})")
_CPLC_TAG = bytes.fromhex("9F7F2A")
_CPLC_LENGTH = 45
_DESCRIPTION_MAX = 127
_SMALL_FILE = 256
_SERIAL_LENGTHS = range(8, 17)


def invalid(detail: str) -> SithsError:
    """Return the failure for data that cannot be read; `detail` never holds the data."""
    return SithsError(Failure.CARD_DATA_INVALID, detail)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """An entry of the index; `size` in bytes, `name` without padding."""

    file_id: int
    size: int
    name: bytes


@dataclass(frozen=True, slots=True)
class CertificateFile:
    """A certificate file named in the index; `container` 0 to 99, `signature` for kscNN, `size` in bytes."""

    file_id: int
    size: int
    container: int
    signature: bool


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A key by its container: the reference that MSE takes and the code that protects it."""

    container: int
    reference: int
    pin: PinRole


@dataclass(frozen=True, slots=True)
class PinDescription:
    """What the card says of a code without being asked to compare it.

    `stored_length` is the length of the padded field, 0 where the card does not say; `unblocker` is the number of
    the code that unblocks this one, 0 for none.
    """

    tries_left: int
    stored_length: int
    unblocker: int
    never_changed: bool


def index_length(first: bytes) -> int:
    """Return the length of the whole index file from its beginning, which is one byte at least."""
    if not first or first[0] > _MAX_INDEX_ENTRIES:
        raise invalid("index: number of entries")
    return 1 + first[0] * _INDEX_ENTRY.size


def parse_index(content: bytes) -> tuple[CertificateFile, ...]:
    """Return the certificate files of the index, the first of each container; other files do not matter."""
    found: dict[int, CertificateFile] = {}
    for entry in _entries(content):
        match = _CERTIFICATE_NAME.fullmatch(entry.name)
        if match and entry.size:
            number = int(match[1])
            file = CertificateFile(entry.file_id, entry.size, number, entry.name.startswith(b"ksc"))
            found.setdefault(number, file)
    return _bounded(tuple(found.values()))


def find_file(index: bytes, name: bytes) -> NamedFile | None:
    """Return the first small file of that name, None if the index has none."""
    return next((entry for entry in _entries(index) if entry.name == name and entry.size <= _SMALL_FILE), None)


def _entries(index: bytes) -> Iterator[NamedFile]:
    if len(index) < index_length(index):
        raise invalid("index: truncated")
    for file_id, size, name, _, _ in _INDEX_ENTRY.iter_unpack(index[1 : index_length(index)]):
        yield NamedFile(file_id, size, name.rstrip(b"\0 "))


def _bounded(files: tuple[CertificateFile, ...]) -> tuple[CertificateFile, ...]:
    if len(files) > MAX_CERTIFICATES or any(file.size > MAX_CERTIFICATE_FILE for file in files):
        raise invalid("index: too many or too large certificates")
    return files


def parse_key_map(content: bytes) -> tuple[KeyEntry, ...]:
    """Return the keys of file 0005, the first of each container; unused records and a torn last one are skipped."""
    found: dict[int, KeyEntry] = {}
    for at in range(0, len(content) - _KEY_RECORD + 1, _KEY_RECORD):
        used, reference, container, *_, role = content[at : at + _KEY_RECORD]
        if used:
            pin = PinRole.AUTH if role == KEY_MAP_PIN1 else PinRole.SIGN
            found.setdefault(container, KeyEntry(container, reference, pin))
    return tuple(found.values())


def parse_certificate_file(content: bytes) -> bytes:
    """Return the DER certificate of a file, compressed or bare; inflation stops at the declared length."""
    if content[:2] != _COMPRESSED:
        return _cut_der(content)
    if len(content) <= _COMPRESSED_HEADER:
        raise invalid("certificate: no contents")
    declared = int.from_bytes(content[2:4], "little")
    inflater = zlib.decompressobj()
    try:
        der = inflater.decompress(content[_COMPRESSED_HEADER:], declared + 1)
    except zlib.error:
        raise invalid("certificate: not a zlib stream") from None
    if len(der) != declared or not inflater.eof:
        raise invalid("certificate: length is not the declared one")
    return _cut_der(der)


def _cut_der(content: bytes) -> bytes:
    """Cut what stands after the outer SEQUENCE: files may be longer than the certificate in them."""
    if len(content) < 4 or content[0] != 0x30 or content[1] not in (0x81, 0x82):
        raise invalid("certificate: not a DER sequence")
    header = 2 + (content[1] & 0x0F)
    end = header + int.from_bytes(content[2:header], "big")
    if end > len(content):
        raise invalid("certificate: truncated")
    return content[:end]


def parse_cplc(answer: bytes) -> bytes:
    """Return the 12 bytes of the production data that identify one chip among all.

    Fabricator, type, fabrication date, serial number and batch (fact sheet section 4).
    """
    if len(answer) != _CPLC_LENGTH or not answer.startswith(_CPLC_TAG):
        raise invalid("production data: not 9F7F")
    cplc = answer[len(_CPLC_TAG) :]
    return cplc[0:4] + cplc[10:18]


def parse_card_id(content: bytes) -> bytes:
    """Return the contents of file cardid as serial number: 8 to 16 bytes."""
    if len(content) not in _SERIAL_LENGTHS:
        raise invalid("cardid: length")
    return content


def parse_pin_description(answer: bytes) -> PinDescription:
    """Read the answer to GET DATA `A0 03 83 01 xx` (fact sheet section 5).

    Raises CARD_DATA_INVALID without the tries left, or where the field length is none that a PIN can have.
    """
    outer = _read_tlvs(answer)
    if len(outer) != 1 or 0xA0 not in outer:
        raise invalid("PIN description: not A0")
    inner = _read_tlvs(outer[0xA0])
    tries = inner.get(0xDF21, b"")
    stored = int.from_bytes(inner.get(0xDF28, b"\0")[:2], "big")
    if len(tries) != 4 or stored > MAX_PIN_LENGTH:
        raise invalid("PIN description: tries or length")
    return PinDescription(tries[0], stored, tries[3], inner.get(0xDF2F) == b"\0")


def _read_tlvs(data: bytes) -> dict[int, bytes]:
    """Read objects with tags of one or two bytes and lengths of one byte that fill `data`."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(data):
        tag_length = 2 if data[at] & 0x1F == 0x1F else 1
        start = at + tag_length + 1
        if start > len(data) or data[start - 1] > _DESCRIPTION_MAX or start + data[start - 1] > len(data):
            raise invalid("PIN description: broken object")
        found[int.from_bytes(data[at : at + tag_length], "big")] = data[start : start + data[start - 1]]
        at = start + data[start - 1]
    return found
