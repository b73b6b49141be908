# SPDX-License-Identifier: EUPL-1.2
"""The catalogue is closed, numbered without holes in meaning, and complete."""

from __future__ import annotations

import re

from sithsapp.failures import Failure, SithsError


def test_numbers_and_exit_codes_are_unique_and_stable_in_form() -> None:
    numbers = [failure.number for failure in Failure]
    codes = [failure.exit_code for failure in Failure]
    assert len(set(numbers)) == len(numbers)
    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"R1\d\d|C2\d\d|P3\d\d|N4\d\d|S5\d\d|A9\d\d", number) for number in numbers)
    assert all(code == 1 or 10 <= code < 200 for code in codes)


def test_every_failure_says_what_why_and_what_to_do() -> None:
    for failure in Failure:
        for text in (failure.title, failure.cause, failure.remedy):
            assert text.strip()
            assert "!" not in text
        assert not failure.title.endswith(".")
        assert failure.cause.endswith(".")
        assert failure.remedy.endswith(".")


def test_the_exception_carries_number_and_detail() -> None:
    error = SithsError(Failure.PIN_WRONG, "VERIFY gave 63C2", tries_left=2)
    assert str(error) == "P301 PIN_WRONG: VERIFY gave 63C2"
    assert error.tries_left == 2
