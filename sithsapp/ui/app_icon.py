# SPDX-License-Identifier: EUPL-1.2
"""The app's mark: a card with chip and tick in a rounded plum square."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QIcon, QLinearGradient, QPainter, QPen, QPixmap

_SIZES = (16, 32, 48, 64, 128)
_GRID = 64.0


def app_icon() -> QIcon:
    """Return the mark in the sizes that desktops use."""
    icon = QIcon()
    for size in _SIZES:
        icon.addPixmap(paint_mark(size))
    return icon


def paint_mark(size: int) -> QPixmap:
    """Return the mark as a pixmap of `size` pixels."""
    pixmap = QPixmap(size, size)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(size / _GRID, size / _GRID)
    gradient = QLinearGradient(0, 0, _GRID, _GRID)
    gradient.setColorAt(0, QColor("#8A2F6D"))
    gradient.setColorAt(1, QColor("#4B143A"))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(gradient)
    painter.drawRoundedRect(QRectF(2, 2, 60, 60), 14, 14)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor("#FFFFFF"), 4.5))
    painter.drawRoundedRect(QRectF(11, 18, 42, 29), 6, 6)
    painter.fillRect(QRectF(18, 25, 9, 8), QColor("#D9B65A"))
    round_pen = QPen(
        QColor("#FFFFFF"), 4.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin
    )
    painter.setPen(round_pen)
    painter.drawPolyline([QPointF(32, 36), QPointF(36.5, 40), QPointF(45, 28)])
    painter.end()
    return pixmap
