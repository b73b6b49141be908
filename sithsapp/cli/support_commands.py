# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands for support; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.commands import Commands, add_command, add_group
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings

_ROLES = ("tray", "cli", "link")
_LEVELS = ("debug", "info", "warning", "error")
PARTS = ("computer", "settings", "certificates", "log")


def add_support(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `support check`, `support report` and `support log`."""
    text = "Test the computer, make an error report, read the log."
    group = add_group(parent, "support", text)
    add_command(group, common, "check", _check, "Test everything that the app depends on.")
    report = add_command(group, common, "report", _report, "Write an error report to a file. Nothing is sent.")
    report.add_argument("--output", metavar="FILE", help="where to write it; a name with the date without this")
    report.add_argument("--force", action="store_true", help="replace a file that exists")
    report.add_argument("--description-file", metavar="FILE", help="what happened, in your words; - reads it here")
    report.add_argument("--failure", metavar="NUMBER", default="", help="the error code that it is about")
    report.add_argument("--without", choices=PARTS, action="append", default=[], help="leave this part out")
    report.add_argument("--preview", action="store_true", help="print what would be written, and write nothing")
    log = add_command(group, common, "log", _log, "Show the log.")
    log.add_argument("--role", choices=_ROLES, default="tray", help="whose log: the app's, the commands', the links'")
    log.add_argument("--level", choices=_LEVELS, default="debug", help="this level and above")
    log.add_argument("--follow", action="store_true", help="go on with new lines until interrupted")


def _check(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.support import check

    return check(arguments, settings, output)


def _report(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.support import report

    return report(arguments, settings, output)


def _log(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.support_log import log

    return log(arguments, settings, output)
