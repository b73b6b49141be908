# SPDX-License-Identifier: EUPL-1.2
"""`siths support check` and `siths support report`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from sithsapp.cli.card_service import running_card_service, settled
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.settings.schema import Settings
from sithsapp.support.checks.check import Check, Context, Outcome, Result
from sithsapp.support.report.building import MAX_DESCRIPTION, Material, build
from sithsapp.support.report.parts import Part, PartKind, save

_Results = list[tuple[Check, Result]]
_MARKS = {Outcome.OK: "+", Outcome.WARNING: "?", Outcome.PROBLEM: "!", Outcome.NOT_APPLICABLE: "-"}


def check(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Run every self-test; exit 0 unless one found a problem."""
    _, results = _run(settings)
    output.result(
        {"checks": [_data(each, result) for each, result in results]},
        [line for each, result in results for line in _lines(each, result)],
    )
    if any(result.outcome is Outcome.PROBLEM for _, result in results):
        return Failure.CHECKS_FOUND_PROBLEMS.exit_code
    return 0


def report(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Put a report together from a run of the self-tests, and write it or print it."""
    number = _known_number(arguments.failure)
    description = _description(arguments.description_file)
    context, results = _run(settings)
    now = datetime.now()
    made = build(Material(context, results, description, number, home=Path.home()), now)
    kinds = [kind for kind in PartKind if kind.value not in arguments.without]
    parts = made.chosen(kinds)
    if arguments.preview:
        return _preview(parts, output)
    path = Path(arguments.output or made.file_name)
    save(path, parts, now, replace=arguments.force)
    data = {"file": str(path), "parts": [part.name for part in parts]}
    output.result(data, [tr("The error report was saved as {file}. Read it before you send it.").format(file=path)])
    return 0


def _preview(parts: Sequence[Part], output: Output) -> int:
    data = {"parts": [{"name": part.name, "text": part.text} for part in parts]}
    lines = [line for part in parts for line in (f"== {part.name} ==", *part.text.split("\n"))]
    output.result(data, lines)
    return 0


def _run(settings: Settings) -> tuple[Context, _Results]:
    """Run all self-tests with the cards read, and return them in their order."""
    from sithsapp.desktop.paths import config_dir
    from sithsapp.settings.store import open_store
    from sithsapp.support.checks.running import run_checks
    from sithsapp.support.checks.suite import all_checks
    from sithsapp.support.compose import make_context

    with running_card_service(settings) as service:
        state = settled(service)
    context = make_context(open_store(config_dir()), lambda: state)
    checks, found = all_checks(), list[tuple[Check, Result]]()
    try:
        run_checks(checks, context, lambda each, result: found.append((each, result)))
    finally:
        context.cancelled.set()
    return context, sorted(found, key=lambda pair: checks.index(pair[0]))


def _known_number(number: str) -> str:
    if number and number not in {failure.number for failure in Failure}:
        raise SithsError(Failure.REPORT_NOT_SAVED, "there is no such error code")
    return number


def _description(source: str | None) -> str:
    if source is None:
        return ""
    try:
        if source == "-":
            return sys.stdin.read(MAX_DESCRIPTION)
        with open(source, encoding="utf-8", errors="replace") as file:
            return file.read(MAX_DESCRIPTION)
    except OSError as error:
        raise SithsError(Failure.REPORT_NOT_SAVED, f"description: {error.strerror}") from error


def _data(each: Check, result: Result) -> dict[str, object]:
    return {
        "id": each.id,
        "title": tr(each.title),
        "outcome": result.outcome.value,
        "sentence": str(result.sentence),
        "remedy": str(result.remedy) if result.remedy is not None else "",
        "failure": result.failure.number if result.failure is not None else None,
    }


def _lines(each: Check, result: Result) -> list[str]:
    number = f" ({result.failure.number})" if result.failure is not None else ""
    lines = [f"{_MARKS[result.outcome]} {tr(each.title)}: {result.sentence}{number}"]
    return lines if result.remedy is None else [*lines, f"    {result.remedy}"]
