# SPDX-License-Identifier: EUPL-1.2
"""What the order window draws: frozen pages in the person's language, without Qt.

The presenter makes them from views; widgets only draw them. Two equal bodies look the same, so that a new
deadline alone never disturbs a code that is being typed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sithsapp.card.model import CardId
from sithsapp.ui.elements import Accent, Fact, Identity, Notice, Reading


class Picture(Enum):
    """The drawing of a page that waits or tells."""

    SPINNER = "spinner"
    NO_READER = "no_reader"
    NO_CARD = "no_card"
    CARD_PROBLEM = "card_problem"
    KEYS = "keys"
    DONE = "done"


class Action(Enum):
    """What a button of a page means."""

    DECLINE = "decline"
    APPROVE = "approve"
    USE_LAST_TRY = "use_last_try"
    CLOSE = "close"
    REPORT = "report"
    MORE_TIME = "more_time"
    MAKE_REPORT = "make_report"
    UNLOCK = "unlock"
    CHANGE_CODE = "change_code"
    CHANGE_OTHER = "change_other"


@dataclass(frozen=True, slots=True)
class Header:
    """The part that stays in view: who asks and for what, where, and how long it lasts.

    `sentence` says it all for the window title and screen readers. `deadline` is `time.monotonic()` seconds.
    """

    accent: Accent
    kind: str
    who: str
    wants: str
    sentence: str
    environment: str
    deadline: float | None
    more_time: str


@dataclass(frozen=True, slots=True)
class WaitingBody:
    """A page that goes on by itself or only tells. `closes_itself`: after a few seconds."""

    picture: Picture
    title: str
    text: str
    button: str
    action: Action
    facts: tuple[Fact, ...] = ()
    notices: tuple[Notice, ...] = ()
    report: str = ""
    reference: str = ""
    closes_itself: bool = False


@dataclass(frozen=True, slots=True)
class CodeBody:
    """The page where the code is entered; lengths are in digits.

    With `on_reader` there is no field: that text says that the code is typed on the reader after the decision.
    """

    card: CardId
    credential: str
    facts: tuple[Fact, ...]
    notices: tuple[Notice, ...]
    readings: tuple[Reading, ...]
    identity: Identity
    label: str
    hint: str
    error: str
    empty: str
    too_short: str
    min_length: int
    max_length: int
    approve: str
    decline: str
    small_print: str
    report: str
    reference: str
    last_try_ok: bool = False
    on_reader: str = ""


@dataclass(frozen=True, slots=True)
class LastTryBody:
    """The question before the last try is used."""

    card: CardId
    credential: str
    identity: Identity
    notice: Notice
    confirm: str
    decline: str
    small_print: str


@dataclass(frozen=True, slots=True)
class BindingCodeBody:
    """The code that the person types in the browser, shown for a bounded time."""

    title: str
    text: str
    code: str
    spoken_code: str
    warning: Notice
    button: str
    seconds: int


@dataclass(frozen=True, slots=True)
class ProblemBody:
    """The end that nobody wanted: what happened, what to do, and the number for support.

    `report` leads to an error report; empty where there is nothing to report.
    `advice` are further lines on whom to turn to. `forward` is a button that leads on, with its action.
    """

    notice: Notice
    number: str
    button: str
    report: str = ""
    advice: tuple[str, ...] = ()
    forward: str = ""
    forward_action: Action | None = None


Body = WaitingBody | CodeBody | LastTryBody | BindingCodeBody | ProblemBody


@dataclass(frozen=True, slots=True)
class Page:
    """A whole page. `title` is the window's, `spoken` what a screen reader hears when the page comes."""

    title: str
    spoken: str
    header: Header | None
    body: Body
