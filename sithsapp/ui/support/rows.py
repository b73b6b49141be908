# SPDX-License-Identifier: EUPL-1.2
"""Rows of the page: a finding with its icon and button, and a switch with its name."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sithsapp.support.checks.check import Outcome
from sithsapp.ui.icons import Icon
from sithsapp.ui.support.presenter import CheckRow
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.switch import Switch
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row

_LOOKS = {
    Outcome.OK: (Icon.CHECK_CIRCLE, "ok"),
    Outcome.WARNING: (Icon.WARNING, "warn"),
    Outcome.PROBLEM: (Icon.ALERT, "err"),
    Outcome.NOT_APPLICABLE: (Icon.INFO, "text2"),
}
_LOWEST = 52


class FindingRow(QWidget):
    """Draws a `CheckRow`. `wanted(Action)` when its button was pressed."""

    wanted = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: CheckRow | None = None
        self._emblem = Emblem(Icon.INFO, 20)
        self._title, self._text = Text(TextStyle.LABEL), Text(TextStyle.SMALL)
        self._remedy = Text(TextStyle.SMALL, tone="secondary")
        self.button = Button(Kind.LINK)
        self.button.clicked.connect(self._press)
        words = column(spacing=2)
        for widget in (self._title, self._text, self._remedy):
            words.addWidget(widget)
        words.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        layout = row(self, 12)
        layout.setContentsMargins(0, 8, 0, 8)
        layout.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)

    def show_row(self, shown: CheckRow) -> None:
        """Show a finding."""
        self._shown = shown
        self._emblem.set_look(*_LOOKS[shown.outcome])
        self._title.setText(shown.title)
        self._text.setText(shown.text)
        self._remedy.setText(shown.remedy)
        self._remedy.setVisible(bool(shown.remedy))
        self.button.set_label(shown.button)
        # Several findings may have the same button: a listener must be able to tell them apart.
        self.button.setAccessibleName(f"{shown.button}: {shown.title}")
        self.button.setVisible(bool(shown.button))
        self._title.setAccessibleName(shown.spoken)
        self.setAccessibleName(shown.spoken)

    def _press(self) -> None:
        if self._shown is not None and self._shown.action is not None:
            self.wanted.emit(self._shown.action)


class SwitchRow(QWidget):
    """A switch with its name and perhaps a note. `changed(bool)` when a person moves it."""

    changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._label, self._note = Text(TextStyle.BODY), Text(TextStyle.SMALL, tone="secondary")
        self.switch = Switch()
        self.switch.clicked.connect(self.changed)
        words = QWidget()
        inside = column(words, 4)
        inside.addWidget(self._label)
        inside.addWidget(self._note)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        words.setSizePolicy(policy)
        layout = row(self, 16)
        layout.setContentsMargins(0, 6, 0, 6)
        layout.addWidget(words, 1, Qt.AlignmentFlag.AlignVCenter)
        layout.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_texts(self, label: str, note: str = "") -> None:
        """Show the switch's name and a note below it."""
        self._label.setText(label)
        self._note.setText(note)
        self._note.setVisible(bool(note))
        self.switch.setAccessibleName(label)
        self.switch.setAccessibleDescription(note)

    def apply_theme(self, theme: Theme) -> None:
        """Leave room for a finger."""
        self.setMinimumHeight(theme.px(_LOWEST))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the press, so that its release comes here too."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let a click on the words move the switch beside them."""
        if self.rect().contains(event.position().toPoint()) and event.button() is Qt.MouseButton.LeftButton:
            self.switch.click()


def line() -> Frame:
    """Return a thin line between two rows."""
    return Frame("line")
