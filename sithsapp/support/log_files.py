# SPDX-License-Identifier: EUPL-1.2
"""Read the logs back: the lines of the last hours for a report, the last lines and the new ones for a viewer.

Whatever lies in the log's folder is treated as hostile: only regular files of the app's own names are read, only
their ends, and only so many lines of so many signs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sithsapp.support.safe_file import open_regular, read_end

ROLES = ("tray", "cli", "link")
"""The logs that the app writes, by what the process does."""

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MAX_LINE = 2000
_MAX_READ = 1024 * 1024
_OLDER = ("", ".1", ".2", ".3")
_HEAD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} ([A-Z]{4,8}) ")


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a log: `when` is local time, `text` the whole of it, with lines of its own for exceptions."""

    when: datetime
    level: str
    text: str


def entries(content: str) -> Iterator[Entry]:
    """Return the records in the text of a log. What stands before the first one is left out."""
    when, level, lines = None, "", list[str]()
    for line in content.split("\n"):
        head = _head(line)
        if head is not None:
            if when is not None:
                yield Entry(when, level, "\n".join(lines))
            when, level, lines = head[0], head[1], []
        if when is not None and line:
            lines.append(_shorten(line))
    if when is not None:
        yield Entry(when, level, "\n".join(lines))


def _head(line: str) -> tuple[datetime, str] | None:
    match = _HEAD.match(line)
    if match is None or match[2] not in LEVELS:
        return None
    try:
        return datetime.fromisoformat(match[1]), match[2]
    except ValueError:
        return None


def _shorten(line: str) -> str:
    return line if len(line) <= MAX_LINE else f"{line[:MAX_LINE]} …"


def recent_entries(directory: Path, role: str, since: datetime, most: int = _MAX_READ) -> list[Entry]:
    """Return the records of one log from `since` (local time) on, the newest `most` bytes at most, oldest first."""
    texts: list[str] = []
    for suffix in _OLDER:
        text = _read(directory / f"{role}.log{suffix}", most)
        most -= len(text)
        texts.insert(0, text)
        if most <= 0:
            break
    return [entry for entry in entries("\n".join(texts)) if entry.when >= since]


def _read(path: Path, most: int) -> str:
    try:
        return read_end(path, most).decode("utf-8", "replace")
    except OSError:
        return ""


def at_least(found: Iterable[Entry], level: str) -> list[Entry]:
    """Return the records of that level and above."""
    return [entry for entry in found if LEVELS.index(entry.level) >= LEVELS.index(level)]


class LogTail:
    """Reads what is new in one log, also when it was rotated or begun anew. Keeps no text."""

    def __init__(self, path: Path, first: int = 128 * 1024) -> None:
        """Begin with the last `first` bytes of the file."""
        self._path, self._first = path, first
        self._file: tuple[int, int] | None = None
        self._at = 0
        self._rest = b""

    def read(self) -> list[Entry]:
        """Return the records that were added since the last call; an empty list without any or without a file."""
        try:
            with os.fdopen(open_regular(self._path), "rb") as file:
                status = os.fstat(file.fileno())
                self._find_place((status.st_dev, status.st_ino), status.st_size)
                file.seek(self._at)
                new = file.read(_MAX_READ)
        except OSError:
            return []
        self._at += len(new)
        whole, _, self._rest = (self._rest + new).rpartition(b"\n")
        self._rest = self._rest[-_MAX_READ:]
        return list(entries(whole.decode("utf-8", "replace")))

    def _find_place(self, file: tuple[int, int], size: int) -> None:
        if self._file is None:
            self._at = max(0, size - self._first)
        elif file != self._file or size < self._at:  # rotated, or begun anew
            self._at, self._rest = 0, b""
        elif size - self._at > _MAX_READ:  # written faster than it is read
            self._at, self._rest = size - _MAX_READ, b""
        self._file = file
