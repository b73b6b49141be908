# SPDX-License-Identifier: EUPL-1.2
"""Readers with keys of their own: what they can take, and commands with places for codes that are typed there.

A code that is typed on the reader goes from there to the card. This computer never has it.
"""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.card.pin import MAX_PIN_LENGTH


@dataclass(frozen=True, slots=True)
class PinPad:
    """The keys of one reader. `changes`: they take a new code too. Lengths are the digits that they let through."""

    changes: bool
    min_digits: int = 1
    max_digits: int = MAX_PIN_LENGTH


@dataclass(frozen=True, slots=True)
class PadCommand:
    """A command whose data the reader fills with codes: ASCII digits, from the left, `00` after them.

    `header` is CLA, INS, P1 and P2; `codes` is 1, or 2 for an old and a new one; `width` the bytes of each place.
    """

    header: bytes
    codes: int
    width: int
    min_digits: int
    max_digits: int

    @property
    def template(self) -> bytes:
        """The command with empty places."""
        data = bytes(self.codes * self.width)
        return self.header + bytes([len(data)]) + data


def within(pad: PinPad, min_digits: int, max_digits: int) -> tuple[int, int]:
    """Return the lengths that card and reader both take; the card's where they have none in common."""
    low, high = max(min_digits, pad.min_digits), min(max_digits, pad.max_digits)
    return (low, high) if low <= high else (min_digits, max_digits)
