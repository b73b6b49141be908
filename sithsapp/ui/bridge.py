# SPDX-License-Identifier: EUPL-1.2
"""From other threads into the Qt thread: views of a flow, snapshots of the cards, messages of a second start.

Connected as usual, a signal that another thread emits runs its receiver in the receiver's own thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

if TYPE_CHECKING:
    from sithsapp.card.model import CardsState
    from sithsapp.desktop.single_instance import Message
    from sithsapp.oob.interaction import View


class QtInteraction(QObject):
    """A `UserInteraction` whose views arrive in the Qt thread as `shown(View)`, in their order."""

    shown = Signal(object)

    def show(self, view: View) -> None:
        """Take a view from the flow's thread; returns at once."""
        self.shown.emit(view)


class Arrivals(QObject):
    """What comes from card threads, settings and second starts. All methods may be called from any thread."""

    cards_changed = Signal(object)
    settings_changed = Signal(object)
    message_received = Signal(object)

    def take_cards(self, state: CardsState) -> None:
        """Take a snapshot of the readers."""
        self.cards_changed.emit(state)

    def take_settings(self, names: frozenset[str]) -> None:
        """Take the names of the settings that have changed."""
        self.settings_changed.emit(names)

    def take_message(self, message: Message) -> None:
        """Take what a second start asks for."""
        self.message_received.emit(message)
