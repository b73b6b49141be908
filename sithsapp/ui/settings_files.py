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
        self._files = [Path(place) for place in store.places if Path(place).is_absolute()]
        self._watcher = QFileSystemWatcher(self)
        self._timer = QTimer(self, singleShot=True, interval=_SETTLE_MS)
        self._timer.timeout.connect(store.reload)
        self._watcher.directoryChanged.connect(self._notice)
        self._watcher.fileChanged.connect(self._notice)
        self._watch()

    def _notice(self) -> None:
        self._watch()
        self._timer.start()

    def _watch(self) -> None:
        """Watch directories, for files that come, go or are replaced, and files, for those that are written over."""
        watched = {*self._watcher.files(), *self._watcher.directories()}
        for path in {*self._files, *(file.parent for file in self._files)}:
            if str(path) not in watched and path.exists():
                self._watcher.addPath(str(path))
