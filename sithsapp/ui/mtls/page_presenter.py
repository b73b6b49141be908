# SPDX-License-Identifier: EUPL-1.2
"""From targets and sessions to what the page shows. Pure, without Qt."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sithsapp.failures import SithsError
from sithsapp.locale import ngettext, tr
from sithsapp.ui import plain
from sithsapp.ui.elements import Fact, Notice, Severity
from sithsapp.ui.mtls.presenter import program_name
from sithsapp.ui.order.parts import NAME_LIMIT

if TYPE_CHECKING:  # the helper's modules load the encryption library
    from sithsapp.mtls.route import TargetStatus
    from sithsapp.mtls.sessions import Session


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A program that uses the card. `id` is the session's."""

    id: str
    title: str
    details: str
    end: str


@dataclass(frozen=True, slots=True)
class TargetCard:
    """A server that programs reach with the card. `address` is what a program is given, empty for browsers."""

    title: str
    facts: tuple[Fact, ...]
    address: str
    copy: str


@dataclass(frozen=True, slots=True)
class Programs:
    """The whole page.

    `in_use` heads the sessions and `servers` the targets, `nobody` stands in place of sessions; `notice` tells of a
    fault.
    """

    intro: str
    notice: Notice | None
    in_use: str
    nobody: str
    sessions: tuple[SessionRow, ...]
    end_all: str
    servers: str
    targets: tuple[TargetCard, ...]


def present_programs(
    targets: Sequence[TargetStatus], sessions: Sequence[Session], failure: SithsError | None, now: float | None = None
) -> Programs:
    """Return the page. `now` is `time.monotonic()` seconds."""
    moment = time.monotonic() if now is None else now
    rows = tuple(_session(each, moment) for each in sessions)
    return Programs(
        intro=tr("Programs on this computer reach these servers with your card, once you have said yes."),
        notice=None if failure is None else _notice(failure),
        in_use=tr("Uses the card now"),
        nobody="" if rows else tr("No program uses the card."),
        sessions=rows,
        end_all=tr("End all") if len(rows) > 1 else "",
        servers=tr("Servers") if targets else "",
        targets=tuple(map(_target, targets)),
    )


def session_line(session: Session) -> str:
    """Return one line on a session, for a menu."""
    return f"{program_name(session.purpose.program)} · {_server(session)}"


def _notice(failure: SithsError) -> Notice:
    number = tr("Error code {number}").format(number=failure.failure.number)
    text = f"{tr(failure.failure.cause)} {tr(failure.failure.remedy)} {number}."
    return Notice(Severity.ERROR, tr(failure.failure.title), text)


def _session(session: Session, now: float) -> SessionRow:
    name, server = program_name(session.purpose.program), _server(session)
    title = tr("{program} at {server}").format(program=name, server=server)
    return SessionRow(session.id, title, _details(session, now), tr("End"))


def _details(session: Session, now: float) -> str:
    count = session.connections
    connections = ngettext("{n} connection open", "{n} connections open", count).format(n=count)
    if session.until is None:
        return connections
    minutes = max(1, round((session.until - now) / 60))
    lasts = ngettext("no new code for {n} minute", "no new code for {n} minutes", minutes).format(n=minutes)
    return f"{connections}, {lasts}"


def _server(session: Session) -> str:
    purpose = session.purpose
    return plain.line(purpose.host if purpose.port == 443 else f"{purpose.host}:{purpose.port}", NAME_LIMIT)


def _target(target: TargetStatus) -> TargetCard:
    address = "" if target.mode == "browser" else _address(target)
    facts = [Fact(tr("Server"), plain.line(target.server))]
    facts.append(Fact(tr("For"), tr("Browsers") if target.mode == "browser" else tr("Programs")))
    if address:
        facts.append(Fact(tr("Address for programs"), address))
    if target.limited:
        facts.append(Fact(tr("Limited"), plain.line(target.limited, 300)))
    return TargetCard(plain.line(target.name), tuple(facts), address, tr("Copy the address") if address else "")


def _address(target: TargetStatus) -> str:
    scheme = "http://" if target.mode == "http" else ""
    return f"{scheme}127.0.0.1:{target.port}"
