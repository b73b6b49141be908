# SPDX-License-Identifier: EUPL-1.2
"""Tasks as tiles, side by side as far as there is room.

The places are worked out here and not by a layout: how high they are depends on how many stand side by side, and a
page must know that for any width before it has it.
"""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QEvent, QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from sithsapp.ui.icons import Icon
from sithsapp.ui.overview.presenter import Offer, Task
from sithsapp.ui.widgets.button import Kind
from sithsapp.ui.widgets.themed import needed_height
from sithsapp.ui.widgets.tile import Tile

_GAPS = {Kind.TILE: 12, Kind.ROW: 8}


class Tiles(QWidget):
    """At most `columns` side by side. `wanted(Task, QWidget)` with the button that was pressed."""

    wanted = Signal(object, object)

    def __init__(self, kind: Kind, columns: int, icons: Mapping[Task, Icon], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._columns, self._gap = columns, _GAPS[kind]
        self._tiles = {task: self._make(kind, task, icon) for task, icon in icons.items()}
        self._shown: tuple[Tile, ...] = ()
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_offers(self, offers: tuple[Offer, ...]) -> None:
        """Show `offers` in place of those before."""
        for offer in offers:
            self._tiles[offer.task].set_label(offer.label)
            self._tiles[offer.task].setEnabled(offer.enabled)
        self._shown = tuple(self._tiles[offer.task] for offer in offers)
        for tile in self._tiles.values():
            tile.setVisible(tile in self._shown)
        self.setVisible(bool(offers))
        self.updateGeometry()
        self._arrange()

    def hasHeightForWidth(self) -> bool:
        """Tell that fewer columns need more height."""
        return True

    def heightForWidth(self, width: int) -> int:
        """Return the height of all rows at that width."""
        rows = self._rows(width)
        return sum(rows) + self._gap * (len(rows) - 1) if rows else 0

    def sizeHint(self) -> QSize:
        """Return the size with as many side by side as may be."""
        width = self._columns * self._widest() + self._gap * (self._columns - 1)
        return QSize(width, self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        """Return the least size: one beneath the other, with their words broken."""
        return QSize(max((tile.minimumSizeHint().width() for tile in self._shown), default=0), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Place the tiles anew."""
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """Place the tiles anew when one has changed."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
            self._arrange()
        return super().event(event)

    def _make(self, kind: Kind, task: Task, icon: Icon) -> Tile:
        tile = Tile(kind, icon, self)
        tile.hide()
        tile.clicked.connect(lambda: self.wanted.emit(task, tile))
        return tile

    def _arrange(self) -> None:
        across, top = self._across(self.width()), 0
        width = self._each(self.width(), across)
        for number, height in enumerate(self._rows(self.width())):
            for place, tile in enumerate(self._shown[number * across : (number + 1) * across]):
                tile.setGeometry(place * (width + self._gap), top, width, height)
            top += height + self._gap

    def _rows(self, width: int) -> list[int]:
        """Return the height of each row."""
        across = self._across(width)
        each = self._each(width, across)
        heights = [max(tile.minimumHeight(), needed_height(tile.layout(), each)) for tile in self._shown]
        return [max(heights[start : start + across]) for start in range(0, len(heights), across)]

    def _across(self, width: int) -> int:
        fits = (width + self._gap) // (self._widest() + self._gap)
        return max(1, min(self._columns, fits))

    def _each(self, width: int, across: int) -> int:
        return (width - self._gap * (across - 1)) // across

    def _widest(self) -> int:
        return max((tile.sizeHint().width() for tile in self._shown), default=1)
