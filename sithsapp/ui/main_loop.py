# SPDX-License-Identifier: EUPL-1.2
"""Run the Qt application of the tray role from its first line to its last."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QSocketNotifier, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from sithsapp.support.state import starting_state
from sithsapp.ui.app import App
from sithsapp.ui.tray.tray import Tray

if TYPE_CHECKING:
    from sithsapp.card.service import CardService
    from sithsapp.desktop.single_instance import Instance, Message
    from sithsapp.failures import Failure
    from sithsapp.settings.store import SettingsStore

log = logging.getLogger(__name__)

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


Compose = Callable[[], "tuple[SettingsStore, CardService]"]


def run(compose: Compose, launch: Message, instance: Instance | None, *, hidden: bool) -> int:
    """Run until the person quits; return the exit code.

    The icon comes first. `compose` is called after it, as settings and cards take a while to import; what it
    raises is raised here.
    """
    application = _application()
    tray = Tray()
    tray.show_state(starting_state())
    tray.show()
    start = _Start(compose, tray, launch, instance, hidden=hidden)
    signals = _QuitOnSignals(application)
    QTimer.singleShot(0, start.begin)
    try:
        code = application.exec()
    finally:
        signals.close()
        start.end()
    if start.error is not None:
        raise start.error
    return code


class _Start:
    """What follows once the icon is on the screen."""

    def __init__(
        self, compose: Compose, tray: Tray, launch: Message, instance: Instance | None, *, hidden: bool
    ) -> None:
        self._compose, self._tray, self._launch, self._instance = compose, tray, launch, instance
        self._hidden = hidden
        self._app: App | None = None
        self.error: Exception | None = None

    def begin(self) -> None:
        try:
            settings, cards = self._compose()
            self._app = App(settings, cards, self._tray)
            if self._instance is not None:
                self._instance.listen(self._app.arrivals.take_message)
            self._app.start(self._launch, hidden=self._hidden)
        except Exception as error:  # callback boundary: raised again by `run`
            self.error = error
            QApplication.exit(1)

    def end(self) -> None:
        self._tray.hide()
        if self._app is not None:
            self._app.close()


def show_failure(failure: Failure) -> int:
    """Show why the app cannot start; return the exit code once the person has closed the window."""
    from sithsapp.oob.interaction import Finished
    from sithsapp.ui.holder_reading import describe
    from sithsapp.ui.order.window import OrderWindow
    from sithsapp.ui.theme import current

    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = _application()
    window = OrderWindow(describe, current())
    window.closed.connect(application.quit)
    window.show_view(Finished(None, failure))
    application.exec()
    return failure.exit_code


def _application() -> QApplication:
    _prefer_light_platform_theme()
    _log_what_nobody_catches()
    qInstallMessageHandler(_log_qt)
    application = QApplication(["sithsapp"])
    application.setApplicationName("SITHS eID-app")
    application.setDesktopFileName("sithsapp")
    application.setQuitOnLastWindowClosed(False)
    application.setStyle("Fusion")
    return application


def _prefer_light_platform_theme() -> None:
    # GNOME's default theme plugin loads GTK: 20 MiB and 25 ms for colours that come from the portal anyway.
    if "GNOME" in os.environ.get("XDG_CURRENT_DESKTOP", "").upper().split(":"):
        os.environ.setdefault("QT_QPA_PLATFORMTHEME", "gnome")


def _log_what_nobody_catches() -> None:
    def in_main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        log.error("an error reached the event loop", exc_info=(kind, error, trace))

    def in_thread(details: threading.ExceptHookArgs) -> None:
        if details.exc_value is not None:
            exc_info = (details.exc_type, details.exc_value, details.exc_traceback)
            log.error("an error ended a thread", exc_info=exc_info)

    sys.excepthook = in_main
    threading.excepthook = in_thread


def _log_qt(kind: QtMsgType, context: QMessageLogContext, message: str) -> None:
    log.log(_LEVELS.get(kind, logging.WARNING), "Qt: %s", message)


class _QuitOnSignals:
    """Ends the application in order on SIGTERM and SIGINT: a byte in a socket wakes Qt, then Python sees them."""

    def __init__(self, application: QApplication) -> None:
        self._ours, self._theirs = socket.socketpair()
        for end in (self._ours, self._theirs):
            end.setblocking(False)
        self._application = application
        self._notifier = QSocketNotifier(self._ours.fileno(), QSocketNotifier.Type.Read)
        self._notifier.activated.connect(self._drain)
        signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._leave)

    def close(self) -> None:
        """Let signals have their usual effect again."""
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        self._notifier.setEnabled(False)
        self._ours.close()
        self._theirs.close()

    def _leave(self, number: int, frame: FrameType | None) -> None:
        self._application.exit(0)  # quit() may be refused by a window

    def _drain(self) -> None:
        self._ours.recv(64)
