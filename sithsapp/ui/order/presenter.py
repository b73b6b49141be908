# SPDX-License-Identifier: EUPL-1.2
"""From what the flow shows to what the window draws. Pure: the same view gives the same page."""

from __future__ import annotations

from sithsapp.card.model import CardsState, PinState, SlotStatus
from sithsapp.failures import Failure
from sithsapp.locale import tr
from sithsapp.oob.interaction import (
    EnterOnReader,
    EnterPin,
    Finished,
    Opening,
    OpenOrder,
    View,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.order import OrderType
from sithsapp.ui import code_words
from sithsapp.ui.elements import Notice, Severity
from sithsapp.ui.holder import Describe
from sithsapp.ui.order import parts
from sithsapp.ui.order.page import (
    Action,
    BindingCodeBody,
    Body,
    CodeBody,
    LastTryBody,
    Page,
    Picture,
    ProblemBody,
    WaitingBody,
)

BINDING_CODE_SECONDS = 120
"""How long a binding code may be seen (protocol section B13)."""

_CALM_ENDS = {Failure.CANCELLED_BY_USER, Failure.ORDER_CANCELLED, Failure.REPORTED_BY_USER, Failure.SESSION_LOCKED}


def present(view: View, describe: Describe, *, last_try_confirmed: bool = False) -> Page:
    """Return the page for `view`. `last_try_confirmed`: the person has said yes to using the last try."""
    match view:
        case Opening():
            return _page(None, _opening())
        case WaitForCard():
            return _page(view.open_order, _waiting(view))
        case EnterPin(pin=PinState(tries_left=1)) if not last_try_confirmed:
            return _page(view.open_order, _last_try(view, describe))
        case EnterPin():
            return _page(view.open_order, _code(view, describe, last_try_confirmed))
        case EnterOnReader():
            return _page(view.open_order, _on_reader(view))
        case Working():
            return _page(view.open_order, _working(view))
        case Finished():
            return _page(view.open_order, _finished(view), ended=True)


def _page(opened: OpenOrder | None, body: Body, *, ended: bool = False) -> Page:
    header = parts.header(opened, ended=ended) if opened is not None else None
    title = header.sentence if header is not None else tr("SITHS eID-app")
    return Page(title, spoken(body), header, body)


def spoken(body: Body) -> str:
    """Return what a screen reader hears when the page comes."""
    match body:
        case WaitingBody():
            return f"{body.title}. {body.text}"
        case CodeBody():
            return body.error
        case LastTryBody() | ProblemBody():
            return f"{body.notice.title}. {body.notice.text}"
        case BindingCodeBody():
            return f"{body.title}. {body.spoken_code}. {body.warning.title}"


def _opening() -> WaitingBody:
    title, text = tr("Opening the request …"), tr("This takes a second or so.")
    return WaitingBody(Picture.SPINNER, title, text, tr("Cancel"), Action.DECLINE)


def _waiting(view: WaitForCard) -> WaitingBody:
    order = view.open_order.order
    picture, title, text = waiting_words(view.cards, view.failure)
    return WaitingBody(
        picture,
        title,
        text,
        tr("Cancel"),
        Action.DECLINE,
        facts=parts.facts(order),
        notices=parts.notices(order),
        report=tr("I did not start this"),
        reference=parts.reference(order),
    )


def waiting_words(cards: CardsState, trouble: Failure | None) -> tuple[Picture, str, str]:
    """Return drawing, title and text of a page that waits for a card; `trouble` explains one that will not do."""
    if not cards.service_running and not cards.slots:
        return _failure_words(Failure.NO_READER_SERVICE, Picture.NO_READER)
    if not cards.slots:
        text = tr("The app finds no card reader. Connect the reader and check the cable.")
        return Picture.NO_READER, tr("Connect a card reader"), text
    if any(slot.status is SlotStatus.READING for slot in cards.slots):
        return Picture.SPINNER, tr("Reading the card …"), tr("This takes a second or so.")
    if trouble is Failure.CARD_REMOVED:
        text = tr("Insert the card again to go on. Nothing was sent.")
        return Picture.NO_CARD, tr("The card was removed"), text
    failure = _card_trouble(cards, trouble)
    if failure is not None:
        return _failure_words(failure, Picture.CARD_PROBLEM)
    text = tr("Put the card in the reader, chip up and first. This window goes on by itself.")
    return Picture.NO_CARD, tr("Insert your card"), text


def _card_trouble(cards: CardsState, trouble: Failure | None) -> Failure | None:
    if trouble not in (None, Failure.NO_CARD, Failure.NO_READER):
        return trouble
    return next((slot.failure for slot in cards.slots if slot.failure is not None), None)


def _failure_words(failure: Failure, picture: Picture) -> tuple[Picture, str, str]:
    number = tr("Error code {number}").format(number=failure.number)
    return picture, tr(failure.title), f"{tr(failure.cause)} {tr(failure.remedy)} {number}."


def _last_try(view: EnterPin, describe: Describe) -> LastTryBody:
    identity = parts.identity(view, describe)
    return code_words.last_try(view.card.id, view.credential.id, view.pin, identity, view.failure)


def _code(view: EnterPin, describe: Describe, last_try_confirmed: bool) -> CodeBody:
    order, pin = view.open_order.order, view.pin
    sign = order.typ is OrderType.SIGN
    return CodeBody(
        card=view.card.id,
        credential=view.credential.id,
        facts=parts.facts(order),
        notices=parts.notices(order) + _refusals(view),
        readings=parts.readings(order),
        identity=parts.identity(view, describe),
        label=code_words.code_name(pin.role),
        hint=code_words.hint(pin),
        error=code_words.entry_error(view.failure, pin),
        empty=tr("Enter your {code}.").format(code=code_words.code_word(pin.role)),
        too_short=code_words.too_short(pin),
        min_length=pin.min_length,
        max_length=pin.max_length,
        approve=tr("Sign") if sign else tr("Identify"),
        decline=tr("Cancel"),
        small_print=_small_print(sign),
        report=tr("I did not start this"),
        reference=parts.reference(order),
        last_try_ok=last_try_confirmed,
        on_reader=code_words.on_reader(view.card, pin),
    )


def _refusals(view: EnterPin) -> tuple[Notice, ...]:
    """Return what was wrong with the entry before where there is no field to say it at."""
    error = code_words.entry_error(view.failure, view.pin)
    return (Notice(Severity.WARNING, error),) if error and view.card.pin_pad is not None else ()


def _on_reader(view: EnterOnReader) -> WaitingBody:
    order = view.open_order.order
    title, text = code_words.reader_waits(view.pin.role)
    return WaitingBody(Picture.KEYS, title, text, tr("Cancel"), Action.DECLINE, facts=parts.facts(order))


def _small_print(sign: bool) -> str:
    warning = (
        tr("Cancel if you did not start this signature yourself.")
        if sign
        else tr("Cancel if you did not start this log-in yourself.")
    )
    shared = tr("The service gets your name, HSA-id and organisation.")
    return f"{shared} {warning}"


def _working(view: Working) -> WaitingBody:
    sign = view.open_order.order.typ is OrderType.SIGN
    title = tr("Signing …") if sign else tr("Identifying …")
    return WaitingBody(Picture.SPINNER, title, tr("Leave the card in the reader."), tr("Cancel"), Action.DECLINE)


def _finished(view: Finished) -> Body:
    if view.failure is not None:
        return _problem(view, view.failure)
    if view.code is not None:
        return _binding_code(view.code)
    sign = view.open_order is not None and view.open_order.order.typ is OrderType.SIGN
    title = tr("You have signed") if sign else tr("You are identified")
    text = tr("Go back to {rp}. This window closes by itself.").format(rp=_asker(view.open_order))
    return WaitingBody(Picture.DONE, title, text, tr("Close"), Action.CLOSE, closes_itself=True)


def _binding_code(code: str) -> BindingCodeBody:
    shown = code if len(code) % 2 else f"{code[: len(code) // 2]} {code[len(code) // 2 :]}"
    return BindingCodeBody(
        title=tr("Enter this code in your browser"),
        text=tr("Type it in the window where you started."),
        code=shown,
        spoken_code=" ".join(code),
        warning=Notice(Severity.WARNING, tr("Never tell anyone the code, not even support.")),
        button=tr("Close"),
        seconds=BINDING_CODE_SECONDS,
    )


def _problem(view: Finished, failure: Failure) -> ProblemBody:
    title, text = tr(failure.title), f"{tr(failure.cause)} {tr(failure.remedy)}"
    if failure is Failure.ORDER_EXPIRED and view.open_order is not None:
        text = tr("It took too long. Go back to {rp} and start again.").format(rp=_asker(view.open_order))
    if failure is Failure.PIN_LOCKED:
        no_puk = tr("No PUK code? Contact your ID administrator.")
        text = f"{text} {no_puk}"
    severity = Severity.INFO if failure in _CALM_ENDS else Severity.ERROR
    number = tr("Error code {number}").format(number=failure.number)
    report = tr("Create an error report …") if severity is Severity.ERROR else ""
    label, action = way_forward(failure) if view.open_order is not None else ("", None)
    notice = Notice(severity, title, text)
    return ProblemBody(notice, number, tr("Close"), "" if label else report, forward=label, forward_action=action)


def way_forward(failure: Failure) -> tuple[str, Action | None]:
    """Return the button that helps against a failure, where the app itself can help."""
    if failure is Failure.PIN_LOCKED:
        return tr("Unlock with PUK code"), Action.UNLOCK
    if failure is Failure.PIN_MUST_BE_CHANGED:
        return tr("Change code"), Action.CHANGE_CODE
    return "", None


def _asker(opened: OpenOrder | None) -> str:
    return parts.asker(opened.order) if opened is not None else tr("the service")
