# SPDX-License-Identifier: EUPL-1.2
"""Says at the end how many cells of the fault matrix were tried, and how many failed.

A cell is one fault at one command of one task. A test that tries several records `cells`.
"""

from __future__ import annotations

from collections import Counter

from _pytest.terminal import TerminalReporter

_MODULE = "test_faults.py::"


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Write one line for the matrix if any of it ran."""
    cells: Counter[str] = Counter()
    failed = 0
    for outcome in ("passed", "failed"):
        for report in terminalreporter.getreports(outcome):
            if _MODULE not in report.nodeid or report.when != "call":
                continue
            count = int(dict(report.user_properties).get("cells", 1))
            cells[report.nodeid.partition(_MODULE)[2].partition("[")[0].removeprefix("test_")] += count
            failed += outcome == "failed"
    if cells:
        tasks = ", ".join(f"{task} {count}" for task, count in sorted(cells.items()))
        terminalreporter.write_line(f"fault matrix: {cells.total()} cells ({tasks}), {failed} tests failed")
