# SPDX-License-Identifier: EUPL-1.2
"""Threads with a small stack, as there may be hundreds, that are used again as long as work comes."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

_STACK: Final = 512 * 1024
_IDLE_SECONDS: Final = 1.0
_lock = threading.Lock()


def start_thread(thread: threading.Thread) -> None:
    """Start `thread`; raises `RuntimeError` if the system has no thread left."""
    with _lock:  # the size of stacks is the process's
        before = threading.stack_size(_STACK)
        try:
            thread.start()
        finally:
            threading.stack_size(before)


class Workers:
    """Runs each piece of work in a thread at once: one that has just become idle, or a new one. Thread-safe."""

    def __init__(self, name: str) -> None:
        """Call the threads `name`."""
        self._name = name
        self._work: deque[Callable[[], None]] = deque()
        self._idle = 0
        self._changed = threading.Condition()

    def run(self, work: Callable[[], None]) -> None:
        """Have `work` done, which raises nothing. Raises `RuntimeError` if the system has no thread left."""
        with self._changed:
            if self._idle > len(self._work):
                self._work.append(work)
                self._changed.notify()
                return
        start_thread(threading.Thread(target=self._serve, args=(work,), name=self._name, daemon=True))

    def _serve(self, work: Callable[[], None] | None) -> None:
        while work is not None:
            try:
                work()
            except Exception:
                log.exception("%s", self._name)
            work = self._next()

    def _next(self) -> Callable[[], None] | None:
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._work, _IDLE_SECONDS)
            self._idle -= 1
            return self._work.popleft() if self._work else None
