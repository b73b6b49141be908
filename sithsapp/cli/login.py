# SPDX-License-Identifier: EUPL-1.2
"""`siths login`: carry out one order in the terminal.

The flow runs in its own thread and puts its views in a queue; this thread shows them and answers.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sithsapp.card.pin import Pin
from sithsapp.cli.card_service import running_card_service
from sithsapp.cli.conversation import AskCode, Conversation
from sithsapp.cli.output import Output
from sithsapp.cli.secret_input import pin_from_descriptor, pin_from_terminal
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.oob.interaction import CancelRequested, Finished
from sithsapp.oob.protocol.order import OrderType
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.card.service import CardService
    from sithsapp.oob.compose import OrderFlows


def login(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Carry out the order of a launch URL; exit 0 only when the service accepted the signature."""
    from sithsapp.oob.protocol.launch import parse_launch_url
    from sithsapp.settings.profile import URL_SCHEME

    launch = parse_launch_url(URL_SCHEME, arguments.launch_url)
    attended = arguments.pin_fd is None
    ask = pin_from_terminal if attended else _only_code(arguments.pin_fd)
    conversation = Conversation(output, ask, last_try_ok=arguments.last_try_ok, attended=attended)
    with running_card_service(settings) as service:
        flow = _flows(settings, service).new(launch, conversation)
        flow.start()
        try:
            end = conversation.run(flow.post)
        except KeyboardInterrupt:
            flow.post(CancelRequested())
            end = conversation.wait_for_end()
        flow.join()
    return _tell_end(end, output)


def _flows(settings: Settings, service: CardService) -> OrderFlows:
    from functools import partial

    from sithsapp.desktop.open_url import open_url
    from sithsapp.locale import language
    from sithsapp.oob.compose import OrderFlows

    return OrderFlows(settings, service, partial(open_url, allow_local=settings.environment == "demo"), language())


def _only_code(descriptor: int) -> AskCode:
    """Return what gives the descriptor's code once: a code that did not do is not tried again."""
    unread = [descriptor]

    def ask(_prompt: str, _is_over: Callable[[], bool]) -> Pin | None:
        if not unread:
            raise SithsError(Failure.PIN_NOT_GIVEN, "the file descriptor's code was used")
        return pin_from_descriptor(unread.pop())

    return ask


def _tell_end(end: Finished, output: Output) -> int:
    if end.failure is not None:
        return output.failure(SithsError(end.failure, tries_left=end.tries_left))
    signed = end.open_order is not None and end.open_order.order.typ is OrderType.SIGN
    lines = [tr("You have signed") if signed else tr("You are identified")]
    if end.code is not None:
        lines.append(
            tr("Type this code in the window where you started, and tell it to nobody: {code}").format(code=end.code)
        )
    output.result({"result": "accepted", "code": end.code}, lines)
    return 0
