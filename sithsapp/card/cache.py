# SPDX-License-Identifier: EUPL-1.2
"""Public contents of cards that were read before, so that a known card opens with four commands.

Kept in memory, and in files where a directory is given. An entry counts only for the same serial number, answer to
reset and change counters. Files are written whole or not at all, readable by their owner alone, and treated as
hostile when read: whatever is not exactly right is a miss. Nothing secret is in them, but certificates name people.
"""

from __future__ import annotations

import logging
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sithsapp.card.idprime.contents import Contents
from sithsapp.card.idprime.habits import Habits
from sithsapp.card.private_file import read_bounded, replace_file

_log = logging.getLogger(__name__)

MAX_ENTRIES = 32
MAX_FILE = 256 * 1024
_MAGIC = b"SITHSCC1"
_SUFFIX = ".card"
_MAX_ITEMS = 64
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class _Entry:
    serial: bytes
    atr: bytes
    freshness: bytes
    contents: Contents


class CardCache:
    """Contents by card. Thread-safe: every step is one dictionary or file operation."""

    def __init__(self, directory: Path | None = None) -> None:
        """Use `directory` (made when needed, mode 0700), or memory alone."""
        self._directory = directory
        self._entries: dict[bytes, _Entry] = {}
        self._habits: dict[bytes, Habits] = {}

    def known(self, serial: bytes, atr: bytes) -> Contents | None:
        """Return contents of that card, fresh or not."""
        entry = self._entries.get(serial) or self._load(serial)
        return entry.contents if entry is not None and entry.atr == atr else None

    def find(self, serial: bytes, atr: bytes, freshness: bytes) -> Contents | None:
        """Return contents if they were stored with the same change counters."""
        entry = self._entries.get(serial) or self._load(serial)
        return entry.contents if entry is not None and (entry.atr, entry.freshness) == (atr, freshness) else None

    def store(self, serial: bytes, atr: bytes, freshness: bytes, contents: Contents) -> None:
        """Keep contents. A file that cannot be written is logged and done without."""
        entry = _Entry(serial, atr, freshness, contents)
        if self._entries.get(serial) == entry:
            return
        while len(self._entries) >= MAX_ENTRIES:
            self._entries.pop(next(iter(self._entries)))
        self._entries[serial] = entry
        if self._directory is not None:
            self._save(self._directory, entry)

    def habits(self, serial: bytes) -> Habits:
        """Return what was found out about that card's ways since the app started."""
        while len(self._habits) >= MAX_ENTRIES and serial not in self._habits:
            self._habits.pop(next(iter(self._habits)))
        return self._habits.setdefault(serial, Habits())

    def drop(self, serial: bytes) -> None:
        """Forget a card whose contents proved to be stale."""
        self._entries.pop(serial, None)
        if self._directory is not None:
            with suppress(OSError):
                _path(self._directory, serial).unlink()

    def _load(self, serial: bytes) -> _Entry | None:
        if self._directory is None:
            return None
        try:
            entry = _decode(read_bounded(_path(self._directory, serial), MAX_FILE))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, struct.error) as error:
            _log.warning("a cache file cannot be used: %s", type(error).__name__)
            return None
        if entry.serial != serial:
            return None
        self._entries[serial] = entry
        return entry

    def _save(self, directory: Path, entry: _Entry) -> None:
        encoded = _encode(entry)
        if len(encoded) > MAX_FILE:
            return
        try:
            replace_file(_path(directory, entry.serial), encoded)
            _prune(directory)
        except OSError as error:
            _log.warning("the card cache cannot be written: %s", type(error).__name__)


def _path(directory: Path, serial: bytes) -> Path:
    return directory / (serial.hex() + _SUFFIX)


def _prune(directory: Path) -> None:
    """Keep the newest files."""
    files = sorted(directory.glob("*" + _SUFFIX), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files[MAX_ENTRIES:]:
        path.unlink(missing_ok=True)


def _encode(entry: _Entry) -> bytes:
    contents = entry.contents
    items = [entry.serial, entry.atr, entry.freshness, contents.index, contents.key_map or b""]
    for kind, pairs in ((b"\x01", contents.certificates), (b"\x02", contents.pins)):
        items += [kind + number.to_bytes(2, "big") + value for number, value in pairs]
    items.insert(0, bytes([contents.key_map is not None]))
    body = b"".join(_LENGTH.pack(len(item)) + item for item in items)
    return _MAGIC + _LENGTH.pack(zlib.crc32(body)) + body


def _decode(encoded: bytes) -> _Entry:
    start = len(_MAGIC) + _LENGTH.size
    if encoded[: len(_MAGIC)] != _MAGIC or encoded[len(_MAGIC) : start] != _LENGTH.pack(zlib.crc32(encoded[start:])):
        raise ValueError("not a cache file")
    has_map, serial, atr, freshness, index, key_map, *rest = _items(encoded[start:])
    pairs = {kind: tuple(_pair(item) for item in rest if item[:1] == kind) for kind in (b"\x01", b"\x02")}
    contents = Contents(index, key_map if has_map == b"\x01" else None, pairs[b"\x01"], pairs[b"\x02"])
    return _Entry(serial, atr, freshness, contents)


def _items(body: bytes) -> list[bytes]:
    found: list[bytes] = []
    at = 0
    while at < len(body):
        (length,) = _LENGTH.unpack_from(body, at)
        at += _LENGTH.size + length
        if at > len(body) or len(found) >= _MAX_ITEMS:
            raise ValueError("broken item")
        found.append(body[at - length : at])
    return found


def _pair(item: bytes) -> tuple[int, bytes]:
    if len(item) < 3:
        raise ValueError("broken pair")
    return int.from_bytes(item[1:3], "big"), item[3:]
