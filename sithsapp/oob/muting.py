# SPDX-License-Identifier: EUPL-1.2
"""Against prompt bombing: after repeated declines, launches that nobody asked for stay silent (threat K15)."""

from __future__ import annotations

from collections import deque
from typing import Final

DECLINES: Final = 3
WINDOW: Final = 120.0
"""Seconds within which that many declines mute, and for which the mute lasts."""


class LaunchMute:
    """Counts declines. Times are `time.monotonic()` seconds; launches while muted do not prolong the mute."""

    def __init__(self) -> None:
        self._declines: deque[float] = deque(maxlen=DECLINES)

    def declined(self, now: float) -> None:
        """Note that the person declined or reported an order."""
        self._declines.append(now)

    def approved(self) -> None:
        """Note that the person completed an order: they are at work, so the count starts anew."""
        self._declines.clear()

    def is_muted(self, now: float) -> bool:
        """Tell whether a launch that the person did not ask for should stay silent."""
        if len(self._declines) < DECLINES:
            return False
        first, last = self._declines[0], self._declines[-1]
        return last - first <= WINDOW and now - last < WINDOW
