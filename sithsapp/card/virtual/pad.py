# SPDX-License-Identifier: EUPL-1.2
"""The keys of a virtual reader, and the fingers on them."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from sithsapp.card.pin_pad import PadCommand, PinPad

TIME_RAN_OUT: Final = b"\x64\x00"
CANCELLED: Final = b"\x64\x01"
CODES_DIFFER: Final = b"\x64\x02"
WRONG_LENGTH: Final = b"\x64\x03"
REFUSED: Final = b"\x6b\x80"


@dataclass(frozen=True, slots=True)
class Typed:
    """What a person types when she is asked: one code, or an old one, a new one and the new one again."""

    codes: tuple[str, ...]


class VirtualPad:
    """Keys that take what tests `press`. A request waits for the fingers, `patience` seconds at most. Thread-safe."""

    def __init__(self, features: PinPad, patience: float = 10.0) -> None:
        self.features = features
        self.asked: list[PadCommand] = []
        self._patience = patience
        self._fingers: deque[Typed | bytes] = deque()
        self._changed = threading.Condition()

    def press(self, *codes: str) -> None:
        """Type codes, for a request that waits or comes later."""
        self._do(Typed(codes))

    def answer(self, status: bytes) -> None:
        """Let the reader answer by itself, for example `CANCELLED`."""
        self._do(status)

    def wait_until_asked(self, times: int = 1, timeout: float = 10.0) -> bool:
        """Wait for the reader to have asked that often; tell whether it has."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self.asked) >= times, timeout)

    def fill(self, command: PadCommand) -> bytes:
        """Return the command with the codes in their places, or the reader's own two status bytes."""
        with self._changed:
            self.asked.append(command)
            self._changed.notify_all()
            if not self._changed.wait_for(lambda: bool(self._fingers), self._patience):
                return TIME_RAN_OUT
            typed = self._fingers.popleft()
        return typed if isinstance(typed, bytes) else _fill(command, typed.codes)

    def _do(self, what: Typed | bytes) -> None:
        with self._changed:
            self._fingers.append(what)
            self._changed.notify_all()


def _fill(command: PadCommand, codes: tuple[str, ...]) -> bytes:
    if any(not command.min_digits <= len(code) <= command.max_digits for code in codes):
        return WRONG_LENGTH
    if command.codes == 2 and codes[1:2] != codes[2:3]:
        return CODES_DIFFER
    fields = [code.encode("ascii").ljust(command.width, b"\0") for code in codes[: command.codes]]
    data = b"".join(fields)
    return command.header + bytes([len(data)]) + data
