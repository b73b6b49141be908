# SPDX-License-Identifier: EUPL-1.2
"""One key at a time from the terminal, without echo, on Unix and Windows."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

KeyReader = Callable[[bytearray], bool]
"""Puts the next key into a buffer of one byte; False at the end of input."""

if sys.platform == "win32":
    import msvcrt

    def _read_key(key: bytearray) -> bool:
        key[0] = ord(msvcrt.getwch()) & 0x7F
        return True

    @contextmanager
    def single_keys() -> Iterator[KeyReader]:
        """Lend a reader of single keys; the console never echoes them."""
        yield _read_key

else:
    import termios
    import tty

    @contextmanager
    def single_keys() -> Iterator[KeyReader]:
        """Lend a reader of single keys and put the terminal back afterwards, whatever happens."""
        descriptor = sys.stdin.fileno()
        before = termios.tcgetattr(descriptor)
        try:
            tty.setraw(descriptor, termios.TCSAFLUSH)
            yield lambda key: os.readv(descriptor, [key]) == 1
        finally:
            termios.tcsetattr(descriptor, termios.TCSAFLUSH, before)
