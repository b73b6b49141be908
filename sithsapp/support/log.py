# SPDX-License-Identifier: EUPL-1.2
"""The log: on by default, bounded, private to the user, and without secrets by construction.

Callers pass only what may be read by support; secrets are types whose text is `***`. What callers cannot see,
the text of foreign exceptions and of the lines around them, is left out here.
"""

from __future__ import annotations

import logging
import os
import sys
import traceback
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType

from sithsapp.failures import SithsError
from sithsapp.support.detail import apply_level
from sithsapp.support.recent import recent_failures

_MAX_BYTES = 1_000_000
_KEPT_FILES = 3
_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class SafeFormatter(logging.Formatter):
    """One line a record; exceptions by type and place, with a message only where it is our own."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(threadName)s %(name)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line per frame, control signs escaped so that no text can forge a line."""
        lines = super().format(record).split("\n")
        return "\n  ".join("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line) for line in lines)

    def formatException(self, ei: _ExcInfo) -> str:
        """Return type and places of the exception and its causes, never a foreign message or source line."""
        parts: list[str] = []
        error = ei[1]
        while error is not None:
            parts.append(str(error) if isinstance(error, SithsError) else type(error).__name__)
            parts += [
                f"at {f.name} {Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)
            ]
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(parts)


class _PrivateRotatingFile(RotatingFileHandler):
    """A rotating file that only the user can read."""

    def _open(self) -> object:  # type: ignore[override] # the stub wants TextIOWrapper, which os.fdopen returns
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def start_logging(directory: Path, role: str, level: str) -> None:
    """Log to `directory`/`role`.log from now on; `level` is a name of the settings schema.

    While a person has switched detailed logging on, that counts in place of `level` (`sithsapp.support.detail`).
    A directory that cannot be written leaves the app running, with the log on standard error.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        handler: logging.Handler = _PrivateRotatingFile(
            directory / f"{role}.log", maxBytes=_MAX_BYTES, backupCount=_KEPT_FILES, encoding="utf-8"
        )
    except OSError:
        handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(SafeFormatter())
    logging.basicConfig(level=level.upper(), handlers=[handler, recent_failures], force=True)
    apply_level(directory, level)
    logging.raiseExceptions = False
