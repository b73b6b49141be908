# SPDX-License-Identifier: EUPL-1.2
"""Line icons of our own, drawn with a pen on a 24-unit grid: no files, any size, any colour."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from functools import lru_cache
from math import cos, pi, sin

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap, QPolygonF

_GRID = 24
_STROKE = 2.0


def _lines(path: QPainterPath, *polylines: tuple[tuple[float, float], ...]) -> None:
    for points in polylines:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in points]))


def _dot(path: QPainterPath, x: float, y: float) -> None:
    _lines(path, ((x, y), (x + 0.01, y)))


def _person(path: QPainterPath) -> None:
    path.addEllipse(QPointF(10, 7.5), 4, 4)
    path.moveTo(3, 21)
    path.cubicTo(3, 16.5, 6, 14.5, 10, 14.5)
    path.cubicTo(11.4, 14.5, 12.6, 14.7, 13.7, 15.2)
    _lines(path, ((15.5, 18.5), (17.7, 20.7), (21.8, 16)))


def _pen(path: QPainterPath) -> None:
    _lines(path, ((4, 20), (5, 15.6), (16.2, 4.4), (19.6, 7.8), (8.4, 19), (4, 20)), ((13, 20.5), (21, 20.5)))


def _eye(path: QPainterPath) -> None:
    path.moveTo(2, 12)
    path.cubicTo(5, 6.6, 8.5, 5, 12, 5)
    path.cubicTo(15.5, 5, 19, 6.6, 22, 12)
    path.cubicTo(19, 17.4, 15.5, 19, 12, 19)
    path.cubicTo(8.5, 19, 5, 17.4, 2, 12)
    path.addEllipse(QPointF(12, 12), 3, 3)


def _eye_off(path: QPainterPath) -> None:
    _eye(path)
    _lines(path, ((4, 20.5), (20, 3.5)))


def _alert(path: QPainterPath) -> None:
    path.addEllipse(QPointF(12, 12), 9.5, 9.5)
    _lines(path, ((12, 7.5), (12, 12.8)))
    _dot(path, 12, 16.4)


def _info(path: QPainterPath) -> None:
    path.addEllipse(QPointF(12, 12), 9.5, 9.5)
    _lines(path, ((12, 11.2), (12, 16.5)))
    _dot(path, 12, 7.6)


def _warning(path: QPainterPath) -> None:
    path.moveTo(10.5, 4.2)
    path.quadTo(12, 2, 13.5, 4.2)
    path.lineTo(21.6, 18)
    path.quadTo(22.6, 20.6, 20, 20.8)
    path.lineTo(4, 20.8)
    path.quadTo(1.4, 20.6, 2.4, 18)
    path.closeSubpath()
    _lines(path, ((12, 9), (12, 13.4)))
    _dot(path, 12, 17)


def _check(path: QPainterPath) -> None:
    _lines(path, ((4.5, 12.5), (9.5, 17.5), (19.5, 6.5)))


def _card(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(2, 5, 20, 14), 2.5, 2.5)
    path.addEllipse(QPointF(8, 10.4), 1.9, 1.9)
    path.moveTo(5, 16)
    path.quadTo(5.2, 13.9, 8, 13.9)
    path.quadTo(10.8, 13.9, 11, 16)
    _lines(path, ((14.5, 10), (18.5, 10)), ((14.5, 14), (18.5, 14)))


def _unplugged(path: QPainterPath) -> None:
    path.moveTo(6.6, 11.4)
    path.lineTo(12.6, 17.4)
    path.lineTo(10.8, 19.2)
    path.cubicTo(9, 21, 6.4, 20.9, 4.8, 19.2)
    path.cubicTo(3.1, 17.6, 3, 15, 4.8, 13.2)
    path.closeSubpath()
    path.moveTo(17.4, 12.6)
    path.lineTo(11.4, 6.6)
    path.lineTo(13.2, 4.8)
    path.cubicTo(15, 3, 17.6, 3.1, 19.2, 4.8)
    path.cubicTo(20.9, 6.4, 21, 9, 19.2, 10.8)
    path.closeSubpath()
    _lines(
        path, ((2, 22), (4.6, 19.4)), ((22, 2), (19.4, 4.6)), ((9.2, 14), (11.4, 11.8)), ((12.4, 17.2), (14.6, 15))
    )


def _lock(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(4, 11, 16, 10), 2, 2)
    path.moveTo(7.5, 11)
    path.lineTo(7.5, 7.5)
    path.cubicTo(7.5, 1.5, 16.5, 1.5, 16.5, 7.5)
    path.lineTo(16.5, 11)


def _refresh(path: QPainterPath) -> None:
    path.arcMoveTo(QRectF(3.5, 3.5, 17, 17), 25)
    path.arcTo(QRectF(3.5, 3.5, 17, 17), 25, 150)
    path.arcMoveTo(QRectF(3.5, 3.5, 17, 17), 205)
    path.arcTo(QRectF(3.5, 3.5, 17, 17), 205, 150)
    _lines(path, ((20.6, 3), (20.6, 8.2), (15.4, 8.2)), ((3.4, 21), (3.4, 15.8), (8.6, 15.8)))


def _clock(path: QPainterPath) -> None:
    path.addEllipse(QPointF(12, 12), 9.5, 9.5)
    _lines(path, ((12, 6.5), (12, 12), (15.8, 14)))


def _flag(path: QPainterPath) -> None:
    _lines(path, ((5, 21.5), (5, 3.5), (18.5, 3.5), (15.5, 8.5), (18.5, 13.5), (5, 13.5)))


def _home(path: QPainterPath) -> None:
    _lines(path, ((3, 11), (12, 3.5), (21, 11)), ((5, 9.5), (5, 20.5), (19, 20.5), (19, 9.5)))
    _lines(path, ((9.5, 20.5), (9.5, 13.5), (14.5, 13.5), (14.5, 20.5)))


def _certificate(path: QPainterPath) -> None:
    lobes, inner, outer = 8, 8.6, 10.2
    for step in range(lobes * 2 + 1):
        angle = pi * step / lobes
        reach = inner if step % 2 else outer
        x, y = 12 + reach * sin(angle), 12 - reach * cos(angle)
        if step == 0:
            path.moveTo(x, y)
        else:
            path.lineTo(x, y)
    _lines(path, ((8.2, 12.2), (10.8, 14.8), (15.8, 9.6)))


def _gear(path: QPainterPath) -> None:
    teeth = 8
    for step in range(teeth):
        angle = 2 * pi * step / teeth
        for reach, turn in ((7.2, -0.3), (9.8, -0.17), (9.8, 0.17), (7.2, 0.3)):
            x, y = 12 + reach * sin(angle + turn), 12 - reach * cos(angle + turn)
            if step == 0 and turn == -0.3:
                path.moveTo(x, y)
            else:
                path.lineTo(x, y)
    path.closeSubpath()
    path.addEllipse(QPointF(12, 12), 3, 3)


def _lifebuoy(path: QPainterPath) -> None:
    path.addEllipse(QPointF(12, 12), 9.5, 9.5)
    path.addEllipse(QPointF(12, 12), 4, 4)
    for across, down in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
        _lines(path, ((12 + 2.9 * across, 12 + 2.9 * down), (12 + 6.7 * across, 12 + 6.7 * down)))


def _key(path: QPainterPath) -> None:
    path.addEllipse(QPointF(16.2, 7.8), 5, 5)
    _dot(path, 16.9, 7.1)
    _lines(path, ((12.6, 11.4), (3.5, 20.5), (3.5, 21), (7, 21), (7, 18.5), (9.5, 18.5), (9.5, 16), (11.5, 14)))


def _unlock(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(4, 11, 16, 10), 2, 2)
    path.moveTo(7.5, 11)
    path.lineTo(7.5, 7.5)
    path.cubicTo(7.5, 2.2, 14.8, 1.2, 16.3, 5.8)


def _chevron(path: QPainterPath) -> None:
    _lines(path, ((9.5, 6), (15.5, 12), (9.5, 18)))


def _download(path: QPainterPath) -> None:
    _lines(
        path,
        ((12, 3.5), (12, 15)),
        ((7, 10.2), (12, 15.2), (17, 10.2)),
        ((4, 16.5), (4, 20.5), (20, 20.5), (20, 16.5)),
    )


def _offline(path: QPainterPath) -> None:
    for reach in (9.5, 5.8):
        path.arcMoveTo(QRectF(12 - reach, 17 - reach, 2 * reach, 2 * reach), 45)
        path.arcTo(QRectF(12 - reach, 17 - reach, 2 * reach, 2 * reach), 45, 90)
    _dot(path, 12, 17.5)
    _lines(path, ((4, 3.5), (20, 20.5)))


def _check_circle(path: QPainterPath) -> None:
    path.addEllipse(QPointF(12, 12), 9.5, 9.5)
    _lines(path, ((7.8, 12.3), (10.7, 15.2), (16.2, 9.2)))


def _program(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(2.5, 4, 19, 16), 2.5, 2.5)
    _lines(path, ((6.5, 9), (9.5, 12), (6.5, 15)), ((12.5, 15), (16.5, 15)))


def _bug(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(7, 8, 10, 12.5), 5, 5)
    path.moveTo(9, 8)
    path.cubicTo(9, 4, 15, 4, 15, 8)
    _lines(path, ((12, 12), (12, 20.5)), ((7, 14), (2.5, 14)), ((17, 14), (21.5, 14)))
    _lines(
        path, ((7.5, 10.5), (4, 7.5)), ((16.5, 10.5), (20, 7.5)), ((7.5, 17.5), (4, 20.5)), ((16.5, 17.5), (20, 20.5))
    )
    _lines(path, ((9.3, 5.2), (7.8, 3)), ((14.7, 5.2), (16.2, 3)))


def _copy(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(8.5, 8.5, 12.5, 12.5), 2, 2)
    _lines(
        path,
        ((4.5, 15.5), (3.4, 15.2), (3, 14.2), (3, 4.8), (3.5, 3.5), (4.8, 3), (14.2, 3), (15.2, 3.4), (15.5, 4.5)),
    )


def _folder(path: QPainterPath) -> None:
    _lines(
        path,
        ((6, 19.5), (4, 19.5), (2.8, 19), (2.5, 17.8), (2.5, 5.5), (3, 4.4), (4.2, 4), (8.6, 4), (11, 7), (18, 7)),
    )
    _lines(path, ((18, 7), (19.3, 7.5), (19.7, 10)))
    _lines(path, ((6, 19.5), (8.2, 11), (9.2, 10.2), (21.6, 10.2), (19.8, 18.4), (18.6, 19.5), (6, 19.5)))


def _scroll(path: QPainterPath) -> None:
    _lines(path, ((6, 17), (6, 5), (5.2, 3.6), (3.8, 3.4), (2.6, 4.4), (2.5, 7.5), (6, 7.5)))
    _lines(path, ((4.2, 3.4), (17, 3.4), (18.4, 4), (19, 5.4), (19, 15)))
    _lines(path, ((10, 17.5), (10, 19), (9.2, 20.4), (7.8, 20.7), (6.6, 20), (6, 18.6), (6, 17)))
    _lines(
        path,
        ((8, 20.7), (19.2, 20.7), (20.8, 20), (21.5, 18.6), (21.5, 17.5), (10, 17.5)),
        ((10, 8), (15, 8)),
        ((10, 12), (15, 12)),
    )


def _keys(path: QPainterPath) -> None:
    path.addRoundedRect(QRectF(5, 2.5, 14, 19), 2, 2)
    _lines(path, ((8.5, 6.5), (15.5, 6.5)))
    for y in (11, 14.5, 18):
        for x in (8.6, 12, 15.4):
            _dot(path, x, y)


def _erase(path: QPainterPath) -> None:
    _lines(path, ((9, 5.5), (21.5, 5.5), (21.5, 18.5), (9, 18.5), (2.5, 12), (9, 5.5)))
    _lines(path, ((11.5, 9.5), (16.5, 14.5)), ((16.5, 9.5), (11.5, 14.5)))


class Icon(Enum):
    """The icons by what they show."""

    PERSON = "person"
    PEN = "pen"
    EYE = "eye"
    EYE_OFF = "eye_off"
    ALERT = "alert"
    INFO = "info"
    WARNING = "warning"
    CHECK = "check"
    CARD = "card"
    UNPLUGGED = "unplugged"
    LOCK = "lock"
    REFRESH = "refresh"
    CLOCK = "clock"
    FLAG = "flag"
    HOME = "home"
    CERTIFICATE = "certificate"
    GEAR = "gear"
    LIFEBUOY = "lifebuoy"
    KEY = "key"
    UNLOCK = "unlock"
    CHEVRON = "chevron"
    DOWNLOAD = "download"
    OFFLINE = "offline"
    CHECK_CIRCLE = "check_circle"
    PROGRAM = "program"
    BUG = "bug"
    COPY = "copy"
    FOLDER = "folder"
    SCROLL = "scroll"
    KEYS = "keys"
    ERASE = "erase"


_DRAWINGS: dict[Icon, Callable[[QPainterPath], None]] = {
    Icon.PERSON: _person,
    Icon.PEN: _pen,
    Icon.EYE: _eye,
    Icon.EYE_OFF: _eye_off,
    Icon.ALERT: _alert,
    Icon.INFO: _info,
    Icon.WARNING: _warning,
    Icon.CHECK: _check,
    Icon.CARD: _card,
    Icon.UNPLUGGED: _unplugged,
    Icon.LOCK: _lock,
    Icon.REFRESH: _refresh,
    Icon.CLOCK: _clock,
    Icon.FLAG: _flag,
    Icon.HOME: _home,
    Icon.CERTIFICATE: _certificate,
    Icon.GEAR: _gear,
    Icon.LIFEBUOY: _lifebuoy,
    Icon.KEY: _key,
    Icon.UNLOCK: _unlock,
    Icon.CHEVRON: _chevron,
    Icon.DOWNLOAD: _download,
    Icon.OFFLINE: _offline,
    Icon.CHECK_CIRCLE: _check_circle,
    Icon.PROGRAM: _program,
    Icon.BUG: _bug,
    Icon.COPY: _copy,
    Icon.FOLDER: _folder,
    Icon.SCROLL: _scroll,
    Icon.KEYS: _keys,
    Icon.ERASE: _erase,
}


def paint(painter: QPainter, icon: Icon, target: QRectF, colour: QColor, stroke: float = _STROKE) -> None:
    """Draw `icon` into the square `target`; `stroke` is in grid units."""
    path = QPainterPath()
    _DRAWINGS[icon](path)
    pen = QPen(colour, stroke, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(target.topLeft())
    painter.scale(target.width() / _GRID, target.height() / _GRID)
    painter.setPen(pen)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(path)
    painter.restore()


def pixmap(icon: Icon, size: int, colour: QColor, ratio: float) -> QPixmap:
    """Return `icon` as a pixmap of `size` logical pixels for a screen with that device pixel ratio."""
    image = QPixmap(QSize(round(size * ratio), round(size * ratio)))
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    paint(painter, icon, QRectF(0, 0, size, size), colour)
    painter.end()
    return image


def button_icon(icon: Icon, size: int, colour: QColor) -> QIcon:
    """Return `icon` for a button, sharp on ordinary and on dense screens. The same one again for the same wish."""
    return _button_icon(icon, size, colour.rgba())


@lru_cache(maxsize=128)
def _button_icon(icon: Icon, size: int, rgba: int) -> QIcon:
    # Qt keeps what it has painted of an icon, by the icon: a new one each time would fill its cache, up to 10 MiB.
    colour = QColor.fromRgba(rgba)
    found = QIcon(pixmap(icon, size, colour, 1.0))
    found.addPixmap(pixmap(icon, size, colour, 2.0))
    return found
