# SPDX-License-Identifier: EUPL-1.2
"""The card's elementary files and their selection (fact sheet section 3)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass
from uuid import UUID, uuid5

from sithsapp.card.virtual.apdu import SHORT_MAX, Command, Refused, Sw, tlv
from sithsapp.card.virtual.spec import CardSpec, ContainerSpec, PinReference
from sithsapp.card.virtual.store import CardStore

INDEX = 0x0101
KEY_MAP = 0x0005
_FIRST_CERTIFICATE = 0x0207
_RECORDS = 15
_CONTAINER_RECORD = 86
_GUID_SPACE = UUID("6f2f4f57-7f6a-4b8e-9d3c-5d0f6a4f9b21")
_PIN1_ROLE, _PIN2_ROLE = 1, 3


@dataclass(frozen=True, slots=True)
class _File:
    identifier: int
    name: str
    directory: str
    content: bytes


def certificate_file(container: ContainerSpec) -> bytes:
    """Return the certificate as stored: bare DER, or 01 00, its length (LE16) and a zlib stream."""
    der = container.certificate or b""
    if not container.compressed:
        return der
    return b"\x01\x00" + struct.pack("<H", len(der)) + zlib.compress(der, 9)


def container_map(spec: CardSpec) -> bytes:
    """Return cmapfile: 15 records of 86 bytes after the Windows minidriver specification."""
    records = [bytes(_CONTAINER_RECORD)] * _RECORDS
    if spec.has_container_map:
        for container in spec.containers:
            if container.private_key is not None:
                records[container.number] = _container_record(spec, container)
    return b"".join(records)


def _container_record(spec: CardSpec, container: ContainerSpec) -> bytes:
    name = str(uuid5(_GUID_SPACE, f"{spec.serial.hex()}/{container.number}"))
    flags = 3 if container.number == spec.containers[0].number else 1
    bits = key_bits(container)
    sizes = (bits, 0) if container.signature else (0, bits)
    return name.encode("utf-16-le").ljust(80, b"\0") + struct.pack("<BBHH", flags, 0, *sizes)


def key_bits(container: ContainerSpec) -> int:
    """Return the size of the container's key in bits, 0 without a key."""
    from sithsapp.card.virtual.crypto import load_key

    return load_key(container.private_key).key_size if container.private_key is not None else 0


def key_map(spec: CardSpec) -> bytes:
    """Return file 0005: 15 records of used, key reference, container, four unknown bytes, PIN role."""
    content = bytearray(8 * _RECORDS)
    keys = (container for container in spec.containers if container.private_key is not None)
    for row, container in enumerate(keys):
        role = _PIN1_ROLE if container.pin == PinReference.PIN1 else _PIN2_ROLE
        content[8 * row : 8 * row + 8] = bytes([1, container.key_reference, container.number, 0, 0, 0, 0, role])
    return bytes(content)


def _token_info(label: str) -> bytes:
    return b"\x01\x20" + label.encode("ascii", "replace")[:32].ljust(32, b" ")


def _named_files(spec: CardSpec) -> list[_File]:
    fresh = spec.freshness
    files = [
        _File(0x0202, "cardcf", "", struct.pack("<BBHH", 0, fresh.pins, fresh.containers, fresh.files)),
        _File(0x0201, "cardid", "", spec.serial * 2),
        _File(0x0205, "msitgf", "", b""),
        _File(0x0203, "cardapps", "", b"mscp".ljust(8, b"\0")),
        _File(0x0204, "cmapfile", "mscp", container_map(spec)),
        _File(0x0206, "pinh", "msclm", bytes(12)),
    ]
    identifier = _FIRST_CERTIFICATE
    for container in spec.containers:
        if container.certificate is not None:
            name = f"{'ksc' if container.signature else 'kxc'}{container.number:02d}"
            files.append(_File(identifier, name, "mscp", certificate_file(container)))
            identifier += 1
    files.append(_File(identifier, "tinfo", "p11", _token_info(spec.label)))
    return files


def _index_entry(file: _File) -> bytes:
    name, directory = file.name.encode().ljust(8, b"\0"), file.directory.encode().ljust(8, b"\0")
    return struct.pack(">HH", file.identifier, len(file.content)) + name + directory + b"\x01"


def build_files(spec: CardSpec) -> dict[int, bytes]:
    """Return the content of every file by its identifier."""
    named = _named_files(spec)
    files = {file.identifier: file.content for file in named}
    files[INDEX] = bytes([len(named)]) + b"".join(map(_index_entry, named))
    if spec.has_key_map:
        files[KEY_MAP] = key_map(spec)
    return files


class Files:
    """The selected file of one session, and what SELECT and READ BINARY do with it."""

    def __init__(self, store: CardStore) -> None:
        self._store = store
        self._built_from: CardSpec | None = None
        self._files: dict[int, bytes] = {}
        self._selected: int | None = None

    def reset(self) -> None:
        """Forget the selected file."""
        self._selected = None

    def select(self, command: Command) -> bytes:
        """Select a file by its two-byte identifier; return FCI (P2 00), FCP (P2 04) or nothing (P2 0C)."""
        if command.p2 not in (0x00, 0x04, 0x0C):
            raise Refused(Sw.WRONG_P1_P2)
        if len(command.data) != 2:
            raise Refused(Sw.WRONG_LENGTH)
        identifier = int.from_bytes(command.data, "big")
        content = self._content().get(identifier)
        if content is None:
            raise Refused(Sw.FILE_NOT_FOUND)
        self._selected = identifier
        if command.p2 == 0x0C:
            return b""
        return tlv(0x6F if command.p2 == 0x00 else 0x62, _control_information(identifier, len(content)))

    def read_binary(self, command: Command) -> bytes:
        """Return up to Le bytes at the offset in P1 P2; the transmission layer answers 6Cxx to a wrong Le."""
        if command.data or command.le is None:
            raise Refused(Sw.WRONG_LENGTH)
        if command.p1 & 0x80:
            raise Refused(Sw.WRONG_P1_P2)
        content = None if self._selected is None else self._content().get(self._selected)
        if content is None:
            raise Refused(Sw.NO_FILE_SELECTED)
        if command.p1p2 >= len(content):
            raise Refused(Sw.WRONG_OFFSET)
        return content[command.p1p2 : command.p1p2 + min(command.le, SHORT_MAX)]

    def _content(self) -> dict[int, bytes]:
        if self._built_from is not self._store.spec:
            self._built_from = self._store.spec
            self._files = build_files(self._store.spec)
        return self._files


def _control_information(identifier: int, size: int) -> bytes:
    return (
        tlv(0x81, size.to_bytes(2, "big"))
        + tlv(0x82, b"\x01")
        + tlv(0x83, identifier.to_bytes(2, "big"))
        + tlv(0x8A, b"\x05")
        + tlv(0x8C, b"\x01\x00")
    )
