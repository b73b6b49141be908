# SPDX-License-Identifier: EUPL-1.2
"""Opens a connection to a server in a thread of its own, so that a browser can be kept waiting in the right way.

A person needs longer for a code than browsers wait for a proxy's answer (some 30 seconds), while they wait for a
server's first answer for minutes.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.flight import Identity
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.threads import start_thread
from sithsapp.mtls.tls_stream import TlsStream, Truncated
from sithsapp.mtls.upstream import Upstream

_MOST_REMEMBERED: Final = 256
_SHORTEST_QUIET, _LONGEST_QUIET = 2.0, 60.0
Opened = tuple[TlsStream, Identity]


class Refusals:
    """Keeps a page that asks again and again from bothering a person who has said no. Thread-safe.

    After a refusal the same program gets the same answer for two seconds without a question, after the next for
    four, and so on up to a minute. A connection that succeeds ends it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._quiet: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def check(self, target: str, program: Program) -> None:
        """Raise `SithsError(CANCELLED_BY_USER)` while a refusal holds."""
        with self._lock:
            until, _seconds = self._quiet.get((target, program.path), (0.0, 0.0))
        if time.monotonic() < until:
            raise SithsError(Failure.CANCELLED_BY_USER, "refused a moment ago")

    def note(self, target: str, program: Program, *, refused: bool) -> None:
        """Remember how it went."""
        key = (target, program.path)
        with self._lock:
            _until, seconds = self._quiet.pop(key, (0.0, _SHORTEST_QUIET / 2))
            if refused:
                seconds = min(2 * seconds, _LONGEST_QUIET)
                self._quiet[key] = time.monotonic() + seconds, seconds
            while len(self._quiet) > _MOST_REMEMBERED:
                self._quiet.popitem(last=False)


class Opening:
    """A connection to a server that is being opened."""

    def __init__(
        self, name: str, upstream: Upstream, program: Program, refusals: Refusals, room: threading.Semaphore
    ) -> None:
        """Begin at once, if there is `room`: a person who thinks holds up openings that nobody waits for any more.

        Raises `OSError` if there is none, `RuntimeError` if the system has no thread left.
        """
        self._name, self._upstream, self._program, self._refusals = name, upstream, program, refusals
        self._room = room
        self._future: Future[Opened] = Future()
        if not room.acquire(blocking=False):
            raise OSError("too many connections are being opened")
        try:
            start_thread(threading.Thread(target=self._run, name="mtls opening", daemon=True))
        except RuntimeError:
            room.release()
            raise

    def wait(self, seconds: float) -> bool:
        """Tell whether it has succeeded or failed within `seconds`."""
        with suppress(TimeoutError):
            self._future.exception(seconds)
        return self._future.done()

    def result(self) -> Opened:
        """Wait for the end; return the connection, or raise `SithsError`, or `Truncated` after `stop`."""
        return self._future.result()

    def stop(self) -> None:
        """Wait no longer. The connection is closed whenever it comes; what was signed is used by the next one."""
        with suppress(InvalidStateError):
            self._future.set_exception(Truncated("ended here"))

    def abandon(self) -> None:
        """Stop, and close the connection if it has come and nobody has taken it."""
        self.stop()
        if self._future.exception() is None:
            self._future.result()[0].close()

    def _run(self) -> None:
        try:
            self._refusals.check(self._name, self._program)
            opened = self._open()
        except BaseException as error:  # whatever it is, the connection's own thread handles it
            with suppress(InvalidStateError):
                self._future.set_exception(error)
        else:
            self._hand_over(opened)
        finally:
            self._room.release()

    def _hand_over(self, opened: Opened) -> None:
        try:
            self._future.set_result(opened)
        except InvalidStateError:
            opened[0].close()

    def _open(self) -> Opened:
        try:
            opened = self._upstream.open(self._program)
        except SithsError as error:
            self._refusals.note(self._name, self._program, refused=error.failure is Failure.CANCELLED_BY_USER)
            raise
        self._refusals.note(self._name, self._program, refused=False)
        return opened
