# SPDX-License-Identifier: EUPL-1.2
"""The button that tries the connection to each service, and what came of it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QApplication, QSizePolicy, QWidget

from sithsapp.locale import language, tr
from sithsapp.settings.schema import Settings
from sithsapp.ui import plain
from sithsapp.ui.announce import announce
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import apply_to_children, column, empty, row

if TYPE_CHECKING:
    from sithsapp.oob.reach import Attempt, MakeAttempt, Reached

_NAME_LIMIT = 64
_JOIN_SECONDS = 1.0


class _Arrivals(QObject):
    """Brings answers from the thread of an attempt to the page's."""

    came = Signal(object)
    ended = Signal()


class ConnectionTest(QWidget):
    """Tries the services of the settings in force, one after another, in a thread of its own.

    `tried(failure)` when all have answered, with None if each can be used.
    """

    tried = Signal(object)

    def __init__(self, make_attempt: MakeAttempt | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_attempt = make_attempt or _attempt
        self._attempt: Attempt | None = None
        self._thread: threading.Thread | None = None
        self._arrivals: _Arrivals | None = None
        self._answers: list[Reached] = []
        self._theme: Theme | None = None
        self.button = Button(Kind.SECONDARY, Icon.REFRESH)
        self.button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self._settings: Settings | None = None
        self._lines = column(spacing=6)
        layout = column(self, 10)
        layout.setContentsMargins(0, 10, 0, 10)
        layout.addWidget(self.button)
        layout.addLayout(self._lines)
        self.button.clicked.connect(self.begin)
        application = QApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.stop)

    def use(self, settings: Settings) -> None:
        """Try the services of `settings` from now on; answers for others are forgotten."""
        before, self._settings = self._settings, settings
        if before is not None and _matters(before) != _matters(settings):
            self.stop()
            self._answers = []
            self._draw()

    def retranslate(self) -> None:
        """Take the texts of the language in use."""
        self._draw()

    def apply_theme(self, theme: Theme) -> None:
        """Remember the theme for lines that come later."""
        self._theme = theme

    def begin(self) -> None:
        """Try the services."""
        if self._settings is None or self._thread is not None:
            return
        self._answers = []
        self._arrivals = arrivals = _Arrivals(self)
        arrivals.came.connect(self._take, Qt.ConnectionType.QueuedConnection)
        arrivals.ended.connect(self._end, Qt.ConnectionType.QueuedConnection)
        self._attempt = attempt = self._make_attempt(self._settings)
        self._thread = threading.Thread(target=_run, args=(attempt, arrivals), name="connection test", daemon=True)
        self._thread.start()
        self._draw()

    def stop(self) -> None:
        """Give up what is under way."""
        if self._thread is None or self._attempt is None:
            return
        self._attempt.cancel()
        self._thread.join(_JOIN_SECONDS)
        self._forget()
        self._draw()

    def _take(self, answer: Reached) -> None:
        if self.sender() is self._arrivals:
            self._answers.append(answer)
            self._draw()

    def _end(self) -> None:
        if self.sender() is self._arrivals:
            self._forget()
            self._draw()
            announce(self, ". ".join(words for _, words in self._results()))
            if self._answers:
                self.tried.emit(next((each.failure for each in self._answers if each.failure is not None), None))

    def _forget(self) -> None:
        if self._arrivals is not None:
            self._arrivals.deleteLater()
        self._thread = self._attempt = self._arrivals = None

    def _results(self) -> list[tuple[bool, str]]:
        if self._answers:
            return [(answer.failure is None, _words(answer)) for answer in self._answers]
        if self._settings is not None and not _matters(self._settings)[1]:
            return [(False, tr("No authentication service is set up. Contact local IT."))]
        return []

    def _draw(self) -> None:
        running = self._thread is not None
        self.button.set_label(tr("Testing the connection …") if running else tr("Test the connection"))
        self.button.setEnabled(not running)
        empty(self._lines)
        for good, words in self._results():
            self._lines.addWidget(self._line(good, words))

    def _line(self, good: bool, words: str) -> QWidget:
        line = QWidget()
        emblem, text = Emblem(Icon.INFO, 18), Text(TextStyle.SMALL)
        emblem.set_look(*((Icon.CHECK_CIRCLE, "ok") if good else (Icon.WARNING, "warn")))
        text.setText(words)
        layout = row(line, 8)
        layout.addWidget(emblem, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(text, 1)
        if self._theme is not None:
            apply_to_children(line, self._theme)
        return line


def _matters(settings: Settings) -> tuple[object, ...]:
    services = tuple(each for each in settings.services if each.environment == settings.environment)
    return settings.environment, services, settings.proxy, settings.extra_ca


def _words(answer: Reached) -> str:
    name = plain.line(getattr(answer.name, language()), _NAME_LIMIT)
    failure = answer.failure
    if failure is None:
        works = tr("The connection works")
        return f"{name}: {works}"
    return f"{name}: {tr(failure.title)}. {tr(failure.remedy)} ({failure.number})"


def _run(attempt: Attempt, arrivals: _Arrivals) -> None:
    try:
        for answer in attempt.run():
            arrivals.came.emit(answer)
        arrivals.ended.emit()
    except RuntimeError:  # the page is gone, and with it whoever would take the answer
        return


def _attempt(settings: Settings) -> Attempt:
    from sithsapp.oob.compose import late_transports
    from sithsapp.oob.reach import Attempt

    return Attempt(settings, late_transports(settings))
