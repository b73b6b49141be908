# SPDX-License-Identifier: EUPL-1.2
"""What the app remembers from one run to the next of what it has told, in one small private file.

A file that cannot be read is as good as none: the worst that follows is that something is told twice.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from datetime import date
from pathlib import Path
from typing import Annotated

import msgspec

from sithsapp.desktop.paths import state_dir
from sithsapp.pki.reminders import KEY_SIZE, MAX_REMEMBERED, Memory, Told

log = logging.getLogger(__name__)

_FILE = "told.json"
_MAX_SIZE = 64 * 1024


class _Reminder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    level: Annotated[int, msgspec.Meta(ge=1, le=366)]
    ends: date


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    key: Annotated[str, msgspec.Meta(pattern=rf"^[0-9a-f]{{{2 * KEY_SIZE}}}$")]
    reminders: Annotated[
        dict[Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")], _Reminder],
        msgspec.Meta(max_length=MAX_REMEMBERED),
    ] = {}
    told_once: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=32)], ...], msgspec.Meta(max_length=16)] = ()


class ToldMemory:
    """Reads and writes the file. Belongs to one thread."""

    def __init__(self, directory: Path | None = None) -> None:
        self._path = (state_dir() if directory is None else directory) / _FILE

    def first_time(self, what: str) -> bool:
        """Tell whether `what` was never told before, and remember that it is now."""
        kept = self._read()
        if what in kept.told_once:
            return False
        return self._write(msgspec.structs.replace(kept, told_once=(*kept.told_once, what)))

    def reminders(self) -> Memory:
        """Return what was reminded of."""
        kept = self._read()
        told = {mark: Told(each.level, each.ends) for mark, each in kept.reminders.items()}
        return Memory(bytes.fromhex(kept.key), told)

    def keep_reminders(self, memory: Memory) -> bool:
        """Remember `memory`; tell whether that was possible."""
        reminders = {mark: _Reminder(told.level, told.ends) for mark, told in memory.told.items()}
        return self._write(msgspec.structs.replace(self._read(), key=memory.key.hex(), reminders=reminders))

    def _read(self) -> _File:
        try:
            with open(self._path, "rb", opener=_without_waiting) as file:
                if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return msgspec.json.decode(file.read(_MAX_SIZE), type=_File)
        except (OSError, msgspec.MsgspecError):
            pass
        return _File(Memory().key.hex())

    def _write(self, kept: _File) -> bool:
        fresh = self._path.with_name(f".{_FILE}.{os.getpid()}")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(msgspec.to_builtins(kept), file)
            fresh.replace(self._path)
        except OSError as error:
            log.warning("what was told cannot be remembered: %s", error.strerror)
            return False
        return True


def _without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
