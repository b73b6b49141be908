# SPDX-License-Identifier: EUPL-1.2
"""How commands are added to `siths`, alone and in groups."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings

Command = Callable[[argparse.Namespace, Settings, Output], int]
Commands = Any
"""What `add_subparsers` returns; argparse gives its type no public name."""


def add_group(parent: Commands, name: str, text: str) -> Commands:
    """Add a word that commands follow, and return what they are added to."""
    return parent.add_parser(name, help=text, description=text).add_subparsers(required=True, metavar="COMMAND")


def add_command(
    parent: Commands, common: argparse.ArgumentParser, name: str, run: Command, text: str
) -> argparse.ArgumentParser:
    """Add a command that `run` carries out, with the options of `common`."""
    # Without abbreviations, so that `--pin 123456` is an error and no descriptor's number.
    added: argparse.ArgumentParser = parent.add_parser(
        name, parents=[common], help=text, description=text, allow_abbrev=False
    )
    added.set_defaults(run=run)
    return added
