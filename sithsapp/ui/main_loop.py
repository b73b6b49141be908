# SPDX-License-Identifier: EUPL-1.2
"""Run the Qt application of the tray role from its first line to its last."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
from types import FrameType, TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QMessageLogContext, QSocketNotifier, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from sithsapp.desktop.single_instance import Instance, Message
from sithsapp.settings.schema import Settings
from sithsapp.ui.app import App

if TYPE_CHECKING:
    from sithsapp.card.service import CardService

log = logging.getLogger(__name__)

_LEVELS = {
    QtMsgType.QtDebugMsg: logging.DEBUG,
    QtMsgType.QtInfoMsg: logging.INFO,
    QtMsgType.QtWarningMsg: logging.WARNING,
    QtMsgType.QtCriticalMsg: logging.ERROR,
    QtMsgType.QtFatalMsg: logging.CRITICAL,
}


def run(
    settings: Settings, cards: CardService, launch: Message | None, instance: Instance | None, *, hidden: bool
) -> int:
    """Run until the person quits; return the exit code."""
    _prefer_light_platform_theme()
    _log_what_nobody_catches()
    qInstallMessageHandler(_log_qt)
    application = QApplication(["sithsapp"])
    application.setApplicationName("SITHS eID-app")
    application.setDesktopFileName("sithsapp")
    application.setQuitOnLastWindowClosed(False)
    application.setStyle("Fusion")
    app = App(settings, cards)
    notifier = _quit_on_signals(application)
    if instance is not None:
        instance.listen(app.arrivals.take_message)
    app.start(launch, hidden=hidden)
    try:
        return application.exec()
    finally:
        notifier.setEnabled(False)
        app.close()


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


def _quit_on_signals(application: QApplication) -> QSocketNotifier:
    """End in order on SIGTERM and SIGINT: a byte in a socket wakes Qt, and Python then sees the signal."""
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)

    def leave(number: int, frame: FrameType | None) -> None:
        application.quit()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, leave)
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, application)
    notifier.activated.connect(lambda *_: ours.recv(64))
    notifier.destroyed.connect(theirs.close)
    return notifier
