# SPDX-License-Identifier: EUPL-1.2
"""The theme in use: colours by the desktop's wish, sizes by the platform's font."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontInfo, QGuiApplication

from sithsapp.ui.elements import Accent
from sithsapp.ui.tokens import DARK, HIGH_CONTRAST, LIGHT, Tokens

ThemeChoice = Literal["system", "light", "dark"]

_BODY_PIXELS = 15
_PLATFORM_FACTOR = 1.15


class TextStyle(Enum):
    """Type sizes as factors of the body size, and weights."""

    DISPLAY = (24 / 15, 600)
    TITLE = (19 / 15, 600)
    STRONG = (1.0, 600)
    BODY = (1.0, 400)
    LABEL = (14 / 15, 600)
    SMALL = (13 / 15, 400)
    SMALL_STRONG = (13 / 15, 600)
    CODE = (34 / 15, 600)


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours and the body text's size in pixels; every length follows from it."""

    tokens: Tokens
    body: float = _BODY_PIXELS

    def px(self, design: float) -> int:
        """Return a length of the design (drawn for 15 px body text) in logical pixels."""
        return round(design * self.body / _BODY_PIXELS)

    def font(self, style: TextStyle) -> QFont:
        """Return the platform's font in that style."""
        factor, weight = style.value
        font = QFont(QGuiApplication.font())
        font.setPixelSize(max(1, round(self.body * factor)))
        font.setWeight(QFont.Weight(weight))
        return font

    def colour(self, name: str) -> QColor:
        """Return the colour of a token by its name."""
        return QColor(getattr(self.tokens, name))

    def accent(self, accent: Accent) -> QColor:
        """Return the colour of an order's main action."""
        return self.colour("sign" if accent is Accent.SIGN else "primary")


def current(choice: ThemeChoice = "system") -> Theme:
    """Return the theme for the person's choice and the desktop's settings of this moment."""
    platform = QFontInfo(QGuiApplication.font()).pixelSize()
    return Theme(_tokens(choice), max(_BODY_PIXELS, platform * _PLATFORM_FACTOR))


def _tokens(choice: ThemeChoice) -> Tokens:
    hints = QGuiApplication.styleHints()
    if hints.accessibility().contrastPreference() is Qt.ContrastPreference.HighContrast:
        return HIGH_CONTRAST
    if choice == "system":
        return DARK if hints.colorScheme() is Qt.ColorScheme.Dark else LIGHT
    return DARK if choice == "dark" else LIGHT
