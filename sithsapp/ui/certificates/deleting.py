# SPDX-License-Identifier: EUPL-1.2
"""The window that deletes a certificate: what is lost, the code, and how it went."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import Protocol

from PySide6.QtCore import Signal

from sithsapp.card.model import CardId, PinState
from sithsapp.card.pin import Pin
from sithsapp.failures import Failure, SithsError
from sithsapp.ui.certificates.deleting_presenter import (
    Deletion,
    present_done,
    present_failure,
    present_question,
    present_working,
)
from sithsapp.ui.holder import Describe
from sithsapp.ui.order.page import Action
from sithsapp.ui.order.request_window import RequestWindow, WindowOptions
from sithsapp.ui.theme import Theme

_ASKED_AGAIN = (Failure.PIN_WRONG, Failure.PIN_FORMAT, Failure.LAST_TRY_NOT_CONFIRMED)


class Deletes(Protocol):
    """The part of the card service that deletes certificates."""

    def delete_certificate(
        self, card: CardId, credential_id: str, pin: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """See `sithsapp.card.service.CardService.delete_certificate`."""


class DeleteWindow(RequestWindow):
    """Deletes one certificate at a time. Each entry of a code is sent once."""

    _settled = Signal(int, object)

    def __init__(
        self, cards: Deletes, describe: Describe, theme: Theme, options: WindowOptions | None = None
    ) -> None:
        super().__init__(theme, options)
        self._cards, self._describe = cards, describe
        self._deletion: Deletion | None = None
        self._number = 0
        self._works = False
        self._settled.connect(self._finish)

    def ask(self, deletion: Deletion) -> None:
        """Say what is lost and ask for the code; nothing happens while another deletion is under way."""
        if self._works:
            self.bring_forward()
            return
        self._deletion = deletion
        self._page = None
        if deletion.pin.blocked:
            self.show_page(present_failure(deletion, Failure.PIN_LOCKED))
        else:
            self.show_page(present_question(deletion, self._describe))
        self.bring_forward()

    def reject(self) -> None:
        """Leave, unless the card is at work."""
        if not self._works:
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

    def _use_last_try(self) -> None:
        if self._deletion is not None and not self._works and self._quiet.admits():
            self.show_page(present_question(self._deletion, self._describe, last_try_confirmed=True))

    def _approve(self) -> None:
        entry = self.entry() if self._deletion is not None and not self._works else None
        if entry is None or self._deletion is None:
            return
        body, pin = entry
        if pin is None:
            return  # it would be typed on the reader, where tokens that delete certificates have no keys for it
        self._works = True
        self._number += 1
        number = self._number
        self.show_page(present_working(self._deletion))
        future = self._cards.delete_certificate(body.card, body.credential, pin, last_try_ok=body.last_try_ok)
        future.add_done_callback(lambda done: self._settled.emit(number, _failure(done)))

    def _finish(self, number: int, error: SithsError | None) -> None:
        if number != self._number or self._deletion is None:
            return
        self._works = False
        if error is None:
            self.show_page(present_done(self._deletion))
        elif error.failure in _ASKED_AGAIN:
            self._ask_again(self._deletion, error)
        else:
            self.show_page(present_failure(self._deletion, error.failure))

    def _ask_again(self, deletion: Deletion, error: SithsError) -> None:
        left = error.tries_left if error.tries_left is not None else deletion.pin.tries_left
        if error.failure is Failure.LAST_TRY_NOT_CONFIRMED:
            left = 1
        self._deletion = replace(deletion, pin=replace(deletion.pin, tries_left=left))
        self.show_page(present_question(self._deletion, self._describe, failure=error.failure))


def _failure(done: Future[PinState]) -> SithsError | None:
    if done.cancelled():
        return SithsError(Failure.CARD_REMOVED)
    error = done.exception()
    if error is None or isinstance(error, SithsError):
        return error
    return SithsError(Failure.UNKNOWN, type(error).__name__)
