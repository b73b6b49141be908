# SPDX-License-Identifier: EUPL-1.2
"""`siths pin status`, `pin change` and `pin unblock`."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TYPE_CHECKING

from sithsapp.card.model import Card, PinRole, PinState
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.pin_advice import advice_for, advice_on, ways_to_unlock
from sithsapp.card.pin_rules import check_new, check_tries
from sithsapp.cli.card_service import running_card_service, settled
from sithsapp.cli.choice import chosen_card
from sithsapp.cli.on_reader import on_reader
from sithsapp.cli.output import Output
from sithsapp.cli.pin_entry import allow_trivial, ask, ask_new, code_name
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.card.service import CardService

_log = logging.getLogger(__name__)
_MAY_BE_EQUAL = "codes-may-be-equal"


def status(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Show the tries left of one code, or of all; exit 0 also for a locked one."""
    with running_card_service(settings) as service:
        card = chosen_card(settled(service), arguments.reader)
    states = card.pins if arguments.role is None else (_code(card, PinRole(arguments.role)),)
    advice = _with_command(advice_on(states))
    lines = [line for state in states for line in _lines(state)]
    output.result(
        {"reader": card.id.reader, "codes": [_data(state) for state in states], "advice": advice}, lines + advice
    )
    return 0


def change(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Replace a code by a new one."""

    def work(service: CardService, card: Card, state: PinState, codes: ExitStack) -> Future[PinState]:
        check_tries(state, last_try_ok=arguments.last_try_ok)
        if _on_reader(card, arguments.pin_fd, arguments.new_pin_fd):
            output.note(on_reader(state) + " " + tr("The reader asks for the new code too."))
            return service.change_pin_on_pad(card.id, state.role, PadEntry(), last_try_ok=arguments.last_try_ok)
        old = _kept(codes, ask(state, arguments.pin_fd))
        new = _kept(codes, ask_new(state, arguments.new_pin_fd))
        check_new(new, state, old)
        if new.is_trivial:
            allow_trivial(output, allowed=arguments.allow_trivial, refused=settings.refuse_easy_codes)
        codes.pop_all()  # from here the service wipes them, and nobody else may while they are sent
        return service.change_pin(card.id, state.role, old, new, last_try_ok=arguments.last_try_ok)

    return _manage(arguments, settings, output, work, "changed")


def unblock(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Set a new code with the PUK."""

    def work(service: CardService, card: Card, state: PinState, codes: ExitStack) -> Future[PinState]:
        if state.unblocked_by is not PinRole.PUK:
            raise SithsError(Failure.UNBLOCK_NOT_POSSIBLE, "the card names no PUK for this code")
        puk_state = _code(card, PinRole.PUK)
        check_tries(puk_state, last_try_ok=arguments.last_try_ok)
        if _on_reader(card, arguments.puk_fd, arguments.new_pin_fd):
            output.note(on_reader(puk_state) + " " + tr("The reader asks for the new code too."))
            return service.unblock_on_pad(card.id, state.role, PadEntry(), last_try_ok=arguments.last_try_ok)
        puk = _kept(codes, ask(puk_state, arguments.puk_fd))
        new = _kept(codes, ask_new(state, arguments.new_pin_fd))
        check_new(new, state, puk)
        if new.is_trivial:
            allow_trivial(output, allowed=arguments.allow_trivial, refused=settings.refuse_easy_codes)
        codes.pop_all()  # from here the service wipes them, and nobody else may while they are sent
        return service.unblock(card.id, state.role, puk, new, last_try_ok=arguments.last_try_ok)

    return _manage(arguments, settings, output, work, "unblocked")


_Work = Callable[["CardService", Card, PinState, ExitStack], "Future[PinState]"]


def _manage(arguments: argparse.Namespace, settings: Settings, output: Output, work: _Work, result: str) -> int:
    """Find card and code, do the work, wipe every code that was not sent, and tell how it ended."""
    try:
        with running_card_service(settings) as service, ExitStack() as codes:
            card = chosen_card(settled(service), arguments.reader)
            state = _code(card, PinRole(arguments.role))
            after = work(service, card, state, codes).result()
    except SithsError as error:
        _log.warning("%s", error)
        return output.failure(error, _with_command(advice_for(error.failure)))
    data = {"reader": card.id.reader, "result": result, "code": _data(after), "warnings": [_MAY_BE_EQUAL]}
    done = tr("The code is changed.") if result == "changed" else tr("The code is unlocked and has its new value.")
    output.result(data, [done, *_lines(after)])
    if not output.as_json:
        output.note(tr("Use different codes for identification and signing. The app cannot see whether they differ."))
    return 0


def _on_reader(card: Card, *descriptors: int | None) -> bool:
    """Tell whether codes are typed on the reader: it can take new ones, and none comes from elsewhere."""
    return card.pin_pad is not None and card.pin_pad.changes and descriptors == (None, None)


def _with_command(advice: list[str]) -> list[str]:
    """Return `advice`, and the command where it speaks of the PUK code."""
    return [*advice, tr("With the PUK code, run siths pin unblock.")] if advice == ways_to_unlock() else advice


def _kept(codes: ExitStack, pin: Pin) -> Pin:
    codes.callback(pin.wipe)
    return pin


def _code(card: Card, role: PinRole) -> PinState:
    state = card.pin(role)
    if state is None:
        raise SithsError(Failure.CARD_ERROR, f"the card has no {role.value} code")
    return state


def _data(state: PinState) -> dict[str, object]:
    return {
        "role": state.role.value,
        "tries_left": state.tries_left,
        "blocked": state.blocked,
        "min_length": state.min_length,
        "max_length": state.max_length,
        "must_be_changed": state.never_changed,
        "unblocked_by": None if state.unblocked_by is None else state.unblocked_by.value,
    }


def _lines(state: PinState) -> list[str]:
    if state.blocked:
        told = tr("locked")
    elif state.tries_left is None:
        told = tr("the card does not tell the attempts left")
    else:
        told = tr("{n} attempts left").format(n=state.tries_left)
    lines = [f"{code_name(state.role)} ({state.role.value}): {told}"]
    if state.never_changed:
        lines.append("  " + tr("The code must be changed before use"))
    return lines
