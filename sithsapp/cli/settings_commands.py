# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands about settings; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.commands import Commands, add_command, add_group
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings


def add_settings(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `settings list`, `settings get`, `settings set` and `settings reset`."""
    text = "Show and change the settings."
    group = add_group(parent, "settings", text)
    add_command(group, common, "list", _list, "Show all settings and who set them.")
    getting = add_command(group, common, "get", _get, "Print one setting as JSON.")
    setting = add_command(group, common, "set", _set, "Set one setting of your own.")
    resetting = add_command(group, common, "reset", _reset, "Take settings of your own back.")
    for command in (getting, setting):
        command.add_argument("name", metavar="NAME", help="the setting's name, as `settings list` shows it")
    setting.add_argument("value", metavar="VALUE", help="JSON, or a word as it is")
    resetting.add_argument("names", metavar="NAME", nargs="*", help="the settings")
    resetting.add_argument("--all", action="store_true", help="all that you have set")


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
