# SPDX-License-Identifier: EUPL-1.2
"""Rules that codes keep before a card sees them, without showing a digit."""

from __future__ import annotations

import pytest

from sithsapp.card.model import PinRole, PinState
from sithsapp.card.pin_rules import check_length, check_new, check_tries
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import pin


def state(role: PinRole = PinRole.AUTH, tries_left: int | None = 3) -> PinState:
    return PinState(role, 0x11, tries_left, tries_left == 0, 6, 8)


@pytest.mark.parametrize("digits", ["111111", "123456", "654321", "890123", "210987", "12345678"])
def test_trivial_codes(digits: str) -> None:
    assert pin(digits).is_trivial


@pytest.mark.parametrize("digits", ["123457", "111112", "135790", "804913", "121212", "7"])
def test_codes_that_are_not_trivial(digits: str) -> None:
    assert not pin(digits).is_trivial


def test_entries_are_compared_and_remain() -> None:
    first, same, other = pin("804913"), pin("804913"), pin("8049130")
    assert first.agrees_with(same)
    assert not first.agrees_with(other)
    assert len(first) == 6


@pytest.mark.parametrize("digits", ["12345", "123456789"])
def test_the_card_says_how_long(digits: str) -> None:
    with pytest.raises(SithsError) as caught:
        check_length(pin(digits), state())
    assert caught.value.failure is Failure.PIN_FORMAT


def test_a_new_code_is_new() -> None:
    check_new(pin("804913"), state(), pin("804914"), pin("80491300"))
    with pytest.raises(SithsError) as caught:
        check_new(pin("804913"), state(), pin("804914"), pin("804913"))
    assert caught.value.failure is Failure.NEW_PIN_SAME


@pytest.mark.parametrize(
    ("role", "left", "ok", "expected"),
    [
        (PinRole.AUTH, 0, True, Failure.PIN_LOCKED),
        (PinRole.PUK, 0, True, Failure.PUK_LOCKED),
        (PinRole.AUTH, 1, False, Failure.LAST_TRY_NOT_CONFIRMED),
        (PinRole.AUTH, 1, True, None),
        (PinRole.AUTH, None, False, None),
    ],
)
def test_tries(role: PinRole, left: int | None, ok: bool, expected: Failure | None) -> None:
    try:
        check_tries(state(role, left), last_try_ok=ok)
    except SithsError as error:
        assert error.failure is expected
    else:
        assert expected is None
