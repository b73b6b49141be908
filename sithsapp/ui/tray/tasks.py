# SPDX-License-Identifier: EUPL-1.2
"""What can be done from the tray's menu: codes, certificates, settings, help."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu

from sithsapp.card.model import Card, PinRole
from sithsapp.locale import tr
from sithsapp.support.state import AppState


class TrayTask(Enum):
    """A quick way from the menu."""

    CHANGE_AUTH = "change_auth"
    UNLOCK = "unlock"
    CERTIFICATES = "certificates"
    SETTINGS = "settings"
    HELP = "help"


class TaskActions(QObject):
    """The actions of a menu. `wanted(TrayTask)` when one was chosen."""

    wanted = Signal(object)

    def __init__(self, menu: QMenu, parent: QObject) -> None:
        super().__init__(parent)
        self._actions: dict[TrayTask, QAction] = {}
        for task in TrayTask:
            if task is TrayTask.SETTINGS:
                menu.addSeparator()
            self._offer(menu, task)

    def show_state(self, state: AppState) -> None:
        """Offer what the card of that state allows."""
        card = state.slot.card if state.slot is not None else None
        self._actions[TrayTask.CHANGE_AUTH].setEnabled(card is not None and _can_change(card))
        self._actions[TrayTask.UNLOCK].setEnabled(card is not None and _can_unlock(card))

    def retranslate(self) -> None:
        """Take the texts of the language in use."""
        texts = {
            TrayTask.CHANGE_AUTH: tr("Change identification code"),
            TrayTask.UNLOCK: tr("Unlock with PUK code"),
            TrayTask.CERTIFICATES: tr("Certificates"),
            TrayTask.SETTINGS: tr("Settings"),
            TrayTask.HELP: tr("Help and logs"),
        }
        for task, text in texts.items():
            self._actions[task].setText(text)

    def _offer(self, menu: QMenu, task: TrayTask) -> None:
        action = self._actions[task] = menu.addAction("")
        action.triggered.connect(lambda: self.wanted.emit(task))


def _can_change(card: Card) -> bool:
    pin = card.pin(PinRole.AUTH)
    return pin is not None and not pin.blocked


def _can_unlock(card: Card) -> bool:
    puk = card.pin(PinRole.PUK)
    return puk is not None and not puk.blocked and any(pin.unblocked_by is PinRole.PUK for pin in card.pins)
