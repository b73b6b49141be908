# SPDX-License-Identifier: EUPL-1.2
"""The one window of orders, made at the first order and used again for every other.

It shows the flow's views and posts what the person did. What the pages say is the presenter's, what happens next
the flow's.
"""

from __future__ import annotations

from PySide6.QtCore import Signal

from sithsapp.card.model import PinRole
from sithsapp.failures import Failure
from sithsapp.oob.interaction import (
    CancelRequested,
    CredentialChosen,
    EnterPin,
    Event,
    Finished,
    MoreTimeRequested,
    Opening,
    PadChosen,
    PinEntered,
    Reported,
    View,
    Working,
)
from sithsapp.oob.protocol.order import OrderType
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.elements import Choice
from sithsapp.ui.holder import Describe
from sithsapp.ui.order.page import Action
from sithsapp.ui.order.presenter import present
from sithsapp.ui.order.request_window import RequestWindow, WindowOptions
from sithsapp.ui.theme import Theme


class OrderWindow(RequestWindow):
    """Shows views and posts events (`posted(event)`).

    `code_wanted(Wish, CardId | None)` when a code shall be unlocked or changed after an order that failed for it.
    `report_wanted(number)` for a failure to report.
    """

    posted = Signal(object)
    code_wanted = Signal(object, object)
    report_wanted = Signal(str)

    def __init__(self, describe: Describe, theme: Theme, options: WindowOptions | None = None) -> None:
        super().__init__(theme, options)
        self._describe = describe
        self._view: View | None = None
        self._asked: EnterPin | None = None
        self._last_try_confirmed = self._declined = False

    def show_view(self, view: View) -> None:
        """Show what the flow shows; a new order brings the window to the front."""
        begins = isinstance(view, Opening) or self._view is None
        if begins:
            self._declined = False
        if self._declined and not isinstance(view, Working):
            self._forget_order(view)
            return
        if begins or not isinstance(view, EnterPin) or view.pin.tries_left != 1:
            self._last_try_confirmed = False
        self._view = view
        self._asked = view if isinstance(view, EnterPin) else None if begins else self._asked
        self.show_page(present(view, self._describe, last_try_confirmed=self._last_try_confirmed))
        if begins:
            self.bring_forward()
        if isinstance(view, Finished):
            self._end(view)

    def show_waiting(self, count: int) -> None:
        """Tell how many further orders wait for this one's end."""
        self._header.show_waiting(count)
        self.fit()

    def retranslate(self) -> None:
        """Show the same view in the language that is chosen now."""
        if self._view is not None and self.isVisible():
            self.show_again(present(self._view, self._describe, last_try_confirmed=self._last_try_confirmed))

    def reject(self) -> None:
        """Decline on Escape, or close what has ended."""
        self.act(Action.CLOSE if isinstance(self._view, Finished) else Action.DECLINE)

    def act(self, action: Action) -> None:
        """Do what a button of the page means."""
        match action:
            case Action.DECLINE:
                self._decline()
            case Action.CLOSE:
                self.hide()
            case Action.REPORT:
                self.posted.emit(Reported())
            case Action.USE_LAST_TRY:
                self._use_last_try()
            case Action.APPROVE:
                self._approve()
            case Action.MAKE_REPORT:
                self._report_failure()
            case Action.UNLOCK | Action.CHANGE_CODE:
                self._manage_code(Kind.UNBLOCK if action is Action.UNLOCK else Kind.CHANGE)

    def choose(self, choice: Choice) -> None:
        """Use another card or certificate for this order."""
        if not choice.current:
            self.forget_code()
            self.posted.emit(CredentialChosen(choice.card, choice.credential))

    def ask_for_time(self) -> None:
        """Ask the service for more time."""
        self.posted.emit(MoreTimeRequested())

    def _decline(self) -> None:
        self.forget_code()
        self.posted.emit(CancelRequested())
        # What the card has begun is not undone by hiding it: that page waits for the end.
        if not isinstance(self._view, Working):
            self._declined = True
            self.hide()

    def _use_last_try(self) -> None:
        if isinstance(self._view, EnterPin) and self._quiet.admits():
            self._last_try_confirmed = True
            self.show_page(present(self._view, self._describe, last_try_confirmed=True))

    def _approve(self) -> None:
        entry = self.entry()
        if entry is not None:
            body, pin = entry
            event: Event = (
                PadChosen(body.card, body.credential, body.last_try_ok)
                if pin is None
                else PinEntered(body.card, body.credential, pin, body.last_try_ok)
            )
            self.posted.emit(event)

    def _report_failure(self) -> None:
        """Leave for the report's window, which this one would cover."""
        if isinstance(self._view, Finished) and self._view.failure is not None:
            self.hide()
            self.report_wanted.emit(self._view.failure.number)

    def _manage_code(self, kind: Kind) -> None:
        """Go on with the code for which the order failed."""
        opened = self._view.open_order if isinstance(self._view, Finished) else None
        signs = opened is not None and opened.order.typ is OrderType.SIGN
        card = self._asked.card.id if self._asked is not None else None
        self.hide()
        self.code_wanted.emit(Wish(kind, PinRole.SIGN if signs else PinRole.AUTH), card)

    def _end(self, view: Finished) -> None:
        cancelled = view.failure is Failure.CANCELLED_BY_USER
        self._view = None if cancelled else view
        if cancelled:
            self.hide()
        else:
            self.close_soon()

    def _forget_order(self, view: View) -> None:
        if isinstance(view, Finished):
            self._view, self._declined = None, False
