# SPDX-License-Identifier: EUPL-1.2
"""A ring that turns while work goes on, and costs nothing while it is hidden."""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QWidget

from sithsapp.ui.theme import Theme

_FRAME_MS = 50
_STEP_DEGREES = 18


class Spinner(QWidget):
    """A turning ring of 64 design pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._angle = 90
        self._track, self._arc, self._side = QColor(), QColor(), 64
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._turn)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and size."""
        self._side = theme.px(64)
        self._track, self._arc = theme.colour("divider"), theme.colour("primary")
        self.setFixedSize(self.sizeHint())
        self.update()

    def set_colour(self, colour: QColor) -> None:
        """Turn in the colour of the order."""
        self._arc = colour
        self.update()

    def sizeHint(self) -> QSize:
        """Return the ring's size."""
        return QSize(self._side, self._side)

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to turn."""
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop turning."""
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the track and the arc."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self._side / 14
        area = QRectF(self.rect()).adjusted(width, width, -width, -width)
        painter.setPen(QPen(self._track, width))
        painter.drawEllipse(area)
        painter.setPen(QPen(self._arc, width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(area, self._angle * 16, 90 * 16)
        painter.end()

    def _turn(self) -> None:
        self._angle = (self._angle - _STEP_DEGREES) % 360
        self.update()
