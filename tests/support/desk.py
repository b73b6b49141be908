# SPDX-License-Identifier: EUPL-1.2
"""A computer for self-tests and reports: an operating system that says what a test wants, and a quiet network."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sithsapp.card.model import Card, CardsState, Slot, SlotStatus
from sithsapp.failures import Failure
from sithsapp.oob.transport import HttpTransport, TransportFactory
from sithsapp.support.checks.check import Check, Context, Outcome, Result, SettingsView, ok
from sithsapp.support.system.facts import BlockedLinks, Driver, Propagation, Session, SessionKind
from tests.parts.settings import store_of

READER = "Test reader 00 00"


@dataclass
class StillSystem:
    """An operating system as a test describes it."""

    parts: tuple[tuple[str, str], ...] = (("system", "Test OS 1"),)
    shown: Session = field(default_factory=lambda: Session(SessionKind.LOCAL))
    drivers: Driver = field(default_factory=lambda: Driver(("pcsc-lite 9.9",), 1, True))
    others: tuple[str, ...] = ()
    copies: Propagation | None = None
    blocked: tuple[BlockedLinks, ...] = ()
    roots: tuple[Path, ...] = ()

    def describe(self) -> tuple[tuple[str, str], ...]:
        return self.parts

    def session(self) -> Session:
        return self.shown

    def driver(self) -> Driver:
        return self.drivers

    def other_card_software(self) -> tuple[str, ...]:
        return self.others

    def propagation(self) -> Propagation | None:
        return self.copies

    def blocked_links(self, scheme: str) -> tuple[BlockedLinks, ...]:
        return self.blocked

    def public_roots(self) -> tuple[Path, ...]:
        return self.roots


def no_network(*, local_http: bool) -> HttpTransport:
    """Refuse to make a transport: a test that meets this has no business on the network."""
    raise AssertionError("nothing may be asked")


def cards(
    status: SlotStatus = SlotStatus.EMPTY, card: Card | None = None, failure: Failure | None = None
) -> CardsState:
    """Return one reader with that in it."""
    return CardsState(True, (Slot(READER, status, card, failure),))


def context(
    directory: Path,
    state: CardsState | None = None,
    *,
    system: StillSystem | None = None,
    settings: SettingsView | None = None,
    transports: TransportFactory = no_network,
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], datetime] | None = None,
) -> Context:
    """Return what self-tests look at."""
    now = state if state is not None else CardsState(True, ())
    made = Context(
        settings or store_of(),
        lambda: now,
        system or StillSystem(),
        transports,
        directory,
        environment or {},
        cancelled=threading.Event(),
    )
    if clock is None:
        return made
    return Context(made.settings, made.cards, made.system, transports, directory, made.environment, clock)


@dataclass
class Scripted:
    """A self-test that answers what a test wants, once it is let."""

    id: str = "scripted"
    title: str = "Clock"
    result: Result = field(default_factory=lambda: ok("The clock is right."))
    go: threading.Event | None = None
    error: Exception | None = None

    def run(self, context: Context) -> Result:
        if self.go is not None:
            self.go.wait(20)
        if self.error is not None:
            raise self.error
        return self.result


def run(check: Check, context: Context) -> Result:
    """Run one self-test, and hold it to what a person must be told."""
    result = check.run(context)
    assert str(result.sentence)
    if result.outcome is Outcome.PROBLEM:
        assert result.remedy is not None
        assert str(result.remedy)
    return result
