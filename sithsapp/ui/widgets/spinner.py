# SPDX-License-Identifier: EUPL-1.2
"""A ring that turns while work goes on, and costs nothing while it is hidden. It stands still for who wants that."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt, QTimer
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QPen, QShowEvent
from PySide6.QtWidgets import QWidget

from sithsapp.ui.elements import Accent
from sithsapp.ui.motion import motion
from sithsapp.ui.theme import Theme

_FRAME_MS = 50
_STEP_DEGREES = 18


class Spinner(QWidget):
    """A turning ring of 64 design pixels."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._angle = 90
        self._accent = Accent.AUTH
        self._theme: Theme | None = None
        self._follows = False
        self._timer = QTimer(self)
        self._timer.setInterval(_FRAME_MS)
        self._timer.timeout.connect(self._turn)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and size."""
        self._theme = theme
        self.setFixedSize(theme.px(64), theme.px(64))

    def set_accent(self, accent: Accent) -> None:
        """Turn in the colour of log-in or signing."""
        self._accent = accent
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        """Begin to turn, unless nothing should move."""
        if not self._follows:
            self._follows = True
            motion().changed.connect(self._follow_motion)
        self._follow_motion()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop turning."""
        self._timer.stop()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the track and the arc."""
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        width = self.width() / 14
        area = QRectF(self.rect()).adjusted(width, width, -width, -width)
        painter.setPen(QPen(self._theme.colour("divider"), width))
        painter.drawEllipse(area)
        painter.setPen(QPen(self._theme.accent(self._accent), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawArc(area, self._angle * 16, 90 * 16)
        painter.end()

    def _follow_motion(self) -> None:
        if motion().is_reduced or not self.isVisible():
            self._timer.stop()
        else:
            self._timer.start()

    def _turn(self) -> None:
        self._angle = (self._angle - _STEP_DEGREES) % 360
        self.update()
