# SPDX-License-Identifier: EUPL-1.2
"""Work for a card thread: a function, the future that tells how it ended, and the codes that must not outlive it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Generic, TypeVar

from sithsapp.card.pin import Pin
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

Result = TypeVar("Result")


class Job(Generic[Result]):
    """One piece of work. However it ends, its codes are wiped and its future is done.

    `work` gets a function that may deliver the result before the work is over.
    """

    def __init__(
        self, work: Callable[[Callable[[Result], None]], Result | None], codes: tuple[Pin, ...] = ()
    ) -> None:
        self._work = work
        self._codes = codes
        self.future: Future[Result] = Future()

    def run(self) -> None:
        """Do the work and settle the future; never raises."""
        if not self.future.set_running_or_notify_cancel():
            self._wipe()
            return
        try:
            result = self._work(self._deliver)
            if result is not None:
                self._deliver(result)
        except SithsError as error:
            self.fail(error)
        except Exception as error:
            # A thread's boundary: the trace names functions, never values.
            _log.exception("card work failed")
            self.fail(SithsError(Failure.UNKNOWN, type(error).__name__))
        finally:
            self._wipe()

    def fail(self, error: SithsError) -> None:
        """End the work with a failure unless it has ended; codes that were not sent are wiped."""
        self._wipe()
        with suppress(InvalidStateError):
            self.future.set_exception(error)

    def _deliver(self, result: Result) -> None:
        with suppress(InvalidStateError):
            self.future.set_result(result)

    def _wipe(self) -> None:
        for code in self._codes:
            code.wipe()
