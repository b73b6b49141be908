# SPDX-License-Identifier: EUPL-1.2
"""Reading the card's files with as few commands as it allows (fact sheet idprime940 sections 3 and 9).

SELECT asks for control information (P2 = 00) and leaves it in the card: under T=0 that costs no command and is
plain ISO behaviour, so it needs no proof on a real card as P2 = 0C would.
"""

from __future__ import annotations

from sithsapp.card.idprime import files
from sithsapp.card.idprime.contents import Contents
from sithsapp.card.idprime.profile import (
    AID,
    CARD_ID_FILE,
    INDEX_FILE,
    KEY_MAP_FILE,
    PKCS15_AID,
    Profile,
)
from sithsapp.card.iso7816 import MAX_SHORT_LE, Channel, CommandApdu, Ins, ResponseApdu, StatusKind, Sw
from sithsapp.failures import Failure, SithsError

_CPLC_LENGTH = 45
_CARD_ID_LENGTH = 16
_MAX_KEY_MAP = 8 * 100
_NOT_FOUND = frozenset({Sw.FILE_NOT_FOUND, Sw.REFERENCE_NOT_FOUND})
_END = frozenset({Sw.WRONG_OFFSET, 0x6282})


def select_application(channel: Channel) -> None:
    """Select the IDPrime application; raises CARD_NOT_SUPPORTED, whose detail names what was seen instead."""
    response = channel.send(CommandApdu(Ins.SELECT, 0x04, 0x0C, AID), fetch=False)
    if _selected(response):
        return
    pkcs15 = channel.send(CommandApdu(Ins.SELECT, 0x04, 0x0C, PKCS15_AID), fetch=False)
    seen = "the card has a PKCS#15 application" if _selected(pkcs15) else "unknown applications"
    raise SithsError(Failure.CARD_NOT_SUPPORTED, f"not an IDPrime (SELECT {response.status}): {seen}")


def _selected(response: ResponseApdu) -> bool:
    return response.ok or response.status.kind is StatusKind.MORE_DATA


def read_serial(channel: Channel) -> bytes:
    """Return what identifies this card: the chip's production data, or file cardid where the card has none."""
    response = channel.send(CommandApdu(Ins.GET_DATA, 0x9F, 0x7F, le=_CPLC_LENGTH))
    if response.ok:
        return files.parse_cplc(response.data)
    return files.parse_card_id(read_file(channel, CARD_ID_FILE, _CARD_ID_LENGTH))


def read_contents(channel: Channel, profile: Profile) -> Contents:
    """Read index, key map and certificates. No file of a 940 needs a code."""
    index = _read_index(channel, profile.index_hint)
    certificates = files.parse_index(index)
    key_map = _read_key_map(channel, profile.key_map_hint) if profile.key_map else None
    if key_map is None and (not profile.key_map or profile.key_base is None):
        raise SithsError(Failure.CARD_NOT_SUPPORTED, f"{profile.product} without key reference map")
    read = tuple((file.file_id, read_file(channel, file.file_id, file.size)) for file in certificates)
    return Contents(index, key_map, read)


def has_counters(contents: Contents) -> bool:
    """Tell whether the card counts its changes."""
    return files.find_file(contents.index, b"cardcf") is not None


def read_freshness(channel: Channel, index: bytes) -> bytes | None:
    """Return the card's change counters (file cardcf), None on a card without them."""
    found = files.find_file(index, b"cardcf")
    return None if found is None else read_file(channel, found.file_id, found.size)


def read_counters(channel: Channel, contents: Contents) -> bytes | None:
    """Return the change counters that go with `contents`, which were read in an earlier transaction; None if none do.

    What another program may have written in between is found by reading again what differs between any two states of
    a card: index, key map, and of each certificate the end, which is its issuer's signature.
    """
    counters = read_freshness(channel, contents.index)
    if counters is None or not _ends_with(channel, INDEX_FILE, contents.index, whole=True):
        return None
    if contents.key_map is not None and not _ends_with(channel, KEY_MAP_FILE, contents.key_map, whole=True):
        return None
    same = all(_ends_with(channel, file_id, content) for file_id, content in contents.certificates)
    return counters if same else None


def _ends_with(channel: Channel, file_id: int, known: bytes, *, whole: bool = False) -> bool:
    """Tell whether a file is, or ends, as it was read before; the end is as much as one command reads."""
    start = 0 if whole else max(0, len(known) - MAX_SHORT_LE)
    return _select_file(channel, file_id) and _read_on(channel, file_id, known[:start], len(known)) == known


def read_file(channel: Channel, file_id: int, size: int) -> bytes:
    """Read a file whose size is known; raises CARD_DATA_INVALID where it is missing or shorter."""
    if not _select_file(channel, file_id):
        raise files.invalid(f"file {file_id:04X} is missing")
    return _read_on(channel, file_id, b"", size)


def _select_file(channel: Channel, file_id: int) -> bool:
    response = channel.send(CommandApdu(Ins.SELECT, 0x00, 0x00, file_id.to_bytes(2, "big")), fetch=False)
    if response.status.value in _NOT_FOUND:
        return False
    if not _selected(response):
        raise SithsError(Failure.CARD_ERROR, f"SELECT {file_id:04X} {response.status}")
    return True


def _read_on(channel: Channel, file_id: int, begun: bytes, size: int) -> bytes:
    content = bytearray(begun)
    while len(content) < size:
        part = _read(channel, len(content), min(size - len(content), MAX_SHORT_LE))
        if not part:
            raise files.invalid(f"file {file_id:04X} is shorter than it says")
        content += part
    return bytes(content)


def _read(channel: Channel, offset: int, length: int) -> bytes:
    """Read once; empty at the end of the file."""
    response = channel.send(CommandApdu(Ins.READ_BINARY, offset >> 8, offset & 0xFF, le=length))
    if len(response.data) > length:
        raise files.invalid("READ BINARY gave more than was asked for")
    if response.ok or response.data:
        return response.data
    if response.status.value in _END:
        return b""
    raise SithsError(Failure.CARD_ERROR, f"READ BINARY {response.status}")


def _read_index(channel: Channel, hint: int) -> bytes:
    if not _select_file(channel, INDEX_FILE):
        raise SithsError(Failure.CARD_NOT_SUPPORTED, "IDPrime application without index")
    begun = _read(channel, 0, hint)  # a wrong guess is corrected by 6Cxx
    return _read_on(channel, INDEX_FILE, begun, files.index_length(begun))


def _read_key_map(channel: Channel, hint: int) -> bytes | None:
    """Read file 0005, whose size nobody tells; a last record that is in use may have more behind it."""
    if not _select_file(channel, KEY_MAP_FILE):
        return None
    content = _read(channel, 0, hint)
    more = len(content) == hint and content[-8] != 0
    while more:
        part = _read(channel, len(content), MAX_SHORT_LE)
        content += part
        if len(content) > _MAX_KEY_MAP:
            raise files.invalid("key reference map: too long")
        more = len(part) == MAX_SHORT_LE
    return content
