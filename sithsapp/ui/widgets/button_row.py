# SPDX-License-Identifier: EUPL-1.2
"""Buttons of equal width, side by side, or one below the other where a label needs more room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sithsapp.ui.widgets.button import Button

_GAP = 12


class ButtonRow(QWidget):
    """Lays out its buttons from left to right; stacked, the last one, which is the main action, comes on top."""

    def __init__(self, *buttons: Button, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons = buttons
        for button in buttons:
            button.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def hasHeightForWidth(self) -> bool:
        """Tell that stacked buttons need more height."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of one row, or of as many as there are buttons."""
        rows = 1 if self._fits(width) else len(self._shown())
        return max(0, rows * (self._height() + _GAP) - _GAP)

    def sizeHint(self) -> QSize:
        """Return the size of one row."""
        count = len(self._shown())
        return QSize(max(0, count * (self._widest() + _GAP) - _GAP), self._height())

    def minimumSizeHint(self) -> QSize:
        """Return what the widest label needs."""
        return QSize(self._widest(), self._height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the buttons anew."""
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Arrange the buttons when one has got another label or has come or gone."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        shown, width = self._shown(), self.width()
        if not shown:
            return
        if not self._fits(width):
            for number, button in enumerate(reversed(shown)):
                button.setGeometry(0, number * (self._height() + _GAP), width, self._height())
            return
        each = (width - _GAP * (len(shown) - 1)) // len(shown)
        for number, button in enumerate(shown):
            button.setGeometry(number * (each + _GAP), 0, each, self._height())

    def _fits(self, width: int) -> bool:
        return self.sizeHint().width() <= width

    def _shown(self) -> list[Button]:
        return [button for button in self._buttons if not button.isHidden()]

    def _widest(self) -> int:
        return max((button.sizeHint().width() for button in self._shown()), default=0)

    def _height(self) -> int:
        return max((button.sizeHint().height() for button in self._shown()), default=0)
