# SPDX-License-Identifier: EUPL-1.2
"""Every file of a report as it would be saved, one at a time."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QFontDatabase, QTextOption
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from sithsapp.locale import tr
from sithsapp.support.report.parts import Part
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.choice_box import ChoiceBox
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column, row


class Preview(QWidget):
    """Shows parts for reading. What is shown is the content of the file, sign by sign."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._parts: tuple[Part, ...] = ()
        self._title = Text(TextStyle.TITLE)
        self.files, self.box, self.back = ChoiceBox(), QPlainTextEdit(), Button(Kind.SECONDARY)
        self.box.setReadOnly(True)
        self.box.setUndoRedoEnabled(False)
        self.box.setTabChangesFocus(True)
        self.box.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self.box.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.files.picked.connect(self._show)
        foot = row()
        foot.addStretch(1)
        foot.addWidget(self.back, 1)
        layout = column(self, 12)
        layout.setContentsMargins(24, 24, 24, 20)
        for widget in (self._title, self.files):
            layout.addWidget(widget)
        layout.addWidget(self.box, 1)
        layout.addLayout(foot)

    def apply_theme(self, theme: Theme) -> None:
        """Take over the font."""
        font = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
        font.setPixelSize(theme.font(TextStyle.SMALL).pixelSize())
        self.box.setFont(font)

    def retranslate(self) -> None:
        """Take all texts anew."""
        self._title.setText(tr("Preview"))
        self.files.setAccessibleName(tr("File"))
        self.box.setAccessibleName(tr("Preview"))
        self.back.set_label(tr("Back"))

    def show_parts(self, parts: Sequence[Part]) -> None:
        """Show the first of `parts`, and offer the others."""
        self._parts = tuple(parts)
        self.files.show_options([_label(part) for part in self._parts], 0)
        self._show(0)

    def _show(self, position: int) -> None:
        text = self._parts[position].text if position < len(self._parts) else ""
        self.box.setPlainText(text)


def _label(part: Part) -> str:
    return f"{part.name} ({len(part.content)} B)"
