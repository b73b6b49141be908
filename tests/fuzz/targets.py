# SPDX-License-Identifier: EUPL-1.2
"""What is fuzzed: every reader of bytes that come from a card, a reader, a cache file or a module's process.

A target takes any bytes. It may refuse them by a failure of the catalogue, or as no message of the module's process;
everything else is a finding. Seeds are what a real dialogue has in that place.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sithsapp.card import cache, part10
from sithsapp.card.active import Choice
from sithsapp.card.idprime import contents, files, profile
from sithsapp.card.iso7816 import CommandApdu, ResponseApdu, describe
from sithsapp.card.pkcs11 import messages
from sithsapp.card.transport import CardProtocol
from sithsapp.failures import Failure, SithsError
from sithsapp.pki.certificate import read_certificate

ALLOWED: Final = frozenset({Failure.CARD_DATA_INVALID, Failure.CARD_ERROR, Failure.CARD_NOT_SUPPORTED})
"""What hostile bytes may lead to."""
MAX_INPUT: Final = 10_000


@dataclass(frozen=True, slots=True)
class Target:
    """A reader of bytes and examples of what it usually reads."""

    read: Callable[[bytes], object]
    seeds: tuple[bytes, ...]

    def feed(self, data: bytes) -> None:
        """Give it bytes; raises what is a finding."""
        try:
            self.read(data)
        except SithsError as error:
            if error.failure not in ALLOWED:
                raise
        except messages.ProtocolError:
            pass


class _Pipe(io.BytesIO):
    """A pipe that gives at most seven bytes at a time, as pipes may."""

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # narrower than io's own
        """Fill a part of the buffer."""
        part = self.read(min(7, len(buffer)))
        buffer[: len(part)] = part
        return len(part)


def _index(data: bytes) -> None:
    with suppress(SithsError):
        files.find_file(data, b"cardcf")
    files.parse_index(data)


def _contents(data: bytes) -> None:
    """Read a whole card: the parts are cut out of `data` by lengths of two bytes."""
    parts: list[bytes] = []
    at = 0
    while at + 2 <= len(data) and len(parts) < 6:
        (length,) = struct.unpack_from(">H", data, at)
        parts.append(data[at + 2 : at + 2 + length])
        at += 2 + length
    index, key_map, *certificates = [*parts, b"", b""][: max(2, len(parts))]
    numbered = tuple((0x0207 + number, value) for number, value in enumerate(certificates))
    read = contents.Contents(index, key_map, numbered)
    for known in (profile.Profile("x"), profile.UNKNOWN):
        with suppress(SithsError):
            contents.other_certificates(read, known)
        contents.read_keys(read, known)


def _certificate(data: bytes) -> None:
    read_certificate(files.parse_certificate_file(data))


def _apdu(data: bytes) -> None:
    describe(data)
    ResponseApdu.parse(data)
    command = CommandApdu(data[0], data[1], 0, data[2:])
    for block in command.chained():
        for protocol in CardProtocol:
            block.encode(protocol)


def _cache_file(data: bytes) -> None:
    with suppress(ValueError, struct.error):  # what the cache takes for a miss
        cache._decode(data)


def _name_of_a_reader(data: bytes) -> None:
    Choice(reader=data.decode("utf-8", "replace")).among(())


def _packed(*parts: bytes) -> bytes:
    return b"".join(struct.pack(">H", len(part)) + part for part in parts)


def _frames() -> tuple[bytes, ...]:
    """Return requests as they go over the pipe."""
    found = []
    for request, codes in (
        (messages.Look(), ()),
        (messages.Read(1, b"0123456789abcdef"), ()),
        (messages.ChangePin(1, b"x"), (bytearray(b"123456"), bytearray(b"654321"))),
        (messages.DeleteCertificate(1, b"x", bytes(32)), (bytearray(b"123456"),)),
        (
            messages.Sign(1, b"x", b"\x01", messages.Padding.PSS, messages.HashName.SHA256, bytes(32)),
            (bytearray(b"123456"),),
        ),
    ):
        sink = _Sink()
        messages.send_request(sink, request, codes)
        found.append(bytes(sink.taken))
    return tuple(found)


def _answers(certificate: bytes) -> tuple[bytes, ...]:
    found = []
    stored = messages.StoredCertificate(b"\x01", certificate)
    for answer in (
        messages.Tokens(()),
        messages.Contents((stored,), frozenset({b"\x01"}), frozenset(messages.Padding)),
        messages.Done(bytes(256)),
        messages.Failed("PinIncorrect"),
    ):
        sink = _Sink()
        messages.send_answer(sink, answer)
        found.append(bytes(sink.taken))
    return tuple(found)


class _Sink:
    def __init__(self) -> None:
        self.taken = bytearray()

    def write(self, data: memoryview, /) -> int:
        """Keep the data."""
        self.taken += data
        return len(data)


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What a card says of itself, for seeds."""

    atr: bytes
    index: bytes
    key_map: bytes
    certificates: tuple[bytes, ...]
    descriptions: tuple[bytes, ...]
    cplc: bytes
    cache_file: bytes


def targets(card: Dialogue) -> Mapping[str, Target]:
    """Return all targets with seeds from a card."""
    features = bytes.fromhex("06044233000107044233000212044233000C")
    return {
        "atr": Target(profile.find_profile, (card.atr,)),
        "index": Target(_index, (card.index,)),
        "key-map": Target(files.parse_key_map, (card.key_map,)),
        "certificate": Target(_certificate, card.certificates),
        "pin-description": Target(files.parse_pin_description, card.descriptions),
        "cplc": Target(files.parse_cplc, (card.cplc,)),
        "contents": Target(_contents, (_packed(card.index, card.key_map, *card.certificates),)),
        "apdu": Target(_apdu, (bytes.fromhex("0020001110") + bytes(16), b"\x90\x00")),
        "cache-file": Target(_cache_file, (card.cache_file,)),
        "reader-features": Target(part10.parse_features, (features,)),
        "reader-properties": Target(part10.parse_properties, (bytes.fromhex("0B026B070C023130060104070108"),)),
        "reader-name": Target(_name_of_a_reader, (b"HID Global OMNIKEY 3x21 Smart Card Reader 00 00",)),
        "module-request": Target(lambda data: messages.receive_request(_Pipe(data)), _frames()),
        "module-answer": Target(lambda data: messages.receive_answer(_Pipe(data)), _answers(card.certificates[0])),
    }
