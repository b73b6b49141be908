# SPDX-License-Identifier: EUPL-1.2
"""Between the helper's threads, which ask and wait, and the consent window, which lives in the Qt thread."""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from sithsapp.card.model import CardsState
from sithsapp.failures import Failure
from sithsapp.mtls.interaction import CardWanted, KeyGranted, KeyRequest, Purpose
from sithsapp.oob.muting import LaunchMute
from sithsapp.ui.mtls.window import ConsentWindow

log = logging.getLogger(__name__)

_MOST_MUTES: Final = 64
_NEXT_MILLISECONDS: Final = 1500
_LOOK_MILLISECONDS: Final = 500


class Question:
    """One question on its way to a person and back. Whoever settles it first has settled it."""

    def __init__(self, request: KeyRequest) -> None:
        self.request = request
        self._lock = threading.Lock()
        self._settled = threading.Event()
        self._answer: KeyGranted | None = None

    @property
    def is_open(self) -> bool:
        """Whether an answer is still waited for."""
        return not self._settled.is_set()

    def settle(self, answer: KeyGranted | None) -> None:
        """Answer, unless it was settled before; a code that comes too late is wiped."""
        with self._lock:
            if self.is_open:
                self._answer = answer
                self._settled.set()
                return
        if answer is not None:
            answer.pin.wipe()

    def wait(self) -> KeyGranted | None:
        """Return the answer, None for a refusal or when the request's time is up."""
        self._settled.wait(max(0.0, self.request.deadline - time.monotonic()))
        self.settle(None)
        return self._answer


