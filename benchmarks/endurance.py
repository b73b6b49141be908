# SPDX-License-Identifier: EUPL-1.2
"""A thousand restarts of a real reader service and a thousand insertions, with one card service watching.

The private pcscd is killed the hard way and started again; the card comes and goes through vpcd. Threads, file
descriptors and resident memory of a process that does nothing but watch are counted after a few rounds and at the
end: they must not have grown. Times run from the moment that the service answers again, or that the card has power,
until that process shows it; vpcd itself looks for a card every half second. `SITHS_ENDURANCE_ROUNDS` changes
the number of rounds, `SITHS_ENDURANCE_ONLY` names `insertions` or `restarts`.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, TYPE_CHECKING, cast

from benchmarks._card_watcher import LENGTH, Usage, usage
from sithsapp.card.model import CardsState
from sithsapp.card.service import CardService

if TYPE_CHECKING:
    from sithsapp.card.virtual.pcscd import PrivatePcscd
    from sithsapp.card.virtual.vpcd import VpcdCard

ROUNDS = int(os.environ.get("SITHS_ENDURANCE_ROUNDS", "1000"))
WARM_UP = 5
_DEADLINE = 30.0
_PROGRESS = 100


@dataclass(frozen=True, slots=True)
class Endurance:
    """What a number of rounds took. Seconds: the slowest until the service, and until the card was shown."""

    rounds: int
    before: Usage
    after: Usage
    slowest_service: float
    slowest_card: float


class Watch:
    """Waits for states of a card service."""

    def __init__(self, service: CardService) -> None:
        self._service = service
        self._changed = threading.Condition()
        service.subscribe(self._note)

    def _note(self, _state: CardsState) -> None:
        with self._changed:
            self._changed.notify_all()

    def until(self, wanted: Callable[[CardsState], bool]) -> float:
        """Wait for a state and return the time; raises `TimeoutError`."""
        with self._changed:
            if not self._changed.wait_for(lambda: wanted(self._service.state), _DEADLINE):
                raise TimeoutError(str(self._service.state))
        return time.monotonic()

    def usage(self) -> Usage:
        """Return what this process holds."""
        return usage()


class RemoteWatch:
    """Waits for states that a process of its own sees, and asks what that holds."""

    def __init__(self, cache: Path) -> None:
        self._states: SimpleQueue[CardsState] = SimpleQueue()
        self._usages: SimpleQueue[Usage] = SimpleQueue()
        self._state = CardsState(service_running=False)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks._card_watcher", str(cache)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._questions = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        threading.Thread(target=self._listen, daemon=True).start()

    def until(self, wanted: Callable[[CardsState], bool]) -> float:
        """Wait for a state and return the time; raises `queue.Empty`."""
        while not wanted(self._state):
            self._state = self._states.get(timeout=_DEADLINE)
        return time.monotonic()

    def usage(self) -> Usage:
        """Return what the process holds."""
        self._questions.write(b"usage\n")
        self._questions.flush()
        return self._usages.get(timeout=_DEADLINE)

    def close(self) -> None:
        """End the process."""
        self._questions.close()
        self._process.wait(_DEADLINE)

    def _listen(self) -> None:
        while head := self._answers.read(LENGTH.size):
            what = pickle.loads(self._answers.read(LENGTH.unpack(head)[0]))  # noqa: S301 - our own process
            (self._usages if isinstance(what, Usage) else self._states).put(what)


AnyWatch = Watch | RemoteWatch


def restarts(service: PrivatePcscd, watch: AnyWatch, rounds: int) -> Endurance:
    """Kill the service and start it again, with a card in the reader."""
    watch.until(lambda state: bool(state.cards))

    def one() -> tuple[float, float]:
        service.kill()
        watch.until(lambda state: not state.service_running)
        service.restart()
        began = time.monotonic()
        shown = watch.until(lambda state: state.service_running)
        return shown - began, watch.until(lambda state: bool(state.cards)) - began

    return _repeat(one, rounds, watch)


def insertions(card: VpcdCard, watch: AnyWatch, rounds: int) -> Endurance:
    """Pull the card out and put it in again."""
    watch.until(lambda state: bool(state.cards))

    def one() -> tuple[float, float]:
        card.remove()
        watch.until(lambda state: not state.cards)
        card.insert()
        began = time.monotonic()
        return 0.0, watch.until(lambda state: bool(state.cards)) - began

    return _repeat(one, rounds, watch)


def _repeat(one: Callable[[], tuple[float, float]], rounds: int, watch: AnyWatch) -> Endurance:
    for _ in range(WARM_UP):
        one()
    before = _settled_usage(watch)
    slowest_service = slowest_card = 0.0
    for number in range(1, rounds + 1):
        service, card = one()
        slowest_service, slowest_card = max(slowest_service, service), max(slowest_card, card)
        if number % _PROGRESS == 0:
            print(
                f"{number}: {watch.usage()}, {slowest_service:.2f} s, {slowest_card:.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return Endurance(rounds, before, _settled_usage(watch), slowest_service, slowest_card)


def _settled_usage(watch: AnyWatch) -> Usage:
    """Count once threads that are about to end have ended."""
    counted = watch.usage()
    deadline = time.monotonic() + 1.0
    while time.monotonic() < deadline:
        threading.Event().wait(0.1)
        again = watch.usage()
        if again.threads >= counted.threads and again.descriptors >= counted.descriptors:
            return again
        counted = again
    return counted


@contextmanager
def _stage() -> Iterator[tuple[PrivatePcscd, VpcdCard, RemoteWatch]]:
    from sithsapp.card.virtual.ca import VirtualPki
    from sithsapp.card.virtual.pcscd import PrivatePcscd
    from sithsapp.card.virtual.personalise import new_card
    from sithsapp.card.virtual.vpcd import VpcdCard

    with tempfile.TemporaryDirectory() as name, PrivatePcscd() as service:
        os.environ.update(service.environment)
        directory = Path(name)
        pki = VirtualPki(directory / "pki", base_url="http://localhost", environment="test")
        card = VpcdCard(new_card(directory / "card", pki, environment="test"), service.port(0))
        watch = RemoteWatch(directory / "cache")
        card.insert()
        try:
            yield service, card, watch
        finally:
            watch.close()
            card.remove()


def main() -> None:
    """Print a row for restarts and one for insertions."""
    if not sys.platform.startswith("linux"):
        print("skipped: needs Linux")
        return
    from sithsapp.card.virtual import pcscd

    reason = pcscd.unavailable()
    if reason is not None:
        print(f"skipped: {reason}")
        return
    print("| what | rounds | threads | descriptors | memory KiB | held KiB | slowest: service | slowest: card |")
    print("|---|--:|--:|--:|--:|--:|--:|--:|")
    chosen = os.environ.get("SITHS_ENDURANCE_ONLY", "")
    with _stage() as (service, card, watch):
        if chosen in ("", "insertions"):
            _print("insertions", insertions(card, watch, ROUNDS))
        if chosen in ("", "restarts"):
            _print("restarts of the service", restarts(service, watch, ROUNDS))


def _print(what: str, result: Endurance) -> None:
    before, after = result.before, result.after
    grown = " | ".join(
        f"{first} → {last}"
        for first, last in (
            (before.threads, after.threads),
            (before.descriptors, after.descriptors),
            (before.memory, after.memory),
            (before.held, after.held),
        )
    )
    service = f"{result.slowest_service:.2f} s" if result.slowest_service else ""
    print(f"| {what} | {result.rounds} | {grown} | {service} | {result.slowest_card:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
