# SPDX-License-Identifier: EUPL-1.2
"""A closed list of which one entry is chosen: a combo box that looks like the app's fields."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from sithsapp.ui.theme import TextStyle, Theme

_WIDTH, _HEIGHT = 220, 44
_PADDING = 13
_ARROW = 10


class ChoiceBox(QComboBox):
    """Shows labels; `picked(int)` with the position when a person chooses another entry."""

    picked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme | None = None
        self._shown = -1
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.activated.connect(self._activate)

    def show_options(self, labels: Sequence[str], current: int) -> None:
        """Offer `labels` in place of those before, with the one at `current` chosen."""
        if [self.itemText(number) for number in range(self.count())] != list(labels):
            self.clear()
            self.addItems(list(labels))
        self._shown = current
        self.setCurrentIndex(current)

    def apply_theme(self, theme: Theme) -> None:
        """Take over font, colours and size."""
        self._theme = theme
        self.setFont(theme.font(TextStyle.BODY))
        self.view().setFont(self.font())
        self.setFixedHeight(theme.px(_HEIGHT))
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        """Return a width that shows the longest entry."""
        if self._theme is None:
            return super().sizeHint()
        metrics = QFontMetrics(self.font())
        longest = max((metrics.horizontalAdvance(self.itemText(n)) for n in range(self.count())), default=0)
        around = self._theme.px(3 * _PADDING + _ARROW) + 2
        return QSize(max(self._theme.px(_WIDTH), longest + around), self._theme.px(_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        """Never be so narrow that the chosen entry is cut off."""
        return self.sizeHint()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Leave the wheel to the page: scrolling past a list must not change it."""
        event.ignore()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw frame, chosen entry and arrow."""
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_frame(painter, self._theme)
        self._paint_entry(painter, self._theme)
        painter.end()

    def _paint_frame(self, painter: QPainter, theme: Theme) -> None:
        focused = self.hasFocus()
        width = 2.0 if focused else 1.0
        edge = "focus" if focused else "border" if self.isEnabled() else "divider"
        painter.setPen(QPen(theme.colour(edge), width))
        painter.setBrush(theme.colour("surface" if self.isEnabled() else "sunken"))
        inset = width / 2
        area = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(area, theme.px(8), theme.px(8))

    def _paint_entry(self, painter: QPainter, theme: Theme) -> None:
        padding, arrow = theme.px(_PADDING), theme.px(_ARROW)
        ink = theme.colour("text" if self.isEnabled() else "text2")
        painter.setPen(ink)
        painter.setFont(self.font())
        room = self.rect().adjusted(padding, 0, -2 * padding - arrow, 0)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.currentText())
        pen = QPen(ink, max(1.4, theme.px(1.6)), Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap)
        pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        left, middle = self.width() - padding - arrow, self.height() / 2
        painter.drawPolyline(_arrow(left, middle, arrow))

    def _activate(self, position: int) -> None:
        if position != self._shown:
            self._shown = position
            self.picked.emit(position)


def _arrow(left: float, middle: float, size: float) -> list[QPointF]:
    depth = size / 4
    return [
        QPointF(left, middle - depth),
        QPointF(left + size / 2, middle + depth),
        QPointF(left + size, middle - depth),
    ]
