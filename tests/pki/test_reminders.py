# SPDX-License-Identifier: EUPL-1.2
"""Reminders come once at each level, and their memory names nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sithsapp.pki.reminders import MAX_REMEMBERED, Memory, due, level

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def _in(days: float) -> datetime:
    return NOW + timedelta(days=days)


@pytest.mark.parametrize(
    ("days", "reached"),
    [
        (400, None),
        (60.01, None),
        (60, 60),
        (30.01, 60),
        (30, 30),
        (7.01, 30),
        (7, 7),
        (0.01, 7),
        (0, None),
        (-1, None),
    ],
)
def test_levels(days: float, reached: int | None) -> None:
    assert level(_in(days), NOW) == reached


def test_each_level_is_told_once() -> None:
    memory, ends = Memory(), _in(61)
    told = []
    for day in range(70):
        now = NOW + timedelta(days=day)
        end, memory = due([(b"certificate", ends)], memory, now)
        if end is not None:
            told.append((ends - now).days)
    assert told == [60, 30, 7]


def test_a_card_that_comes_late_is_reminded_of_the_nearest_level_alone() -> None:
    end, memory = due([(b"certificate", _in(5))], Memory(), NOW)
    assert end == _in(5)
    assert due([(b"certificate", _in(5))], memory, NOW)[0] is None


def test_two_certificates_of_a_card_are_one_reminder_of_the_first_end() -> None:
    end, memory = due([(b"sign", _in(25)), (b"auth", _in(20))], Memory(), NOW)
    assert end == _in(20)
    assert due([(b"sign", _in(25)), (b"auth", _in(20))], memory, NOW)[0] is None


def test_another_persons_card_is_reminded_too() -> None:
    _, memory = due([(b"one", _in(20))], Memory(), NOW)
    assert due([(b"other", _in(20))], memory, NOW)[0] == _in(20)


def test_the_memory_names_nobody_and_is_cleared_after_the_end() -> None:
    certificate = b"SERIALNUMBER=SE5560000000-1A2B,CN=Anna Andersson"
    _, memory = due([(certificate, _in(5))], Memory(), NOW)
    _, other = due([(certificate, _in(5))], Memory(), NOW)
    assert set(memory.told) != set(other.told)  # another computer, another mark
    assert "1A2B" not in repr(memory)
    assert memory.key.hex() not in repr(memory)
    assert due([], memory, _in(7))[1].told == {}


def test_the_memory_is_bounded() -> None:
    many = [(str(number).encode(), _in(20)) for number in range(MAX_REMEMBERED + 50)]
    assert len(due(many, Memory(), NOW)[1].told) == MAX_REMEMBERED
