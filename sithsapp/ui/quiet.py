# SPDX-License-Identifier: EUPL-1.2
"""A window that has just come up takes nothing: what is typed was meant for another one."""

from __future__ import annotations

import time
from collections.abc import Callable

QUIET_SECONDS = 0.6


class QuietTime:
    """Closed for a while after `begin`, and for as long as somebody goes on typing."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = 0.0

    def begin(self) -> None:
        """Take nothing for the next while."""
        self._until = self._clock() + QUIET_SECONDS

    def admits(self) -> bool:
        """Tell whether an entry counts. One that does not makes the wait begin again."""
        if self._clock() >= self._until:
            return True
        self.begin()
        return False
