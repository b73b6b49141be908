# SPDX-License-Identifier: EUPL-1.2
"""Learn from D-Bus that the screen was locked or the computer goes to sleep.

Three sources, since desktops differ: the screen savers of KDE and GNOME on the session bus, and logind's Lock
of this session and PrepareForSleep on the system bus. A bus that is not there is left out.
"""

from __future__ import annotations

import logging
import os
import re

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection

log = logging.getLogger(__name__)

_LOGIN = "org.freedesktop.login1"
_MANAGER_PATH = "/org/freedesktop/login1"
_SCREEN_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")
_CHANGED, _LOCK = SLOT("_changed(bool)"), SLOT("_lock()")


class SessionWatch(QObject):
    """`left()` when the person has left the screen: it was locked, or the computer goes to sleep."""

    left = Signal()

    def start(self) -> None:
        """Begin to listen."""
        session, system = QDBusConnection.sessionBus(), QDBusConnection.systemBus()
        if session.isConnected():
            for name in _SCREEN_SAVERS:
                self._listen(session, "", "", name, "ActiveChanged", _CHANGED)
        if system.isConnected():
            self._listen(system, _LOGIN, _MANAGER_PATH, f"{_LOGIN}.Manager", "PrepareForSleep", _CHANGED)
            path = _session_path()
            if path:
                self._listen(system, _LOGIN, path, f"{_LOGIN}.Session", "Lock", _LOCK)
        log.info("session watch: session bus %s, system bus %s", session.isConnected(), system.isConnected())

    def _listen(self, bus: QDBusConnection, service: str, path: str, interface: str, name: str, slot: str) -> None:
        bus.connect(service, path, interface, name, self, slot)  # type: ignore[call-overload] # the stub wants bytes

    @Slot(bool)
    def _changed(self, begins: bool) -> None:
        if begins:
            self.left.emit()

    @Slot()
    def _lock(self) -> None:
        self.left.emit()


def _session_path() -> str:
    """Return logind's object path of this session, empty if the session has no known id."""
    session = os.environ.get("XDG_SESSION_ID", "")
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", session):
        return ""
    # A bus path element must not begin with a digit; systemd escapes signs as _ and two hex digits.
    first = session[0]
    return f"{_MANAGER_PATH}/session/{f'_{ord(first):02x}' if first.isdigit() else first}{session[1:]}"
