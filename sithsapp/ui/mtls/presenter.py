# SPDX-License-Identifier: EUPL-1.2
"""From the helper's question to what the window draws. Pure: the same question gives the same page."""

from __future__ import annotations

from pathlib import PurePath

from sithsapp.card.model import CardsState, PinRole
from sithsapp.failures import Failure
from sithsapp.locale import ngettext, tr
from sithsapp.mtls.interaction import CardWanted, KeyRequest, Program, Purpose
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

_HTTPS = 443


def program_name(program: Program) -> str:
    """Return what a program is called in a sentence: its file's name."""
    name = PurePath(program.path).name if program.path else ""
    return plain.line(name, parts.NAME_LIMIT) if name else tr("An unknown program")


def present_question(
    request: KeyRequest, describe: Describe, *, environment: str, session_seconds: int, last_try_confirmed: bool
) -> Page:
    """Return the page that asks for the code. `environment` is the badge's text, empty in production."""
    last = request.pin.tries_left == 1 and not last_try_confirmed
    body = (
        _last_try(request, describe)
        if last
        else _code(request, describe, session_seconds, last_try_ok=last_try_confirmed)
    )
    return _page(request.purpose, environment, body, request.deadline)


def present_card_wanted(wanted: CardWanted, cards: CardsState, environment: str) -> Page:
    """Return the page that asks for a card."""
    picture, title, text = presenter.waiting_words(cards, None)
    body = WaitingBody(picture, title, text, tr("Cancel"), Action.DECLINE, facts=(_program_fact(wanted.purpose),))
    return _page(wanted.purpose, environment, body, wanted.deadline)


def present_working(purpose: Purpose, environment: str) -> Page:
    """Return the page that stands while the card signs."""
    title, text = tr("Identifying …"), tr("Leave the card in the reader.")
    return _page(purpose, environment, WaitingBody(Picture.SPINNER, title, text, tr("Close"), Action.CLOSE))


def present_reader(purpose: Purpose, environment: str) -> Page:
    """Return the page that stands while the code is typed on the reader."""
    title, text = code_words.reader_waits(PinRole.AUTH)
    return _page(purpose, environment, WaitingBody(Picture.KEYS, title, text, tr("Close"), Action.CLOSE))


def present_failure(purpose: Purpose, environment: str, failure: Failure) -> Page:
    """Return the page that says why the program does not reach the server."""
    text = f"{tr(failure.cause)} {tr(failure.remedy)}"
    number = tr("Error code {number}").format(number=failure.number)
    label, action = presenter.way_forward(failure)
    notice = Notice(Severity.ERROR, tr(failure.title), text)
    body = ProblemBody(notice, number, tr("Close"), forward=label, forward_action=action)
    return _page(purpose, environment, body)


def _page(purpose: Purpose, environment: str, body: Body, deadline: float | None = None) -> Page:
    host, program = _server(purpose), program_name(purpose.program)
    header = Header(
        accent=Accent.AUTH,
        kind=tr("The card in a program"),
        who=host,
        wants=tr("{program} wants to log in there with your card").format(program=program),
        sentence=tr("{program} wants to reach {host} with your card").format(program=program, host=host),
        environment=environment,
        deadline=deadline,
        more_time="",
    )
    return Page(header.sentence, presenter.spoken(body), header, body)


def _server(purpose: Purpose) -> str:
    shown = purpose.host if purpose.port == _HTTPS else f"{purpose.host}:{purpose.port}"
    return plain.line(shown, parts.NAME_LIMIT)


def _last_try(request: KeyRequest, describe: Describe) -> LastTryBody:
    identity = _identity(request, describe)
    return code_words.last_try(request.card.id, request.credential.id, request.pin, identity, request.failure)


def _code(request: KeyRequest, describe: Describe, session_seconds: int, *, last_try_ok: bool) -> CodeBody:
    pin = request.pin
    return CodeBody(
        card=request.card.id,
        credential=request.credential.id,
        facts=_facts(request.purpose, session_seconds),
        notices=_refusals(request),
        readings=(),
        identity=_identity(request, describe),
        label=code_words.code_name(pin.role),
        hint=code_words.hint(pin),
        error=code_words.entry_error(request.failure, pin),
        empty=tr("Enter your {code}.").format(code=code_words.code_word(PinRole.AUTH)),
        too_short=code_words.too_short(pin),
        min_length=pin.min_length,
        max_length=pin.max_length,
        approve=tr("Identify"),
        decline=tr("Cancel"),
        small_print=_small_print(),
        report="",
        reference="",
        last_try_ok=last_try_ok,
        on_reader=code_words.on_reader(request.card, pin),
    )


def _refusals(request: KeyRequest) -> tuple[Notice, ...]:
    """Return what was wrong with the entry before where there is no field to say it at."""
    error = code_words.entry_error(request.failure, request.pin)
    return (Notice(Severity.WARNING, error),) if error and request.card.pin_pad is not None else ()


def _facts(purpose: Purpose, session_seconds: int) -> tuple[Fact, ...]:
    facts = [_program_fact(purpose), Fact(tr("Server"), plain.line(f"{purpose.host}:{purpose.port}"))]
    return (*facts, Fact(tr("Lasts"), _duration(session_seconds)))


def _program_fact(purpose: Purpose) -> Fact:
    return Fact(tr("Program"), _program(purpose.program))


def _program(program: Program) -> str:
    if not program.path:
        return program_name(program)
    path = plain.line(program.path)
    return path if program.pid is None else tr("{path} (process {pid})").format(path=path, pid=program.pid)


def _duration(seconds: int) -> str:
    if not seconds:
        return tr("One connection")
    minutes = max(1, round(seconds / 60))
    text = ngettext("{n} minute, or until the card is removed", "{n} minutes, or until the card is removed", minutes)
    return text.format(n=minutes)


def _identity(request: KeyRequest, describe: Describe) -> Identity:
    holder = describe(request.credential)
    return Identity(
        caption=tr("You identify yourself as"),
        name=plain.line(holder.name or request.card.label, parts.NAME_LIMIT),
        details=parts.details(holder),
        switch="",
    )


def _small_print() -> str:
    warning = tr("Cancel if you did not start the program yourself.")
    shared = tr("The server gets what your certificate says: name, HSA-id and organisation.")
    return f"{shared} {warning}"
