# SPDX-License-Identifier: EUPL-1.2
"""The readers of this session over PC/SC: one blocking wait on all of them and on new ones, no polling."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from sithsapp.card import pcsc_library
from sithsapp.card.part10 import GET_FEATURES
from sithsapp.card.pcsc_codes import (
    READER_GONE,
    Code,
    State,
    failure_of,
    name_of,
)
from sithsapp.card.pcsc_connection import PcscConnection
from sithsapp.card.pcsc_library import MAX_ATR, SCOPE_USER, call
from sithsapp.card.pcsc_pad import PadBook
from sithsapp.card.pcsc_watch import ReaderTable
from sithsapp.card.transport import ReadersSnapshot
from sithsapp.failures import Failure

_log = logging.getLogger(__name__)

PNP_NOTIFICATION = "\\\\?PnP?\\Notification"
_LONGEST_WAIT_MS = 0x7FFFFFFF
_NO_PNP_WAIT_MS = 2000
_FIRST_BACKOFF, _LAST_BACKOFF = 0.1, 1.8
_SPIN_LIMIT, _SPIN_PAUSE = 50, 0.5
_CANCEL_PAUSE, _CANCEL_SECONDS = 0.02, 0.4


class PcscReaders:
    """The readers that PC/SC shows. One thread waits; any thread may connect."""

    def __init__(self, *, use_pads: bool = True) -> None:
        """Let codes be typed on readers with keys if `use_pads`."""
        self._pads = PadBook(pcsc_library.scard.SCARD_CTL_CODE(GET_FEATURES)) if use_pads else None
        self._context: Any = None
        self._table = ReaderTable()
        self._pnp_state = int(State.UNAWARE)
        self._has_pnp = True
        self._running: bool | None = None
        self._backoff = _FIRST_BACKOFF
        self._cancelled = threading.Event()
        self._renewing = threading.Event()
        self._waiting = threading.Lock()

    def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
        """Block until something differs from `known`; see `ReaderBackend`.

        A service that is gone is looked for again after 0.1 s, later every 1.8 s; a running one is not polled.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        with self._waiting:
            spins = 0
            while True:
                spins += 1
                snapshot = self._look()
                over = self._cancelled.is_set() or (deadline is not None and time.monotonic() >= deadline)
                if snapshot != known or over:
                    if self._cancelled.is_set():
                        self._release()
                    return snapshot
                started = time.monotonic()
                self._sleep(deadline)
                if time.monotonic() - started > _SPIN_PAUSE:
                    spins = 0
                elif spins > _SPIN_LIMIT:
                    # A service that reports changes without end must not take the processor.
                    self._cancelled.wait(_SPIN_PAUSE)

    def cancel(self) -> None:
        """End a `wait` in another thread, now and for good. Returns soon even if the service hangs."""
        self._cancelled.set()
        canceller = threading.Thread(target=self._end_wait, name="reader monitor end", daemon=True)
        canceller.start()
        canceller.join(_CANCEL_SECONDS)

    def renew(self) -> None:
        """Look at the readers with a new context, and take the cards in them for new ones.

        For a session that was disconnected or slept: the old context may show the readers of another place. Any
        thread; returns at once.
        """
        if not self._renewing.is_set():
            self._renewing.set()
            threading.Thread(target=self._interrupt, name="reader monitor renewal", daemon=True).start()

    def _interrupt(self) -> None:
        """Repeat SCardCancel, which ends only a wait that has begun, until the waiting thread has seen why."""
        while self._renewing.is_set() and not self._cancelled.wait(_CANCEL_PAUSE):
            context = self._context
            if context is not None:
                call("SCardCancel", context)

    def _end_wait(self) -> None:
        """Repeat SCardCancel, which ends only a wait that has begun, until the waiting thread is out."""
        while not self._waiting.acquire(timeout=_CANCEL_PAUSE):
            context = self._context
            if context is not None:
                call("SCardCancel", context)
        self._release()
        self._waiting.release()

    def connect(self, reader: str) -> PcscConnection:
        """Open a shared connection; raises as `CardConnection` does, and NO_CARD, NO_READER, READER_ACCESS_DENIED."""
        return PcscConnection(reader, self._pads)

    def _look(self) -> ReadersSnapshot:
        """Take stock without blocking."""
        if self._renewing.is_set():
            self._release()
            self._table.forget_states()
            self._renewing.clear()
        code = self._establish()
        if code == Code.SUCCESS:
            code, values = call("SCardListReaders", self._context, [])
            names = values[0] if code == Code.SUCCESS else ()
            if code == Code.SUCCESS or code in READER_GONE:
                self._table.keep(names)
                if self._pads is not None:
                    self._pads.keep(names)
                code = self._refresh(0)
        if code in (Code.SUCCESS, Code.E_TIMEOUT, Code.E_CANCELLED) or code in READER_GONE:
            self._note_running(True, code)
            return ReadersSnapshot(True, self._table.events())
        self._release()
        self._table.keep(())
        self._note_running(False, code)
        denied = failure_of(code) is Failure.READER_ACCESS_DENIED
        return ReadersSnapshot(False, (), Failure.READER_ACCESS_DENIED if denied else None)

    def _refresh(self, timeout_ms: int) -> int:
        """Ask for changes; waits up to `timeout_ms` where there is none."""
        states = self._table.states()
        if self._has_pnp:
            states.append((PNP_NOTIFICATION, self._pnp_state))
        if not states:
            return Code.E_TIMEOUT if timeout_ms == 0 else self._pause(timeout_ms / 1000)
        code, values = call("SCardGetStatusChange", self._context, timeout_ms, states)
        if code == Code.SUCCESS:
            self._take(values[0])
        elif code == Code.E_UNKNOWN_READER and not self._table.states():
            self._has_pnp = False
        return code

    def _take(self, states: list[tuple[str, int, list[int]]]) -> None:
        for name, state, atr in states:
            if name == PNP_NOTIFICATION:
                self._has_pnp = not state & State.UNKNOWN
                self._pnp_state = state & ~State.CHANGED
            else:
                self._table.note(name, state, bytes(atr[:MAX_ATR]))

    def _sleep(self, deadline: float | None) -> None:
        """Block in the service, or between two looks for one."""
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._running:
            self._cancelled.wait(self._backoff if left is None else min(self._backoff, left))
            self._backoff = min(2 * self._backoff, _LAST_BACKOFF)
            return
        longest = _LONGEST_WAIT_MS if self._has_pnp else _NO_PNP_WAIT_MS
        self._refresh(longest if left is None else min(longest, int(left * 1000) + 1))

    def _pause(self, seconds: float) -> int:
        self._cancelled.wait(seconds)
        return Code.E_TIMEOUT

    def _establish(self) -> int:
        if self._context is not None:
            return Code.SUCCESS
        code, values = call("SCardEstablishContext", SCOPE_USER)
        if code == Code.SUCCESS:
            self._context = values[0]
            self._pnp_state = State.UNAWARE
        return code

    def _release(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            call("SCardReleaseContext", context)

    def _note_running(self, running: bool, code: int) -> None:
        """Write one line for each change, not for each try."""
        if running:
            self._backoff = _FIRST_BACKOFF
        if running != self._running:
            _log.info("smart card service %s (%s)", "found" if running else "not available", name_of(code))
        self._running = running
