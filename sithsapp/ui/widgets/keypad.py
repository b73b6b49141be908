# SPDX-License-Identifier: EUPL-1.2
"""Keys on the screen for a code, for hands in gloves and for touch screens."""

from __future__ import annotations

import secrets

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QSizePolicy, QWidget

from sithsapp.locale import tr
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.button import Button, Kind

KEY_HEIGHT = 48
_COLUMNS = 3
_ORDER = (1, 2, 3, 4, 5, 6, 7, 8, 9, 0)


class Keypad(QWidget):
    """Ten digits and a way back. `pressed(int)` for a digit, `erased()` for the last one taken back.

    The keys never take the focus, so that the entry keeps it; people who use the keyboard need none of them.
    """

    pressed = Signal(int)
    erased = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._digits = {digit: self._key(digit) for digit in _ORDER}
        self._back = Button(Kind.SECONDARY, Icon.ERASE)
        self._back.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._back.clicked.connect(self.erased)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(8)
        self.arrange(shuffled=False)

    def arrange(self, *, shuffled: bool) -> None:
        """Put the keys in their order, or in another one each time so that fingers and screen tell nothing."""
        order = list(_ORDER)
        if shuffled:
            secrets.SystemRandom().shuffle(order)
        for key in (*self._digits.values(), self._back):
            self._grid.removeWidget(key)
        for number, digit in enumerate(order[:9]):
            self._grid.addWidget(self._digits[digit], number // _COLUMNS, number % _COLUMNS)
        self._grid.addWidget(self._digits[order[9]], 3, 1)
        self._grid.addWidget(self._back, 3, 2)
        self._back.setAccessibleName(tr("Take the last digit back"))

    def apply_theme(self, theme: Theme) -> None:
        """Make every key large enough for a finger."""
        for key in (*self._digits.values(), self._back):
            key.setMinimumSize(QSize(theme.px(KEY_HEIGHT), theme.px(KEY_HEIGHT)))
        self._grid.setSpacing(theme.px(8))

    def _key(self, digit: int) -> Button:
        key = Button(Kind.SECONDARY)
        key.set_label(str(digit))
        key.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        key.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        key.clicked.connect(lambda: self.pressed.emit(digit))
        return key
