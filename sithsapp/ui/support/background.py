# SPDX-License-Identifier: EUPL-1.2
"""The self-tests as work for a thread."""

from __future__ import annotations

from collections.abc import Callable

from sithsapp.support.checks.check import Check, Context, Result


def run_self_test(context: Context, tell: Callable[[object], None]) -> list[tuple[Check, Result]]:
    """Run all self-tests, tell of each, and return them in their order. For a thread."""
    from sithsapp.support.checks.running import run_checks
    from sithsapp.support.checks.suite import all_checks

    checks, found = all_checks(), list[tuple[Check, Result]]()

    def note(check: Check, result: Result) -> None:
        found.append((check, result))
        tell((check, result))

    run_checks(checks, context, note)
    return sorted(found, key=lambda pair: checks.index(pair[0]))
