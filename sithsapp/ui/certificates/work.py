# SPDX-License-Identifier: EUPL-1.2
"""Has certificates looked into in threads, so that the window never waits for a network or a library."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, SignalInstance

from sithsapp.failures import Failure, SithsError
from sithsapp.ui.certificates.entries import Entry, EntryId

if TYPE_CHECKING:
    from sithsapp.settings.schema import Settings

log = logging.getLogger(__name__)


class Work(QObject):
    """Belongs to the Qt thread; its signals arrive there.

    `looked(EntryId, Knowledge)`, `checked(EntryId, Inspection)` and `opened(EntryId, None)` carry a `SithsError` in
    the place of their second value when it went wrong. A check that was cancelled tells nothing.
    """

    looked = Signal(object, object)
    checked = Signal(object, object)
    opened = Signal(object, object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._checks: dict[EntryId, threading.Event] = {}

    def look(self, entry: Entry, settings: Settings) -> None:
        """Work out what is known without asking anybody."""

        def work() -> object:
            from sithsapp.ui.certificates.knowledge import look

            return look(entry, settings)

        self._begin(self.looked, entry.id, work, threading.Event())

    def check(self, entry: Entry, settings: Settings) -> None:
        """Ask the issuers, unless they are being asked about this certificate."""
        if entry.id in self._checks:
            return
        cancelled = self._checks[entry.id] = threading.Event()

        def work() -> object:
            from sithsapp.ui.certificates.knowledge import check

            return check(entry, settings, cancelled)

        self._begin(self.checked, entry.id, work, cancelled)

    def cancel(self, entry: EntryId) -> None:
        """Ask nobody any more about that certificate; its answer is not told."""
        cancelled = self._checks.pop(entry, None)
        if cancelled is not None:
            cancelled.set()

    def finished(self, entry: EntryId) -> None:
        """Take note that a check's answer has arrived."""
        self._checks.pop(entry, None)

    def is_checking(self, entry: EntryId) -> bool:
        """Tell whether the issuers are being asked about that certificate."""
        return entry in self._checks

    def open(self, entry: Entry, show: Callable[[bytes], None]) -> None:
        """Have `show`, which may block and raise `SithsError`, show the certificate (DER)."""

        def work() -> None:
            show(entry.der)

        self._begin(self.opened, entry.id, work, threading.Event())

    def _begin(
        self, done: SignalInstance, entry: EntryId, work: Callable[[], object], cancelled: threading.Event
    ) -> None:
        def run() -> None:
            result = _outcome(work)
            if cancelled.is_set():
                return
            try:
                done.emit(entry, result)
            except RuntimeError:  # the window has gone in the meantime
                log.debug("nobody waits for the certificate")

        threading.Thread(target=run, name="certificate", daemon=True).start()


def _outcome(work: Callable[[], object]) -> object:
    try:
        return work()
    except SithsError as error:
        log.warning("%s", error)
        return error
    except Exception as error:
        # A thread's boundary: the trace names functions, never values.
        log.exception("certificate")
        return SithsError(Failure.UNKNOWN, type(error).__name__)
