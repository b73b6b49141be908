# SPDX-License-Identifier: EUPL-1.2
"""How a theme reaches widgets, and small helpers for layouts."""

from __future__ import annotations

from typing import Protocol, TypeVar, runtime_checkable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from sithsapp.ui.theme import Theme

_Layout = TypeVar("_Layout", bound=QBoxLayout)


@runtime_checkable
class Themed(Protocol):
    """A widget that draws or measures by the theme, beyond what the style sheet does for it."""

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""


@runtime_checkable
class Toned(Protocol):
    """A widget that colours itself: each new look-up in the style sheet would cost memory that never comes back."""

    def take_tone(self, tone: str) -> None:
        """Take over a colour role."""


def apply_to_children(parent: QWidget, theme: Theme) -> None:
    """Give `theme` to every widget below `parent` that wants it, and the style sheet's sizes to all."""
    for child in parent.findChildren(QWidget):
        child.ensurePolished()
        if isinstance(child, Themed):
            child.apply_theme(theme)


def set_tone(widget: QWidget, tone: str) -> None:
    """Set a widget's colour role; where the style sheet colours it, have the style looked up anew."""
    if isinstance(widget, Toned):
        widget.take_tone(tone)
    elif widget.property("tone") != tone:
        widget.setProperty("tone", tone)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def needed_height(layout: QLayout | None, width: int) -> int:
    """Return the height that shows all of `layout` at that width, wrapped text included.

    Asked afresh each time: what was hidden or filled since the last event loop is not in the layout's memory.
    """
    if layout is None:
        return 0
    _forget_sizes(layout)
    return layout.totalHeightForWidth(width) if layout.hasHeightForWidth() else layout.totalSizeHint().height()


def _forget_sizes(layout: QLayout) -> None:
    for number in range(layout.count()):
        item = layout.itemAt(number)
        widget = item.widget() if item is not None else None
        inner = widget.layout() if widget is not None else item.layout() if item is not None else None
        if inner is not None:
            _forget_sizes(inner)
        if widget is not None:
            widget.updateGeometry()
    layout.invalidate()


def column(parent: QWidget | None = None, spacing: int = 0) -> QVBoxLayout:
    """Return a vertical layout without margins."""
    return _bare(QVBoxLayout(parent) if parent is not None else QVBoxLayout(), spacing)


def row(parent: QWidget | None = None, spacing: int = 0) -> QHBoxLayout:
    """Return a horizontal layout without margins."""
    return _bare(QHBoxLayout(parent) if parent is not None else QHBoxLayout(), spacing)


def empty(layout: QBoxLayout) -> None:
    """Take all widgets out of `layout`; they go for good."""
    while (item := layout.takeAt(0)) is not None:
        widget = item.widget()
        if widget is not None:
            widget.hide()
            widget.deleteLater()


def _bare(layout: _Layout, spacing: int) -> _Layout:
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(spacing)
    return layout


class Frame(QFrame):
    """A frame that the style sheet knows by its kind: card, sunken, pill or banner."""

    def __init__(self, kind: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(kind)
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