class Consents(QObject):
    """An `MtlsInteraction` with a window. `changed()` when a question comes or goes.

    A program that was refused several times in a row asks in silence for a while: a person who says no must not
    be worn down by one that goes on and on.
    """

    changed = Signal()
    _asked = Signal(object)
    _wished = Signal(object)
    _ended = Signal(object, object)

    def __init__(
        self,
        make_window: Callable[[], ConsentWindow],
        is_busy: Callable[[], bool],
        cards: Callable[[], CardsState],
        parent: QObject | None = None,
    ) -> None:
        """`is_busy` tells whether another window asks for a code; a question waits until it has gone."""
        super().__init__(parent)
        self._make_window, self._is_busy, self._cards = make_window, is_busy, cards
        self._window: ConsentWindow | None = None
        self._question: Question | None = None
        self._wish: CardWanted | None = None
        self._shown = self._closed = False
        self._mutes: OrderedDict[tuple[str, str], LaunchMute] = OrderedDict()
        self._expiry = QTimer(self, singleShot=True)
        self._expiry.timeout.connect(self._expire)
        # Runs only while a question waits for another window, which is a minute at most.
        self._look = QTimer(self, interval=_LOOK_MILLISECONDS)
        self._look.timeout.connect(self.other_window_closed)
        self._asked.connect(self._take)
        self._wished.connect(self._want)
        self._ended.connect(self._end)

    @property
    def window(self) -> ConsentWindow | None:
        """The consent window, once there has been a question."""
        return self._window

    @property
    def is_open(self) -> bool:
        """Whether a question waits for an answer."""
        return any(each is not None and each.is_open for each in (self._question, self._wish))

    def ask(self, request: KeyRequest) -> KeyGranted | None:
        """Ask the person, from a connection's thread; returns when there is an answer or the time is up."""
        question = Question(request)
        self._asked.emit(question)
        return question.wait()

    def card_wanted(self, wanted: CardWanted) -> bool:
        """Ask for a card, from a connection's thread."""
        self._wished.emit(wanted)
        return not self._closed

    def ended(self, purpose: Purpose, failure: Failure | None) -> None:
        """Take note of the end, from a connection's thread."""
        self._ended.emit(purpose, failure)

    def other_window_closed(self) -> None:
        """Ask what had to wait for another window."""
        if self.is_open and not self._shown:
            self._show_when_free()
        else:
            self._look.stop()

    def bring_forward(self) -> bool:
        """Show the question that is open; tell whether there is one."""
        if not self.is_open:
            return False
        if self._window is not None and self._shown:
            self._window.bring_forward()
        else:
            self._show()
        return True

    def cards_changed(self, cards: CardsState) -> None:
        """Take the question back if its card has gone."""
        if self._question is not None and cards.find(self._question.request.card.id) is None:
            self._withdraw(Failure.CARD_REMOVED)
        if self._wish is not None and self._shown and self._window is not None and self._window.isVisible():
            self._window.show_card_wanted(self._wish, cards)

    def give_up(self) -> None:
        """Refuse what is open: the person has left the screen."""
        self._withdraw(Failure.CANCELLED_BY_USER)

    def close(self) -> None:
        """Refuse what is open and everything that comes."""
        self._closed = True
        self.give_up()

    @Slot(object)
    def _want(self, wanted: CardWanted) -> None:
        if not wanted.is_open:
            return
        if self._closed or self._mute(wanted.purpose).is_muted(time.monotonic()):
            log.info("a program's wish for a card was refused unasked")
            wanted.settle(refused=True)
            return
        self._wish, self._shown = wanted, False
        self._show_when_free()
        self.changed.emit()

    def _refuse_card(self) -> None:
        wish, self._wish = self._wish, None
        if wish is not None:
            self._mute(wish.purpose).declined(time.monotonic())
            wish.settle(refused=True)
            self.changed.emit()

    def _leave_unless_asked(self) -> None:
        """Go if the card that came led to no question: another connection had been let in meanwhile."""
        if self._window is not None and not self.is_open:
            self._window.show_end(None)

    @Slot(object)
    def _take(self, question: Question) -> None:
        if self._closed or not question.is_open or self._mute(question.request.purpose).is_muted(time.monotonic()):
            log.info("a program's question was refused unasked")
            question.settle(None)
            return
        self._question, self._wish, self._shown = question, None, False
        self._expiry.start(max(0, round(1000 * (question.request.deadline - time.monotonic()))))
        self._show_when_free()
        self.changed.emit()

    def _show_when_free(self) -> None:
        """Show, or look again soon: what is typed into another window must not end up in this one."""
        if self._is_busy():
            self._look.start()
        else:
            self._show()

    def _show(self) -> None:
        if self._window is None:
            self._window = self._make_window()
            self._window.answered.connect(self._answer)
            self._window.card_refused.connect(self._refuse_card)
        self._look.stop()
        self._shown = True
        if self._question is not None:
            self._window.show_request(self._question.request)
        elif self._wish is not None:
            self._window.show_card_wanted(self._wish, self._cards())

    @Slot(object)
    def _answer(self, answer: KeyGranted | None) -> None:
        question, self._question = self._question, None
        self._expiry.stop()
        if question is None:
            if answer is not None:
                answer.pin.wipe()
            return
        if answer is None:
            self._mute(question.request.purpose).declined(time.monotonic())
        else:
            self._mute(question.request.purpose).approved()
        question.settle(answer)
        self.changed.emit()

    @Slot(object, object)
    def _end(self, purpose: Purpose, failure: Failure | None) -> None:
        if self._window is None or not self._window.isVisible() or self.is_open:
            return
        self._wish = None
        if failure is None and self._window.asks_for_card:
            QTimer.singleShot(_NEXT_MILLISECONDS, self, self._leave_unless_asked)  # a question is likely to follow
        else:
            self._window.show_end(failure)

    def _expire(self) -> None:
        self._withdraw(Failure.CANCELLED_BY_USER)

    def _withdraw(self, failure: Failure) -> None:
        question, self._question = self._question, None
        wish, self._wish = self._wish, None
        self._expiry.stop()
        if wish is not None:
            wish.settle(refused=True)
        if question is not None:
            question.settle(None)
        if question is None and wish is None:
            return
        if self._window is not None and self._shown:
            self._window.show_end(failure)
        self.changed.emit()

    def _mute(self, purpose: Purpose) -> LaunchMute:
        key = (purpose.program.path, purpose.target)
        mute = self._mutes.setdefault(key, LaunchMute())
        self._mutes.move_to_end(key)
        while len(self._mutes) > _MOST_MUTES:
            self._mutes.popitem(last=False)
        return mute
