# SPDX-License-Identifier: EUPL-1.2
"""Desktop entries (freedesktop.org): quoting a command, reading the values that matter."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

_MAX_SIZE = 64 * 1024
_PLAIN = re.compile(r"[A-Za-z0-9_./+:@-]+")
_ESCAPED = re.compile(r'(["`$\\])')
_GROUP = "[Desktop Entry]"


def quote(argument: str) -> str:
    """Return `argument` for an `Exec` line: quoted, escaped, percent signs doubled.

    What needs no quotes gets none: xdg-open without a desktop environment does not understand them.
    """
    if _PLAIN.fullmatch(argument):
        return argument
    escaped = _ESCAPED.sub(r"\\\1", argument).replace("\\", "\\\\").replace("%", "%%")
    return f'"{escaped}"'


def entry_values(path: Path) -> dict[str, str] | None:
    """Return the keys of a desktop entry's main group; None if there is no file that can be read."""
    text = _read(path)
    if text is None:
        return None
    values: dict[str, str] = {}
    group = ""
    for line in text.splitlines():
        if line.startswith("["):
            group = line.strip()
        elif group == _GROUP and "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            values.setdefault(key.strip(), value.strip())
    return values


def _read(path: Path) -> str | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            return file.read(_MAX_SIZE).decode("utf-8", "replace")
    except OSError:
        return None
