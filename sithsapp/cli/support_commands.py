# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands for support; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.card_commands import Command, Commands
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings

_ROLES = ("tray", "cli", "link")
_LEVELS = ("debug", "info", "warning", "error")
PARTS = ("computer", "settings", "certificates", "log")


def add_support(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `support check`, `support report` and `support log`."""
    text = "Test the computer, make an error report, read the log."
    group = parent.add_parser("support", help=text, description=text).add_subparsers(required=True, metavar="COMMAND")
    _add(group, common, "check", _check, "Test everything that the app depends on.")
    report = _add(group, common, "report", _report, "Write an error report to a file. Nothing is sent.")
    report.add_argument("--output", metavar="FILE", help="where to write it; a name with the date without this")
    report.add_argument("--force", action="store_true", help="replace a file that exists")
    report.add_argument("--description-file", metavar="FILE", help="what happened, in your words; - reads it here")
    report.add_argument("--failure", metavar="NUMBER", default="", help="the error code that it is about")
    report.add_argument("--without", choices=PARTS, action="append", default=[], help="leave this part out")
    report.add_argument("--preview", action="store_true", help="print what would be written, and write nothing")
    log = _add(group, common, "log", _log, "Show the log.")
    log.add_argument("--role", choices=_ROLES, default="tray", help="whose log: the app's, the commands', the links'")
    log.add_argument("--level", choices=_LEVELS, default="debug", help="this level and above")
    log.add_argument("--follow", action="store_true", help="go on with new lines until interrupted")


def _add(
    parent: Commands, common: argparse.ArgumentParser, name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = parent.add_parser(
        name, parents=[common], help=text, description=text, allow_abbrev=False
    )
    added.set_defaults(run=run)
    return added


def _check(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.support import check

    return check(arguments, settings, output)


def _report(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.support import report

    return report(arguments, settings, output)


def _log(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.support_log import log

    return log(arguments, settings, output)
