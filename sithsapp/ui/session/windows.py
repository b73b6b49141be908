# SPDX-License-Identifier: EUPL-1.2
"""Session messages of Windows, which come to a window of our own that is never shown."""

from __future__ import annotations

import logging
from typing import Protocol

from PySide6.QtCore import QAbstractNativeEventFilter, QByteArray, QCoreApplication, QObject
from PySide6.QtWidgets import QWidget

from sithsapp.desktop.session_windows import meaning, read_message
from sithsapp.ui.session.watch import SessionWatch

log = logging.getLogger(__name__)

_KINDS = (b"windows_generic_MSG", b"windows_dispatcher_MSG")


class Messages(Protocol):
    """How the session's messages are asked for (`sithsapp.desktop.session_windows.SessionMessages`)."""

    def register(self, window: int) -> bool:
        """Have them sent to that window; tell whether that was possible."""

    def unregister(self, window: int) -> None:
        """Have them sent no more."""


class WindowsSessionWatch(SessionWatch):
    """A `SessionWatch` by window messages."""

    def __init__(self, messages: Messages, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._messages = messages
        self._window: QWidget | None = None
        self._filter = _Filter(self)

    def start(self) -> None:
        """Begin to listen."""
        self._window = QWidget()
        application = QCoreApplication.instance()
        if application is not None:
            application.installNativeEventFilter(self._filter)
        registered = self._messages.register(int(self._window.winId()))
        log.info("session watch: session messages %s", registered)

    def stop(self) -> None:
        """Listen no more."""
        application = QCoreApplication.instance()
        if application is not None:
            application.removeNativeEventFilter(self._filter)
        if self._window is not None:
            self._messages.unregister(int(self._window.winId()))
            self._window.deleteLater()
            self._window = None


class _Filter(QAbstractNativeEventFilter):
    """Looks at every native message and keeps none."""

    def __init__(self, watch: SessionWatch) -> None:
        super().__init__()
        self._watch = watch

    def nativeEventFilter(self, kind: QByteArray | bytes | bytearray | memoryview, message: int) -> object:
        """Tell the watch what concerns it."""
        name = kind.data() if isinstance(kind, QByteArray) else bytes(kind)
        if name in _KINDS:
            presence = meaning(*read_message(int(message)))
            if presence is not None:
                self._watch.notice(presence)
        return False, 0
