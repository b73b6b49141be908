# SPDX-License-Identifier: EUPL-1.2
"""What every window says of a code: its name, its length, the tries left, what was wrong with an entry. Pure."""

from __future__ import annotations

from sithsapp.card.model import Card, CardId, PinRole, PinState
from sithsapp.failures import Failure
from sithsapp.locale import ngettext, tr
from sithsapp.ui.elements import Identity, Notice, Severity
from sithsapp.ui.order.page import LastTryBody


def code_name(role: PinRole) -> str:
    """Return the name of a code as a label."""
    names = {PinRole.AUTH: tr("Identification code"), PinRole.SIGN: tr("Signing code"), PinRole.PUK: tr("PUK code")}
    return names[role]


def code_word(role: PinRole) -> str:
    """Return the name of a code within a sentence."""
    names = {PinRole.AUTH: tr("identification code"), PinRole.SIGN: tr("signing code"), PinRole.PUK: tr("PUK code")}
    return names[role]


def locked(role: PinRole) -> str:
    """Return the sentence that a code is locked, without a full stop."""
    sentences = {
        PinRole.AUTH: tr("The identification code is locked"),
        PinRole.SIGN: tr("The signing code is locked"),
        PinRole.PUK: tr("The PUK code is locked"),
    }
    return sentences[role]


def tries_left(number: int) -> str:
    """Return how many tries a code has left, without a full stop."""
    return ngettext("{n} attempt left", "{n} attempts left", number).format(n=number)


def length(pin: PinState) -> str:
    """Return how long a code is, without a full stop."""
    same = pin.min_length == pin.max_length
    text = tr("{max} digits") if same else tr("{min}–{max} digits")
    return text.format(min=pin.min_length, max=pin.max_length)


def hint(pin: PinState) -> str:
    """Return how long a code is and how many tries it has left."""
    shown = length(pin)
    return shown if pin.tries_left is None else f"{shown}. {tries_left(pin.tries_left)}."


def on_reader(card: Card, pin: PinState) -> str:
    """Return that a code is typed on the reader, and how many tries it has left; empty where it is typed here."""
    if card.pin_pad is None:
        return ""
    text = tr("You enter your {code} on the card reader.").format(code=code_word(pin.role))
    return text if pin.tries_left is None else f"{text} {tries_left(pin.tries_left)}."


def reader_waits(role: PinRole) -> tuple[str, str]:
    """Return title and text of the page that stands while a code is typed on the reader."""
    text = tr("Type your {code} on the reader’s keypad and press OK on the reader.")
    stop = tr("To stop, press Cancel on the reader.")
    return tr("Enter the code on the card reader"), f"{text.format(code=code_word(role))} {stop}"


def too_short(pin: PinState) -> str:
    """Return what is said of an entry that is shorter than the card allows; it costs no try."""
    text = tr("The code is too short. It has at least {min} digits. No attempt was counted.")
    return text.format(min=pin.min_length)


def entry_error(failure: Failure | None, pin: PinState) -> str:
    """Return what is said of the entry before this one; empty for the first entry."""
    if failure is None:
        return ""
    if failure is Failure.PIN_FORMAT:
        return too_short(pin)
    if failure is not Failure.PIN_WRONG:
        return f"{tr(failure.title)}. {tr(failure.remedy)}"
    wrong = tr("Wrong {code}.").format(code=code_word(pin.role))
    number = pin.tries_left
    if number is None:
        return wrong
    left = ngettext("You have {n} attempt left.", "You have {n} attempts left.", number)
    return f"{wrong} {left.format(n=number)}"


def last_try(
    card: CardId, credential: str, pin: PinState, identity: Identity, failure: Failure | None
) -> LastTryBody:
    """Return the question before the last try of `pin` is used; `failure` is that of the entry before."""
    wrong = failure is Failure.PIN_WRONG
    title = tr("Wrong {code}. You have 1 attempt left.") if wrong else tr("You have 1 attempt left.")
    text = tr("One more mistake locks the code. Go on only if you are sure of your {code}.")
    code = code_word(pin.role)
    return LastTryBody(
        card,
        credential,
        identity,
        Notice(Severity.WARNING, title.format(code=code), text.format(code=code)),
        confirm=tr("Use the last attempt"),
        decline=tr("Cancel"),
        small_print=tr("A locked code is unlocked with your PUK code. No PUK code? Contact your ID administrator."),
    )
