# SPDX-License-Identifier: EUPL-1.2
"""What tells the cards of the IDPrime family apart before anything is read: data, no logic but the masks.

An answer to reset names the family; chip code and country code in it vary between orders of the same product and
are masked (fact sheet idprime940 section 2). An unknown chip code is therefore still probed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.card.model import PinRole

AID = bytes.fromhex("A000000018800000000662")
PKCS15_AID = bytes.fromhex("A000000063504B43532D3135")

INDEX_FILE = 0x0101
KEY_MAP_FILE = 0x0005
CARD_ID_FILE = 0x0201
FRESHNESS_FILE = 0x0202


@dataclass(frozen=True, slots=True)
class PinSlot:
    """A code by its reference on the card; lengths are the number of digits that the issuer hands out at least."""

    role: PinRole
    reference: int
    min_length: int


@dataclass(frozen=True, slots=True)
class Profile:
    """One product family.

    `key_map` tells whether keys are found by file 0005, the only way that this driver supports;
    `key_base` is where key references start on cards that lack the file (OpenSC 0.23's rule), None: nobody knows.
    Hints are file sizes seen before: a wrong one costs nothing, because the card then names the right one.
    """

    product: str
    key_map: bool = True
    key_base: int | None = 0x56
    index_hint: int = 1 + 21 * 9
    key_map_hint: int = 8 * 15


@dataclass(frozen=True, slots=True)
class AtrPattern:
    """An answer to reset with a mask as long as itself; the checksum after it, if any, does not matter."""

    value: bytes
    mask: bytes
    profile: Profile

    def matches(self, atr: bytes) -> bool:
        """Compare under the mask."""
        head = atr[: len(self.value)]
        return len(head) == len(self.value) and all(
            (mine ^ theirs) & mask == 0 for mine, theirs, mask in zip(self.value, head, self.mask, strict=True)
        )


PINS = (
    PinSlot(PinRole.AUTH, 0x11, 6),
    PinSlot(PinRole.SIGN, 0x83, 6),
    PinSlot(PinRole.PUK, 0x84, 8),
)
PUK_NUMBERS = frozenset({4})
"""Numbers in the last byte of DF21 that mean the PUK; 2 is the admin key, which people do not have."""

KEY_MAP_PIN1 = 1
"""Byte 7 of a key reference record for keys under PIN1; every other value means PIN2."""

_CONTACT = "3B7F96000080318065"
_T1 = "3BFF9600008131FE4380318065"
_TAIL = "12....829000"


def _pattern(text: str, profile: Profile) -> AtrPattern:
    value = bytes.fromhex(text.replace(".", "0"))
    mask = bytes.fromhex("".join("0" if sign == "." else "F" for sign in text))
    return AtrPattern(value, mask, profile)


def _both(chip: str, contact: str, token: str, *, key_map: bool = True) -> tuple[AtrPattern, ...]:
    return (
        _pattern(f"{_CONTACT}{chip}{_TAIL}", Profile(contact, key_map)),
        _pattern(f"{_T1}{chip}{_TAIL}", Profile(token, key_map)),
    )


PATTERNS: tuple[AtrPattern, ...] = (
    *_both("B0855956FB", "IDPrime 940", "IDPrime 940 (T=1)"),
    *_both("B085050039", "IDPrime 940C", "IDPrime 3940C"),
    *_both("B0850300EF", "IDPrime 840", "IDPrime 3840", key_map=False),
    *_both("B0846160FB", "IDPrime 930", "IDPrime 3930", key_map=False),
    *_both("B084565110", "IDPrime 830", "IDPrime 830", key_map=False),
    *_both("B084413DF6", "IDPrime 3810", "IDPrime 3810", key_map=False),
    *_both("B0846566FB", "IDPrime 930 FIPS", "eToken 5110+ FIPS", key_map=False),
    *_both("B085......", "IDPrime 940 family", "IDPrime 940 family"),
)
UNKNOWN = Profile("IDPrime", key_base=None)


def find_profile(atr: bytes) -> Profile:
    """Return the profile of the first pattern that fits, or `UNKNOWN`, which only the card itself can settle."""
    return next((pattern.profile for pattern in PATTERNS if pattern.matches(atr)), UNKNOWN)
