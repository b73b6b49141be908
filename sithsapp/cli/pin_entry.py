# SPDX-License-Identifier: EUPL-1.2
"""Codes for `siths pin`, each from its own descriptor or the terminal's prompt, checked before a card sees them."""

from __future__ import annotations

import sys

from sithsapp.card.model import PinRole, PinState
from sithsapp.card.pin import Pin
from sithsapp.card.pin_rules import check_length
from sithsapp.cli.output import Output, says_yes
from sithsapp.cli.secret_input import pin_from_descriptor, pin_from_terminal
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr


def ask(state: PinState, descriptor: int | None) -> Pin:
    """Return the present value of a code; raises PIN_NOT_GIVEN, PIN_FORMAT and CANCELLED_BY_USER."""
    left = "" if state.tries_left is None else " (" + tr("{n} attempts left").format(n=state.tries_left) + ")"
    pin = _ask(f"{code_name(state.role)}{left}:", descriptor)
    return _checked(pin, state)


def ask_new(state: PinState, descriptor: int | None) -> Pin:
    """Return a new value for a code, typed twice at a terminal; raises as `ask`, and NEW_PINS_DIFFER."""
    name = code_name(state.role)
    new = _checked(_ask(tr("New code ({name}):").format(name=name), descriptor), state)
    if descriptor is not None:
        return new
    try:
        again = _ask(tr("The new code once more:"), None)
    except SithsError:
        new.wipe()
        raise
    agrees = new.agrees_with(again)
    again.wipe()
    if not agrees:
        new.wipe()
        raise SithsError(Failure.NEW_PINS_DIFFER)
    return new


def allow_trivial(output: Output, *, allowed: bool, refused: bool = False) -> None:
    """Ask a person whether a code that is easy to guess shall be used; raises NEW_PIN_TRIVIAL unless so.

    `refused`: the settings let nobody use one.
    """
    if refused:
        raise SithsError(Failure.NEW_PIN_TRIVIAL, "the settings refuse codes that are easy to guess")
    if allowed:
        return
    if output.as_json or not sys.stdin.isatty():
        raise SithsError(Failure.NEW_PIN_TRIVIAL)
    output.note(tr("This code is easy to guess."))
    if not says_yes(tr("Use it anyway? (yes/no)")):
        raise SithsError(Failure.NEW_PIN_TRIVIAL)


def code_name(role: PinRole) -> str:
    """Return what people call a code."""
    if role is PinRole.PUK:
        return tr("PUK code")
    return tr("Signing code") if role is PinRole.SIGN else tr("Identification code")


def _ask(prompt: str, descriptor: int | None) -> Pin:
    if descriptor is not None:
        return pin_from_descriptor(descriptor)
    pin = pin_from_terminal(prompt)
    if pin is None:
        raise SithsError(Failure.CANCELLED_BY_USER)
    return pin


def _checked(pin: Pin, state: PinState) -> Pin:
    try:
        check_length(pin, state)
    except SithsError:
        pin.wipe()
        raise
    return pin
