# SPDX-License-Identifier: EUPL-1.2
"""`siths login`: carry out one order in the terminal.

The flow runs in its own thread and puts its views in a queue; this thread shows them and answers.
"""

from __future__ import annotations

import argparse
import queue
from collections.abc import Callable
from typing import TYPE_CHECKING

from sithsapp.card.model import Credential, PinRole, SlotStatus
from sithsapp.card.pin import Pin
from sithsapp.cli.card_service import running_card_service
from sithsapp.cli.output import Output
from sithsapp.cli.secret_input import pin_from_descriptor, pin_from_terminal
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.oob.interaction import (
    CancelRequested,
    EnterPin,
    Event,
    Finished,
    Opening,
    OpenOrder,
    PinEntered,
    View,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.order import OrderType
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.card.service import CardService
    from sithsapp.oob.compose import OrderFlows


def login(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Carry out the order of a launch URL; exit 0 only when the service accepted the signature."""
    from sithsapp.oob.protocol.launch import parse_launch_url
    from sithsapp.settings.profile import URL_SCHEME

    launch = parse_launch_url(URL_SCHEME, arguments.launch_url)
    conversation = Conversation(output, _pin_source(arguments), last_try_ok=arguments.last_try_ok)
    with running_card_service(settings) as service:
        flow = _flows(settings, service).new(launch, conversation)
        flow.start()
        try:
            end = conversation.run(flow.post)
        except KeyboardInterrupt:
            flow.post(CancelRequested())
            end = conversation.run(flow.post)
        flow.join()
    return _tell_end(end, output)


def _flows(settings: Settings, service: CardService) -> OrderFlows:
    from functools import partial

    from sithsapp.desktop.open_url import open_url
    from sithsapp.locale import language
    from sithsapp.oob.compose import OrderFlows

    return OrderFlows(settings, service, partial(open_url, allow_local=settings.environment == "demo"), language())


def _pin_source(arguments: argparse.Namespace) -> Callable[[str], Pin | None]:
    """Return what asks for a code: the descriptor once, or the terminal each time."""
    if arguments.pin_fd is None:
        return pin_from_terminal
    entries = iter([lambda: pin_from_descriptor(arguments.pin_fd)])

    def once(_prompt: str) -> Pin | None:
        read = next(entries, None)
        return None if read is None else read()

    return once


def _tell_end(end: Finished, output: Output) -> int:
    if end.failure is not None:
        return output.failure(SithsError(end.failure, tries_left=end.tries_left))
    signed = end.open_order is not None and end.open_order.order.typ is OrderType.SIGN
    lines = [tr("You have signed") if signed else tr("You are identified")]
    if end.code is not None:
        lines.append(
            tr("Type this code in the window where you started, and tell it to nobody: {code}").format(code=end.code)
        )
    output.result({"result": "accepted", "code": end.code}, lines)
    return 0


class Conversation:
    """A `UserInteraction` in a terminal."""

    def __init__(self, output: Output, ask: Callable[[str], Pin | None], *, last_try_ok: bool) -> None:
        """Ask for codes with `ask`; use the last try only if `last_try_ok`."""
        self._output = output
        self._ask = ask
        self._last_try_ok = last_try_ok
        self._views: queue.Queue[View] = queue.Queue()
        self._told_order = False
        self._told_waiting = ""
        self._failure: SithsError | None = None

    def show(self, view: View) -> None:
        """Take a view from the flow's thread."""
        self._views.put(view)

    def run(self, post: Callable[[Event], None]) -> Finished:
        """Show views and answer them until the order ends; return the end."""
        while True:
            view = self._views.get()
            if isinstance(view, Finished):
                return self._end(view)
            if isinstance(view, EnterPin):
                self._enter_pin(view, post)
            elif isinstance(view, WaitForCard):
                self._wait_for_card(view)
            elif isinstance(view, Working):
                self._output.note(tr("Leave the card in the reader."))
            elif not isinstance(view, Opening):
                raise AssertionError(view)

    def _end(self, view: Finished) -> Finished:
        """Prefer what stopped us here (no code, last try not allowed) to the cancellation that it led to."""
        if self._failure is None or view.failure is not Failure.CANCELLED_BY_USER:
            return view
        return Finished(view.open_order, self._failure.failure, self._failure.tries_left)

    def _tell_order(self, open_order: OpenOrder) -> None:
        if self._told_order:
            return
        self._told_order = True
        order = open_order.order
        sentence = (
            tr("{rp} asks for your signature")
            if order.typ is OrderType.SIGN
            else tr("{rp} asks you to identify yourself")
        )
        self._output.note(sentence.format(rp=order.rp.name))
        if order.on_behalf_of is not None:
            self._output.note("  " + order.on_behalf_of.name)
        for line in order.text.body.split("\n"):
            self._output.note("  | " + line)
        for document in order.docs or ():
            self._output.note(f"  * {document.name} ({document.size}) {document.digest[:16]}")
        if open_order.environment != "production":
            self._output.note("  " + tr("Environment: {name}").format(name=open_order.environment))
        self._output.note("  " + tr("Reference: {id}").format(id=order.order[:8]))

    def _wait_for_card(self, view: WaitForCard) -> None:
        self._tell_order(view.open_order)
        if view.failure is not None:
            sentence = tr(view.failure.title)
        elif any(slot.status is SlotStatus.READING for slot in view.cards.slots):
            sentence = tr("Reading the card …")
        else:
            sentence = tr("Insert your card") if view.cards.slots else tr("Connect a card reader")
        if sentence != self._told_waiting:
            self._output.note(sentence)
            self._told_waiting = sentence

    def _enter_pin(self, view: EnterPin, post: Callable[[Event], None]) -> None:
        self._tell_order(view.open_order)
        if view.failure is not None:
            self._output.note(tr(view.failure.title))
        if view.pin.tries_left == 1 and not self._last_try_ok:
            self._give_up(SithsError(Failure.LAST_TRY_NOT_CONFIRMED, "give --last-try-ok", tries_left=1), post)
            return
        try:
            pin = self._ask(_prompt(view))
        except SithsError as error:
            self._give_up(error, post)
            return
        if pin is None:
            failure = view.failure
            self._give_up(SithsError(failure, tries_left=view.pin.tries_left) if failure else None, post)
            return
        post(PinEntered(view.card.id, view.credential.id, pin, self._last_try_ok))

    def _give_up(self, error: SithsError | None, post: Callable[[Event], None]) -> None:
        self._failure = error
        post(CancelRequested())


def _prompt(view: EnterPin) -> str:
    kind = tr("Signing code") if view.credential.pin is PinRole.SIGN else tr("Identification code")
    left = "" if view.pin.tries_left is None else ", " + tr("{n} attempts left").format(n=view.pin.tries_left)
    return f"{kind} ({_holder(view.credential)}{left}):"


def _holder(credential: Credential) -> str:
    from sithsapp.cli.output import printable
    from sithsapp.pki.certificate import read_certificate

    return printable(read_certificate(credential.certificate).common_name or credential.label)
