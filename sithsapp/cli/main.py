# SPDX-License-Identifier: EUPL-1.2
"""Entry of `siths`: arguments, settings, one command, an exit code.

Exit codes: 0 done, 1 unknown failure, 2 wrong usage, 130 interrupted, else the failure's own
(`Failure.exit_code`, listed in docs/administrator/failures.md).
"""

from __future__ import annotations

import argparse
import io
import logging
import signal
import sys
from collections.abc import Sequence

from sithsapp import __version__
from sithsapp.cli.card_commands import add_card, add_certs, add_pin
from sithsapp.cli.commands import Command, add_command
from sithsapp.cli.mtls_commands import add_mtls
from sithsapp.cli.output import Output
from sithsapp.cli.settings_commands import add_settings
from sithsapp.cli.support_commands import add_support
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language, tr
from sithsapp.settings.schema import Settings

log = logging.getLogger(__name__)

_INTERRUPTED = 130


def _status(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.cards import status

    return status(arguments, settings, output)


def _readers(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.cards import readers

    return readers(arguments, settings, output)


def _login(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.login import login

    return login(arguments, settings, output)


def _demo_card(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.demo_card import demo_card

    return demo_card(arguments, settings, output)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    # Suppressed, so that a subcommand without it does not undo what was said before its name.
    common.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object")
    parser = argparse.ArgumentParser(
        prog="siths", description="SITHS eID-app on the command line.", allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.set_defaults(json=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    add_command(commands, common, "status", _status, "Show readers, cards and codes.")
    add_command(commands, common, "readers", _readers, "List the card readers.")
    add_card(commands, common)
    add_pin(commands, common)
    add_certs(commands, common)
    add_mtls(commands, common)
    add_support(commands, common)
    add_settings(commands, common)
    _add_login(add_command(commands, common, "login", _login, "Carry out the order of a launch URL."))
    demo = "Put a virtual card into a virtual reader until interrupted."
    _add_demo_card(add_command(commands, common, "demo-card", _demo_card, demo))
    return parser


def _add_login(command: argparse.ArgumentParser) -> None:
    command.add_argument("launch_url", metavar="LAUNCH-URL")
    command.add_argument("--pin-fd", type=int, metavar="N", help="read the code from this open file descriptor")
    command.add_argument("--last-try-ok", action="store_true", help="use the last try that is left")


def _add_demo_card(command: argparse.ArgumentParser) -> None:
    command.add_argument("directory", help="where the card and its test CA are kept; made when missing")
    command.add_argument("--port", type=int, default=35963, help="TCP port of the vpcd reader (35963)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; without `arguments`, as the process's own command."""
    if arguments is None:
        _prepare_process()
    parsed = _parser().parse_args(arguments)
    output = Output(as_json=parsed.json)
    try:
        run: Command = parsed.run
        return run(parsed, _settings(output), output)
    except SithsError as error:
        log.warning("%s", error)
        return output.failure(error)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Exception as error:  # the outermost boundary: whatever happens gets a number
        log.exception("unexpected")
        return output.failure(SithsError(Failure.UNKNOWN, type(error).__name__))


def _prepare_process() -> None:
    """End in order when told to, and never fail on a sign that the terminal cannot show."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _settings(output: Output) -> Settings:
    """Load the settings, start the log and choose the language."""
    from sithsapp.desktop.paths import config_dir, log_dir
    from sithsapp.settings.load import load
    from sithsapp.settings.sources import file_sources
    from sithsapp.support.log import start_logging

    resolved = load(file_sources(config_dir()))
    start_logging(log_dir(), "cli", resolved.settings.log_level)
    set_language(resolved.settings.language)
    for problem in resolved.problems:
        output.note(f"{problem.failure.number} {tr(problem.failure.title)}: {problem.detail}")
    return resolved.settings


if __name__ == "__main__":
    sys.exit(main())
