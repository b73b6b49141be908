# SPDX-License-Identifier: EUPL-1.2
"""What the code window draws: frozen pages in the person's language, without Qt."""

from __future__ import annotations

from dataclasses import dataclass

from sithsapp.ui.elements import Fact, Notice
from sithsapp.ui.order.page import LastTryBody, ProblemBody, WaitingBody


@dataclass(frozen=True, slots=True)
class EntryField:
    """One code to be typed; lengths are in digits. `error` is that of the entry before."""

    label: str
    hint: str
    error: str
    empty: str
    too_short: str
    min_length: int
    max_length: int


@dataclass(frozen=True, slots=True)
class NewCodeRules:
    """What is said of a new code that breaks a rule.

    `easy` is said of a run or one digit repeated, `own` of a code that stands in `personal`, `insist` of both where a
    person may have her way.
    """

    differ: str
    same: str
    easy: str
    own: str
    personal: str
    insist: str


@dataclass(frozen=True, slots=True)
class FormBody:
    """The codes are typed here: the one that proves the right, the new one, and the new one again.

    `on_reader` is what is said in place of the entries where the codes are typed on the reader's keys.
    """

    title: str
    intro: str
    facts: tuple[Fact, ...]
    notice: Notice | None
    known: EntryField
    new: EntryField
    again: EntryField
    rules: NewCodeRules
    confirm: str
    cancel: str
    small_print: str
    last_try_ok: bool = False
    on_reader: str = ""


Body = FormBody | LastTryBody | WaitingBody | ProblemBody


@dataclass(frozen=True, slots=True)
class CodesPage:
    """A whole page. `title` is the window's, `spoken` what a screen reader hears when the page comes."""

    title: str
    spoken: str
    body: Body
