# SPDX-License-Identifier: EUPL-1.2
"""Run self-tests side by side, for a bounded time, and tell of each as it ends."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar
from weakref import WeakSet

from sithsapp.failures import SithsError
from sithsapp.support.checks.check import Check, Context, Outcome, Result, _, failed, said

log = logging.getLogger(__name__)

SECONDS = 25.0
"""How long a whole run may take; what has not answered by then is told as such."""

_POLL = 0.2
_lock = threading.Lock()
_cancels: WeakSet[threading.Event] = WeakSet()
_threads: WeakSet[threading.Thread] = WeakSet()
Tell = Callable[[Check, Result], None]
_T = TypeVar("_T")


def run_checks(checks: Sequence[Check], context: Context, tell: Tell, seconds: float = SECONDS) -> None:
    """Run `checks` side by side and call `tell` in this thread for each; returns when all have ended.

    After `seconds`, or once `context.cancelled` is set, the rest is given up: their threads may go on for a moment,
    but nothing waits for them.
    """
    with _lock:
        _cancels.add(context.cancelled)
    found: queue.SimpleQueue[tuple[Check, Result]] = queue.SimpleQueue()
    for check in checks:
        start(f"check {check.id}", partial(_run_and_put, check, context, found))
    deadline = time.monotonic() + seconds
    left = list(checks)
    while left and time.monotonic() < deadline and not context.cancelled.is_set():
        try:
            check, result = found.get(timeout=min(_POLL, max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            continue
        left.remove(check)
        tell(check, result)
    if not context.cancelled.is_set():
        for check in left:
            tell(check, Result(Outcome.WARNING, said(_("The test did not end in time."))))


def _run_and_put(check: Check, context: Context, found: queue.SimpleQueue[tuple[Check, Result]]) -> None:
    found.put((check, run_one(check, context)))


def run_one(check: Check, context: Context) -> Result:
    """Run one self-test; what it raises becomes a finding."""
    try:
        return check.run(context)
    except SithsError as error:
        return failed(error.failure, error.detail)
    except Exception as error:  # thread boundary: a broken test says nothing about the computer
        log.exception("self-test %s", check.id)
        return Result(Outcome.WARNING, said(_("The test could not be carried out.")), details=(type(error).__name__,))


def start(name: str, work: Callable[[], None]) -> threading.Thread:
    """Run `work` in a thread that nothing waits for at the end of the process."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    with _lock:
        _threads.add(thread)
    return thread


def cancel_all(seconds: float = 2.0) -> None:
    """Break off every run, and wait a moment for their threads: the process is about to end under them."""
    with _lock:
        cancels, threads = list(_cancels), list(_threads)
    for cancelled in cancels:
        cancelled.set()
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def side_by_side(work: Sequence[Callable[[], _T]]) -> list[_T]:
    """Return what each function returns, in their order, having run them side by side. They must not raise."""
    results: dict[int, _T] = {}

    def keep(number: int, each: Callable[[], _T]) -> None:
        results[number] = each()

    threads = [start(f"part {number}", partial(keep, number, each)) for number, each in enumerate(work)]
    for thread in threads:
        thread.join()
    return [results[number] for number in range(len(work)) if number in results]
