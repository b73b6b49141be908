# SPDX-License-Identifier: EUPL-1.2
"""Which programs use the card at this moment, and where: what a tray shows and ends.

A session begins when a code was entered for a program and a server. It lasts as long as the answer can be used
again, and as long as a connection that came by it is open.
"""

from __future__ import annotations

import itertools
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sithsapp.mtls.interaction import Purpose

log = logging.getLogger(__name__)

Key = tuple[str, str, int | None]


@dataclass(frozen=True, slots=True)
class Session:
    """A program's use of the card with one server. `id` names it within this run of the helper.

    `until` is `time.monotonic()` seconds: until then new connections need no code. It is None when each connection
    needs one, or the time is over and only connections that are open remain.
    """

    id: str
    purpose: Purpose
    connections: int
    until: float | None


Listener = Callable[[tuple[Session, ...]], None]


def key_of(purpose: Purpose) -> Key:
    """Return what makes two uses one session: the target and the program, by number where it has no name."""
    program = purpose.program
    return purpose.target, program.path, None if program.path else program.pid


class _Entry:
    __slots__ = ("connections", "id", "purpose", "until")

    def __init__(self, number: int, purpose: Purpose) -> None:
        self.id, self.purpose = str(number), purpose
        self.connections = 0
        self.until: float | None = None


class Sessions:
    """The sessions of one helper. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._telling: Final = threading.RLock()
        self._numbers = itertools.count(1)
        self._entries: dict[Key, _Entry] = {}
        self._listeners: list[Listener] = []

    def now(self) -> tuple[Session, ...]:
        """Return the sessions, the oldest first."""
        with self._lock:
            return tuple(Session(e.id, e.purpose, e.connections, e.until) for e in self._entries.values())

    def find(self, session_id: str) -> Session | None:
        """Return the session with that id if it still is one."""
        return next((session for session in self.now() if session.id == session_id), None)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with all sessions when one begins, ends or changes its end; returns what undoes this.

        It is called in the thread where that happens, by one thread at a time, and must not wait.
        """
        with self._lock:
            self._listeners.append(listener)
        return lambda: self._unsubscribe(listener)

    def held(self, purpose: Purpose, until: float) -> None:
        """Note that new connections for `purpose` need no code before `until`."""
        with self._lock:
            self._entry(purpose).until = until
        self._tell()

    def released(self, target: str, path: str | None = None) -> None:
        """Note that new connections to `target` need a code again: of the program with that path, or of all."""
        with self._lock:
            keys = [key for key in self._entries if key[0] == target and path in (None, key[1])]
            changed = self._release(keys)
        if changed:
            self._tell()

    def connected(self, purpose: Purpose) -> None:
        """Note a connection that is open."""
        with self._lock:
            begun = key_of(purpose) not in self._entries
            self._entry(purpose).connections += 1
        if begun:
            self._tell()

    def disconnected(self, purpose: Purpose) -> None:
        """Note the end of a connection that was noted before."""
        key = key_of(purpose)
        with self._lock:
            entry = self._entries[key]
            entry.connections -= 1
            ended = not entry.connections and entry.until is None
            if ended:
                del self._entries[key]
        if ended:
            self._tell()

    def expire(self) -> float | None:
        """End what is over; return in how many seconds the next one is, None if none will be."""
        moment = time.monotonic()
        with self._lock:
            over = [key for key, entry in self._entries.items() if entry.until is not None and entry.until <= moment]
            changed = self._release(over)
            ends = [entry.until - moment for entry in self._entries.values() if entry.until is not None]
        if changed:
            self._tell()
        return min(ends, default=None)

    def _entry(self, purpose: Purpose) -> _Entry:
        key = key_of(purpose)
        entry = self._entries.get(key)
        if entry is None:
            entry = self._entries[key] = _Entry(next(self._numbers), purpose)
        return entry

    def _release(self, keys: list[Key]) -> bool:
        """With the lock held: take the hold from these; tell whether one had it."""
        changed = False
        for key in keys:
            entry = self._entries[key]
            changed = changed or entry.until is not None
            entry.until = None
            if not entry.connections:
                del self._entries[key]
        return changed

    def _unsubscribe(self, listener: Listener) -> None:
        with self._lock:
            if listener in self._listeners:
                self._listeners.remove(listener)

    def _tell(self) -> None:
        with self._telling:
            for listener in tuple(self._listeners):
                try:
                    listener(self.now())
                except Exception:
                    log.exception("sessions")
