# SPDX-License-Identifier: EUPL-1.2
"""Learn from D-Bus that the person has left the screen, or is back.

Several sources, since desktops differ: the screen savers of KDE and GNOME on the session bus; on the system bus
logind's PrepareForSleep, and this session's Lock, Unlock, LockedHint and Active, which tells when another session is
in front. A bus that is not there is left out.
"""

from __future__ import annotations

import logging
import os
import re

from PySide6.QtCore import SLOT, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusVariant

from sithsapp.desktop.presence import Presence
from sithsapp.ui.session.watch import SessionWatch

log = logging.getLogger(__name__)

_LOGIN = "org.freedesktop.login1"
_MANAGER_PATH = "/org/freedesktop/login1"
_SESSION = f"{_LOGIN}.Session"
_PROPERTIES = "org.freedesktop.DBus.Properties"
_SCREEN_SAVERS = ("org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver")
_CHANGED, _LOCK, _UNLOCK = SLOT("_changed(bool)"), SLOT("_lock()"), SLOT("_unlock()")
_PROPERTIES_CHANGED = SLOT("_properties_changed(QString,QVariantMap)")
_ASK_MS = 2000


class LinuxSessionWatch(SessionWatch):
    """A `SessionWatch` by D-Bus. Nothing is polled and nothing blocks."""

    def start(self) -> None:
        """Begin to listen."""
        session, system = QDBusConnection.sessionBus(), QDBusConnection.systemBus()
        if session.isConnected():
            for name in _SCREEN_SAVERS:
                self._listen(session, "", "", name, "ActiveChanged", _CHANGED)
        if system.isConnected():
            self._listen(system, _LOGIN, _MANAGER_PATH, f"{_LOGIN}.Manager", "PrepareForSleep", _CHANGED)
            path = _session_path(os.environ.get("XDG_SESSION_ID", ""))
            if path:
                self._listen_to_session(path)
            else:
                self._ask_for_session(system)
        log.info("session watch: session bus %s, system bus %s", session.isConnected(), system.isConnected())

    def stop(self) -> None:
        """Let the bus forget this object; Qt does it when the object goes."""
        self.blockSignals(True)

    def _listen_to_session(self, path: str) -> None:
        system = QDBusConnection.systemBus()
        self._listen(system, _LOGIN, path, _SESSION, "Lock", _LOCK)
        self._listen(system, _LOGIN, path, _SESSION, "Unlock", _UNLOCK)
        self._listen(system, _LOGIN, path, _PROPERTIES, "PropertiesChanged", _PROPERTIES_CHANGED)

    def _ask_for_session(self, system: QDBusConnection) -> None:
        """Ask logind which session this process belongs to, where the environment does not say."""
        question = QDBusMessage.createMethodCall(_LOGIN, f"{_MANAGER_PATH}/session/auto", _PROPERTIES, "Get")
        question.setArguments([_SESSION, "Id"])
        watcher = QDBusPendingCallWatcher(system.asyncCall(question, _ASK_MS), self)
        watcher.finished.connect(self._told_session)

    def _told_session(self, watcher: QDBusPendingCallWatcher) -> None:
        told = watcher.reply().arguments() if not watcher.isError() else []
        watcher.deleteLater()
        value = told[0].variant() if told and isinstance(told[0], QDBusVariant) else told[0] if told else ""
        path = _session_path(value) if isinstance(value, str) else ""
        if path:
            self._listen_to_session(path)
        else:
            log.info("session watch: logind knows no session of this process")

    def _listen(self, bus: QDBusConnection, service: str, path: str, interface: str, name: str, slot: str) -> None:
        bus.connect(service, path, interface, name, self, slot)  # type: ignore[call-overload] # the stub wants bytes

    @Slot(bool)
    def _changed(self, begins: bool) -> None:
        self.notice(Presence.LEFT if begins else Presence.RETURNED)

    @Slot()
    def _lock(self) -> None:
        self.notice(Presence.LEFT)

    @Slot()
    def _unlock(self) -> None:
        self.notice(Presence.RETURNED)

    @Slot(str, "QVariantMap")
    def _properties_changed(self, interface: str, properties: dict[str, object]) -> None:
        presence = _presence(properties) if interface == _SESSION else None
        if presence is not None:
            self.notice(presence)


def _presence(properties: dict[str, object]) -> Presence | None:
    """Return what a session's changed properties say; locked weighs more than being in front."""
    locked, active = properties.get("LockedHint"), properties.get("Active")
    if locked is True or active is False:
        return Presence.LEFT
    return Presence.RETURNED if locked is False or active is True else None


def _session_path(session: str) -> str:
    """Return logind's object path of the session with that id, empty if it can be none."""
    if not re.fullmatch(r"[A-Za-z0-9]{1,32}", session):
        return ""
    # A bus path element must not begin with a digit; systemd escapes signs as _ and two hex digits.
    first = session[0]
    return f"{_MANAGER_PATH}/session/{f'_{ord(first):02x}' if first.isdigit() else first}{session[1:]}"
