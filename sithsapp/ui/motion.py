# SPDX-License-Identifier: EUPL-1.2
"""Whether anything may move. Asked at the first movement, then followed.

Linux: the desktop portal's settings (org.freedesktop.portal.Settings): `reduced-motion` of the appearance, GNOME's
`enable-animations`, KDE's `AnimationDurationFactor`. Nothing waits for an answer; until it comes things move.
"""

from __future__ import annotations

import sys

from PySide6.QtCore import SLOT, QObject, Signal, Slot
from PySide6.QtDBus import QDBusConnection, QDBusMessage, QDBusPendingCallWatcher, QDBusVariant

from sithsapp.desktop.motion import wants_stillness

_PORTAL, _PATH = "org.freedesktop.portal.Desktop", "/org/freedesktop/portal/desktop"
_SETTINGS = "org.freedesktop.portal.Settings"
_APPEARANCE, _GNOME, _KDE = "org.freedesktop.appearance", "org.gnome.desktop.interface", "org.kde.kdeglobals.KDE"
_KEYS = ((_APPEARANCE, "reduced-motion"), (_GNOME, "enable-animations"), (_KDE, "AnimationDurationFactor"))
_CHANGED = SLOT("_setting_changed(QString,QString,QDBusVariant)")
_ASK_MS = 2000
_DEEPEST = 3


class Motion(QObject):
    """`is_reduced` as the person wants it now; `changed()` when that changes."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._said: dict[str, bool] = {}
        self._still = False

    @property
    def is_reduced(self) -> bool:
        """Whether nothing should move."""
        return self._still or any(self._said.values())

    def start(self) -> None:
        """Ask the system, and follow what it says where it tells."""
        self._still = wants_stillness()
        bus = QDBusConnection.sessionBus() if sys.platform.startswith("linux") else None
        if bus is None or not bus.isConnected():
            return
        bus.connect(_PORTAL, _PATH, _SETTINGS, "SettingChanged", self, _CHANGED)  # type: ignore[call-overload] # the stub wants bytes
        for namespace, key in _KEYS:
            self._ask(bus, namespace, key)

    def _ask(self, bus: QDBusConnection, namespace: str, key: str) -> None:
        question = QDBusMessage.createMethodCall(_PORTAL, _PATH, _SETTINGS, "Read")
        question.setArguments([namespace, key])
        watcher = QDBusPendingCallWatcher(bus.asyncCall(question, _ASK_MS), self)
        watcher.finished.connect(lambda ended: self._told(namespace, key, ended))

    def _told(self, namespace: str, key: str, watcher: QDBusPendingCallWatcher) -> None:
        values = watcher.reply().arguments() if not watcher.isError() else []
        watcher.deleteLater()
        if values:
            self._note(namespace, key, values[0])

    @Slot(str, str, QDBusVariant)
    def _setting_changed(self, namespace: str, key: str, value: QDBusVariant) -> None:
        if (namespace, key) in _KEYS:
            self._note(namespace, key, value)

    def _note(self, namespace: str, key: str, value: object) -> None:
        before = self.is_reduced
        self._said[namespace] = means_stillness(namespace, _bare(value))
        if self.is_reduced is not before:
            self.changed.emit()


def means_stillness(namespace: str, value: object) -> bool:
    """Tell whether a setting's value means that nothing should move; a value of another kind means nothing."""
    if namespace == _APPEARANCE:
        return value == 1
    if namespace == _GNOME:
        return value is False
    # KDE writes a number, as a text or as it is.
    return isinstance(value, str | int | float) and str(value) in ("0", "0.0")


def _bare(value: object) -> object:
    # The older of the portal's two ways to read wraps its answer twice.
    for _ in range(_DEEPEST):
        if isinstance(value, QDBusVariant):
            value = value.variant()
    return value


_motion: Motion | None = None


def motion() -> Motion:
    """Return the process's own, started at the first call."""
    global _motion
    if _motion is None:
        _motion = Motion()
        _motion.start()
    return _motion
