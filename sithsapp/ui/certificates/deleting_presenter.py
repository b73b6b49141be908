# SPDX-License-Identifier: EUPL-1.2
"""What the window says that deletes a certificate from a token. Pure, without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.card.model import Card, Credential, PinRole, PinState
from sithsapp.failures import Failure
from sithsapp.locale import tr
from sithsapp.pki.certificate import Certificate
from sithsapp.pki.wording import moment
from sithsapp.ui import code_words, plain
from sithsapp.ui.elements import Accent, Fact, Identity, Notice, Severity
from sithsapp.ui.holder import Describe
from sithsapp.ui.order import parts, presenter
from sithsapp.ui.order.page import (
    Action,
    Body,
    CodeBody,
    Header,
    LastTryBody,
    Page,
    Picture,
    ProblemBody,
    WaitingBody,
)


@dataclass(frozen=True, slots=True, repr=False)
class Deletion:
    """A certificate that somebody wants to delete, and the state of the code that it takes."""

    card: Card
    credential: Credential
    fields: Certificate | None
    pin: PinState


def present_question(
    deletion: Deletion, describe: Describe, *, failure: Failure | None = None, last_try_confirmed: bool = False
) -> Page:
    """Return the page that says what is lost and asks for the code; `failure` is that of the entry before."""
    identity = _identity(deletion, describe)
    if deletion.pin.tries_left == 1 and not last_try_confirmed:
        last: LastTryBody = code_words.last_try(
            deletion.card.id, deletion.credential.id, deletion.pin, identity, failure
        )
        return _page(deletion, last)
    return _page(deletion, _code(deletion, identity, failure, last_try_ok=last_try_confirmed))


def present_working(deletion: Deletion) -> Page:
    """Return the page that stands while the card works."""
    title, text = tr("Deleting the certificate …"), tr("Leave the card in the reader.")
    return _page(deletion, WaitingBody(Picture.SPINNER, title, text, tr("Close"), Action.CLOSE))


def present_done(deletion: Deletion) -> Page:
    """Return the page that says that the certificate is gone."""
    title, text = tr("The certificate was deleted"), tr("It is no longer on the card.")
    return _page(deletion, WaitingBody(Picture.DONE, title, text, tr("Close"), Action.CLOSE))


def present_failure(deletion: Deletion, failure: Failure) -> Page:
    """Return the page that says why the certificate is still there."""
    number = tr("Error code {number}").format(number=failure.number)
    notice = Notice(Severity.ERROR, tr(failure.title), f"{tr(failure.cause)} {tr(failure.remedy)}")
    return _page(deletion, ProblemBody(notice, number, tr("Close")))


def _page(deletion: Deletion, body: Body) -> Page:
    signs = deletion.credential.pin is PinRole.SIGN
    sentence = tr("Delete a certificate from the card")
    header = Header(
        accent=Accent.SIGN if signs else Accent.AUTH,
        kind=tr("Certificates"),
        who=tr("Signature") if signs else tr("Identification"),
        wants=tr("The certificate is deleted from the card for good"),
        sentence=sentence,
        environment="",
        deadline=None,
        more_time="",
    )
    return Page(sentence, presenter.spoken(body), header, body)


def _code(deletion: Deletion, identity: Identity, failure: Failure | None, *, last_try_ok: bool) -> CodeBody:
    pin = deletion.pin
    return CodeBody(
        card=deletion.card.id,
        credential=deletion.credential.id,
        facts=_facts(deletion.fields),
        notices=(_warning(deletion.credential.pin),),
        readings=(),
        identity=identity,
        label=code_words.code_name(pin.role),
        hint=code_words.hint(pin),
        error=code_words.entry_error(failure, pin),
        empty=tr("Enter your {code}.").format(code=code_words.code_word(pin.role)),
        too_short=code_words.too_short(pin),
        min_length=pin.min_length,
        max_length=pin.max_length,
        approve=tr("Delete the certificate"),
        decline=tr("Cancel"),
        small_print=tr("The key stays on the card, but nobody can use it without the certificate."),
        report="",
        reference="",
        last_try_ok=last_try_ok,
    )


def _warning(role: PinRole) -> Notice:
    signs = tr("You can no longer sign with it. Only your ID administrator can get you a new one.")
    identifies = tr("You can no longer identify yourself with it. Only your ID administrator can get you a new one.")
    return Notice(
        Severity.WARNING, tr("The certificate is lost for good"), signs if role is PinRole.SIGN else identifies
    )


def _facts(fields: Certificate | None) -> tuple[Fact, ...]:
    if fields is None:
        return ()
    return (
        Fact(tr("Issued by"), plain.line(fields.issuer, parts.NAME_LIMIT)),
        Fact(tr("Valid until"), moment(fields.not_after)),
    )


def _identity(deletion: Deletion, describe: Describe) -> Identity:
    holder = describe(deletion.credential)
    return Identity(
        caption=tr("The certificate belongs to"),
        name=plain.line(holder.name or deletion.card.label, parts.NAME_LIMIT),
        details=parts.details(holder),
        switch="",
    )
