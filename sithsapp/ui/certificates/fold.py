# SPDX-License-Identifier: EUPL-1.2
"""A part of a page that is made and shown when it is wanted."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.themed import apply_to_children, column


class Fold(QWidget):
    """A link that shows and hides a part, which is made when it is first wanted."""

    def __init__(
        self, labels: tuple[str, str], make: Callable[[], QWidget], theme: Theme, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._labels, self._make, self._theme = labels, make, theme
        self._part: QWidget | None = None
        self.button = Button(Kind.LINK)
        self.button.clicked.connect(self._toggle)
        self._layout: QVBoxLayout = column(self, 10)
        self._layout.addWidget(self.button, 0, Qt.AlignmentFlag.AlignLeft)
        self._label()

    def renew(self) -> None:
        """Make the part anew if it is shown, and later otherwise."""
        shown = self._part is not None and not self._part.isHidden()
        if self._part is not None:
            self._part.hide()
            self._part.deleteLater()
            self._part = None
        if shown:
            self._toggle()

    def apply_theme(self, theme: Theme) -> None:
        """Remember the theme for a part that comes later."""
        self._theme = theme

    def _toggle(self) -> None:
        if self._part is None:
            self._part = self._make()
            self._layout.addWidget(self._part)
            apply_to_children(self._part, self._theme)
            self._part.show()
        else:
            self._part.setVisible(self._part.isHidden())
        self._label()

    def _label(self) -> None:
        shown = self._part is not None and not self._part.isHidden()
        self.button.set_label(self._labels[1 if shown else 0])
