# SPDX-License-Identifier: EUPL-1.2
"""Work in a thread of its own whose results arrive in the Qt thread. Nothing waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

from sithsapp.support.checks.check import Check, Context, Result

log = logging.getLogger(__name__)


class Background(QObject):
    """One piece of work at a time: `told` for parts of it, `ended` with its result, None if it failed.

    What an earlier piece still has to say once another one was begun, or after `cancel`, is left out.
    """

    told = Signal(object)
    ended = Signal(object)
    _arrived = Signal(object, object, bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._now: object = None
        self._arrived.connect(self._deliver)

    @property
    def is_running(self) -> bool:
        """Whether a piece of work has not ended."""
        return self._now is not None

    def start(self, name: str, work: Callable[[Callable[[object], None]], object]) -> None:
        """Begin `work`, which is given the function that tells parts; what is under way is forgotten."""
        self._now = piece = object()

        def run() -> None:
            try:
                result = work(lambda part: self._arrived.emit(piece, part, False))
            except Exception:  # thread boundary: the window says that it could not be done
                log.exception("%s", name)
                result = None
            self._end(piece, result)

        threading.Thread(target=run, name=name, daemon=True).start()

    def cancel(self) -> None:
        """Forget what is under way."""
        self._now = None

    def _end(self, piece: object, result: object) -> None:
        try:
            self._arrived.emit(piece, result, True)
        except RuntimeError:  # the window has gone, and this object with it
            log.debug("nobody is left to be told")

    def _deliver(self, piece: object, what: object, last: bool) -> None:
        if piece is not self._now:
            return
        if last:
            self._now = None
            self.ended.emit(what)
        else:
            self.told.emit(what)


def run_self_test(context: Context, tell: Callable[[object], None]) -> list[tuple[Check, Result]]:
    """Run all self-tests, tell of each, and return them in their order. For a thread."""
    from sithsapp.support.checks.running import run_checks
    from sithsapp.support.checks.suite import all_checks

    checks, found = all_checks(), list[tuple[Check, Result]]()

    def note(check: Check, result: Result) -> None:
        found.append((check, result))
        tell((check, result))

    run_checks(checks, context, note)
    return sorted(found, key=lambda pair: checks.index(pair[0]))
