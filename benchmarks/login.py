# SPDX-License-Identifier: EUPL-1.2
"""From the confirmed code to the page that is logged in: real pcscd, service and relying party; a card without delay.

The card's own time (RSA in software here, half a second on a real card) is measured inside the virtual card and
told apart.
"""

from __future__ import annotations

import os
import statistics
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from demo.stack import Stack
from demo.text_browser import TextBrowser
from sithsapp.card.backends import reader_backends
from sithsapp.card.pin import Pin
from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.desktop.paths import config_dir
from sithsapp.oob.compose import OrderFlows
from sithsapp.oob.interaction import EnterPin, Event, Finished, PinEntered, View
from sithsapp.oob.protocol.launch import parse_launch_url
from sithsapp.settings.load import load
from sithsapp.settings.profile import URL_SCHEME
from sithsapp.settings.sources import file_sources

ROUNDS = 30
_READY_SECONDS = 10.0


@dataclass
class _Times:
    """Moments of one log-in, in seconds of `time.perf_counter`, and the card's own time between them."""

    confirmed: float = 0.0
    accepted: float = 0.0
    logged_in: float = 0.0
    card: float = 0.0
    ended: threading.Event = field(default_factory=threading.Event)


class _Person:
    """Types the code as soon as it is asked for, and goes where the app leads."""

    def __init__(self, browser: TextBrowser, times: _Times) -> None:
        self.browser, self.times = browser, times
        self.post: Callable[[Event], None]

    def show(self, view: View) -> None:
        if isinstance(view, EnterPin):
            pin = Pin(bytearray(DEMO_CODES.pin1.encode()))
            self.times.confirmed = time.perf_counter()
            event: Event = PinEntered(view.card.id, view.credential.id, pin)
            self.post(event)
        elif isinstance(view, Finished):
            if view.failure is not None:
                raise SystemExit(f"the log-in failed: {view.failure.number}")
            self.times.ended.set()

    def follow(self, url: str) -> None:
        self.times.accepted = time.perf_counter()
        page = " ".join(self.browser.get(url))
        self.times.logged_in = time.perf_counter()
        if "Anna Andersson" not in page:
            raise SystemExit("the page does not know the person")


def _log_in(stack: Stack, cards: CardService, number: int) -> _Times:
    times = _Times()
    browser = TextBrowser(stack.directory / f"cookies-{number}.json")
    person = _Person(browser, times)
    settings = load(file_sources(config_dir())).settings
    flows = OrderFlows(settings, cards, person.follow, "sv")
    links = browser.press(f"{stack.backend.rp_origin}/login", how="same")
    link = next(link for link in links if link.startswith(f"{URL_SCHEME}:"))
    flow = flows.new(parse_launch_url(URL_SCHEME, link), person)
    person.post = flow.post
    spent: list[float] = []
    process = stack.kit.card.process

    def timed(command: bytes) -> bytes:
        began = time.perf_counter()
        answer = process(command)
        if times.confirmed and not times.accepted:
            spent.append(time.perf_counter() - began)
        return answer

    stack.kit.card.process = timed  # type: ignore[method-assign] # to measure the card's own time
    try:
        flow.start()
        times.ended.wait(30)
        flow.join(5)
    finally:
        stack.kit.card.process = process  # type: ignore[method-assign] # the measurement is over
    times.card = sum(spent)
    return times


def _row(name: str, seconds: list[float]) -> str:
    ordered = sorted(milliseconds := [1000 * value for value in seconds])
    return f"| {name} | {statistics.median(milliseconds):.0f} | {ordered[int(len(ordered) * 0.95)]:.0f} |"


def main() -> None:
    """Print medians and 95th percentiles of `ROUNDS` log-ins."""
    with Stack() as stack:
        os.environ.update(stack.environment)
        cards = CardService(reader_backends(load(file_sources(config_dir())).settings))
        cards.start()
        try:
            deadline = time.monotonic() + _READY_SECONDS
            while not cards.state.cards and time.monotonic() < deadline:
                time.sleep(0.05)
            rounds = [_log_in(stack, cards, number) for number in range(ROUNDS + 1)][1:]
        finally:
            cards.close()
    print("| ms, card without delay | median | p95 |\n|---|--:|--:|")
    print(_row("code confirmed -> signature accepted by the service", [t.accepted - t.confirmed for t in rounds]))
    print(_row("  of which the virtual card itself", [t.card for t in rounds]))
    print(_row("  beyond the card (budget 50)", [t.accepted - t.confirmed - t.card for t in rounds]))
    print(_row("code confirmed -> page logged in", [t.logged_in - t.confirmed for t in rounds]))
