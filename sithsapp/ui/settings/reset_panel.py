# SPDX-License-Identifier: EUPL-1.2
"""The way back to the settings of the start: a link, and a question before anything happens."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QWidget

from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row


class ResetPanel(QWidget):
    """Asks once more; `wanted()` when the person is sure."""

    wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ask = Button(Kind.LINK)
        self._question = Frame("sunken")
        self._words = Text(TextStyle.BODY)
        self.cancel, self.reset = Button(Kind.SECONDARY), Button(Kind.PRIMARY)
        self._lay_out()
        self.ask.clicked.connect(self._open)
        self.cancel.clicked.connect(self._close)
        self.reset.clicked.connect(self._confirm)
        self._question.hide()

    def _lay_out(self) -> None:
        buttons = row(spacing=12)
        for button in (self.cancel, self.reset):
            button.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
            buttons.addWidget(button)
        buttons.addStretch(1)
        inside = column(self._question, 12)
        inside.setContentsMargins(20, 16, 20, 16)
        inside.addWidget(self._words)
        inside.addLayout(buttons)
        layout = column(self, 8)
        layout.addWidget(self.ask, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._question)

    def retranslate(self) -> None:
        """Take the texts of the language in use."""
        self.ask.set_label(tr("Reset the settings …"))
        self._words.setText(tr("All settings on this page become what they were at the start. Go on?"))
        self.cancel.set_label(tr("Cancel"))
        self.reset.set_label(tr("Reset"))

    def _open(self) -> None:
        self.ask.hide()
        self._question.show()
        self.cancel.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, self._words.text())

    def _close(self) -> None:
        self._question.hide()
        self.ask.show()
        self.ask.setFocus(Qt.FocusReason.OtherFocusReason)

    def _confirm(self) -> None:
        self._close()
        self.wanted.emit()
