# SPDX-License-Identifier: EUPL-1.2
"""One change of a code at a time, between the card service and the window."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from sithsapp.card.model import CardId, PinState
from sithsapp.card.pin import PadEntry
from sithsapp.failures import Failure, SithsError
from sithsapp.ui.codes.task import CodeTask, Done, Kind, Wish
from sithsapp.ui.order.page import Action

if TYPE_CHECKING:
    from sithsapp.card.model import CardsState
    from sithsapp.card.service import CardService
    from sithsapp.ui.codes.window import CodesWindow, Entered

log = logging.getLogger(__name__)


class Codes(QObject):
    """Starts tasks, shows their views, and gives the card what was typed."""

    _answered = Signal(object)

    def __init__(
        self, cards: CardService, make_window: Callable[[], CodesWindow], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._cards, self._make_window = cards, make_window
        self._window: CodesWindow | None = None
        self._task: CodeTask | None = None
        self._on_reader: PadEntry | None = None
        self._answered.connect(self._take_answer)

    @property
    def window(self) -> CodesWindow | None:
        """The window, once there has been a task."""
        return self._window

    def begin(self, wish: Wish, card: CardId | None = None) -> None:
        """Show the window for `wish`, about that card or the active one. One that the card works on goes first."""
        if self._window is None:
            self._window = self._make_window()
            self._window.entered.connect(self._send)
            self._window.pad_wanted.connect(self._ask_on_reader)
            self._window.withdrawn.connect(self._withdraw)
            self._window.forwarded.connect(self._forward)
            self._window.closed.connect(self._forget)
        if self._task is not None and self._task.is_at_work:
            self._window.bring_forward()
            return
        self._task = CodeTask(wish, card, self._cards.state)
        self._window.begin(wish, self._task.view)

    def follow(self, cards: CardsState) -> None:
        """Take in a change of readers and cards."""
        if self._task is not None:
            self._task.follow(cards)
            self._show()

    def session_locked(self) -> None:
        """Forget what is typed and close: the person has left the screen."""
        if self._window is not None:
            self._window.wipe()
            self._window.reject()

    @Slot(object)
    def _send(self, entered: Entered) -> None:
        task = self._task
        if task is None or task.card is None:
            entered.known.wipe()
            entered.new.wipe()
            return
        task.sent()
        self._show()
        wish = task.wish
        act = self._cards.change_pin if wish.kind is Kind.CHANGE else self._cards.unblock
        future = act(task.card, wish.role, entered.known, entered.new, last_try_ok=entered.last_try_ok)
        future.add_done_callback(self._answered.emit)

    @Slot(bool)
    def _ask_on_reader(self, last_try_ok: bool) -> None:
        """Have the codes typed on the reader: no digit of them comes to this computer."""
        task = self._task
        if task is None or task.card is None:
            return
        task.sent(on_reader=True)
        self._show()
        self._on_reader = PadEntry()
        act = self._cards.change_pin_on_pad if task.wish.kind is Kind.CHANGE else self._cards.unblock_on_pad
        future = act(task.card, task.wish.role, self._on_reader, last_try_ok=last_try_ok)
        future.add_done_callback(self._answered.emit)

    def _withdraw(self) -> None:
        """Make nothing of what is typed on the reader; the window waits until the reader has let go."""
        if self._on_reader is not None:
            self._on_reader.wipe()

    @Slot(object)
    def _take_answer(self, future: Future[PinState]) -> None:
        task = self._task
        if task is None:
            return
        error = future.exception()
        if error is None:
            task.succeeded(future.result())
        elif isinstance(error, SithsError):
            log.warning("%s", error)
            task.failed(error)
        else:
            log.error("a code could not be changed", exc_info=error)
            task.failed(SithsError(Failure.UNKNOWN))
        self._show()

    def _forward(self, action: Action) -> None:
        task = self._task
        if task is None:
            return
        if action is Action.UNLOCK:
            self.begin(Wish(Kind.UNBLOCK, task.wish.role), task.card)
        elif action is Action.CHANGE_OTHER and isinstance(task.view, Done) and task.view.others:
            self.begin(Wish(Kind.CHANGE, task.view.others[0]), task.card)

    def _show(self) -> None:
        if self._window is not None and self._task is not None:
            self._window.show_view(self._task.view)

    def _forget(self) -> None:
        self._task = None
