# SPDX-License-Identifier: EUPL-1.2
"""Questions of the mTLS helper, its targets and sessions, invented, for tests and pictures."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QObject, Signal

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.interaction import KeyRequest, Program, Purpose
from sithsapp.mtls.route import TargetStatus
from sithsapp.mtls.sessions import Session
from tests.ui import samples

if TYPE_CHECKING:
    from sithsapp.ui.mtls.lending import Lending

CURL = Program("/usr/bin/curl", 4711)
GIT = Program("/usr/bin/git", 4712)
PURPOSE = Purpose(CURL, "journal", "journal.example.se", 443)
SESSION = Session("1", PURPOSE, 2, 1600.0)
OPEN_ONLY = Session("2", Purpose(GIT, "kod", "kod.example.se", 8443), 1, None)
TARGET = TargetStatus("journal", 9443, "journal.example.se:443", "http", 2, 2, 0, 1, None)
LIMITED = TargetStatus("kod", 9444, "kod.example.se:8443", "raw", 1, 1, 0, 1, "TLS 1.2")
BROWSER = TargetStatus("portal", 0, "portal.example.se:443", "browser", 0, 0, 0, 0, None)


def request(seconds: float = 60, **changes: object) -> KeyRequest:
    """Return a question as the helper asks it."""
    deadline = time.monotonic() + seconds
    asked = KeyRequest(PURPOSE, samples.CARD, samples.AUTH, samples.AUTH_PIN, deadline)
    return replace(asked, **changes)  # type: ignore[arg-type] # the fields' own types


def requests() -> dict[str, KeyRequest]:
    """Return a question for each look of the consent window."""
    return {
        "ask": request(),
        "ask-unnamed": request(purpose=replace(PURPOSE, program=Program(), port=8443)),
        "wrong": request(failure=Failure.PIN_WRONG, pin=replace(samples.AUTH_PIN, tries_left=2)),
        "last": request(pin=replace(samples.AUTH_PIN, tries_left=1)),
    }


class Lent(QObject):
    """What a page sees of a lending in which nothing moves."""

    changed = Signal()

    def __init__(self, *sessions: Session, failure: Failure | None = None) -> None:
        super().__init__()
        self._sessions = sessions
        self.failure = None if failure is None else SithsError(failure)
        self.ended: list[str] = []

    def status(self) -> tuple[TargetStatus, ...]:
        """Return the targets, none if there was a failure."""
        return (TARGET, LIMITED, BROWSER) if self.failure is None else ()

    def sessions(self) -> tuple[Session, ...]:
        """Return the sessions that were not ended."""
        return tuple(each for each in self._sessions if each.id not in self.ended)

    def end_session(self, session_id: str) -> None:
        """Remember which session was ended."""
        self.ended.append(session_id)
        self.changed.emit()

    def end_sessions(self) -> None:
        """End all."""
        self.ended += [each.id for each in self._sessions]
        self.changed.emit()


def lendings() -> dict[str, Lending]:
    """Return a lending for each look of the page of programs."""
    made = {
        "idle": Lent(),
        "used": Lent(SESSION),
        "several": Lent(SESSION, OPEN_ONLY),
        "port-taken": Lent(failure=Failure.PORT_IN_USE),
    }
    return {name: cast("Lending", lent) for name, lent in made.items()}
