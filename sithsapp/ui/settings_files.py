# SPDX-License-Identifier: EUPL-1.2
"""Notice settings files that others write: `siths settings set`, the organisation's tools. Nothing is polled."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QFileSystemWatcher, QObject, QTimer

from sithsapp.settings.store import SettingsStore

_SETTLE_MS = 200  # a file is often written in several steps


class SettingsFiles(QObject):
    """Has the store read its files again soon after one has changed."""

    def __init__(self, store: SettingsStore, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._files = [Path(place) for place in store.places if Path(place).is_absolute()]
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._timer.timeout.connect(self._settled)
        self._watcher.directoryChanged.connect(self._notice)
        self._watcher.fileChanged.connect(self._notice)
        self._watch()

    def _notice(self) -> None:
        self._watch()
        self._timer.start()

    def _settled(self) -> None:
        self._watch()  # a directory may have come while the one above it was being watched
        self._store.reload()

    def _watch(self) -> None:
        """Watch directories, for files that come, go or are replaced, and files, for those that are written over."""
        wanted = {str(path) for file in self._files for path in _places(file)}
        watched = {*self._watcher.files(), *self._watcher.directories()}
        for path in watched - wanted:
            self._watcher.removePath(path)
        for path in wanted - watched:
            self._watcher.addPath(path)


def _places(file: Path) -> list[Path]:
    """Return a file and its directory, or what there is above a directory that may still come."""
    if file.exists():
        return [file.parent, file]
    return [next(above for above in file.parents if above.is_dir())]
