# SPDX-License-Identifier: EUPL-1.2
"""The life of one order, from its launch to its end, in a thread of its own.

Inputs come from people, cards and the service through one queue; `states` decides. Whatever happens, the flow ends
in one `Finished` view, every code is wiped, and no thread or connection is left.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.answers import ServiceProblem
from sithsapp.oob.client import OrderClient, OrderStart
from sithsapp.oob.interaction import Event, Finished, PinEntered, UserInteraction, View
from sithsapp.oob.state import GIVEN_UP, Ended, State
from sithsapp.oob.states import Claiming, Signing
from sithsapp.oob.transport import RequestCancelled
from sithsapp.oob.work import CardAnswered, CardsChanged, CodeAccepted, FlowParts, Input, OrderEnded, Work

_log = logging.getLogger(__name__)

_WATCH_ENDS = {"cancelled": Failure.ORDER_CANCELLED, "expired": Failure.ORDER_EXPIRED}
_GONE = frozenset({Failure.ORDER_EXPIRED, Failure.ORDER_CANCELLED})
_JOIN_WATCH = 5.0


class OrderFlow:
    """Runs one order. Start it once; answer its views with `post`, from any thread."""

    def __init__(self, start: OrderStart, parts: FlowParts, interaction: UserInteraction) -> None:
        """Prepare; nothing happens before `start`."""
        self._interaction = interaction
        self._inputs: queue.SimpleQueue[Input] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._ended = False
        self._given_up: Failure | None = None
        self._nudged = False
        self._unsubscribe: Callable[[], None] | None = None
        self._watcher: threading.Thread | None = None
        self._work = Work(start, parts, self._show, self._put, lambda: self._given_up is not None, self._begin_watch)
        self._thread = threading.Thread(target=self._run, name="order", daemon=True)

    @property
    def order_id(self) -> str | None:
        """The public id of the order, once it is open."""
        opened = self._work.opened
        return None if opened is None else opened.order.order

    def start(self) -> None:
        """Begin; views come from the flow's thread."""
        self._thread.start()

    def post(self, event: Event) -> None:
        """Take in what a person did; any thread. A code that comes too late is wiped."""
        given_up = GIVEN_UP.get(type(event))
        with self._lock:
            if given_up is not None and self._given_up is None:
                self._given_up = given_up
        self._put(event)
        client = self._work.client
        if given_up is not None and client is not None and self._work.opened is None:
            client.interrupt()

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end, `timeout` seconds at most; tell whether it has come."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._drive()
        except Exception as error:  # thread boundary
            _log_unexpected(error)
        finally:
            self._clean_up()

    def _drive(self) -> None:
        state = State()
        following = self._guard(self._begin)
        while True:
            while following is not None:
                state.leave()
                state = following
                following = self._enter(state)
            if isinstance(state, Ended):
                return
            following = self._await_input(state)

    def _begin(self) -> State:
        self._unsubscribe = self._work.parts.cards.subscribe(lambda _: self._nudge())
        return Claiming()

    def _enter(self, state: State) -> State | None:
        following = self._guard(lambda: state.enter(self._work))
        return None if isinstance(state, Ended) else following

    def _await_input(self, state: State) -> State | None:
        item = self._take(state)
        following = self._guard(lambda: self._react(state, item))
        if isinstance(item, PinEntered) and not isinstance(following, Signing):
            item.pin.wipe()
        return following

    def _take(self, state: State) -> Input | None:
        """Return the next input, or None when the deadline or the state's own time has come."""
        opened = self._work.opened
        times = [] if opened is None else [opened.deadline]
        times += [] if state.wakes_at is None else [state.wakes_at]
        try:
            return self._inputs.get(timeout=max(0.0, min(times) - time.monotonic()) if times else None)
        except queue.Empty:
            return None

    def _react(self, state: State, item: Input | None) -> State | None:
        now, work = time.monotonic(), self._work
        if work.opened is not None and now >= work.opened.deadline:
            raise SithsError(Failure.ORDER_EXPIRED)
        if isinstance(item, OrderEnded):
            raise SithsError(item.failure)
        if state.wakes_at is not None and now >= state.wakes_at:
            return state.woken(work)
        if isinstance(item, CardsChanged):
            with self._lock:
                self._nudged = False
            return state.cards_changed(work)
        if isinstance(item, CodeAccepted):
            return state.code_accepted(work)
        if isinstance(item, CardAnswered):
            return state.card_answered(work, item)
        return None if item is None else self._person(state, item)

    def _person(self, state: State, event: Event) -> State | None:
        given_up = GIVEN_UP.get(type(event))
        if given_up is not None:
            raise SithsError(given_up)
        return state.person(self._work, event)

    def _guard(self, step: Callable[[], State | None]) -> State | None:
        """Turn whatever a state raises into the end of the order."""
        try:
            return step()
        except SithsError as error:
            _log.info("order ends: %s", error)
            return Ended(error.failure, error.tries_left)
        except RequestCancelled:
            return Ended(self._given_up or Failure.CANCELLED_BY_USER)
        except Exception as error:  # whatever it is, the person and the service get to know
            _log_unexpected(error)
            return Ended(Failure.UNKNOWN)

    def _show(self, view: View) -> None:
        try:
            self._interaction.show(view)
        except Exception as error:
            if not isinstance(view, Finished):
                raise
            _log_unexpected(error)

    def _put(self, item: Input) -> None:
        with self._lock:
            if not self._ended:
                self._inputs.put(item)
                return
        if isinstance(item, PinEntered):
            item.pin.wipe()

    def _nudge(self) -> None:
        with self._lock:
            if self._nudged:
                return
            self._nudged = True
        self._put(CardsChanged())

    def _begin_watch(self) -> None:
        client = self._work.service_client
        self._watcher = threading.Thread(target=self._watch, args=(client,), name="order-watch", daemon=True)
        self._watcher.start()

    def _watch(self, client: OrderClient) -> None:
        try:
            self._put(OrderEnded(_WATCH_ENDS[client.watch()]))
        except RequestCancelled:
            return
        except ServiceProblem as problem:
            if problem.failure in _GONE:
                self._put(OrderEnded(problem.failure))
        except Exception as error:  # thread boundary; without the watch the order still works
            _log_unexpected(error)

    def _clean_up(self) -> None:
        with self._lock:
            self._ended = True
        while not self._inputs.empty():
            item = self._inputs.get()
            if isinstance(item, PinEntered):
                item.pin.wipe()
        for step in (self._unsubscribe, self._work.client.close if self._work.client is not None else None):
            if step is None:
                continue
            try:
                step()
            except Exception as error:
                _log_unexpected(error)
        if self._watcher is not None:
            self._watcher.join(_JOIN_WATCH)


def _log_unexpected(error: Exception) -> None:
    """Log where an error came from; its text may hold a secret and stays out."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = "" if frame is None else f" at {frame.tb_frame.f_code.co_qualname}:{frame.tb_lineno}"
    _log.error("unexpected %s%s", type(error).__name__, place)
