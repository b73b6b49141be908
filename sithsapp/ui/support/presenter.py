# SPDX-License-Identifier: EUPL-1.2
"""From what self-tests and logs say to what the page shows. Pure, without Qt."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sithsapp.locale import ngettext, tr
from sithsapp.support.checks.check import Action, Check, Outcome, Result
from sithsapp.support.licences import Licence
from sithsapp.support.log_files import Entry
from sithsapp.support.recent import MetFailure
from sithsapp.ui import plain

MAX_TEXT = 400


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One self-test's finding. `button` is empty where there is nothing that the app can do."""

    id: str
    outcome: Outcome
    title: str
    text: str
    remedy: str = ""
    button: str = ""
    action: Action | None = None

    @property
    def spoken(self) -> str:
        """The row as one sentence, with the outcome in words: the icon alone would tell a listener nothing."""
        return ". ".join(
            part.rstrip(".") for part in (self.title, outcome_word(self.outcome), self.text, self.remedy) if part
        )


def outcome_word(outcome: Outcome) -> str:
    """Return what the icon of an outcome says."""
    words = {
        Outcome.OK: tr("All well"),
        Outcome.WARNING: tr("Worth a look"),
        Outcome.PROBLEM: tr("Problem"),
        Outcome.NOT_APPLICABLE: tr("Not tested"),
    }
    return words[outcome]


def present_check(check: Check, result: Result) -> CheckRow:
    """Return the row of one finding, in the language in use."""
    number = f" ({result.failure.number})" if result.failure is not None else ""
    return CheckRow(
        check.id,
        result.outcome,
        tr(check.title),
        plain.line(f"{result.sentence}{number}", MAX_TEXT),
        plain.line(str(result.remedy), MAX_TEXT) if result.remedy is not None else "",
        action_label(result.action),
        result.action,
    )


def action_label(action: Action | None) -> str:
    """Return the words on the button of an action."""
    if action is None:
        return ""
    labels = {
        Action.TAKE_SCHEME: tr("Open the links with this app"),
        Action.MAKE_LOG_PRIVATE: tr("Make it private"),
        Action.READ_CARD_AGAIN: tr("Read the card again"),
        Action.SHOW_SETTINGS: tr("Show the settings"),
    }
    return labels[action]


def summary(results: Sequence[tuple[Check, Result]]) -> str:
    """Return the whole run in one sentence."""
    problems = sum(result.outcome is Outcome.PROBLEM for _, result in results)
    warnings = sum(result.outcome is Outcome.WARNING for _, result in results)
    if problems:
        return ngettext("{n} problem found.", "{n} problems found.", problems).format(n=problems)
    if warnings:
        return ngettext(
            "No problem, {n} thing worth a look.", "No problem, {n} things worth a look.", warnings
        ).format(n=warnings)
    return tr("No problem found.")


def in_order(rows: Iterable[CheckRow]) -> list[CheckRow]:
    """Return problems first, then what is worth a look, then the rest, each in the order of the tests."""
    ranks = [Outcome.PROBLEM, Outcome.WARNING, Outcome.OK, Outcome.NOT_APPLICABLE]
    return sorted(rows, key=lambda row: ranks.index(row.outcome))


def log_line(entry: Entry) -> str:
    """Return one record of the log fit to be shown: hidden signs are made visible."""
    return plain.block(entry.text, 8000)


def met_lines(met: Sequence[MetFailure], most: int = 5) -> tuple[str, ...]:
    """Return the failures that were met last, with their times and titles."""
    from sithsapp.failures import Failure

    titles = {failure.number: failure.title for failure in Failure}
    return tuple(f"{each.when:%H:%M} {each.number} {tr(titles.get(each.number, ''))}" for each in met[:most])


def detailed_note(until: datetime | None, *, locked: bool) -> str:
    """Return the words below the switch of detailed logging; `until` is local time, None while it is off."""
    if locked:
        return tr("This setting is managed by your organisation.")
    if until is not None:
        return tr("On until {time}.").format(time=f"{until:%Y-%m-%d %H:%M}")
    return tr("Turn on if support asks for it. Turns off after 24 hours.")


def licence_text(licences: Iterable[Licence]) -> str:
    """Return all licences as one text: a list, then each licence's own."""
    found = tuple(licences)
    listed = "\n".join(f"{each.name} {each.version}: {each.licence}" for each in found)
    texts = (f"{each.name} {each.version}\n\n{each.text or each.licence}" for each in found)
    return "\n\n\n".join((listed, *texts))


def accessibility_text() -> str:
    """Return the accessibility statement."""
    return "\n\n".join(
        (
            tr("The app is made to be used by everybody. It aims at EN 301 549 and WCAG 2.2 at level AA."),
            tr("Everything can be done with the keyboard: Tab moves between fields, Enter presses, Escape cancels."),
            tr("A ring shows where the focus is. Each control has a name and a role for screen readers."),
            tr("Errors and attempts that are left are said aloud by screen readers as soon as they are shown."),
            tr("The app follows the system's text size, light or dark mode and high contrast."),
            tr("Nothing is told by colour alone. Requests say how long they last, and you can ask for more time."),
            tr("A code that you enter is never read aloud: only how many digits there are."),
            tr("Known shortcomings: the app has not been tried with a screen reader on Windows or macOS."),
            tr("Tell local IT if something does not work for you. They can pass it on."),
        )
    )
