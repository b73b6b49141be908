# SPDX-License-Identifier: EUPL-1.2
"""`siths support log`."""

from __future__ import annotations

import argparse
import time

from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings
from sithsapp.support.log_files import Entry, LogTail, at_least

_PAUSE = 0.5


def log(arguments: argparse.Namespace, _settings: Settings, output: Output) -> int:
    """Show the end of a log, and with `--follow` what is added until interrupted."""
    from sithsapp.desktop.paths import log_dir

    tail = LogTail(log_dir() / f"{arguments.role}.log")
    _show(at_least(tail.read(), arguments.level.upper()), output)
    while arguments.follow:
        time.sleep(_PAUSE)
        found = at_least(tail.read(), arguments.level.upper())
        if found:
            _show(found, output)
    return 0


def _show(found: list[Entry], output: Output) -> None:
    data = {"records": [{"time": each.when.isoformat(), "level": each.level, "text": each.text} for each in found]}
    output.result(data, [line for each in found for line in each.text.split("\n")])
