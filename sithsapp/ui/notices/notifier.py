# SPDX-License-Identifier: EUPL-1.2
"""Have the desktop show a note with a button: by its notification service, or else by the tray icon.

The app tells little this way: a request that waits silently, certificates that end soon, and once that it goes on
in the background. Nothing that a window says already, no name, no number.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable

from PySide6.QtCore import QObject, QSocketNotifier, Signal

from sithsapp.desktop.dbus_wire import WireError
from sithsapp.desktop.notification_bus import Chosen, Note, NotificationBus
from sithsapp.ui.tray.tray import Tray

log = logging.getLogger(__name__)


class Notifier(QObject):
    """Shows notes. `chosen(key, activation token)` when the person wants what a note offers."""

    chosen = Signal(str, str)

    def __init__(
        self, tray: Tray, connect: Callable[[], NotificationBus] | None = None, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._tray = tray
        self._connect = connect or NotificationBus
        self._bus: NotificationBus | None = None
        self._readable: QSocketNotifier | None = None
        self._notes: dict[int, tuple[str, Note]] = {}
        self._last_key = ""
        tray.message_clicked.connect(lambda: self.chosen.emit(self._last_key, ""))

    def can_tell(self) -> bool:
        """Tell whether there is anything that would show a note."""
        return self._reach_bus() is not None or self._tray.is_shown

    def tell(self, key: str, note: Note) -> None:
        """Show `note`; an earlier one of the same `key` is replaced."""
        bus = self._reach_bus()
        if bus is None:
            self._tell_by_tray(key, note)
            return
        before = next((serial for serial, (its, _) in self._notes.items() if its == key), 0)
        self._notes.pop(before, None)
        try:
            self._notes[bus.show(note, before)] = (key, note)
        except OSError:
            self._lose_bus()
            self._tell_by_tray(key, note)

    def close(self) -> None:
        """Let go of the bus."""
        self._lose_bus()

    def _reach_bus(self) -> NotificationBus | None:
        if self._bus is None and sys.platform.startswith("linux"):
            try:
                self._bus = self._connect()
            except OSError as error:
                log.info("no notification service: %s", error)
                return None
            self._readable = QSocketNotifier(self._bus.fileno(), QSocketNotifier.Type.Read, self)
            self._readable.activated.connect(self._receive)
        return self._bus

    def _receive(self) -> None:
        if self._bus is None:
            return
        try:
            found = self._bus.receive()
        except (OSError, WireError) as error:
            log.info("the notification service is gone: %s", type(error).__name__)
            self._lose_bus()
            return
        for event in found:
            key, note = self._notes.get(event.serial, ("", None))
            if isinstance(event, Chosen) and key:
                self.chosen.emit(key, event.token)
            elif note is not None:
                del self._notes[event.serial]
                self._tell_by_tray(key, note)

    def _lose_bus(self) -> None:
        if self._readable is not None:
            self._readable.setEnabled(False)
            self._readable.deleteLater()
        if self._bus is not None:
            self._bus.close()
        self._bus = self._readable = None
        self._notes.clear()

    def _tell_by_tray(self, key: str, note: Note) -> None:
        self._last_key = key
        self._tray.show_message(note.title, note.text)
