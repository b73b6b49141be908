# SPDX-License-Identifier: EUPL-1.2
"""A row that goes on in further lines where its widgets do not fit side by side."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sithsapp.ui.theme import Theme

_GAP = 12


class Wrap(QWidget):
    """Lays its widgets out from left to right as wide as they like.

    With `spread` the last one of a line stands at its end.
    """

    def __init__(self, *widgets: QWidget, spread: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widgets, self._spread = widgets, spread
        self._gap = _GAP
        for widget in widgets:
            widget.setParent(self)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def apply_theme(self, theme: Theme) -> None:
        """Take over the gap."""
        self._gap = theme.px(_GAP)
        self.updateGeometry()

    def hasHeightForWidth(self) -> bool:
        """Tell that further lines need more height."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all lines at that width."""
        places = self._places(width)
        return max((place.bottom() + 1 for _, place in places), default=0)

    def sizeHint(self) -> QSize:
        """Return the size of one line."""
        hints = [_wish(widget) for widget in self._shown()]
        across = sum(hint.width() for hint in hints) + self._gap * max(0, len(hints) - 1)
        return QSize(across, max((hint.height() for hint in hints), default=0))

    def minimumSizeHint(self) -> QSize:
        """Return what the widest widget needs."""
        hints = [_wish(widget) for widget in self._shown()]
        return QSize(
            max((hint.width() for hint in hints), default=0), max((hint.height() for hint in hints), default=0)
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Arrange the widgets anew."""
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Arrange the widgets when one has got another size or has come or gone."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        for widget, place in self._places(self.width()):
            widget.setGeometry(place)

    def _places(self, width: int) -> list[tuple[QWidget, QRect]]:
        lines: list[list[QWidget]] = []
        for widget in self._shown():
            taken = sum(_wish(each).width() + self._gap for each in lines[-1]) if lines else 0
            if lines and taken + _wish(widget).width() <= width:
                lines[-1].append(widget)
            else:
                lines.append([widget])
        placed: list[tuple[QWidget, QRect]] = []
        top = 0
        for line in lines:
            height = max(_wish(widget).height() for widget in line)
            placed += self._line(line, QRect(0, top, width, height))
            top += height + self._gap
        return placed

    def _line(self, line: list[QWidget], area: QRect) -> list[tuple[QWidget, QRect]]:
        placed, left = [], 0
        for number, widget in enumerate(line):
            hint = _wish(widget)
            if self._spread and number and number == len(line) - 1:
                left = area.width() - hint.width()
            place = QRect(left, area.top() + (area.height() - hint.height()) // 2, hint.width(), hint.height())
            placed.append((widget, place))
            left += hint.width() + self._gap
        return placed

    def _shown(self) -> list[QWidget]:
        return [widget for widget in self._widgets if not widget.isHidden()]


def _wish(widget: QWidget) -> QSize:
    return widget.sizeHint().expandedTo(widget.minimumSize())
