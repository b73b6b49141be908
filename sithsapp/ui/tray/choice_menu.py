# SPDX-License-Identifier: EUPL-1.2
"""A submenu in which one of several values is chosen."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QActionGroup
from PySide6.QtWidgets import QMenu


class ChoiceMenu(QObject):
    """Fills a menu with values. `chosen(str)` when the person picks one; it is gone while there is none to pick."""

    chosen = Signal(str)

    def __init__(self, menu: QMenu, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.menu = menu
        self._group: QActionGroup | None = None
        self._offered: dict[str, str] = {}
        self.menu.menuAction().setVisible(False)

    def offer(self, title: str, values: Mapping[str, str], current: str) -> None:
        """Offer `values`, by value what it is called, with `current` marked."""
        self.menu.setTitle(title)
        self.menu.menuAction().setVisible(bool(values))
        if self._offered != dict(values):
            self._fill(values)
        for action in self.menu.actions():
            action.setChecked(action.data() == current)

    def _fill(self, values: Mapping[str, str]) -> None:
        self._offered = dict(values)
        self.menu.clear()
        if self._group is not None:
            self._group.deleteLater()
        self._group = QActionGroup(self)
        for value, name in values.items():
            action = self.menu.addAction(name.replace("&", "&&"))
            action.setData(value)
            action.setCheckable(True)
            self._group.addAction(action)
        self._group.triggered.connect(lambda action: self.chosen.emit(action.data()))
