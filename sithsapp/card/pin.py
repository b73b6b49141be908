# SPDX-License-Identifier: EUPL-1.2
"""The PIN: a buffer that is wiped, never shown and can be sent once, or an entry that never comes here at all."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise

from sithsapp.failures import Failure, SithsError

MAX_PIN_LENGTH = 16
_SAME, _RISING, _FALLING = {0}, {1}, {9}


class PadEntry:
    """One entry of a code on the keys of the reader: no digit of it is ever on this computer. Thread-safe.

    It stands where a `Pin` would, and like one it is good for a single command.
    """

    __slots__ = ("_accepted", "_taken", "_withdrawn")

    def __init__(self, accepted: Callable[[], None] = lambda: None) -> None:
        """Call `accepted`, from a card thread, when the card has taken the code."""
        self._accepted = accepted
        self._taken = False
        self._withdrawn = threading.Event()

    @property
    def wanted(self) -> bool:
        """Whether whoever asked still waits: what the card opens for an entry nobody wants is closed again unused."""
        return not self._withdrawn.is_set()

    def take(self) -> None:
        """Begin; raises `RuntimeError` the second time, and CANCELLED_BY_USER if nobody waits any more."""
        if self._taken:
            raise RuntimeError("this entry has been used")
        self._taken = True
        self.check_wanted()

    def accept(self) -> None:
        """Tell that the card took the code; raises CANCELLED_BY_USER if nobody waits any more."""
        self.check_wanted()
        self._accepted()

    def check_wanted(self) -> None:
        """Raise CANCELLED_BY_USER if the entry was withdrawn."""
        if not self.wanted:
            raise SithsError(Failure.CANCELLED_BY_USER, "the entry on the reader was withdrawn")

    def wipe(self) -> None:
        """Withdraw: the reader itself cannot be stopped, but nothing will be made of what is typed there."""
        self._withdrawn.set()


def is_trivial(digits: Sequence[int]) -> bool:
    """Tell whether `digits` (ASCII) are one digit repeated, or a run up or down such as 123456 or 321098."""
    steps = {(after - before) % 10 for before, after in pairwise(digits)}
    return steps in (_SAME, _RISING, _FALLING)


class Pin:
    """One entry of a PIN or PUK by a person.

    The digits live in one `bytearray`, which is wiped after its only use or by `wipe()`. There is no
    representation, copy or pickle of it; two entries can be compared, and one judged, without showing a digit.
    """

    __slots__ = ("_digits", "_used")

    def __init__(self, digits: bytearray) -> None:
        """Take over `digits` (ASCII 0-9, 1 to 16 bytes); the caller must not keep the buffer.

        Raises `SithsError(PIN_FORMAT)`, with the buffer wiped, if it is empty, too long or not digits.
        """
        self._digits = digits
        self._used = False
        if not 1 <= len(digits) <= MAX_PIN_LENGTH or not digits.isdigit():
            self.wipe()
            raise SithsError(Failure.PIN_FORMAT)

    def __len__(self) -> int:
        """Return the number of digits, 0 once wiped."""
        return len(self._digits)

    def __repr__(self) -> str:
        """Return a constant that says nothing of the digits."""
        return "Pin(***)"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied."""
        raise TypeError("a Pin cannot be copied or stored")

    @property
    def is_trivial(self) -> bool:
        """Whether the digits are one digit repeated, or a run up or down such as 123456 or 321098."""
        return is_trivial(self._digits)

    def agrees_with(self, other: Pin) -> bool:
        """Tell whether two entries that were not used yet have the same digits, in a time that says nothing."""
        import hmac  # when a code is changed: it loads OpenSSL

        return hmac.compare_digest(self._digits, other._digits)

    @contextmanager
    def once(self) -> Iterator[bytearray]:
        """Lend the digits for the one command that carries them; they are wiped when the block ends.

        Raises `RuntimeError` on a second use: an entry is sent at most once, whatever the caller does.
        """
        if self._used:
            raise RuntimeError("this PIN entry has been used")
        self._used = True
        try:
            yield self._digits
        finally:
            self.wipe()

    def wipe(self) -> None:
        """Overwrite and forget the digits; harmless when repeated."""
        self._used = True
        for position in range(len(self._digits)):
            self._digits[position] = 0
        self._digits.clear()
