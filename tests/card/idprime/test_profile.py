# SPDX-License-Identifier: EUPL-1.2
"""Answers to reset: which family, whatever the country and the chip (fact sheet idprime940 section 2)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.card.idprime.profile import PATTERNS, UNKNOWN, find_profile

CONTACT = "3B7F96000080318065"
T1 = "3BFF9600008131FE4380318065"


@pytest.mark.parametrize(
    ("atr", "product", "key_map"),
    [
        (f"{CONTACT}B0855956FB120FFE829000", "IDPrime 940", True),
        (f"{CONTACT}B0855956FB1202F0829000", "IDPrime 940", True),
        (f"{CONTACT}B085050039120FFE829000", "IDPrime 940C", True),
        (f"{CONTACT}B0850400111202F0829000", "IDPrime 940 family", True),
        (f"{CONTACT}B0850300EF1202F0829000", "IDPrime 840", False),
        (f"{CONTACT}B0846160FB120FFD829000", "IDPrime 930", False),
        (f"{CONTACT}B084565110120FFE829000", "IDPrime 830", False),
        (f"{T1}B0855956FB120FFE82900000", "IDPrime 940 (T=1)", True),
        (f"{T1}B085050039120178829000C8", "IDPrime 3940C", True),
        (f"{T1}B0846566FB12017882900085", "eToken 5110+ FIPS", False),
        ("3B00", "IDPrime", True),
    ],
)
def test_families(atr: str, product: str, key_map: bool) -> None:
    profile = find_profile(bytes.fromhex(atr))
    assert (profile.product, profile.key_map) == (product, key_map)


@given(st.binary(max_size=40))
def test_any_answer_to_reset_finds_a_profile(atr: bytes) -> None:
    profile = find_profile(atr)
    assert profile is UNKNOWN or any(pattern.matches(atr) for pattern in PATTERNS)


@given(country=st.binary(min_size=2, max_size=2), chip=st.binary(min_size=3, max_size=3))
def test_country_and_chip_are_masked(country: bytes, chip: bytes) -> None:
    atr = bytes.fromhex(f"{CONTACT}B085") + chip + b"\x12" + country + bytes.fromhex("829000")
    assert find_profile(atr) is not UNKNOWN


def test_values_and_masks_are_as_long_as_each_other() -> None:
    assert all(len(pattern.value) == len(pattern.mask) for pattern in PATTERNS)
