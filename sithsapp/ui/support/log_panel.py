# SPDX-License-Identifier: EUPL-1.2
"""The log on the page: the last records, new ones as they come, for reading and copying alone."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontDatabase, QGuiApplication, QHideEvent, QShowEvent, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from sithsapp.locale import tr
from sithsapp.support.log_files import Entry, LogTail, at_least
from sithsapp.ui.icons import Icon
from sithsapp.ui.support.presenter import log_line
from sithsapp.ui.support.rows import SwitchRow
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.choice_box import ChoiceBox
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column
from sithsapp.ui.widgets.wrap import Wrap

MAX_RECORDS = 2000
MAX_LINES = 4000
_PAUSE_MS = 1000
_HEIGHT = 260
_CHOICES = ("DEBUG", "INFO", "WARNING", "ERROR")


class LogPanel(QWidget):
    """Follows the log of this process while it is on the screen. `folder_wanted()` to show where the logs are.

    `follow` is the switch for that; the page places it.
    """

    folder_wanted = Signal()

    def __init__(self, directory: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path = directory / "tray.log"
        self._tail = LogTail(self._path)
        self._entries: deque[Entry] = deque(maxlen=MAX_RECORDS)
        self._level = _CHOICES[0]
        self._timer = QTimer(self)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.read)
        self._heading = Text(TextStyle.TITLE)
        self.folder, self.copy = Button(Kind.LINK, Icon.FOLDER), Button(Kind.LINK, Icon.COPY)
        self.box, self.levels, self.follow = self._make_box(), ChoiceBox(), SwitchRow()
        self.follow.switch.setChecked(True)
        self._connect()
        self._lay_out()

    def _make_box(self) -> QPlainTextEdit:
        box = QPlainTextEdit()
        box.setReadOnly(True)
        box.setUndoRedoEnabled(False)
        box.setMaximumBlockCount(MAX_LINES)
        box.setTabChangesFocus(True)
        box.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        box.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        box.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return box

    def _connect(self) -> None:
        self.folder.clicked.connect(self.folder_wanted)
        self.copy.clicked.connect(self._copy)
        self.levels.picked.connect(self._choose_level)
        self.follow.changed.connect(self._follow)

    def _lay_out(self) -> None:
        layout = column(self, 10)
        layout.addWidget(Wrap(self._heading, self.folder))
        layout.addWidget(self.box)
        layout.addWidget(Wrap(self.levels, self.copy))

    def apply_theme(self, theme: Theme) -> None:
        """Take over font and size."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(theme.font(TextStyle.SMALL).pixelSize())
        self.box.setFont(font)
        self.box.setFixedHeight(theme.px(_HEIGHT))

    def retranslate(self) -> None:
        """Take all texts anew."""
        self._heading.setText(tr("Log"))
        self.box.setAccessibleName(tr("Log"))
        self.folder.set_label(tr("Show the log folder"))
        self.copy.set_label(tr("Copy"))
        self.follow.show_texts(tr("Follow new lines"))
        labels = [tr("Everything"), tr("Information and above"), tr("Warnings and errors"), tr("Errors alone")]
        self.levels.setAccessibleName(tr("Show"))
        self.levels.show_options(labels, _CHOICES.index(self._level))

    def read(self) -> None:
        """Take in what is new."""
        fresh = self._tail.read()
        self._entries.extend(fresh)
        self._append(at_least(fresh, self._level))

    def showEvent(self, event: QShowEvent) -> None:
        """Catch up and follow."""
        super().showEvent(event)
        self.read()
        self._follow(self.follow.switch.isChecked())

    def hideEvent(self, event: QHideEvent) -> None:
        """Look no further while nobody does."""
        super().hideEvent(event)
        self._timer.stop()

    def _follow(self, on: bool) -> None:
        if on and self.isVisible():
            self.read()
            self._go_to_end()
            self._timer.start()
        else:
            self._timer.stop()

    def _append(self, found: list[Entry]) -> None:
        if not found:
            return
        bar = self.box.verticalScrollBar()
        place, at_end = bar.value(), bar.value() >= bar.maximum() - 2
        self.box.appendPlainText("\n".join(log_line(entry) for entry in found))
        if at_end:
            self._go_to_end()
        else:
            bar.setValue(place)

    def _go_to_end(self) -> None:
        bar = self.box.verticalScrollBar()
        bar.setValue(bar.maximum())

    def _choose_level(self, position: int) -> None:
        self._level = _CHOICES[position]
        self.box.clear()
        self._append(at_least(self._entries, self._level))
        self._go_to_end()

    def _copy(self) -> None:
        cursor = self.box.textCursor()
        chosen = cursor.selection().toPlainText() if cursor.hasSelection() else self.box.toPlainText()
        QGuiApplication.clipboard().setText(chosen)
