# SPDX-License-Identifier: EUPL-1.2
"""A switch: a check box in role, name and keyboard, drawn as a track with a knob. The tick says the same."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QCheckBox, QWidget

from sithsapp.ui import icons
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import Theme

_WIDTH, _HEIGHT = 46, 28
_TICK_STROKE = 3.4


class Switch(QCheckBox):
    """On or off. `clicked(bool)` when a person changes it; `setChecked` is silent but for `toggled`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme | None = None
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and size."""
        self._theme = theme
        self.setFixedSize(self.sizeHint())
        self.update()

    def sizeHint(self) -> QSize:
        """Return the track's size."""
        return QSize(self._theme.px(_WIDTH), self._theme.px(_HEIGHT)) if self._theme is not None else QSize()

    def hitButton(self, pos: QPoint) -> bool:
        """Take a click anywhere on the track."""
        return self.rect().contains(pos)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw track and knob."""
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if not self.isEnabled():
            self._draw(painter, track="sunken", edge="divider", knob="disabled", tick="sunken")
        elif self.isChecked():
            self._draw(painter, track="primary", edge="primary", knob="on_primary", tick="primary")
        else:
            self._draw(painter, track="sunken", edge="border", knob="border", tick="sunken")
        painter.end()

    def _draw(self, painter: QPainter, *, track: str, edge: str, knob: str, tick: str) -> None:
        height = float(self.height())
        area = QRectF(self.rect()).adjusted(0.75, 0.75, -0.75, -0.75)
        painter.setPen(QPen(self._colour(edge), 1.5))
        painter.setBrush(self._colour(track))
        painter.drawRoundedRect(area, area.height() / 2, area.height() / 2)
        radius = height * 0.34
        across = self.width() - height / 2 if self.isChecked() else height / 2
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colour(knob))
        painter.drawEllipse(QPointF(across, height / 2), radius, radius)
        if self.isChecked():
            reach = radius * 0.68
            place = QRectF(across - reach, height / 2 - reach, 2 * reach, 2 * reach)
            icons.paint(painter, Icon.CHECK, place, self._colour(tick), _TICK_STROKE)

    def _colour(self, name: str) -> QColor:
        assert self._theme is not None  # noqa: S101 # nothing is drawn without a theme
        return self._theme.colour(name)
