# SPDX-License-Identifier: EUPL-1.2
"""Paints the tray icons into one picture, assets/tray.png: `python -m sithsapp.ui.tray.painting`.

Panels on Linux do not tell their colour, so the glyph is light with a dark rim and can be seen on both. The
state is told by shape and sign, not by colour alone.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen

from sithsapp.support.state import Glyph
from sithsapp.ui.tray.icons import PICTURE, SIZES

_GRID = 64.0
_INK, _RIM = QColor("#FFFFFF"), QColor("#211B1F")
_STROKE, _RIM_STROKE = 6.0, 12.0
_CARD = QRectF(7, 13, 50, 38)
_RADIUS = 9.0
_BADGE_CENTRE, _BADGE_RADIUS = QPointF(46, 45), 15.0
_BADGES = {
    Glyph.READY: "#1E8A4C",
    Glyph.REQUEST: "#9B3B82",
    Glyph.LOCKED: "#C4261B",
    Glyph.WARNING: "#B46A00",
    Glyph.ERROR: "#C4261B",
}
_OUTLINED = {Glyph.NO_READER, Glyph.NO_CARD, Glyph.ERROR}


def paint_all() -> QImage:
    """Return every glyph in every size: a row for each glyph, the sizes from left to right."""
    image = QImage(sum(SIZES), max(SIZES) * len(Glyph), QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    for row, glyph in enumerate(Glyph):
        for column, size in enumerate(SIZES):
            painter.save()
            painter.translate(sum(SIZES[:column]), row * max(SIZES))
            painter.scale(size / _GRID, size / _GRID)
            _paint(painter, glyph)
            painter.restore()
    painter.end()
    return image


def _paint(painter: QPainter, glyph: Glyph) -> None:
    card = QPainterPath()
    card.addRoundedRect(_CARD, _RADIUS, _RADIUS)
    if glyph is Glyph.NO_READER:
        card.moveTo(10, 58)
        card.lineTo(54, 6)
    _stroke(painter, card, dashed=glyph is Glyph.NO_CARD)
    if glyph not in _OUTLINED:
        painter.fillPath(card, _INK)
        _paint_chip(painter)
    if glyph is Glyph.READING:
        _paint_dots(painter)
    if glyph in _BADGES:
        _paint_badge(painter, glyph)


def _stroke(painter: QPainter, path: QPainterPath, *, dashed: bool) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((_RIM, _RIM_STROKE), (_INK, _STROKE)):
        pen = QPen(colour, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        if dashed and colour is _INK:
            pen.setCapStyle(Qt.PenCapStyle.FlatCap)
            pen.setDashPattern([1.5, 1.0])
        painter.setPen(pen)
        painter.drawPath(path)


def _paint_chip(painter: QPainter) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(_RIM)
    painter.drawRoundedRect(QRectF(15, 22, 13, 10), 2, 2)


def _paint_dots(painter: QPainter) -> None:
    for x in (20, 32, 44):
        painter.drawEllipse(QPointF(x, 42), 3.2, 3.2)


def _paint_badge(painter: QPainter, glyph: Glyph) -> None:
    painter.setPen(QPen(_INK, 3))
    painter.setBrush(QColor(_BADGES[glyph]))
    painter.drawEllipse(_BADGE_CENTRE, _BADGE_RADIUS, _BADGE_RADIUS)
    pen = QPen(_INK, 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    painter.setBrush(_INK)
    centre = _BADGE_CENTRE
    if glyph is Glyph.READY:
        painter.drawPolyline([centre + QPointF(-6, 0.5), centre + QPointF(-1.5, 5), centre + QPointF(6.5, -5)])
    elif glyph is Glyph.REQUEST:
        painter.drawEllipse(centre, 3, 3)
    elif glyph is Glyph.LOCKED:
        _paint_lock(painter, centre)
    else:
        painter.drawLine(centre + QPointF(0, -7.5), centre + QPointF(0, 1.5))
        painter.drawPoint(centre + QPointF(0, 8))


def _paint_lock(painter: QPainter, centre: QPointF) -> None:
    painter.setPen(QPen(_INK, 3))
    painter.drawRoundedRect(QRectF(centre.x() - 5.5, centre.y() - 1, 11, 8), 1, 1)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawArc(QRectF(centre.x() - 3.8, centre.y() - 8, 7.6, 10), 0, 180 * 16)


if __name__ == "__main__":
    paint_all().save(str(PICTURE), quality=0)
