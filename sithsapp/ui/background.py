# SPDX-License-Identifier: EUPL-1.2
"""Work in a thread of its own whose results arrive in the Qt thread. Nothing waits for it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from PySide6.QtCore import QObject, Signal

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
