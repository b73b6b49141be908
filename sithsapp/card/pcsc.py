# SPDX-License-Identifier: EUPL-1.2
"""PC/SC: the readers of this session and shared connections to the cards in them.

The only module that imports `smartcard`, and of it only the thin layer over the system's library; the package's own
monitor ends for good when the service stops, and costs ten times the memory. The library finds the service
(`PCSCLITE_CSOCK_NAME` on pcsclite). Calls may block as long as the service hangs: they belong in threads that
nothing waits for.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import random
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from sithsapp.card.part10 import GET_FEATURES, structure
from sithsapp.card.pcsc_codes import (
    BUSY,
    PAD_REFUSED,
    PAD_STATUS,
    READER_GONE,
    SILENT,
    Code,
    State,
    failure_of,
    name_of,
    unsigned,
)
from sithsapp.card.pcsc_pad import FoundPad, PadBook
from sithsapp.card.pcsc_watch import ReaderTable
from sithsapp.card.pin_pad import PadCommand, PinPad
from sithsapp.card.transport import CardProtocol, ReadersSnapshot
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

PNP_NOTIFICATION = "\\\\?PnP?\\Notification"
_SCOPE_USER, _SHARE_SHARED, _LEAVE, _RESET = 0, 2, 0, 1
_T0, _T1 = 1, 2
_LONGEST_WAIT_MS = 0x7FFFFFFF
_NO_PNP_WAIT_MS = 2000
_FIRST_BACKOFF, _LAST_BACKOFF = 0.1, 1.8
_BUSY_SECONDS = 2.0
_BUSY_PAUSE = (0.05, 0.25)
_MAX_RECONNECTS = 2
_REMOVAL_CHECK_MS = 1000
_SPIN_LIMIT, _SPIN_PAUSE = 50, 0.5
_MAX_ATR = 33
_STATUS_LENGTH = 2
_CANCEL_PAUSE, _CANCEL_SECONDS = 0.02, 0.4


def _load() -> ModuleType:
    """Import the binding without `smartcard/__init__.py`, which would import the whole package."""
    if "smartcard" in sys.modules:
        return importlib.import_module("smartcard.scard")
    spec = importlib.util.find_spec("smartcard")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("pyscard is not installed")
    shell = ModuleType("smartcard")
    shell.__path__ = spec.submodule_search_locations
    sys.modules["smartcard"] = shell
    try:
        return importlib.import_module("smartcard.scard")
    finally:
        del sys.modules["smartcard"]


_scard: Any = _load()


def _call(name: str, *arguments: Any) -> tuple[int, tuple[Any, ...]]:
    """Call the library; return the unsigned code and what else it gave."""
    answer = getattr(_scard, name)(*arguments)
    if isinstance(answer, int):
        return unsigned(answer), ()
    code, *values = answer
    return unsigned(code), tuple(values)


def _error(call: str, code: int) -> SithsError:
    return SithsError(failure_of(code), f"{call} {name_of(code)}")


class PcscReaders:
    """The readers that PC/SC shows. One thread waits; any thread may connect."""

    def __init__(self, *, use_pads: bool = True) -> None:
        """Let codes be typed on readers with keys if `use_pads`."""
        self._pads = PadBook(_scard.SCARD_CTL_CODE(GET_FEATURES)) if use_pads else None
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
                _call("SCardCancel", context)

    def _end_wait(self) -> None:
        """Repeat SCardCancel, which ends only a wait that has begun, until the waiting thread is out."""
        while not self._waiting.acquire(timeout=_CANCEL_PAUSE):
            context = self._context
            if context is not None:
                _call("SCardCancel", context)
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
            code, values = _call("SCardListReaders", self._context, [])
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
        code, values = _call("SCardGetStatusChange", self._context, timeout_ms, states)
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
                self._table.note(name, state, bytes(atr[:_MAX_ATR]))

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
        code, values = _call("SCardEstablishContext", _SCOPE_USER)
        if code == Code.SUCCESS:
            self._context = values[0]
            self._pnp_state = State.UNAWARE
        return code

    def _release(self) -> None:
        context, self._context = self._context, None
        if context is not None:
            _call("SCardReleaseContext", context)

    def _note_running(self, running: bool, code: int) -> None:
        """Write one line for each change, not for each try."""
        if running:
            self._backoff = _FIRST_BACKOFF
        if running != self._running:
            _log.info("smart card service %s (%s)", "found" if running else "not available", name_of(code))
        self._running = running


class PcscConnection:
    """A shared connection with a context of its own; see `CardConnection`. Raises `SithsError` as that says."""

    def __init__(self, reader: str, pads: PadBook | None = None) -> None:
        self._reader = reader
        self._pads = pads
        self._card: Any = None
        self._protocol = _T0
        code, values = _call("SCardEstablishContext", _SCOPE_USER)
        if code != Code.SUCCESS:
            raise _error("SCardEstablishContext", code)
        self._context: Any = values[0]
        try:
            self._connect()
            self._atr = self._read_atr()
        except SithsError:
            self.disconnect()
            raise

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return self._atr

    @property
    def protocol(self) -> CardProtocol:
        """The protocol that reader and card agreed on."""
        return CardProtocol.T1 if self._protocol == _T1 else CardProtocol.T0

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU; return the response.

        The binding wants a list. It holds the only copy made here and is emptied when the card has answered.
        """
        octets = list(command)
        pci = _scard.SCARD_PCI_T1 if self._protocol == _T1 else _scard.SCARD_PCI_T0
        try:
            code, values = _call("SCardTransmit", self._handle(), pci, octets)
        finally:
            octets[:] = [0] * len(octets)
        if code != Code.SUCCESS:
            raise self._transmit_error(code)
        return bytes(values[0])

    @property
    def pin_pad(self) -> PinPad | None:
        """The keys on the reader."""
        found = self._find_pad()
        return None if found is None else found.pad

    def enter(self, command: PadCommand) -> bytes:
        """Let the person type codes on the reader. What goes there has places for digits and no digit."""
        found = self._find_pad()
        feature = None if found is None else found.verify if command.codes == 1 else found.modify
        if feature is None:
            raise SithsError(Failure.PIN_PAD_REFUSED, "the reader has no keys for this")
        code, values = _call("SCardControl", self._handle(), feature, list(structure(command)))
        if code in PAD_STATUS:
            return PAD_STATUS[Code(code)]
        answer = bytes(values[0]) if code == Code.SUCCESS else b""
        if code in PAD_REFUSED or (code == Code.SUCCESS and len(answer) != _STATUS_LENGTH):
            self.distrust_pad()
            raise SithsError(Failure.PIN_PAD_REFUSED, f"SCardControl {name_of(code)}, {len(answer)} bytes")
        if code != Code.SUCCESS:
            raise self._transmit_error(code)
        return answer

    def distrust_pad(self) -> None:
        """Use the keys of this reader no more until it is plugged in again."""
        if self._pads is not None:
            self._pads.distrust(self._reader)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the card. A reset by another program is taken up at most twice; all state on the card is gone then."""
        self._begin()
        try:
            yield
        finally:
            # A handle that is dropped inside a transaction blocks the next one for ever.
            if self._card is not None:
                _call("SCardEndTransaction", self._card, _LEAVE)

    def disconnect(self, *, reset: bool = False) -> None:
        """Let go of the card and of the context. Never raises; harmless when repeated."""
        card, self._card = self._card, None
        if card is not None:
            _call("SCardEndTransaction", card, _RESET if reset else _LEAVE)
            _call("SCardDisconnect", card, _RESET if reset else _LEAVE)
        context, self._context = self._context, None
        if context is not None:
            _call("SCardReleaseContext", context)

    def _find_pad(self) -> FoundPad | None:
        return None if self._pads is None else self._pads.find(self._reader, self._control)

    def _control(self, feature: int, data: bytes) -> bytes | None:
        code, values = _call("SCardControl", self._handle(), feature, list(data))
        if code != Code.SUCCESS and code not in PAD_REFUSED:
            raise _error("SCardControl", code)
        return bytes(values[0]) if code == Code.SUCCESS else None

    def _handle(self) -> Any:
        if self._card is None:
            raise SithsError(Failure.CARD_REMOVED, "the connection is closed")
        return self._card

    def _connect(self) -> None:
        code, values = _patiently("SCardConnect", self._context, self._reader, _SHARE_SHARED, _T0 | _T1)
        if code in SILENT:
            _log.info("SCardConnect %s, once more", name_of(code))
            code, values = _patiently("SCardConnect", self._context, self._reader, _SHARE_SHARED, _T0 | _T1)
        if code != Code.SUCCESS:
            raise _error("SCardConnect", code)
        self._card, self._protocol = values

    def _read_atr(self) -> bytes:
        code, values = _call("SCardStatus", self._card)
        if code == Code.W_RESET_CARD:
            code = self._reconnect()
            if code == Code.SUCCESS:
                code, values = _call("SCardStatus", self._card)
        if code != Code.SUCCESS:
            raise _error("SCardStatus", code)
        return bytes(values[-1][:_MAX_ATR])

    def _begin(self) -> None:
        for _ in range(_MAX_RECONNECTS + 1):
            code, _values = _patiently("SCardBeginTransaction", self._handle())
            if code != Code.W_RESET_CARD:
                break
            _log.info("another program reset the card")
            reconnected = self._reconnect()
            if reconnected != Code.SUCCESS:
                raise _error("SCardReconnect", reconnected)
        if code == Code.W_RESET_CARD:
            raise SithsError(Failure.CARD_IN_USE, "another program keeps resetting the card")
        if code != Code.SUCCESS:
            raise _error("SCardBeginTransaction", code)

    def _reconnect(self) -> int:
        code, values = _patiently("SCardReconnect", self._card, _SHARE_SHARED, _T0 | _T1, _LEAVE)
        if code == Code.SUCCESS:
            self._protocol = values[0]
        return code

    def _transmit_error(self, code: int) -> SithsError:
        """Tell a card that was pulled from one that failed: the reader notices a little later than the command."""
        error = _error("SCardTransmit", code)
        if error.failure not in (Failure.CARD_ERROR, Failure.CARD_MUTE):
            return error
        states = [(self._reader, int(State.PRESENT))]
        asked, values = _call("SCardGetStatusChange", self._context, _REMOVAL_CHECK_MS, states)
        gone = asked in READER_GONE or (asked == Code.SUCCESS and not values[0][0][1] & State.PRESENT)
        return SithsError(Failure.CARD_REMOVED, error.detail) if gone else error


def _patiently(name: str, *arguments: Any) -> tuple[int, tuple[Any, ...]]:
    """Call, and call again for up to two seconds while another program holds the card."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        code, values = _call(name, *arguments)
        if code not in BUSY or time.monotonic() >= deadline:
            return code, values
        time.sleep(random.uniform(*_BUSY_PAUSE))  # noqa: S311 - spreads competing programs, no secret
