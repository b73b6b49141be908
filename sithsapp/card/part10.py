# SPDX-License-Identifier: EUPL-1.2
"""PC/SC part 10: the features of a reader with keys, and the structures that ask it for a code. Bytes only, no I/O.

Everything that a reader says is read strictly and within bounds: a list that makes no sense is a reader without keys.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sithsapp.card.pin_pad import PadCommand

GET_FEATURES: Final = 3400
"""The number of CM_IOCTL_GET_FEATURE_REQUEST before the platform's SCARD_CTL_CODE."""
SECONDS_TO_ENTER: Final = 30
"""For the first key, and again for the rest."""

_MAX_ANSWER: Final = 512
_MAX_SIZE_IN_BLOCK: Final = 15
_ASCII_FROM_THE_LEFT: Final = 0x82  # units of bytes, place 0, ASCII
_UNTIL_OK: Final = 0x02
_CONFIRM_AND_ASK_FOR_OLD: Final = 0x03
_DEFAULT_MESSAGE, _THREE_MESSAGES = 0xFF, 0x03
_ENGLISH: Final = 0x0409  # firmware that does not know a language refuses the whole command
_CONTROL_CODE: Final = struct.Struct(">I")
_VERIFY: Final = struct.Struct("<BBBBBHBBHB3xI")
_MODIFY: Final = struct.Struct("<BBBBBBBHBBBHBBB3xI")


class Feature(IntEnum):
    """Tags of the feature list that matter here."""

    VERIFY_PIN_DIRECT = 0x06
    MODIFY_PIN_DIRECT = 0x07
    GET_TLV_PROPERTIES = 0x12


class Property(IntEnum):
    """Tags of a reader's properties that matter here."""

    MIN_PIN_SIZE = 6
    MAX_PIN_SIZE = 7
    ID_VENDOR = 11
    ID_PRODUCT = 12


@dataclass(frozen=True, slots=True)
class Properties:
    """What a reader says of itself; 0 where it says nothing. Vendor and product are its USB numbers."""

    vendor: int = 0
    product: int = 0
    min_digits: int = 0
    max_digits: int = 0


def parse_features(answer: bytes) -> dict[Feature, int]:
    """Return the control codes of the features that we know; nothing for a list that is broken."""
    codes: dict[Feature, int] = {}
    for tag, value in _tlvs(answer):
        if tag in _FEATURES and len(value) == _CONTROL_CODE.size:
            codes.setdefault(Feature(tag), _CONTROL_CODE.unpack(value)[0])
    return codes


def parse_properties(answer: bytes) -> Properties:
    """Return a reader's properties; numbers are little-endian."""
    found = {tag: int.from_bytes(value, "little") for tag, value in _tlvs(answer) if 1 <= len(value) <= 4}
    return Properties(*(_number(found, tag) for tag in _ORDER))


def structure(command: PadCommand) -> bytes:
    """Return the PIN_VERIFY or PIN_MODIFY structure that lets a reader take codes for `command`.

    The places in the command are filled with zeros beforehand, so that a reader only puts digits into them. Their
    size is told too where four bits can hold it; for longer ones 0 says "as the command has it".
    """
    times = (SECONDS_TO_ENTER, SECONDS_TO_ENTER)
    block = command.width if command.width <= _MAX_SIZE_IN_BLOCK else 0
    lengths = command.min_digits << 8 | command.max_digits
    data = command.template
    if command.codes == 1:
        how = (_ASCII_FROM_THE_LEFT, block, 0, lengths, _UNTIL_OK, _DEFAULT_MESSAGE, _ENGLISH, 0)
        return _VERIFY.pack(*times, *how, len(data)) + data
    places = (0, command.width)
    how = (_ASCII_FROM_THE_LEFT, block, 0, *places, lengths, _CONFIRM_AND_ASK_FOR_OLD, _UNTIL_OK)
    return _MODIFY.pack(*times, *how, _THREE_MESSAGES, _ENGLISH, 0, 1, 2, len(data)) + data


_FEATURES: Final = frozenset(int(feature) for feature in Feature)
_ORDER: Final = (Property.ID_VENDOR, Property.ID_PRODUCT, Property.MIN_PIN_SIZE, Property.MAX_PIN_SIZE)


def _number(found: Mapping[int, int], tag: Property) -> int:
    return found.get(tag, 0)


def _tlvs(answer: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk over tags and lengths of one byte; nothing at all of a list that does not end where it should."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(answer) <= _MAX_ANSWER:
        start = at + 2
        end = start + answer[at + 1] if start <= len(answer) else len(answer) + 1
        if end > len(answer):
            return
        found.append((answer[at], answer[start:end]))
        at = end
    yield from found
