# SPDX-License-Identifier: EUPL-1.2
"""The virtual card's memory: one file, replaced as a whole, so that no power cut gives a PIN try back."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from sithsapp.card.virtual.spec import CardSpec, ContainerSpec, Freshness, PinSpec
from sithsapp.failures import Failure, SithsError

_MAX_FILE = 1 << 20


def write_atomically(path: Path, content: bytes) -> None:
    """Replace `path` by `content`, on the disk when this returns, readable by the owner alone."""
    temporary = path.with_suffix(path.suffix + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


class CardStore:
    """Holds the card's present content and writes each change to disk before it returns.

    Several programs may have the same card open, one after the other: `refresh` takes up what another wrote.
    """

    def __init__(self, path: Path, spec: CardSpec) -> None:
        self._path = path
        self._spec = spec
        self._stamp = _stamp(path)

    @classmethod
    def create(cls, path: Path, spec: CardSpec) -> CardStore:
        """Write a new card; raises `FileExistsError` if there is one, since its counters must not be lost."""
        if path.exists():
            raise FileExistsError(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        store = cls(path, spec)
        store._write()
        return store

    @classmethod
    def open(cls, path: Path) -> CardStore:
        """Read a card; raises `SithsError(CARD_DATA_INVALID)` if the file is damaged, `OSError` if it is missing."""
        return cls(path, _read(path))

    def refresh(self) -> None:
        """Read the file again if another program replaced it; a damaged or missing one changes nothing."""
        stamp = _stamp(self._path)
        if stamp is None or stamp == self._stamp:
            return
        try:
            self._spec = _read(self._path)
        except (OSError, SithsError):
            return
        self._stamp = stamp

    @property
    def spec(self) -> CardSpec:
        """The present content."""
        return self._spec

    def pin(self, reference: int) -> PinSpec | None:
        """Return the code with that reference, or None."""
        return next((pin for pin in self._spec.pins if pin.reference == reference), None)

    def save_pin(self, changed: PinSpec, *, new_value: bool = False) -> None:
        """Keep a code's new state; `new_value` moves the PIN counter of cardcf."""
        pins = tuple(changed if pin.reference == changed.reference else pin for pin in self._spec.pins)
        fresh = self._spec.freshness
        if new_value:
            fresh = Freshness((fresh.pins + 1) & 0xFF, fresh.containers, fresh.files)
        self._replace(msgspec.structs.replace(self._spec, pins=pins, freshness=fresh))

    def save_containers(self, containers: tuple[ContainerSpec, ...]) -> None:
        """Keep another set of containers; moves the container and file counters of cardcf."""
        fresh = self._spec.freshness
        moved = Freshness(fresh.pins, (fresh.containers + 1) & 0xFFFF, (fresh.files + 1) & 0xFFFF)
        self._replace(msgspec.structs.replace(self._spec, containers=containers, freshness=moved))

    def _replace(self, spec: CardSpec) -> None:
        if spec != self._spec:
            self._spec = spec
            self._write()

    def _write(self) -> None:
        write_atomically(self._path, msgspec.json.encode(self._spec))
        self._stamp = _stamp(self._path)


def _read(path: Path) -> CardSpec:
    with path.open("rb") as file:
        content = file.read(_MAX_FILE + 1)
    try:
        if len(content) > _MAX_FILE:
            raise msgspec.ValidationError("file too large")
        return msgspec.json.decode(content, type=CardSpec)
    except msgspec.MsgspecError as error:
        raise SithsError(Failure.CARD_DATA_INVALID, "virtual card file damaged") from error


def _stamp(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when the file is replaced, or None without a file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns, status.st_size
