# SPDX-License-Identifier: EUPL-1.2
"""Rate limits: token buckets per relying party, per network address and per order."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass

from authservice.clock import Clock

_MAX_BUCKETS = 20_000


@dataclass(frozen=True, slots=True)
class Rate:
    """`burst` requests at once, then `per_second` in the long run."""

    per_second: float
    burst: int


class RateLimiter:
    """Count requests by name. Holds at most 20,000 buckets; the least recently used one goes first."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, rate: Rate) -> float:
        """Take one token from the bucket `name`; return 0, or the seconds until one will be there."""
        now = self._clock.now()
        with self._lock:
            tokens, filled_at = self._buckets.pop(name, (float(rate.burst), now))
            tokens = min(float(rate.burst), tokens + (now - filled_at) * rate.per_second)
            # A remainder of rounding must not make a whole token look a little too small for ever.
            allowed = tokens > 1 - 1e-6
            self._buckets[name] = (tokens - 1 if allowed else tokens, now)
            if len(self._buckets) > _MAX_BUCKETS:
                self._buckets.popitem(last=False)
        return 0.0 if allowed else (1 - tokens) / rate.per_second


def address_bucket(address: str) -> str:
    """Return the bucket name of a network address; an IPv6 address counts with its /64."""
    if ":" in address:
        return "ip:" + ":".join(address.split(":")[:4])
    return "ip:" + address
