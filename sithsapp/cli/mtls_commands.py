# SPDX-License-Identifier: EUPL-1.2
"""Arguments of the commands about the local mTLS helper; each is imported when it runs."""

from __future__ import annotations

import argparse

from sithsapp.cli.commands import Commands, add_command, add_group
from sithsapp.cli.output import Output
from sithsapp.settings.schema import Settings


def add_mtls(parent: Commands, common: argparse.ArgumentParser) -> None:
    """Add `mtls` and its commands."""
    text = "Lend the card to programs that reach servers by local ports."
    group = add_group(parent, "mtls", text)
    serving = add_command(group, common, "serve", _serve, "Open the ports of the settings until interrupted.")
    serving.add_argument(
        "--pin-fd", type=int, metavar="N", help="read a code from this open file descriptor each time"
    )
    serving.add_argument("--last-try-ok", action="store_true", help="use the last try that is left")
    add_command(group, common, "status", _status, "Show the targets and whether card and browsers will do.")
    opening = add_command(group, common, "open", _open, "Open a server in a browser that reaches it with the card.")
    opening.add_argument("server", nargs="?", metavar="SERVER", help="name or host, where there are several")
    opening.add_argument("--browser", choices=("firefox", "chromium"), help="firefox where both are installed")
    opening.add_argument("--print", action="store_true", help="show the proxy's settings and start nothing")
    trusting = add_command(
        group, common, "trust", _trust, "Let your browsers trust the proxy, for its servers alone."
    )
    trusting.add_argument("--yes", action="store_true", help="do not ask")
    add_command(group, common, "untrust", _untrust, "Take all such trust back and remove the proxy's certificate.")


def _serve(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls import serve

    return serve(arguments, settings, output)


def _status(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls import status

    return status(arguments, settings, output)


def _open(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls_browsers import open_browser

    return open_browser(arguments, settings, output)


def _trust(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls_browsers import trust

    return trust(arguments, settings, output)


def _untrust(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    from sithsapp.cli.mtls_browsers import untrust

    return untrust(arguments, settings, output)
