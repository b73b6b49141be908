# SPDX-License-Identifier: EUPL-1.2
"""What windows are made of: frozen parts in the person's language, without Qt. Presenters make them, widgets draw."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sithsapp.card.model import CardId


class Accent(Enum):
    """Which colour a window has: nobody should sign by habit."""

    AUTH = "auth"
    SIGN = "sign"


class Severity(Enum):
    """How a notice looks; the words say the same."""

    GOOD = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class EntryPolicy:
    """What a person may do where a code is typed, and what happens to a code that is left alone.

    `wipe_when_left` forgets it as soon as another window is used. `keypad` shows keys for a touch screen, in an order
    that changes each time with `shuffled`.
    """

    allow_show: bool = True
    allow_paste: bool = True
    wipe_when_left: bool = False
    keypad: bool = False
    shuffled: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """A banner: a title and perhaps a sentence."""

    severity: Severity
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A label of ours and a value, which may come from outside."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class Choice:
    """A card and certificate that may be used in place of the one shown."""

    card: CardId
    credential: str
    label: str
    current: bool


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the person acts as, and with which card."""

    caption: str
    name: str
    details: tuple[str, ...]
    switch: str
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A text that is read before approving. `reminder` is set when it must have been shown to its end."""

    title: str
    text: str
    reminder: str = ""
