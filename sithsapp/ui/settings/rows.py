# SPDX-License-Identifier: EUPL-1.2
"""One setting on the page: its name, its control, and why it cannot be changed if it cannot."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QSizePolicy, QWidget

from sithsapp.locale import tr
from sithsapp.ui.icons import Icon
from sithsapp.ui.settings.presenter import ChoiceRow, Row, SwitchRow
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.choice_box import ChoiceBox
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.switch import Switch
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column, row, set_tone

_LOWEST = 60
_BESIDE = 1.9  # widths of the list


class SettingRow(QWidget):
    """Draws a `Row`. `changed(name, value)` when the person wants another value."""

    changed = Signal(str, object)

    def __init__(self, shown: Row, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = shown
        self._label, self._note = Text(TextStyle.BODY), Text(TextStyle.SMALL, tone="secondary")
        self._beneath = QWidget()
        self._lock = Emblem(Icon.LOCK, 14)
        self._lock.set_look(Icon.LOCK, "text2")
        self.control = self._make_control()
        self._lay_out()

    def _make_control(self) -> Switch | ChoiceBox:
        if isinstance(self._row, SwitchRow):
            switch = Switch()
            switch.clicked.connect(self._switched)
            return switch
        choice = ChoiceBox()
        choice.picked.connect(self._picked)
        return choice

    def _lay_out(self) -> None:
        note = row(self._beneath, 6)
        note.addWidget(self._lock, 0, Qt.AlignmentFlag.AlignTop)
        note.addWidget(self._note, 1)
        words = QWidget()
        inside = column(words, 4)
        inside.addWidget(self._label)
        inside.addWidget(self._beneath)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        words.setSizePolicy(policy)
        self._inner = row(self, 16)
        self._inner.setContentsMargins(0, 8, 0, 8)
        self._inner.addWidget(words, 1, Qt.AlignmentFlag.AlignVCenter)
        self._inner.addWidget(self.control, 0, Qt.AlignmentFlag.AlignVCenter)

    def show_row(self, shown: Row) -> None:
        """Show what is in force; `shown` is of the same setting as before."""
        self._row = shown
        note = tr("This setting is managed by your organisation.") if shown.locked else shown.note
        self._label.setText(shown.label)
        set_tone(self._label, "secondary" if shown.locked else "")
        self._note.setText(note)
        self._beneath.setVisible(bool(note))
        self._lock.setVisible(shown.locked)
        self.control.setEnabled(not shown.locked)
        self.control.setAccessibleName(shown.label)
        self.control.setAccessibleDescription(note)
        if isinstance(shown, SwitchRow) and isinstance(self.control, Switch):
            self.control.setChecked(shown.on)
        elif isinstance(shown, ChoiceRow) and isinstance(self.control, ChoiceBox):
            self.control.show_options([option.label for option in shown.options], shown.current)

    def apply_theme(self, theme: Theme) -> None:
        """Leave room for a finger."""
        self.setMinimumHeight(theme.px(_LOWEST))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put a list below its name where there is no room for both in one line."""
        narrow = self.width() < _BESIDE * self.control.sizeHint().width()
        directions = QBoxLayout.Direction
        self._inner.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the press, so that its release comes here too."""
        event.accept()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Let a click on the words move the switch beside them."""
        inside = self.rect().contains(event.position().toPoint())
        if inside and event.button() is Qt.MouseButton.LeftButton and isinstance(self.control, Switch):
            self.control.click()

    def _switched(self, on: bool) -> None:
        # Until the setting is in force the switch stays what it was.
        if isinstance(self._row, SwitchRow) and isinstance(self.control, Switch):
            self.control.setChecked(self._row.on)
            self.changed.emit(self._row.name, on)

    def _picked(self, position: int) -> None:
        if isinstance(self._row, ChoiceRow):
            self.changed.emit(self._row.name, self._row.options[position].value)
