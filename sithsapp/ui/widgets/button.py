# SPDX-License-Identifier: EUPL-1.2
"""Buttons by kind. None of them takes Return by default: the window decides what Return means."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QSizePolicy, QWidget

from sithsapp.ui import icons
from sithsapp.ui.elements import Accent
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle, Theme


class Kind(Enum):
    """How a button looks.

    The main action (plum, or petrol for signing), an equal alternative, a link, an icon, a page in a navigation, a
    tile or a row that leads on.
    """

    PRIMARY = "primary"
    SIGN = "sign"
    SECONDARY = "secondary"
    LINK = "link"
    ICON = "icon"
    NAVIGATION = "navigation"
    TILE = "tile"
    ROW = "row"


_COLOURS = {
    Kind.PRIMARY: "on_primary",
    Kind.SIGN: "on_sign",
    Kind.SECONDARY: "text",
    Kind.LINK: "primary_text",
    Kind.ICON: "text2",
    Kind.NAVIGATION: "text2",
    Kind.TILE: "primary_text",
    Kind.ROW: "text2",
}
_GROWING = {Kind.PRIMARY, Kind.SIGN, Kind.SECONDARY, Kind.TILE, Kind.ROW}
_FONTS = {Kind.LINK: TextStyle.LABEL, Kind.NAVIGATION: TextStyle.BODY}


class Button(QPushButton):
    """A push button of one kind, perhaps with an icon."""

    def __init__(self, kind: Kind, icon: Icon | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self._icon = icon
        self._accent = Accent.AUTH
        self._chosen = False
        self._theme: Theme | None = None
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setProperty("kind", kind.value)
        across = QSizePolicy.Policy.Expanding if kind in _GROWING else QSizePolicy.Policy.Maximum
        self.setSizePolicy(across, QSizePolicy.Policy.Fixed)

    def set_label(self, text: str) -> None:
        """Show `text`; an ampersand is an ampersand, not a shortcut mark."""
        gap = " " if self._icon is not None else ""
        self.setText(gap + text.replace("&", "&&"))
        self.setAccessibleName(text)

    def set_kind(self, kind: Kind) -> None:
        """Become a button of another kind."""
        if kind is not self._kind:
            self._kind = kind
            self.setProperty("kind", kind.value)
            self.style().unpolish(self)
            self.style().polish(self)
            self._draw_icon()

    def set_accent(self, accent: Accent) -> None:
        """Let a link have the order's colour."""
        if self.property("accent") != accent.value:
            self._accent = accent
            self.setProperty("accent", accent.value)
            self.style().unpolish(self)
            self.style().polish(self)
            self._draw_icon()

    def set_chosen(self, chosen: bool) -> None:
        """Draw the icon of a page in a navigation as the one in front, or as another."""
        if chosen is not self._chosen:
            self._chosen = chosen
            self._draw_icon()

    def set_icon(self, icon: Icon) -> None:
        """Show another icon."""
        self._icon = icon
        self._draw_icon()

    def apply_theme(self, theme: Theme) -> None:
        """Take over the theme's font and colours."""
        self._theme = theme
        self.setFont(theme.font(_FONTS.get(self._kind, TextStyle.STRONG)))
        self._draw_icon()

    def _draw_icon(self) -> None:
        if self._theme is None or self._icon is None:
            return
        size = self._theme.px(16 if self._kind is Kind.LINK else 20)
        self.setIconSize(QSize(size, size))
        signs = self._kind is Kind.LINK and self._accent is Accent.SIGN
        colour = "sign_text" if signs else "primary_text" if self._chosen else _COLOURS[self._kind]
        self.setIcon(icons.button_icon(self._icon, size, self._theme.colour(colour)))
