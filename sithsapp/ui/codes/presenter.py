# SPDX-License-Identifier: EUPL-1.2
"""From the state of a code task to what the window draws. Pure: the same view gives the same page."""

from __future__ import annotations

from sithsapp.card.model import PinRole, SlotStatus
from sithsapp.card.pin_advice import advice_for
from sithsapp.failures import Failure
from sithsapp.locale import ngettext, tr
from sithsapp.ui import code_words, plain
from sithsapp.ui.codes.page import Body, CodesPage, EntryField, FormBody, NewCodeRules
from sithsapp.ui.codes.task import Done, Enter, Kind, Send, Stopped, View, WaitForCard, Wish
from sithsapp.ui.elements import Fact, Identity, Notice, Severity
from sithsapp.ui.holder import Describe, Holder
from sithsapp.ui.order.page import Action, LastTryBody, Picture, ProblemBody, WaitingBody
from sithsapp.ui.order.parts import NAME_LIMIT

_NEW_CODE_FAILURES = {Failure.NEW_PIN_REFUSED, Failure.NEW_PIN_SAME, Failure.NEW_PIN_TRIVIAL}
_OTHER_CODE = {PinRole.AUTH: PinRole.SIGN, PinRole.SIGN: PinRole.AUTH}


def present(wish: Wish, view: View, describe: Describe, *, last_try_confirmed: bool = False) -> CodesPage:
    """Return the page for `view`. `last_try_confirmed`: the person has said yes to using the last try."""
    body = _body(wish, view, describe, last_try_confirmed)
    return CodesPage(_title(wish), _spoken(body), body)


def _body(wish: Wish, view: View, describe: Describe, confirmed: bool) -> Body:
    match view:
        case WaitForCard():
            return _waiting(view)
        case Enter() if view.known.tries_left == 1 and not confirmed:
            return _last_try(view, describe)
        case Enter():
            return _form(wish, view, describe, confirmed)
        case Send():
            return _sending(wish, view)
        case Done():
            return _done(wish, view)
        case Stopped():
            return _stopped(wish, view)


def _title(wish: Wish) -> str:
    text = tr("Change {code}") if wish.kind is Kind.CHANGE else tr("Unlock {code}")
    return text.format(code=code_words.code_word(wish.role))


def _spoken(body: Body) -> str:
    match body:
        case WaitingBody():
            return f"{body.title}. {body.text}"
        case FormBody():
            return body.known.error or body.new.error
        case LastTryBody():
            return f"{body.notice.title}. {body.notice.text}"
        case ProblemBody():
            return " ".join((f"{body.notice.title}.", body.notice.text, *body.advice))


def _waiting(view: WaitForCard) -> WaitingBody:
    picture, title, text = _waiting_words(view)
    return WaitingBody(picture, title, text, tr("Cancel"), Action.CLOSE)


def _waiting_words(view: WaitForCard) -> tuple[Picture, str, str]:
    slots = view.cards.slots
    if not slots:
        failure = view.cards.failure or Failure.NO_READER if view.cards.service_running else Failure.NO_READER_SERVICE
        return Picture.NO_READER, tr(failure.title), tr(failure.remedy)
    if any(slot.status is SlotStatus.READING for slot in slots):
        return Picture.SPINNER, tr("Reading the card …"), tr("This takes a second or so.")
    if view.failure is Failure.CARD_CHANGED:
        text = tr("Insert the card that you began with. Nothing was sent to this one.")
        return Picture.CARD_PROBLEM, tr("Another card was inserted"), text
    if view.failure is Failure.CARD_REMOVED:
        text = tr("Insert the card again and enter the codes anew.")
        return Picture.NO_CARD, tr("The card was removed"), text
    broken = next((slot.failure for slot in slots if slot.failure is not None), None)
    if broken is not None:
        return Picture.CARD_PROBLEM, tr(broken.title), f"{tr(broken.cause)} {tr(broken.remedy)}"
    text = tr("Put the card in the reader, chip up and first. This window goes on by itself.")
    return Picture.NO_CARD, tr("Insert your card"), text


