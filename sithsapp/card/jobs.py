# SPDX-License-Identifier: EUPL-1.2
"""Work for a card thread: a function, the future that tells how it ended, and the codes that must not outlive it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

from sithsapp.card.pin import PadEntry, Pin
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

HELD_SECONDS = 5.0
"""How long a piece of work waits for a card that another program holds in a transaction."""

Result = TypeVar("Result")


class Job(Generic[Result]):
    """One piece of work. However it ends, its codes are wiped and its future is done.

    `work` gets the job: it calls `begin` once it holds the card, and `deliver` if the result comes before the end.
    """

    def __init__(self, work: Callable[[Job[Result]], Result | None], codes: tuple[Pin | PadEntry, ...] = ()) -> None:
        self._work = work
        self._codes = codes
        self._begun = threading.Event()
        self.future: Future[Result] = Future()

    def run(self) -> None:
        """Do the work and settle the future; never raises."""
        if not self.future.set_running_or_notify_cancel():
            self._wipe()
            return
        watchdog = threading.Timer(HELD_SECONDS, self._give_up)
        watchdog.daemon = True
        watchdog.start()
        try:
            result = self._work(self)
            if result is not None:
                self.deliver(result)
        except SithsError as error:
            self.fail(error)
        except Exception as error:
            # A thread's boundary: the trace names functions, never values.
            _log.exception("card work failed")
            self.fail(SithsError(Failure.UNKNOWN, type(error).__name__))
        finally:
            watchdog.cancel()
            self._wipe()

    def begin(self) -> None:
        """Say that the card is held. Raises `SithsError(CARD_IN_USE)` if nobody waits for this work any more."""
        self._begun.set()
        if self.future.done():
            raise SithsError(Failure.CARD_IN_USE, "the card came free too late")

    def deliver(self, result: Result) -> None:
        """Give the result to whoever waits."""
        with suppress(InvalidStateError):
            self.future.set_result(result)

    def fail(self, error: SithsError) -> None:
        """End the work with a failure unless it has ended; codes that were not sent are wiped."""
        with suppress(InvalidStateError):
            self.future.set_exception(error)
        self._wipe()

    def _give_up(self) -> None:
        """Stop to wait for a card that another program does not let go of. Nothing has been sent."""
        if not self._begun.is_set():
            self.fail(SithsError(Failure.CARD_IN_USE, "another program holds the card"))

    def _wipe(self) -> None:
        for code in self._codes:
            code.wipe()
