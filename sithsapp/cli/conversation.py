# SPDX-License-Identifier: EUPL-1.2
"""One order's conversation with a person at a terminal, or with the program that runs `siths` in the place of one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

from sithsapp.card.model import PinRole, SlotStatus
from sithsapp.card.pin import Pin
from sithsapp.cli.holder import holder
from sithsapp.cli.on_reader import on_reader
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.oob.interaction import (
    CancelRequested,
    EnterOnReader,
    EnterPin,
    Event,
    Finished,
    Opening,
    OpenOrder,
    PadChosen,
    PinEntered,
    View,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.order import OrderType, PinEntryKind

AskCode = Callable[[str, Callable[[], bool]], Pin | None]
"""Asks for a code with a prompt; None when the person gives up, or when the second argument says that it is over."""

Post = Callable[[Event], None]


class Conversation:
    """A `UserInteraction` in a terminal: views come from the flow's thread, `run` answers them in its own."""

    def __init__(self, output: Output, ask: AskCode, *, last_try_ok: bool, attended: bool = True) -> None:
        """Ask for codes with `ask`; use the last try only if `last_try_ok`.

        Unless `attended`, nobody is there to change a card that will not do, so such a card ends the order.
        """
        self._output = output
        self._ask = ask
        self._last_try_ok = last_try_ok
        self._attended = attended
        self._views: queue.SimpleQueue[View] = queue.SimpleQueue()
        self._over = threading.Event()
        self._answered: EnterPin | None = None
        self._told_order = False
        self._told_waiting = ""
        self._failure: SithsError | None = None

    def show(self, view: View) -> None:
        """Take a view from the flow's thread."""
        if isinstance(view, Finished):
            self._over.set()
        self._views.put(view)

    def run(self, post: Post) -> Finished:
        """Show views and answer them until the order ends; return the end."""
        while True:
            view = self._newest(self._views.get())
            if isinstance(view, Finished):
                return self._end(view)
            self._show(view, post)

    def wait_for_end(self) -> Finished:
        """Answer nothing more; return the end."""
        while not isinstance(view := self._views.get(), Finished):
            pass
        return self._end(view)

    def _newest(self, view: View) -> View:
        """Return the last view that waits behind `view`: what was shown before that is no longer so."""
        while True:
            if not isinstance(view, EnterPin):
                self._answered = None
            if isinstance(view, Finished) or self._views.empty():
                return view
            view = self._views.get()

    def _show(self, view: View, post: Post) -> None:
        if isinstance(view, EnterPin):
            if not self._is_answered(view):
                self._enter_pin(view, post)
        elif isinstance(view, WaitForCard):
            self._wait_for_card(view, post)
        elif isinstance(view, EnterOnReader):
            return  # told when the reader was chosen
        elif isinstance(view, Working):
            self._output.note(tr("Leave the card in the reader."))
        elif not isinstance(view, Opening):
            raise AssertionError(view)

    def _is_answered(self, view: EnterPin) -> bool:
        """Tell whether the question is the one that was just answered, shown again while the answer was under way.

        A question that comes after an answer that did not do has a failure.
        """
        before = self._answered
        same = before is not None and before.card.id == view.card.id and before.credential.id == view.credential.id
        return same and view.failure is None

    def _end(self, view: Finished) -> Finished:
        """Prefer what stopped us here (no code, last try not allowed) to the cancellation that it led to."""
        if self._failure is None or view.failure is not Failure.CANCELLED_BY_USER:
            return view
        return Finished(view.open_order, self._failure.failure, self._failure.tries_left)

    def _tell_order(self, open_order: OpenOrder) -> None:
        if self._told_order:
            return
        self._told_order = True
        for line in _order_lines(open_order):
            self._output.note(line)

    def _wait_for_card(self, view: WaitForCard, post: Post) -> None:
        self._tell_order(view.open_order)
        sentence = _waiting(view)
        if sentence != self._told_waiting:
            self._output.note(sentence)
            self._told_waiting = sentence
        if view.failure is not None and not view.failure.retriable and not self._attended:
            self._give_up(SithsError(view.failure), post)

    def _enter_pin(self, view: EnterPin, post: Post) -> None:
        self._tell_order(view.open_order)
        if view.failure is not None:
            self._output.note(tr(view.failure.title))
        if view.pin.tries_left == 1 and not self._last_try_ok:
            self._give_up(SithsError(Failure.LAST_TRY_NOT_CONFIRMED, "give --last-try-ok", tries_left=1), post)
            return
        if self._attended and view.card.pin_pad is not None:
            self._enter_on_reader(view, post)
            return
        if view.open_order.order.req.reader is PinEntryKind.PINPAD:
            self._give_up(SithsError(Failure.PIN_PAD_NEEDED, "a code from elsewhere will not do"), post)
            return
        pin, reason = self._ask_code(view)
        if self._over.is_set():
            if pin is not None:
                pin.wipe()
        elif pin is None:
            self._give_up(reason, post)
        else:
            self._answered = view
            post(PinEntered(view.card.id, view.credential.id, pin, self._last_try_ok))

    def _enter_on_reader(self, view: EnterPin, post: Post) -> None:
        """Send the person to the reader. Who cancels there, or does not come, has given up the order."""
        if view.failure in (Failure.PIN_PAD_CANCELLED, Failure.PIN_PAD_TIMEOUT):
            self._give_up(SithsError(view.failure), post)
            return
        self._output.note(on_reader(view.pin))
        self._answered = view
        post(PadChosen(view.card.id, view.credential.id, self._last_try_ok))

    def _ask_code(self, view: EnterPin) -> tuple[Pin | None, SithsError | None]:
        """Return the code, or why there is none: what went wrong with the one before tells most."""
        reason = None
        try:
            pin = self._ask(_prompt(view), self._over.is_set)
        except SithsError as error:
            pin, reason = None, error
        if pin is None and view.failure is not None:
            reason = SithsError(view.failure, tries_left=view.pin.tries_left)
        return pin, reason

    def _give_up(self, reason: SithsError | None, post: Post) -> None:
        self._failure = reason
        post(CancelRequested())


def _order_lines(open_order: OpenOrder) -> list[str]:
    """Say who asks for what, with everything that the person decides on."""
    order = open_order.order
    signing = order.typ is OrderType.SIGN
    sentence = tr("{rp} asks for your signature") if signing else tr("{rp} asks you to identify yourself")
    lines = [sentence.format(rp=order.rp.name)]
    if order.on_behalf_of is not None:
        lines.append("  " + order.on_behalf_of.name)
    lines += ["  | " + line for line in order.text.body.split("\n")]
    lines += [f"  * {document.name} ({document.size}) {document.digest[:16]}" for document in order.docs or ()]
    if open_order.environment != "production":
        lines.append("  " + tr("Environment: {name}").format(name=open_order.environment))
    lines.append("  " + tr("Reference: {id}").format(id=order.order[:8]))
    return lines


def _waiting(view: WaitForCard) -> str:
    if view.failure is not None:
        return tr(view.failure.title)
    if any(slot.status is SlotStatus.READING for slot in view.cards.slots):
        return tr("Reading the card …")
    return tr("Insert your card") if view.cards.slots else tr("Connect a card reader")


def _prompt(view: EnterPin) -> str:
    kind = tr("Signing code") if view.credential.pin is PinRole.SIGN else tr("Identification code")
    left = "" if view.pin.tries_left is None else ", " + tr("{n} attempts left").format(n=view.pin.tries_left)
    return f"{kind} ({holder(view.credential)}{left}):"
