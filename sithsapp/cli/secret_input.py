# SPDX-License-Identifier: EUPL-1.2
"""Codes from a terminal or a file descriptor, straight into a buffer that can be wiped.

Never from an argument or the environment: other processes can read those.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from sithsapp.card.pin import MAX_PIN_LENGTH, Pin
from sithsapp.failures import Failure, SithsError

if TYPE_CHECKING:
    from sithsapp.cli.terminal import KeyReader

_ENTER = b"\r\n"
_ERASE = b"\x08\x7f"
_GIVE_UP = b"\x03\x04"


def pin_from_descriptor(descriptor: int) -> Pin:
    """Read one code from an open file descriptor, up to a line end or the end of the stream.

    Raises `SithsError(PIN_NOT_GIVEN)` if it cannot be read or is empty, `PIN_FORMAT` if it is no code.
    """
    digits = bytearray()
    one = bytearray(1)
    try:
        with io.FileIO(descriptor, "rb", closefd=False) as stream:
            while len(digits) <= MAX_PIN_LENGTH and stream.readinto(one) and one not in _ENTER:
                digits += one
    except (OSError, ValueError) as error:
        raise SithsError(Failure.PIN_NOT_GIVEN, "the file descriptor cannot be read") from error
    finally:
        one[0] = 0
    if not digits:
        raise SithsError(Failure.PIN_NOT_GIVEN, "the file descriptor was empty")
    return Pin(digits)


def pin_from_terminal(prompt: str, is_over: Callable[[], bool] = lambda: False) -> Pin | None:
    """Ask for a code on the terminal, showing one dot a digit; None when the person gives up or enters nothing.

    Ends with None too as soon as `is_over` says that no code is wanted any more; it is asked a few times a second.
    Raises `SithsError(PIN_NOT_GIVEN)` without a terminal.
    """
    if not sys.stdin.isatty():
        raise SithsError(Failure.PIN_NOT_GIVEN, "standard input is no terminal")
    from sithsapp.cli import terminal  # the system's own modules, needed here alone

    digits = bytearray()
    with terminal.single_keys(is_over) as read_key:
        # Only now: what is typed before the terminal is ready would be shown, and lost.
        print(prompt, end=" ", file=sys.stderr, flush=True)
        complete = _collect(digits, read_key)
    print(file=sys.stderr)
    if not complete or not digits:
        digits[:] = bytes(len(digits))
        return None
    return Pin(digits)


def _collect(digits: bytearray, read_key: KeyReader) -> bool:
    """Fill `digits` key by key; tell whether the person finished rather than gave up."""
    key = bytearray(1)
    while read_key(key):
        if key in _ENTER:
            return True
        if key in _GIVE_UP:
            return False
        _edit(digits, key)
    return False


def _edit(digits: bytearray, key: bytearray) -> None:
    if key in _ERASE and digits:
        digits[-1] = 0
        del digits[-1]
        print("\b \b", end="", file=sys.stderr, flush=True)
    elif key.isdigit() and len(digits) < MAX_PIN_LENGTH:
        digits += key
        print("•", end="", file=sys.stderr, flush=True)
