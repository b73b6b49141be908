# SPDX-License-Identifier: EUPL-1.2
"""A bounded map whose entries end at a given moment. Thread-safe."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime
from typing import Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")


class Expiring(Generic[_K, _V]):
    """Keeps at most `capacity` entries; the oldest goes first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._entries: OrderedDict[_K, tuple[_V, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: _K, now: datetime) -> _V | None:
        """Return the entry if it has not ended at `now`."""
        with self._lock:
            value, until = self._entries.get(key, (None, now))
            return value if now < until else None

    def put(self, key: _K, value: _V, until: datetime) -> None:
        """Keep `value` until that moment."""
        with self._lock:
            self._entries.pop(key, None)
            self._entries[key] = (value, until)
            if len(self._entries) > self._capacity:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
