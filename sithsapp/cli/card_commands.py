# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands about cards, codes and certificates; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.commands import Commands, add_command, add_group
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings


def add_card(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `card list`, `card read` and `card use`."""
    group = add_group(parent, "card", "Show or read cards.")
    for name, run, text in (
        ("list", _card_list, "Show the cards and their codes."),
        ("read", _card_read, "Read the cards again from the start, past what is kept of them."),
    ):
        _add_reader(add_command(group, common, name, run, text))
    using = add_command(group, common, "use", _card_use, "Choose which of several cards the app works with.")
    using.add_argument("reader", metavar="READER", nargs="?", help="the card in this reader; the only one without it")
    using.add_argument("--forget", action="store_true", help="take the choice back")


def add_certs(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `certs`, which lists, with `show`, `export`, `check` and `ad`."""
    listing = add_command(parent, common, "certs", _certs, "List, show, export or check certificates.")
    group = listing.add_subparsers(metavar="COMMAND")
    showing = add_command(group, common, "show", _certs_show, "Show all that certificates say.")
    exporting = add_command(group, common, "export", _certs_export, "Write a certificate to a file or to the output.")
    checking = add_command(group, common, "check", _certs_check, "Ask the issuers whether certificates are revoked.")
    logging_on = add_command(group, common, "ad", _certs_ad, "Tell whether they can log on to Active Directory.")
    for command in (showing, exporting, checking, logging_on):
        _add_reader(command)
        command.add_argument("--id", metavar="ID", help="the certificate's name in the list")
    showing.add_argument("--all", action="store_true", help="every field, also those that the app does not use")
    formats = ("pem", "der", "chain")
    exporting.add_argument("--format", choices=formats, default="pem", help="chain: PEM with issuers from the card")
    exporting.add_argument("--output", metavar="FILE", help="write there; standard output without it")
    exporting.add_argument("--force", action="store_true", help="replace a file that exists")


def add_pin(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `pin status`, `pin change` and `pin unblock`."""
    group = add_group(parent, "pin", "Manage the card's codes.")
    status = add_command(group, common, "status", _pin_status, "Show how many attempts are left. Uses none.")
    status.add_argument("--role", choices=("auth", "sign", "puk"), help="this code alone")
    _add_reader(status)
    change = add_command(group, common, "change", _pin_change, "Replace a code by a new one.")
    _add_descriptor(change, "--pin-fd", "the present code")
    unblock = add_command(group, common, "unblock", _pin_unblock, "Set a new code with the PUK code.")
    _add_descriptor(unblock, "--puk-fd", "the PUK code")
    for command in (change, unblock):
        command.add_argument("--role", choices=("auth", "sign"), default="auth", help="which code (auth)")
        _add_descriptor(command, "--new-pin-fd", "the new code")
        command.add_argument("--last-try-ok", action="store_true", help="use the last try that is left")
        command.add_argument("--allow-trivial", action="store_true", help="take a new code that is easy to guess")
        _add_reader(command)


def _add_reader(command: argparse.ArgumentParser) -> None:
    command.add_argument("--reader", metavar="NAME", help="the card in this reader")


def _add_descriptor(command: argparse.ArgumentParser, option: str, what: str) -> None:
    command.add_argument(option, type=int, metavar="N", help=f"read {what} from this open file descriptor")


def _card_list(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.cards import card_list

    return card_list(arguments, settings, output)


def _card_read(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.cards import card_read

    return card_read(arguments, settings, output)


def _card_use(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.cards import card_use

    return card_use(arguments, settings, output)


def _certs(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.certificates import certs

    return certs(arguments, settings, output)


def _certs_show(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.certificates import show

    return show(arguments, settings, output)


def _certs_export(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.certificates import export

    return export(arguments, settings, output)


def _certs_check(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.certificate_checks import check

    return check(arguments, settings, output)


def _certs_ad(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.certificate_checks import ad

    return ad(arguments, settings, output)


def _pin_status(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.pins import status

    return status(arguments, settings, output)


def _pin_change(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.pins import change

    return change(arguments, settings, output)


def _pin_unblock(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.pins import unblock

    return unblock(arguments, settings, output)
