# SPDX-License-Identifier: EUPL-1.2
"""The failures that this process met lately: numbers and times, in memory alone and bounded."""

from __future__ import annotations

import logging
import re
from collections import deque
from datetime import datetime
from typing import NamedTuple

KEPT = 50
_NUMBER = re.compile(r"\b([RCPNSA][0-9]{3}) [A-Z_]{3,}")


class MetFailure(NamedTuple):
    """When a failure was met (local time), its number, and the part of the app that said so."""

    when: datetime
    number: str
    source: str


class RecentFailures(logging.Handler):
    """Notes the failure numbers that go through the log. Keeps no texts."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._met: deque[MetFailure] = deque(maxlen=KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Note the numbers in one record; the same one as the last is noted once."""
        try:
            numbers = numbers_in(record.getMessage())
        except (TypeError, ValueError):  # a record whose arguments do not fit its message
            return
        when = datetime.fromtimestamp(record.created)
        for number in numbers:
            if not self._met or self._met[-1].number != number:
                self._met.append(MetFailure(when, number, record.name))

    def latest(self) -> tuple[MetFailure, ...]:
        """Return what was met, the last one first."""
        return tuple(reversed(self._met.copy()))


def numbers_in(text: str) -> list[str]:
    """Return the numbers of catalogued failures in a line of the log, in their order."""
    from sithsapp.failures import Failure

    found = _NUMBER.findall(text)
    known = {failure.number for failure in Failure} if found else set()
    return [number for number in found if number in known]


recent_failures = RecentFailures()
"""The one of this process; `start_logging` connects it."""
