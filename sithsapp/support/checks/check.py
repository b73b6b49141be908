# SPDX-License-Identifier: EUPL-1.2
"""The one interface of self-tests, and what they say."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Protocol

from sithsapp.card.model import CardsState
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.oob.transport import TransportFactory
from sithsapp.settings.schema import Settings
from sithsapp.settings.sources import Authority
from sithsapp.support.system.facts import System


def _(text: str) -> str:
    """Mark a text for the message catalogue; it is translated where it is shown."""
    return text


class Outcome(Enum):
    """What a self-test found. Values are the words of the command line's JSON."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"
    NOT_APPLICABLE = "not_applicable"


class Action(Enum):
    """What the app can do about a finding by itself, without harm and without an administrator."""

    TAKE_SCHEME = "take_scheme"
    MAKE_LOG_PRIVATE = "make_log_private"
    READ_CARD_AGAIN = "read_card_again"
    SHOW_SETTINGS = "show_settings"


@dataclass(frozen=True, slots=True)
class Said:
    """A text in whatever language is in use when it is read: an English message id and the words to fill in.

    A word may be such a text itself.
    """

    text: str
    words: tuple[tuple[str, object], ...] = ()

    def __str__(self) -> str:
        """Return the text in the language in use."""
        return tr(self.text).format(**dict(self.words)) if self.words else tr(self.text)


def said(text: str, **words: object) -> Said:
    """Return a text with its words."""
    return Said(text, tuple(words.items()))


@dataclass(frozen=True, slots=True)
class Result:
    """What a self-test says: one sentence, what to do about it, and perhaps what the app can do itself.

    `details` are technical lines for the report, in English; they hold no secret, and personal data is taken out of
    them as of everything else.
    """

    outcome: Outcome
    sentence: Said
    remedy: Said | None = None
    action: Action | None = None
    failure: Failure | None = None
    details: tuple[str, ...] = ()


def ok(text: str, *details: str, **words: object) -> Result:
    """Return that all is well."""
    return Result(Outcome.OK, said(text, **words), details=details)


def not_applicable(text: str, **words: object) -> Result:
    """Return that there is nothing to test here."""
    return Result(Outcome.NOT_APPLICABLE, said(text, **words))


def failed(failure: Failure, *details: str, outcome: Outcome = Outcome.PROBLEM) -> Result:
    """Return a catalogued failure: its title, and its cause's remedy."""
    return Result(outcome, Said(failure.title), Said(failure.remedy), failure=failure, details=details)


class SettingsView(Protocol):
    """What self-tests and reports know of the settings; `SettingsStore` is one."""

    @property
    def settings(self) -> Settings:
        """The settings in force."""

    @property
    def problems(self) -> tuple[SithsError, ...]:
        """What is wrong with the user's own file."""

    def authority(self, name: str) -> Authority:
        """Return who set the setting `name`."""

    def locked(self, name: str) -> bool:
        """Tell whether the organisation decides on `name`."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """What self-tests look at. Everything may be called from any thread.

    `cards` gives the last known state and asks no card anything. `transports` makes HTTP transports.
    """

    settings: SettingsView
    cards: Callable[[], CardsState]
    system: System
    transports: TransportFactory
    log_directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] = _now
    cancelled: threading.Event = field(default_factory=threading.Event)


class Check(Protocol):
    """One self-test. `title` is an English message id."""

    @property
    def id(self) -> str:
        """A short name that stays the same, for the command line."""

    @property
    def title(self) -> str:
        """What is tested, as a message id."""

    def run(self, context: Context) -> Result:
        """Look, without changing anything. May block for some seconds; `context.cancelled` asks it to end early."""
