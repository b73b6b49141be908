# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands about settings; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.card_commands import Command, Commands
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings


def add_settings(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `settings list`, `settings get`, `settings set` and `settings reset`."""
    text = "Show and change the settings."
    group = parent.add_parser("settings", help=text, description=text).add_subparsers(
        required=True, metavar="COMMAND"
    )
    _add(group, common, "list", _list, "Show all settings and who set them.")
    getting = _add(group, common, "get", _get, "Print one setting as JSON.")
    setting = _add(group, common, "set", _set, "Set one setting of your own.")
    resetting = _add(group, common, "reset", _reset, "Take settings of your own back.")
    for command in (getting, setting):
        command.add_argument("name", metavar="NAME", help="the setting's name, as `settings list` shows it")
    setting.add_argument("value", metavar="VALUE", help="JSON, or a word as it is")
    resetting.add_argument("names", metavar="NAME", nargs="*", help="the settings")
    resetting.add_argument("--all", action="store_true", help="all that you have set")


def _add(
    parent: Commands, common: argparse.ArgumentParser, name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    added: argparse.ArgumentParser = parent.add_parser(
        name, parents=[common], help=text, description=text, allow_abbrev=False
    )
    added.set_defaults(run=run)
    return added


def _list(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.settings import list_all

    return list_all(arguments, settings, output)


def _get(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.settings import get

    return get(arguments, settings, output)


def _set(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.settings import set_one

    return set_one(arguments, settings, output)


def _reset(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.settings import reset

    return reset(arguments, settings, output)
