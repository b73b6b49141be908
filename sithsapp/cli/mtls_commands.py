# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands about the local mTLS helper; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.card_commands import Command, Commands
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings


def add_mtls(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `mtls serve` and `mtls status`."""
    text = "Lend the card to programs that reach servers by local ports."
    group = parent.add_parser("mtls", help=text, description=text).add_subparsers(required=True, metavar="COMMAND")
    serving = _add(group, common, "serve", _serve, "Open the ports of the settings until interrupted.")
    serving.add_argument(
        "--pin-fd", type=int, metavar="N", help="read a code from this open file descriptor each time"
    )
    serving.add_argument("--last-try-ok", action="store_true", help="use the last try that is left")
    _add(group, common, "status", _status, "Show the targets and whether the card will do.")


def _add(
    parent: Commands, common: argparse.ArgumentParser, name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = parent.add_parser(
        name, parents=[common], help=text, description=text, allow_abbrev=False
    )
    added.set_defaults(run=run)
    return added


def _serve(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls import serve

    return serve(arguments, settings, output)


def _status(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls import status

    return status(arguments, settings, output)
