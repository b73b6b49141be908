# SPDX-License-Identifier: EUPL-1.2
"""One order at a time, between its flow and the order window."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from sithsapp.failures import Failure
from sithsapp.oob.muting import LaunchMute
from sithsapp.support.state import OrderPhase, ServiceHealth, health_after
from sithsapp.ui.bridge import QtInteraction

if TYPE_CHECKING:  # what an order needs is imported with the first one
    from sithsapp.oob.interaction import Event, Finished, UserInteraction, View
    from sithsapp.oob.protocol.launch import LaunchUrl
    from sithsapp.ui.order.window import OrderWindow

log = logging.getLogger(__name__)

_DECLINES = {Failure.CANCELLED_BY_USER, Failure.REPORTED_BY_USER}
_CALM = _DECLINES | {Failure.ORDER_CANCELLED, Failure.SESSION_LOCKED}
_JOIN_SECONDS = 3.0
_MOST_WAITING = 3


class Flow(Protocol):
    """The life of one order (`sithsapp.oob.flow.OrderFlow`)."""

    def start(self) -> None:
        """Begin; views come from a thread of its own."""

    def post(self, event: Event) -> None:
        """Take in what the person did."""

    def join(self, timeout: float | None = None) -> bool:
        """Wait for the end; tell whether it has come."""


MakeFlow = Callable[["LaunchUrl", "UserInteraction"], Flow]


class Orders(QObject):
    """Starts flows, shows their views, gives them events. `changed()` when an order begins, waits or ends.

    `muted()` when one waits without a window, so that something else has to tell. `health` is what the last order
    said of the service.
    """

    changed = Signal()
    muted = Signal()

    def __init__(
        self, make_flow: MakeFlow, make_window: Callable[[], OrderWindow], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._make_flow, self._make_window = make_flow, make_window
        self._window: OrderWindow | None = None
        self._flow: Flow | None = None
        self._interaction: QtInteraction | None = None
        self._mute = LaunchMute()
        self._muted_launch: LaunchUrl | None = None
        self._launch: LaunchUrl | None = None
        self._waiting: list[LaunchUrl] = []
        self._is_signing = False
        self._outcome = OrderPhase.NONE
        self.health = ServiceHealth.FINE

    @property
    def phase(self) -> OrderPhase:
        """How far the order has come; its outcome lasts as long as the window shows it."""
        if not self.is_waiting:
            return self._outcome
        return OrderPhase.SIGNING if self._is_signing else OrderPhase.WAITING

    @property
    def is_open(self) -> bool:
        """Whether an order is under way."""
        return self._interaction is not None

    @property
    def is_waiting(self) -> bool:
        """Whether an order is under way, or was kept silent and waits to be asked for."""
        return self.is_open or self._muted_launch is not None

    @property
    def window(self) -> OrderWindow | None:
        """The order window, once there has been an order."""
        return self._window

    def launch(self, start: LaunchUrl, *, may_stay_silent: bool) -> None:
        """Begin an order from a link.

        While another one is open that one comes to the front and the link waits for its end. After repeated declines
        a link waits silently until the person asks for it, if `may_stay_silent`: somewhere a sign of it must be seen.
        """
        if self.is_open:
            self._let_wait(start)
            self.bring_forward()
        elif may_stay_silent and self._mute.is_muted(time.monotonic()):
            log.info("a link waits silently after repeated declines")
            self._muted_launch = start
            self.changed.emit()
            self.muted.emit()
        else:
            self._begin(start)

    def bring_forward(self) -> bool:
        """Show the order that is open or waits; tell whether there is one."""
        if self._muted_launch is not None:
            self._begin(self._muted_launch)
        elif self.is_open and self._window is not None:
            self._window.bring_forward()
        else:
            return False
        return True

    def refuse(self, failure: Failure) -> None:
        """Show why a link cannot be opened, but never in the place of an order."""
        if self.is_open:
            log.info("a refused link is not shown: an order is open")
            return
        from sithsapp.oob.interaction import Finished

        if self._window is None:
            self._window = self._new_window()
        if not self._window.isVisible():
            self._window.show_view(Finished(None, failure))
            self._window.bring_forward()

    def learn(self, failure: Failure | None, *, update_advised: bool = False) -> None:
        """Take how an order, or a test of the connection, ended, and whether the service advised a newer version."""
        before = self.health
        self.health = health_after(failure, before, update_advised=update_advised)
        if self.health is not before:
            self.changed.emit()

    def session_locked(self) -> None:
        """Wipe what is typed and give up the order and those that wait: the person has left the screen."""
        self._waiting.clear()
        if self._flow is None or self._window is None:
            return
        from sithsapp.oob.interaction import SessionLocked

        log.info("the session was left: the open order is given up")
        self._window.forget_code()
        self._post(SessionLocked())

    def close(self) -> None:
        """Give up what is open, and wait a moment until the service has been told."""
        self._waiting.clear()
        flow = self._flow
        if flow is None:
            return
        from sithsapp.oob.interaction import CancelRequested

        self._post(CancelRequested())
        if not flow.join(_JOIN_SECONDS):
            log.warning("the order did not end in time")

    def _begin(self, start: LaunchUrl) -> None:
        from sithsapp.oob.interaction import Opening

        self._muted_launch, self._launch = None, start
        self._is_signing, self._outcome = False, OrderPhase.NONE
        if self._window is None:
            self._window = self._new_window()
        # An interaction of its own for each order: a late view of the last one finds nobody.
        self._interaction = QtInteraction(self)
        self._interaction.shown.connect(self._show)
        # The window comes first: what a flow needs takes a while to import the first time.
        self._window.show_view(Opening())
        self._window.show_waiting(len(self._waiting))
        QTimer.singleShot(0, self, lambda: self._start_flow(start))
        self.changed.emit()

    def _new_window(self) -> OrderWindow:
        window = self._make_window()
        window.posted.connect(self._post)
        # Queued: the window is still on its way out.
        window.closed.connect(self._window_closed, Qt.ConnectionType.QueuedConnection)
        return window

    @Slot()
    def _window_closed(self) -> None:
        if self._outcome is not OrderPhase.NONE and not self.is_open:
            self._outcome = OrderPhase.NONE
            self.changed.emit()
        self._begin_next()

    def _start_flow(self, start: LaunchUrl) -> None:
        if self._interaction is None:
            return
        self._flow = self._make_flow(start, self._interaction)
        self._flow.start()
        if self._window is not None:
            self._window.prepare()

    @Slot(object)
    def _show(self, view: View) -> None:
        from sithsapp.oob.interaction import Finished, Opening, Working

        if self.sender() is not self._interaction or self._window is None or isinstance(view, Opening):
            return
        if isinstance(view, Finished):
            self._end(view)
        elif isinstance(view, Working) is not self._is_signing:
            self._is_signing = not self._is_signing
            self.changed.emit()
        self._window.show_view(view)

    def _end(self, view: Finished) -> None:
        if view.failure in _DECLINES:
            self._mute.declined(time.monotonic())
        elif view.failure is None:
            self._mute.approved()
        calm = view.failure in _CALM or (self._window is not None and not self._window.isVisible())
        self._outcome = OrderPhase.NONE if calm else OrderPhase.FAILED if view.failure else OrderPhase.DONE
        advised = view.open_order is not None and view.open_order.update_advised
        self.learn(view.failure, update_advised=advised)
        self._forget()

    def _forget(self) -> None:
        if self._interaction is not None:
            self._interaction.deleteLater()
        self._flow = self._interaction = self._launch = None
        self.changed.emit()
        self._begin_next()

    def _let_wait(self, start: LaunchUrl) -> None:
        """Keep a link for later, unless it is here already or too many are."""
        if start == self._launch or start in self._waiting or len(self._waiting) >= _MOST_WAITING:
            log.info("a link was left aside: another order is open")
            return
        self._waiting.append(start)
        if self._window is not None:
            self._window.show_waiting(len(self._waiting))

    @Slot()
    def _begin_next(self) -> None:
        """Begin the order that waits, once the person has seen how the one before it ended."""
        if self._waiting and not self.is_open and self._window is not None and not self._window.isVisible():
            self.launch(self._waiting.pop(0), may_stay_silent=True)

    def _post(self, event: Event) -> None:
        if self._flow is not None:
            self._flow.post(event)
        elif self.is_open:  # given up before the flow began
            self._forget()
