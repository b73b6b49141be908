# SPDX-License-Identifier: EUPL-1.2
"""The window that asks whether a program may use the card, and for the code."""

from __future__ import annotations

from PySide6.QtCore import Signal

from sithsapp.card.model import CardId, CardsState, PinRole
from sithsapp.card.pin import PadEntry
from sithsapp.failures import Failure
from sithsapp.mtls.interaction import CardWanted, KeyGranted, KeyRequest, Purpose
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.holder import Describe
from sithsapp.ui.mtls.presenter import (
    present_card_wanted,
    present_failure,
    present_question,
    present_reader,
    present_working,
)
from sithsapp.ui.order.page import Action, Page
from sithsapp.ui.order.request_window import RequestWindow, WindowOptions
from sithsapp.ui.theme import Theme


class ConsentWindow(RequestWindow):
    """Shows one question of the helper at a time.

    `answered(KeyGranted | None)`: the code, or a refusal. `card_refused()`: no card will be inserted.
    `code_wanted(Wish, CardId | None)`: a code that failed shall be unlocked or changed.
    """

    answered = Signal(object)
    card_refused = Signal()
    code_wanted = Signal(object, object)

    def __init__(
        self,
        describe: Describe,
        theme: Theme,
        options: WindowOptions | None = None,
        *,
        environment: str = "",
        session_seconds: int = 0,
    ) -> None:
        """`environment` is the badge's text; one code lasts for `session_seconds`."""
        super().__init__(theme, options)
        self._describe = describe
        self.set_terms(environment=environment, session_seconds=session_seconds)
        self._request: KeyRequest | None = None
        self._purpose: Purpose | None = None
        self._card: CardId | None = None
        self._waits = self._works = self._wants = self._last_try_confirmed = False

    def show_request(self, request: KeyRequest) -> None:
        """Ask; a question about the entry before stays where the window is, a new one comes to the front."""
        goes_on = self.isVisible() and self._purpose == request.purpose
        self._begin(request.purpose)
        self._request, self._card, self._waits = request, request.card.id, True
        self.show_page(self._question(request))
        if not goes_on:
            self.bring_forward()

    def set_terms(self, *, environment: str, session_seconds: int) -> None:
        """Say from the next page on which environment this is, and for how long one code lasts."""
        self._environment, self._session_seconds = environment, session_seconds

    def show_card_wanted(self, wanted: CardWanted, cards: CardsState) -> None:
        """Ask for a card; `cards` is what is in the readers now."""
        goes_on = self.isVisible() and self._wants and self._purpose == wanted.purpose
        self._begin(wanted.purpose)
        self._wants = True
        self.show_page(present_card_wanted(wanted, cards, self._environment))
        if not goes_on:
            self.bring_forward()

    @property
    def asks_for_card(self) -> bool:
        """Whether the page that asks for a card is shown."""
        return self._wants

    def _begin(self, purpose: Purpose) -> None:
        self._purpose, self._request = purpose, None
        self._waits = self._works = self._wants = self._last_try_confirmed = False

    def show_working(self, *, on_reader: bool = False) -> None:
        """Say that the card works, or that the code is to be typed `on_reader`."""
        self._works = True
        if self._request is not None:
            present = present_reader if on_reader else present_working
            self.show_page(present(self._request.purpose, self._environment))

    def show_end(self, failure: Failure | None) -> None:
        """Leave when the program has what it wanted, or was refused by the person; else say what went wrong."""
        going_on, purpose = self._waits or self._works or self._wants, self._purpose
        self._waits = self._works = self._wants = False
        if not going_on:
            return  # the reason on screen is the first one
        if purpose is None or failure is None or failure is Failure.CANCELLED_BY_USER:
            self.hide()
        else:
            self.show_page(present_failure(purpose, self._environment, failure))
            self.bring_forward()

    def retranslate(self) -> None:
        """Show the same question in the language that is chosen now."""
        if self._request is not None and self._waits and self.isVisible():
            self.show_again(self._question(self._request))

    def reject(self) -> None:
        """Refuse on Escape and on the title bar's close button, or close what has ended."""
        if self._waits:
            self._answer(None)
        elif self._wants:
            self._wants = False
            self.card_refused.emit()
        self.hide()

    def act(self, action: Action) -> None:
        """Do what a button of the page means."""
        match action:
            case Action.DECLINE | Action.CLOSE:
                self.reject()
            case Action.USE_LAST_TRY:
                self._use_last_try()
            case Action.APPROVE:
                self._approve()
            case Action.UNLOCK | Action.CHANGE_CODE:
                self._manage_code(Kind.UNBLOCK if action is Action.UNLOCK else Kind.CHANGE)

    def _question(self, request: KeyRequest) -> Page:
        return present_question(
            request,
            self._describe,
            environment=self._environment,
            session_seconds=self._session_seconds,
            last_try_confirmed=self._last_try_confirmed,
        )

    def _use_last_try(self) -> None:
        if self._request is not None and self._waits and self._quiet.admits():
            self._last_try_confirmed = True
            self.show_page(self._question(self._request))

    def _approve(self) -> None:
        entry = self.entry() if self._waits else None
        if entry is not None:
            body, pin = entry
            self.show_working(on_reader=pin is None)
            self._answer(KeyGranted(pin or PadEntry(), body.last_try_ok))

    def _manage_code(self, kind: Kind) -> None:
        self.hide()
        self.code_wanted.emit(Wish(kind, PinRole.AUTH), self._card)

    def _answer(self, answer: KeyGranted | None) -> None:
        self._waits = False
        self.answered.emit(answer)
