# SPDX-License-Identifier: EUPL-1.2
"""The user's own settings file, written so that no failure leaves half of it or loses what it held."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from sithsapp.failures import Failure, SithsError
from sithsapp.settings.sources import MAX_FILE_SIZE, Authority, JsonFile

MAX_KEPT_ASIDE = 20
_PRIVATE = 0o700


class UserFile(JsonFile):
    """`settings.json` of the user. A file that cannot be read is set aside, never written over."""

    def __init__(self, path: Path) -> None:
        super().__init__(Authority.USER, path)

    def write(self, values: Mapping[str, object]) -> None:
        """Replace the file by `values`, all or nothing, readable by the user alone.

        Raises `SithsError(SETTINGS_NOT_SAVED)`; the file is then what it was.
        """
        content = (json.dumps(values, indent=2, sort_keys=True, ensure_ascii=False) + "\n").encode()
        if len(content) > MAX_FILE_SIZE:
            raise self._not_saved("it would become too large")
        # A link that the user made stays one: the file that it leads to is replaced.
        target = Path(os.path.realpath(self.path))
        try:
            target.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            _replace(target, content)
        except OSError as error:
            raise self._not_saved(error.strerror or type(error).__name__) from error

    def set_aside(self) -> Path:
        """Move a file that cannot be used out of the way and return where it lies now.

        Raises `SithsError(SETTINGS_NOT_SAVED)` if that cannot be done without losing an earlier one.
        """
        for number in range(1, MAX_KEPT_ASIDE + 1):
            aside = self.path.with_name(f"{self.path.name}.unusable-{number}")
            if aside.exists() or aside.is_symlink():
                continue
            try:
                self.path.rename(aside)
            except OSError as error:
                raise self._not_saved(error.strerror or "cannot be set aside") from error
            return aside
        raise self._not_saved("too many unusable files lie beside it already")

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep other processes of the app from writing meanwhile, where the system has file locks."""
        if sys.platform == "win32":
            yield
            return
        import fcntl

        try:
            self.path.parent.mkdir(mode=_PRIVATE, parents=True, exist_ok=True)
            descriptor = os.open(self.path.with_name(f".{self.path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._not_saved(error.strerror or "cannot be locked") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _not_saved(self, why: str) -> SithsError:
        return SithsError(Failure.SETTINGS_NOT_SAVED, f"{self.path}: {why}")


def _replace(target: Path, content: bytes) -> None:
    import tempfile  # brings a megabyte along that only a change of settings needs

    # mkstemp makes a file of mode 0600 that nobody had open before.
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _sync_directory(target.parent)


def _sync_directory(directory: Path) -> None:
    """Make the new name last through a power cut, where a directory can be opened."""
    with contextlib.suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
