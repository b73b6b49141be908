# SPDX-License-Identifier: EUPL-1.2
"""A log of what the demonstration saw, one JSON object per line, for scripts that run it unattended.

It names the person, so it exists only in the demo environment and only where a file for it was asked for.
"""

from __future__ import annotations

import threading
from pathlib import Path

import msgspec
from msgspec import Struct

from authservice.rp.principal import Principal


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line. `event` is `started`, `principal`, `signature`, `failed` or `other_browser`."""

    event: str
    order: str | None = None
    name: str | None = None
    hsaid: str | None = None
    loa: str | None = None
    binding: str | None = None
    hint: str | None = None


def event_of(kind: str, principal: Principal) -> Event:
    """Return the line about a verified person."""
    return Event(
        event=kind,
        order=principal.order,
        name=principal.name,
        hsaid=principal.hsaid,
        loa=principal.loa,
        binding=principal.binding.value,
    )


class EventLog:
    """Appends events to a file; without a path it drops them."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lock = threading.Lock()

    def write(self, event: Event) -> None:
        """Append one line."""
        if self._path is None:
            return
        with self._lock, self._path.open("ab") as file:
            file.write(msgspec.json.encode(event) + b"\n")
