# SPDX-License-Identifier: EUPL-1.2
"""When to remind of certificates that end soon: once at sixty, at thirty and at seven days.

What was said is remembered by a keyed hash of the certificate, whose key was made on this computer and lies with it,
and by the day of its end, so that the memory can be cleared. It names nobody, and means nothing elsewhere.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

LEVELS = (60, 30, 7)
"""Days before the end."""

MAX_REMEMBERED = 256
KEY_SIZE = 32
_MARK_LENGTH = 32


@dataclass(frozen=True, slots=True)
class Told:
    """That a certificate's holder was reminded: the level in days, and the day on which the certificate ends."""

    level: int
    ends: date


@dataclass(frozen=True, slots=True)
class Memory:
    """What was told on this computer. `key` is random; `told` is by keyed hash."""

    key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_SIZE), repr=False)
    told: Mapping[str, Told] = field(default_factory=dict)


def level(ends: datetime, now: datetime) -> int | None:
    """Return the level that `now` has reached, the lowest if several; None while it is early, or after the end."""
    left = ends - now
    if left <= timedelta():
        return None
    return min((days for days in LEVELS if left <= timedelta(days=days)), default=None)


def due(
    certificates: Iterable[tuple[bytes, datetime]], memory: Memory, now: datetime
) -> tuple[datetime | None, Memory]:
    """Return the end to remind of now, None for nothing, and what is to be remembered then.

    `certificates` are DER and end of those that count, one of each use: a certificate that was renewed counts no
    longer. Several that fall due together are one reminder, of the first that ends.
    """
    kept = {mark: told for mark, told in memory.told.items() if told.ends >= now.date()}
    ends: list[datetime] = []
    for certificate, end in certificates:
        reached, mark = level(end, now), _mark(memory.key, certificate)
        if reached is not None and (mark not in kept or kept[mark].level > reached):
            kept[mark] = Told(reached, end.date())
            ends.append(end)
    newest = dict(sorted(kept.items(), key=lambda each: each[1].ends)[-MAX_REMEMBERED:])
    return min(ends, default=None), Memory(memory.key, newest)


def _mark(key: bytes, certificate: bytes) -> str:
    return hmac.digest(key, certificate, "sha256").hex()[:_MARK_LENGTH]
