# SPDX-License-Identifier: EUPL-1.2
"""The service's one clock: wall time that can never be turned back (threat P24)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol


class Clock(Protocol):
    """Tells the time as Unix seconds."""

    def now(self) -> float:
        """Return Unix seconds; never less than a value returned before."""


class SteadyClock:
    """Read the wall clock once, then count with the monotonic clock.

    A wall clock that is set back or forth while the service runs neither extends nor ends an order.
    """

    def __init__(
        self, wall: Callable[[], float] = time.time, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._offset = wall() - monotonic()

    def now(self) -> float:
        """Return Unix seconds as the wall clock told them at start, plus the time since."""
        return self._offset + self._monotonic()