def _form(wish: Wish, view: Enter, describe: Describe, confirmed: bool) -> FormBody:
    change = wish.kind is Kind.CHANGE
    holder = _holder(view, describe)
    return FormBody(
        title=_title(wish),
        intro=_intro(wish, view),
        facts=_facts(view, holder) if view.several else (),
        notice=_notice(view),
        known=_known_field(wish, view),
        new=_new_field(view, tr("New {code}"), error=_new_error(view)),
        again=_new_field(view, tr("Repeat new {code}"), hint=""),
        rules=_rules(wish, holder),
        confirm=tr("Change code") if change else tr("Unlock"),
        cancel=tr("Cancel"),
        small_print="" if change else tr("No PUK code? Contact your ID administrator."),
        last_try_ok=confirmed,
        on_reader=_on_reader(view),
    )


def _on_reader(view: Enter) -> str:
    """Return what is said where the reader takes the codes; its errors stand here too, as there are no entries."""
    pad = view.card.pin_pad
    if pad is None or not pad.changes:
        return ""
    text = tr("The codes are typed on the keys of the card reader. Press the button here, then follow its display.")
    left = "" if view.known.tries_left is None else code_words.tries_left(view.known.tries_left)
    name = code_words.code_name(view.known.role)
    return " ".join(filter(None, (_known_error(view), _new_error(view), text, f"{name}: {left}." if left else "")))


def _intro(wish: Wish, view: Enter) -> str:
    if wish.kind is Kind.UNBLOCK:
        return tr("Enter the PUK code from your PUK letter and choose a new code.")
    choose = tr("Choose {length} that are hard to guess.").format(length=code_words.length(view.code))
    other = code_words.code_word(_OTHER_CODE.get(wish.role, wish.role))
    avoid = tr("Do not use your date of birth or the same code as your {code}.").format(code=other)
    return f"{choose} {avoid}"


def _notice(view: Enter) -> Notice | None:
    if view.code.never_changed:
        text = tr("The card still has the code that it was delivered with.")
        return Notice(Severity.INFO, tr("The code must be changed before use"), text)
    if view.failure is None or view.failure in _NEW_CODE_FAILURES or _blames_known(view):
        return None
    return Notice(Severity.ERROR, tr(view.failure.title), f"{tr(view.failure.cause)} {tr(view.failure.remedy)}")


def _blames_known(view: Enter) -> bool:
    return view.failure in (Failure.PIN_WRONG, Failure.PUK_WRONG, Failure.PIN_FORMAT)


def _known_field(wish: Wish, view: Enter) -> EntryField:
    word = code_words.code_word(view.known.role)
    change = wish.kind is Kind.CHANGE
    return EntryField(
        label=tr("Present {code}").format(code=word) if change else code_words.code_name(PinRole.PUK),
        hint=code_words.hint(view.known),
        error=_known_error(view),
        empty=tr("Enter your {code}.").format(code=word),
        too_short=code_words.too_short(view.known),
        min_length=view.known.min_length,
        max_length=view.known.max_length,
    )


def _known_error(view: Enter) -> str:
    if view.failure is Failure.PUK_WRONG:
        left = view.known.tries_left
        if left is None:
            return tr("Wrong {code}.").format(code=code_words.code_word(PinRole.PUK))
        text = ngettext(
            "Wrong PUK code. You have {n} attempt left. After that the card must be replaced.",
            "Wrong PUK code. You have {n} attempts left. After that the card must be replaced.",
            left,
        )
        return text.format(n=left)
    return code_words.entry_error(view.failure, view.known) if _blames_known(view) else ""


def _new_error(view: Enter) -> str:
    failure = view.failure
    return f"{tr(failure.title)}. {tr(failure.remedy)}" if failure in _NEW_CODE_FAILURES and failure else ""


def _new_field(view: Enter, label: str, *, error: str = "", hint: str | None = None) -> EntryField:
    word = code_words.code_word(view.code.role)
    return EntryField(
        label=label.format(code=word),
        hint=code_words.length(view.code) if hint is None else hint,
        error=error,
        empty=tr("Enter the new {code}.").format(code=word),
        too_short=code_words.too_short(view.code),
        min_length=view.code.min_length,
        max_length=view.code.max_length,
    )


