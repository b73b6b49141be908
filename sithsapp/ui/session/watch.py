# SPDX-License-Identifier: EUPL-1.2
"""One interface to what each platform tells of the session."""

from __future__ import annotations

import logging
import sys

from PySide6.QtCore import QObject, Signal

from sithsapp.desktop.presence import Presence

log = logging.getLogger(__name__)


class SessionWatch(QObject):
    """`left()` when the person has left the screen, `returned()` when she is back, each once in its turn.

    Left is: the screen was locked, the computer goes to sleep, the session was disconnected, or another one is in
    front. A sign too many is harmless; what must not be missed is a left screen.
    """

    left = Signal()
    returned = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._away = False

    def start(self) -> None:
        """Begin to listen."""

    def stop(self) -> None:
        """Listen no more."""

    def notice(self, presence: Presence) -> None:
        """Take what the platform says."""
        if presence is Presence.LEFT:
            # Told each time: what began meanwhile, at a screen that is locked, must end too.
            self._away = True
            self.left.emit()
        elif self._away:
            self._away = False
            self.returned.emit()


def session_watch(parent: QObject | None = None) -> SessionWatch:
    """Return this platform's watch, not yet started."""
    if sys.platform == "win32":
        from sithsapp.desktop.session_windows import SessionMessages
        from sithsapp.ui.session.windows import WindowsSessionWatch

        return WindowsSessionWatch(SessionMessages(), parent)
    if sys.platform == "darwin":
        from sithsapp.desktop.session_macos import DistributedCentre
        from sithsapp.ui.session.macos import MacSessionWatch

        return MacSessionWatch(DistributedCentre(), parent)
    from sithsapp.ui.session.linux import LinuxSessionWatch

    return LinuxSessionWatch(parent)
