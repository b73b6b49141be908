# SPDX-License-Identifier: EUPL-1.2
"""`siths mtls serve` and `siths mtls status`: the local mTLS helper from a terminal."""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from sithsapp.card.pin import PadEntry, Pin
from sithsapp.cli.card_service import running_card_service, settled
from sithsapp.cli.mtls_browsers import proxy_port
from sithsapp.cli.mtls_targets import tell_browsers, tell_targets
from sithsapp.cli.on_reader import on_reader
from sithsapp.cli.output import Output, failure_data
from sithsapp.cli.secret_input import pin_from_descriptor, pin_from_terminal
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.mtls.interaction import CardWanted, KeyGranted, KeyRequest, Purpose
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.card.model import CardsState

AskForCode = Callable[[str, Callable[[], bool]], Pin | None]
"""Asks for a code with a prompt, until the second argument says that none is wanted any more."""


def serve(arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Serve the targets of the settings until interrupted."""
    from sithsapp.desktop.paths import mtls_dir
    from sithsapp.mtls.helper import MtlsHelper

    source, at_terminal = _pin_source(arguments.pin_fd), arguments.pin_fd is None
    person = TerminalPerson(output, source, last_try_ok=arguments.last_try_ok, at_terminal=at_terminal)
    with running_card_service(settings) as service:
        settled(service)
        helper = MtlsHelper(
            settings.mtls,
            service,
            person,
            directory=mtls_dir(),
            extra_ca=settings.extra_ca,
            proxy=settings.proxy,
        )
        try:
            helper.start()
            proxy = helper.proxy()
            told = tell_targets(settings.mtls, proxy=None if proxy is None else proxy.port, probe=False)
            output.note(tr("The forwards are open. Interrupt to close them."))
            more = [] if proxy is None else [tr("Proxy settings file: {url}").format(url=proxy.pac_url)]
            output.result(told.data | ({} if proxy is None else {"pac": proxy.pac_url}), told.lines + more)
            threading.Event().wait()
        finally:
            person.stop()
            helper.close()
    return 0


def status(_arguments: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Show targets, which are open, which browsers trust the proxy and whether the card will do; 0 if it will."""
    from sithsapp.mtls.choosing import read_issuers
    from sithsapp.mtls.self_test import require_working

    told = tell_targets(settings.mtls, proxy=proxy_port(), probe=True)
    browsers = tell_browsers(settings.mtls)
    failure: SithsError | None = None
    certificate: str | None = None
    try:
        require_working()
        read_issuers(settings.mtls.issuers)
        with running_card_service(settings) as service:
            certificate = _certificate(settled(service))
    except SithsError as error:
        failure = error
    data = told.data | browsers.data | {"certificate": certificate}
    if failure is not None:
        data["error"] = failure_data(failure)
    output.result(data, told.lines + browsers.lines + ([certificate] if certificate else []))
    if failure is not None and not output.as_json:
        output.failure(failure)
    return 0 if failure is None else failure.failure.exit_code


class TerminalPerson:
    """An `MtlsInteraction` in a terminal."""

    def __init__(self, output: Output, ask: AskForCode, *, last_try_ok: bool, at_terminal: bool = True) -> None:
        """Ask for codes with `ask`; use the last try only if `last_try_ok`.

        `at_terminal`: a person is there, who may be sent to the keys of a reader.
        """
        self._at_terminal = at_terminal
        self._output = output
        self._ask = ask
        self._last_try_ok = last_try_ok
        self._over = threading.Event()

    def stop(self) -> None:
        """Take back the question that is open, if one is."""
        self._over.set()

    def ask(self, request: KeyRequest) -> KeyGranted | None:
        """Say who wants what, and ask for the code."""
        from sithsapp.cli.holder import holder

        left = request.pin.tries_left
        self._output.note(_sentence(request.purpose))
        if request.failure is not None:
            self._output.note(tr(request.failure.title))
        if left == 1 and not self._last_try_ok:
            self._output.note(tr("Only one attempt is left"))
            return None
        if self._at_terminal and request.card.pin_pad is not None:
            self._output.note(on_reader(request.pin))
            return KeyGranted(PadEntry(), self._last_try_ok)
        kind = tr("Identification code")
        attempts = "" if left is None else ", " + tr("{n} attempts left").format(n=left)
        try:
            prompt = f"{kind} ({holder(request.credential)}{attempts}):"
            pin = self._ask(prompt, lambda: self._over.is_set() or time.monotonic() > request.deadline)
        except SithsError as error:
            self._output.note(f"{error.failure.number} {tr(error.failure.title)}")
            return None
        return None if pin is None else KeyGranted(pin, self._last_try_ok)

    def card_wanted(self, wanted: CardWanted) -> bool:
        """Say that a card is needed, if a person is there."""
        if self._at_terminal:
            self._output.note(_sentence(wanted.purpose))
            self._output.note(f"{tr(wanted.failure.title)}. {tr(wanted.failure.remedy)}")
        return self._at_terminal

    def ended(self, _purpose: Purpose, failure: Failure | None) -> None:
        """Say why a program does not reach its server; a success speaks for itself."""
        if failure is not None and failure is not Failure.CANCELLED_BY_USER:
            self._output.note(f"{failure.number} {tr(failure.title)}")


def _sentence(purpose: Purpose) -> str:
    sentence = tr("{program} wants to reach {host} with your card")
    program = purpose.program.path or tr("An unknown program")
    return sentence.format(program=program, host=f"{purpose.host}:{purpose.port}")


def _pin_source(descriptor: int | None) -> AskForCode:
    """Return what asks for a code: one line of the descriptor each time, or the terminal."""
    if descriptor is None:
        return pin_from_terminal
    return lambda _prompt, _is_over: pin_from_descriptor(descriptor)


def _certificate(cards: CardsState) -> str:
    from sithsapp.cli.holder import holder
    from sithsapp.mtls.choosing import choose

    chosen = choose(cards)
    return f"{chosen.credential.id}  {holder(chosen.credential)}"
