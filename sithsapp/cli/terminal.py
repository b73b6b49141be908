# SPDX-License-Identifier: EUPL-1.2
"""One key at a time from the terminal, without echo, on Unix and Windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KeyReader = Callable[[bytearray], bool]
"""Puts the next key into a buffer of one byte; False at the end of input, or when it is over."""

_LOOK_SECONDS = 0.2

if sys.platform == "win32":
    import msvcrt
    import time

    @contextmanager
    def single_keys(is_over: Callable[[], bool]) -> Iterator[KeyReader]:
        """Lend a reader of single keys, which ends when `is_over` says so; the console never echoes them."""

        def read_key(key: bytearray) -> bool:
            while not msvcrt.kbhit():
                if is_over():
                    return False
                time.sleep(_LOOK_SECONDS)
            key[0] = ord(msvcrt.getwch()) & 0x7F
            return True

        yield read_key

else:
    import select
    import termios
    import tty

    @contextmanager
    def single_keys(is_over: Callable[[], bool]) -> Iterator[KeyReader]:
        """Lend a reader of single keys, which ends when `is_over` says so.

        The terminal is put back afterwards, whatever happens.
        """
        descriptor = sys.stdin.fileno()

        def read_key(key: bytearray) -> bool:
            while not select.select([descriptor], [], [], _LOOK_SECONDS)[0]:
                if is_over():
                    return False
            return os.readv(descriptor, [key]) == 1

        before = termios.tcgetattr(descriptor)
        try:
            tty.setraw(descriptor, termios.TCSAFLUSH)
            yield read_key
        finally:
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
