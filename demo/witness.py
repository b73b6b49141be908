# SPDX-License-Identifier: EUPL-1.2
"""Reads what the relying party says that it saw."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from authservice.demo_rp.events import Event

_POLL_SECONDS = 0.05


class Witness:
    """The relying party's event log from now on."""

    def __init__(self, events: Path) -> None:
        """Look only at what comes after this moment."""
        self._events = events
        self._seen = len(self._lines())

    def events(self) -> Iterator[Event]:
        """Return what came since the last look."""
        lines = self._lines()
        fresh, self._seen = lines[self._seen :], len(lines)
        return (msgspec.json.decode(line, type=Event) for line in fresh)

    def wait_for_person(self, seconds: float) -> Event | None:
        """Wait until the relying party saw a verified person; None if it did not within `seconds`."""
        return self.wait_for("principal", seconds)

    def wait_for(self, kind: str, seconds: float) -> Event | None:
        """Wait for an event of that kind, past all others; None if it did not come within `seconds`."""
        deadline = time.monotonic() + seconds
        while True:
            found = next((event for event in self.events() if event.event == kind), None)
            if found is not None or time.monotonic() > deadline:
                return found
            time.sleep(_POLL_SECONDS)

    def _lines(self) -> list[bytes]:
        content = self._events.read_bytes() if self._events.exists() else b""
        return content.split(b"\n")[:-1]