def _rules(wish: Wish, holder: Holder) -> NewCodeRules:
    same = tr("The new code is the same as the old one.")
    same_as_puk = tr("The new code is the same as the PUK code.")
    return NewCodeRules(
        differ=tr("The codes differ. Enter the same code in both fields."),
        same=same if wish.kind is Kind.CHANGE else same_as_puk,
        easy=tr("Choose a code that is neither a run such as 123456 nor one digit repeated."),
        own=tr("Choose a code that is not part of your HSA-id or personal identity number."),
        personal=holder.identifier,
        insist=tr("Press the button again to use it anyway."),
    )


def _last_try(view: Enter, describe: Describe) -> LastTryBody:
    identity, first = _identity(view, describe), view.card.credentials[0].id if view.card.credentials else ""
    if view.known.role is not PinRole.PUK:
        return code_words.last_try(view.card.id, first, view.known, identity, view.failure)
    wrong = view.failure is Failure.PUK_WRONG
    title = tr("Wrong {code}. You have 1 attempt left.") if wrong else tr("You have 1 attempt left.")
    text = tr("One more mistake locks the PUK code, and the card must be replaced. Go on only if you are sure.")
    return LastTryBody(
        view.card.id,
        first,
        identity,
        Notice(Severity.WARNING, title.format(code=code_words.code_word(PinRole.PUK)), text),
        confirm=tr("Use the last attempt"),
        decline=tr("Cancel"),
        small_print=tr("Not sure of the PUK code? Contact your ID administrator."),
    )


def _sending(wish: Wish, view: Send) -> WaitingBody:
    if view.on_reader:
        text = tr("Enter the codes on the card reader. Nothing is typed on this computer.")
        return WaitingBody(Picture.KEYS, _title(wish), text, tr("Cancel"), Action.CLOSE)
    title = tr("Changing the code …") if wish.kind is Kind.CHANGE else tr("Unlocking the code …")
    return WaitingBody(Picture.SPINNER, title, tr("Leave the card in the reader."), "", Action.CLOSE)


def _done(wish: Wish, view: Done) -> WaitingBody:
    if wish.kind is Kind.CHANGE:
        title, text = tr("The code is changed"), tr("Use the new code from now on.")
    else:
        title, text = tr("The code is unlocked"), tr("Log in again with the new code.")
    if view.others:
        more = tr("The {code} must be changed as well.").format(code=code_words.code_word(view.others[0]))
        return WaitingBody(Picture.DONE, title, f"{text} {more}", tr("Go on"), Action.CHANGE_OTHER)
    return WaitingBody(Picture.DONE, title, text, tr("Close"), Action.CLOSE)


def _stopped(wish: Wish, view: Stopped) -> ProblemBody:
    failure = view.failure
    title = code_words.locked(wish.role) if failure is Failure.PIN_LOCKED else tr(failure.title)
    text = f"{tr(failure.cause)} {tr(failure.remedy)}"
    return ProblemBody(
        Notice(Severity.ERROR, title, text),
        tr("Error code {number}").format(number=failure.number),
        tr("Close"),
        advice=tuple(advice_for(failure)),
        forward=tr("Unlock with PUK code") if view.puk_helps else "",
        forward_action=Action.UNLOCK if view.puk_helps else None,
    )


def _holder(view: Enter, describe: Describe) -> Holder:
    return describe(view.card.credentials[0]) if view.card.credentials else Holder()


def _facts(view: Enter, holder: Holder) -> tuple[Fact, ...]:
    name = plain.line(holder.name or view.card.label, NAME_LIMIT)
    reader = plain.line(view.card.id.reader, NAME_LIMIT)
    return (Fact(tr("Holder"), name), Fact(tr("Card reader"), reader))


def _identity(view: Enter, describe: Describe) -> Identity:
    holder = _holder(view, describe)
    details = tuple(plain.line(text, NAME_LIMIT) for text in (holder.organisation, holder.identifier) if text)
    return Identity(tr("Card"), plain.line(holder.name or view.card.label, NAME_LIMIT), details, switch="")
