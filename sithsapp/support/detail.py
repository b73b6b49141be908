# SPDX-License-Identifier: EUPL-1.2
"""Detailed logging for a day: switched on by a person, off by itself, also across restarts.

A small file beside the logs says until when. Nothing waits for that moment: the first record after it puts the usual
level back.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sithsapp.support.safe_file import read_small, replace_file

LASTS = timedelta(hours=24)
_FILE = "detailed-until"
_MAX_SIZE = 64
Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


def detailed_until(directory: Path, clock: Clock = _now) -> datetime | None:
    """Return when detailed logging ends (aware), or None when it is off.

    A moment that lies further ahead than a person can ask for is not believed: the clock was set back, or somebody
    wrote the file.
    """
    try:
        until = datetime.fromisoformat(read_small(directory / _FILE, _MAX_SIZE).decode("ascii").strip())
    except (OSError, ValueError):
        return None
    if until.tzinfo is None or not clock() < until <= clock() + LASTS:
        return None
    return until


def set_detailed(directory: Path, usual_level: str, *, on: bool, clock: Clock = _now) -> datetime | None:
    """Switch detailed logging in this process and for later starts; return when it ends.

    `usual_level` is the settings' level, in force while it is off. Raises `OSError` if the choice cannot be kept.
    """
    if on:
        until = clock() + LASTS
        replace_file(directory / _FILE, until.isoformat().encode("ascii"))
    else:
        with suppress(FileNotFoundError):
            os.unlink(directory / _FILE)
    return apply_level(directory, usual_level, clock)


def apply_level(directory: Path, usual_level: str, clock: Clock = _now) -> datetime | None:
    """Set the level of this process's log by the file and the settings; return when detailed logging ends."""
    root = logging.getLogger()
    for handler in root.handlers:
        for old in [each for each in handler.filters if isinstance(each, _Expiry)]:
            handler.removeFilter(old)
    until = detailed_until(directory, clock)
    root.setLevel(logging.DEBUG if until is not None else usual_level.upper())
    if until is not None:
        for handler in root.handlers:
            handler.addFilter(_Expiry(until, usual_level.upper()))
    return until


class _Expiry(logging.Filter):
    """Puts the usual level back with the first record after the end, and drops that record if it is below it."""

    def __init__(self, until: datetime, level: str) -> None:
        super().__init__()
        self._until, self._level = until.timestamp(), logging.getLevelNamesMapping()[level]

    def filter(self, record: logging.LogRecord) -> bool:
        if record.created < self._until:
            return True
        logging.getLogger().setLevel(self._level)
        return record.levelno >= self._level
