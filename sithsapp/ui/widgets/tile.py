# SPDX-License-Identifier: EUPL-1.2
"""A button that leads on: icon, words and an arrow. The words are broken rather than cut off."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize, Qt
from PySide6.QtWidgets import QSizePolicy, QWidget

from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import row

_LEAST_HEIGHT = {Kind.TILE: 58, Kind.ROW: 46, Kind.PRIMARY: 44}
_COLOURS = {Kind.TILE: "primary_text", Kind.ROW: "text2", Kind.PRIMARY: "on_primary"}
_ACROSS, _DOWN, _GAP = 16, 8, 12
_ICON = 20
_WIDEST_PRIMARY = 194


class Tile(Button):
    """A button of kind TILE or ROW, or a PRIMARY one whose label may need more than one line."""

    def __init__(self, kind: Kind, icon: Icon, parent: QWidget | None = None) -> None:
        super().__init__(kind, parent=parent)
        self._least, self._coloured = _LEAST_HEIGHT[kind], _COLOURS[kind]
        self._primary = kind is Kind.PRIMARY
        self._sign, self._words, self._arrow = Emblem(icon, _ICON), Text(TextStyle.STRONG), Emblem(Icon.CHEVRON, 18)
        self._shown = icon
        layout = row(self, _GAP)
        self._across = _ACROSS if kind is not Kind.PRIMARY else _DOWN
        layout.setContentsMargins(self._across, _DOWN, self._across, _DOWN)
        for widget in (self._sign, self._words, self._arrow):
            widget.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            layout.addWidget(widget, 1 if widget is self._words else 0, Qt.AlignmentFlag.AlignVCenter)
        self._arrow.setVisible(not self._primary)
        grows = QSizePolicy.Policy.Preferred if self._primary else QSizePolicy.Policy.Expanding
        policy = QSizePolicy(grows, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._colour()

    def set_label(self, text: str) -> None:
        """Show `text`, exactly as it is."""
        self._words.setText(text)
        self.setAccessibleName(text)
        self.updateGeometry()

    def apply_theme(self, theme: Theme) -> None:
        """Take over the sizes; the parts take theirs by themselves."""
        self._theme = theme
        self.setMinimumHeight(self._px(self._least))  # the layout sees to more, where words are broken
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return the size with the words on one line, or broken where a main action would be very wide."""
        arrow = 0 if self._primary else _GAP + self._arrow.width()
        beside = 2 * self._across + _GAP + self._sign.width() + arrow
        width = self._words.sizeHint().width() + beside
        return QSize(min(width, self._px(_WIDEST_PRIMARY)) if self._primary else width, self._px(self._least))

    def minimumSizeHint(self) -> QSize:
        """Return the least size: the words may be broken."""
        return QSize(self._px(120), self._px(self._least))

    def changeEvent(self, event: QEvent) -> None:
        """Look like one that cannot be pressed."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange:
            self._colour()

    def _colour(self) -> None:
        enabled = self.isEnabled()
        self._words.take_tone("on_primary" if self._primary else "" if enabled else "secondary")
        self._sign.set_look(self._shown, self._coloured if enabled else "disabled")
        self._arrow.set_look(Icon.CHEVRON, "text2" if enabled else "disabled")

    def _px(self, design: int) -> int:
        return self._theme.px(design) if self._theme is not None else design
