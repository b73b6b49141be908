# SPDX-License-Identifier: EUPL-1.2
"""What `siths` prints: lines for people, or one JSON object for programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence

from sithsapp.failures import SithsError
from sithsapp.locale import tr

_LONGEST_ANSWER = 20


def says_yes(question: str) -> bool:
    """Ask the person at the terminal; whatever is not a clear yes is a no."""
    print(question, end=" ", file=sys.stderr, flush=True)
    return sys.stdin.readline(_LONGEST_ANSWER).strip().casefold() in ("yes", tr("yes"))


def printable(text: str) -> str:
    """Return `text` fit for a terminal: what a card or a service wrote cannot move the cursor or forge a line."""
    return "".join(sign if sign.isprintable() else "�" for sign in text)


def json_text(data: Mapping[str, object], *, only_ascii: bool = False) -> str:
    """Return `data` as JSON that is fit for a terminal too: what `printable` would replace is escaped."""
    text = json.dumps(data, ensure_ascii=only_ascii, indent=2)
    return "".join(sign if sign == "\n" or sign.isprintable() else json.dumps(sign)[1:-1] for sign in text)


class Output:
    """Prints results to standard output and what is meant for the person to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json

    def result(self, data: Mapping[str, object], lines: Sequence[str]) -> None:
        """Print the result of a command: `data` as JSON, or `lines`."""
        if self.as_json:
            encoding = (sys.stdout.encoding or "").lower()
            print(json_text(data, only_ascii=encoding not in ("utf-8", "utf8")))
        else:
            for line in lines:
                print(printable(line))
        sys.stdout.flush()  # whoever reads a pipe gets it now, also from a command that goes on running

    def note(self, text: str = "") -> None:
        """Tell the person something on the way; never part of the result."""
        print(printable(text), file=sys.stderr, flush=True)

    def failure(self, error: SithsError, advice: Sequence[str] = ()) -> int:
        """Print a numbered failure, with more `advice` than the catalogue has, and return its exit code."""
        failure = error.failure
        if self.as_json:
            data = failure_data(error)
            self.result({"error": data | {"advice": list(advice)} if advice else data}, ())
        else:
            self.note(f"{failure.number} {tr(failure.title)}")
            self.note(f"  {tr(failure.cause)}")
            if error.tries_left is not None:
                self.note("  " + tr("Attempts left: {n}").format(n=error.tries_left))
            self.note(f"  {tr(failure.remedy)}")
            for line in advice:
                self.note(f"  {line}")
            if error.detail:
                self.note(f"  ({error.detail})")
        return failure.exit_code


def failure_data(error: SithsError) -> dict[str, object]:
    """Return a failure as JSON members, texts in the chosen language."""
    failure = error.failure
    data: dict[str, object] = {
        "number": failure.number,
        "title": tr(failure.title),
        "cause": tr(failure.cause),
        "remedy": tr(failure.remedy),
        "retriable": failure.retriable,
        "detail": error.detail,
    }
    if error.tries_left is not None:
        data["tries_left"] = error.tries_left
    return data
