# SPDX-License-Identifier: EUPL-1.2
"""How tests reach into windows: the way a person does, by what is visible."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtWidgets import QAbstractButton, QWidget

from sithsapp.oob.interaction import View
from sithsapp.ui.order.request_window import WindowOptions
from sithsapp.ui.order.window import OrderWindow
from sithsapp.ui.paged import PagedWindow
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets.pin_edit import PinEdit
from tests.ui import samples

_Widget = TypeVar("_Widget", bound=QWidget)


def order_window(theme: Theme | None = None, options: WindowOptions | None = None) -> OrderWindow:
    """Return a window that has shown nothing yet."""
    return OrderWindow(samples.describe, theme or Theme(LIGHT), options)


def show(window: OrderWindow, view: View, *, settled: bool = True) -> None:
    """Begin an order and show `view`; `settled` means that the quiet time is over."""
    window.show_view(samples.views()["opening"])
    window.show_view(view)
    if settled:
        settle(window)


def settle(window: PagedWindow) -> None:
    """Let the quiet time be over, without waiting."""
    window._quiet._until = 0.0


def visible(parent: QWidget, kind: type[_Widget]) -> list[_Widget]:
    """Return the widgets of that kind that can be seen."""
    return [child for child in parent.findChildren(kind) if child.isVisible()]


def button(window: QWidget, label: str) -> QAbstractButton:
    """Return the visible button with that name."""
    found = [b for b in visible(window, QAbstractButton) if label in (b.accessibleName(), b.text().strip())]
    assert len(found) == 1, (label, found)
    return found[0]


def code_field(window: QWidget) -> PinEdit:
    """Return the visible code entry."""
    found = visible(window, PinEdit)
    assert len(found) == 1
    return found[0]
