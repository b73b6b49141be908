# SPDX-License-Identifier: EUPL-1.2
"""Drawings: a card, an empty place for one, a result, an icon."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from sithsapp.ui import icons
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import Theme

_CARD_FROM, _CARD_TO, _CHIP, _CHIP_LINE = "#8A2F6D", "#4B143A", "#D9B65A", "#8F7227"
_GREY_FROM, _GREY_TO = "#8B8187", "#5B5157"


def paint_card(painter: QPainter, area: QRectF, *, grey: bool = False) -> None:
    """Draw a card with its chip into `area`."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    unit = area.width() / 72
    outline = QPainterPath()
    outline.addRoundedRect(area, 5 * unit, 5 * unit)
    painter.setClipPath(outline)
    gradient = QLinearGradient(area.topLeft(), area.bottomRight())
    gradient.setColorAt(0, QColor(_GREY_FROM if grey else _CARD_FROM))
    gradient.setColorAt(1, QColor(_GREY_TO if grey else _CARD_TO))
    painter.fillPath(outline, gradient)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(255, 255, 255, 22))
    for radius in (40, 23):
        painter.drawEllipse(area.topRight(), radius * unit, radius * unit)
    _paint_chip(painter, area, unit)
    painter.setPen(Qt.PenStyle.NoPen)
    for top, width, alpha in ((0.72, 32, 170), (0.85, 21, 110)):
        painter.setBrush(QColor(255, 255, 255, alpha))
        line = QRectF(area.left() + 6 * unit, area.top() + top * area.height(), width * unit, 2.2 * unit)
        painter.drawRoundedRect(line, unit, unit)
    painter.restore()


def _paint_chip(painter: QPainter, area: QRectF, unit: float) -> None:
    chip = QRectF(area.left() + 6 * unit, area.top() + 0.32 * area.height(), 12 * unit, 10 * unit)
    painter.setBrush(QColor(_CHIP))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.drawRoundedRect(chip, 2 * unit, 2 * unit)
    painter.setPen(QPen(QColor(_CHIP_LINE), max(0.6, 0.6 * unit)))
    for part in (0.35, 0.65):
        x = chip.left() + part * chip.width()
        painter.drawLine(QPointF(x, chip.top()), QPointF(x, chip.bottom()))
    y = chip.center().y()
    painter.drawLine(QPointF(chip.left(), y), QPointF(chip.right(), y))


class CardArt(QWidget):
    """A drawing of a card, `width` design pixels wide, with an icon in its corner if one is set."""

    def __init__(self, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._design_width = width
        self._grey = False
        self._badge: tuple[Icon, str] | None = None
        self._theme: Theme | None = None

    def set_look(self, *, grey: bool = False, badge: tuple[Icon, str] | None = None) -> None:
        """Draw a grey card where it cannot be used; `badge` is an icon and the name of its colour."""
        self._grey, self._badge = grey, badge
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take over the size."""
        self._theme = theme
        width = theme.px(self._design_width)
        self.setFixedSize(QSize(width, round(width * 0.63)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the card."""
        painter = QPainter(self)
        paint_card(painter, QRectF(self.rect()), grey=self._grey)
        if self._badge is not None and self._theme is not None:
            self._paint_badge(painter, self._theme, *self._badge)
        painter.end()

    def _paint_badge(self, painter: QPainter, theme: Theme, icon: Icon, colour: str) -> None:
        size = self.width() / 5.4
        circle = QRectF(self.width() - size * 1.3, self.height() - size * 1.3, size, size)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.colour("surface"))
        painter.drawEllipse(circle)
        inset = size * 0.24
        icons.paint(painter, icon, circle.adjusted(inset, inset, -inset, -inset), theme.colour(colour), 2.4)


class EmptyPlace(QWidget):
    """A dashed place where a card or reader should be, with an icon that says which."""

    def __init__(self, parent: QWidget | None = None, width: int = 148) -> None:
        super().__init__(parent)
        self._icon = Icon.CARD
        self._design_width = width
        self._theme: Theme | None = None

    def set_icon(self, icon: Icon) -> None:
        """Show what is missing or wrong."""
        self._icon = icon
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and size."""
        self._theme = theme
        self.setFixedSize(theme.px(self._design_width), round(theme.px(self._design_width) * 0.63))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the dashes and the icon."""
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.colour("border"), 2, Qt.PenStyle.DashLine))
        painter.setBrush(self._theme.colour("sunken"))
        radius = self._theme.px(10)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), radius, radius)
        size = self._theme.px(32)
        icon = QRectF((self.width() - size) / 2, (self.height() - size) / 2, size, size)
        icons.paint(painter, self._icon, icon, self._theme.colour("text2"))
        painter.end()


class Emblem(QWidget):
    """An icon, bare or within a soft circle; decoration beside words that say the same."""

    def __init__(self, icon: Icon, size: int, *, round_field: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._icon, self._design_size, self._round = icon, size, round_field
        self._colour, self._field = "text2", "sunken"
        self._theme: Theme | None = None

    def set_look(self, icon: Icon, colour: str, field: str = "sunken") -> None:
        """Draw another icon, in the colours of those tokens."""
        self._icon, self._colour, self._field = icon, colour, field
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and size."""
        self._theme = theme
        self.setFixedSize(theme.px(self._design_size), theme.px(self._design_size))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the icon."""
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect())
        if self._round:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.colour(self._field))
            painter.drawEllipse(area)
            inset = area.width() * 0.28
            area.adjust(inset, inset, -inset, -inset)
        icons.paint(painter, self._icon, area, self._theme.colour(self._colour))
        painter.end()
