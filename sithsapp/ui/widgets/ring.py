# SPDX-License-Identifier: EUPL-1.2
"""The focus ring: drawn over whatever button has the focus, so that it needs no room of its own."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from sithsapp.ui.theme import Theme

_REACH = 4
_WIDTH = 2.0
_MOVES = {QEvent.Type.Move, QEvent.Type.Resize, QEvent.Type.Show, QEvent.Type.Hide}


class Ring(QWidget):
    """Follows the focus among the buttons of one window; fields draw their own focus."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._target: QWidget | None = None
        self._colour = QColor()
        self._radius = 10
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        application = QApplication.instance()
        if isinstance(application, QApplication):
            application.focusChanged.connect(self._follow)

    def apply_theme(self, theme: Theme) -> None:
        """Take over the focus colour."""
        self._colour = theme.colour("focus")
        self._radius = theme.px(10)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the ring with a gap around the widget."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._colour, _WIDTH))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = _WIDTH / 2
        painter.drawRoundedRect(
            QRectF(self.rect()).adjusted(inset, inset, -inset, -inset), self._radius, self._radius
        )
        painter.end()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep up with a widget that moves, grows or goes away."""
        if event.type() in _MOVES:
            self.place()
        return False

    def place(self) -> None:
        """Lie around the focused button, if there is one; called when what holds it has scrolled."""
        target = self._target
        if target is None or not target.isVisible():
            self.hide()
            return
        corner = target.mapTo(self.window(), QPoint(0, 0))
        self.setGeometry(QRect(corner, target.size()).adjusted(-_REACH, -_REACH, _REACH, _REACH))
        self.raise_()
        self.show()

    def _follow(self, old: QWidget | None, new: QWidget | None) -> None:
        if self._target is not None:
            self._target.removeEventFilter(self)
        wanted = isinstance(new, QAbstractButton) and new.window() is self.window()
        self._target = new if wanted else None
        if self._target is not None:
            self._target.installEventFilter(self)
        self.place()
