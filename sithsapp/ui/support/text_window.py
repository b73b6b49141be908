# SPDX-License-Identifier: EUPL-1.2
"""A window with one text to read: the accessibility statement, the licences."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QPlainTextEdit, QWidget

from sithsapp.locale import tr
from sithsapp.ui.stylesheet import stylesheet
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.ring import Ring
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import apply_to_children, column, row

_WIDTH, _HEIGHT = 620, 560
_SCREEN_MARGIN = 48


class TextWindow(QWidget):
    """Shows a title and a text; used again for the next one."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = Text(TextStyle.DISPLAY)
        self.box = QPlainTextEdit()
        self.box.setReadOnly(True)
        self.box.setTabChangesFocus(True)
        self.box.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByKeyboard | Qt.TextInteractionFlag.TextSelectableByMouse
        )
        self._close = Button(Kind.SECONDARY)
        self._close.clicked.connect(self.close)
        buttons = row()
        buttons.addStretch(1)
        buttons.addWidget(self._close, 1)
        layout = column(self, 16)
        layout.setContentsMargins(24, 24, 24, 20)
        layout.addWidget(self._title)
        layout.addWidget(self.box, 1)
        layout.addLayout(buttons)
        self._ring = Ring(self)
        self.apply_theme(theme)
        free = self.screen().availableGeometry().size()
        self.resize(min(free.width(), theme.px(_WIDTH)), min(free.height() - _SCREEN_MARGIN, theme.px(_HEIGHT)))

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self.setStyleSheet(stylesheet(theme))
        apply_to_children(self, theme)
        self.box.setFont(theme.font(TextStyle.BODY))

    def show_text(self, title: str, text: str) -> None:
        """Show `text` from its beginning, in front."""
        self.setWindowTitle(title)
        self._title.setText(title)
        self.box.setAccessibleName(title)
        self.box.setPlainText(text)
        self._close.set_label(tr("Close"))
        self.show()
        self.raise_()
        self.activateWindow()
        self.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Escape close the window, and Return press the button that has the focus."""
        focused = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            focused.click()
        else:
            super().keyPressEvent(event)
