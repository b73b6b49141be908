# SPDX-License-Identifier: EUPL-1.2
"""One thread that carries all established connections, and gets out of the way where one of them must wait.

The TLS library signs within its calls whenever the server wants (renegotiation, post-handshake authentication), and
that waits for a card and a person. Nobody can know before. So when the signer is entered in the thread that drives
the pump, that thread hands the pump over to a new one, keeps the one connection it is busy with, and gives that back
when it is done. All others go on meanwhile.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from sithsapp.mtls.interaction import Purpose
from sithsapp.mtls.permission import Turn, here
from sithsapp.mtls.readiness import READ, Poller, poller
from sithsapp.mtls.side import Room
from sithsapp.mtls.threads import start_thread
from sithsapp.mtls.tunnel import Idle, Tunnel

log = logging.getLogger(__name__)

LINGER_SECONDS: Final = 1.0
_NEVER: Final = float("inf")
_SPARE_SOCKETS: Final = 16

Ended = Callable[[BaseException | None], None]
_Handler = Callable[[int, Room], None]


@dataclass(slots=True, eq=False)
class Carried:
    """A connection in a pump.

    `purpose` is what may be signed for in it; `idle_seconds` for how long it may be silent. `ended` is called once,
    in some thread, with what ended it: None if all was carried. The rest is the pump's own.
    """

    tunnel: Tunnel
    purpose: Purpose | None
    idle_seconds: float
    ended: Ended
    active: float = field(default_factory=time.monotonic)
    error: BaseException | None = None
    over: bool = False
    numbers: tuple[int, int] = (-1, -1)
    watched: tuple[int, int] = (0, 0)

    @property
    def deadline(self) -> float:
        """When it has been silent for too long."""
        return self.active + (LINGER_SECONDS if self.tunnel.finished else self.idle_seconds)


class Pump:
    """Carries connections until it is closed. Thread-safe; its thread begins with the first connection."""

    def __init__(self, waiting: Poller | None = None) -> None:
        """Wait by `waiting`, or the best that there is."""
        self._poller = waiting or poller()
        self._inbox: deque[tuple[Carried, BaseException | None]] = deque()
        self._handlers: dict[int, tuple[Carried, _Handler]] = {}
        self._here: set[Carried] = set()
        self._busy: Carried | None = None
        self._rung = True
        self._check_at = _NEVER
        self._lock = threading.Lock()
        self._driver: threading.Thread | None = None
        self._closing, self._stopped = False, threading.Event()
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._poller.watch(self._woken.fileno(), 0, READ)

    @property
    def full(self) -> bool:
        """Whether one more connection may find no room."""
        return 2 * (len(self._here) + len(self._inbox)) + _SPARE_SOCKETS > self._poller.capacity

    def carry(self, carried: Carried) -> None:
        """Take over a connection. Raises `RuntimeError`, and leaves it, if no thread is to be had."""
        with self._lock:
            if self._driver is None and not self._closing:
                self._start_driver()
        self._post(carried, None)

    def end(self, carried: Carried, error: BaseException) -> None:
        """End a connection with that error soon, unless it has ended; one that waits for a card ends after that."""
        self._post(carried, error)

    def close(self, seconds: float) -> None:
        """End whatever is carried, and the thread, within `seconds`. May be repeated."""
        with self._lock:
            self._closing = True
            if self._driver is None and not self._stopped.is_set():
                self._stop()
            self._ring()
        self._stopped.wait(seconds)

    def _post(self, carried: Carried, error: BaseException | None) -> None:
        with self._lock:
            if not self._stopped.is_set():
                self._inbox.append((carried, error))
                self._ring()
                return
        _finish(carried, carried.error or error or ConnectionAbortedError())

    def _ring(self) -> None:
        if not self._stopped.is_set():
            try:
                self._wake.send(b"!")
            except BlockingIOError:  # many have rung already
                return

    def _start_driver(self) -> None:
        thread, before = threading.Thread(target=self._drive, name="mtls pump", daemon=True), self._driver
        self._driver = thread
        try:
            start_thread(thread)
        except RuntimeError:
            self._driver = before
            raise

    def _step_aside(self) -> None:
        """Let another thread drive on: this one is about to wait, in the midst of a step of the busy connection."""
        carried, self._busy = self._busy, None
        if carried is None:
            raise RuntimeError("not in a step")
        self._leave(carried)
        try:
            self._start_driver()
        except RuntimeError:
            self._admit(carried)
            raise
        here.turn.step_aside = None

    def _drive(self) -> None:
        me, turn, room = threading.current_thread(), here.turn, Room()
        turn.step_aside = self._step_aside
        while self._driver is me:
            if self._rung:
                self._take_inbox()
            if self._closing:
                self._end_all()
                return
            self._carry_some(me, turn, room)

    def _carry_some(self, me: threading.Thread, turn: Turn, room: Room) -> None:
        """Wait, then do one step for each socket that is ready."""
        now = self._reap()
        ready = self._poller.wait(None if self._check_at == _NEVER else self._check_at - now)
        now, find = time.monotonic(), self._handlers.get
        for number, events in ready:
            found = find(number)
            if found is None:  # the wake-up, or a connection that has ended within this round
                self._rung = True
                continue
            carried, step = found
            self._busy = carried
            turn.purpose, turn.error = carried.purpose, None
            carried.active = now
            error: BaseException | None = None
            try:
                step(events, room)
            except Exception as raised:  # whatever ends this connection must not end the others
                error = raised
            if self._driver is not me:
                self._give_back(carried, error)
                return
            tunnel = carried.tunnel
            if error is not None or tunnel.over or tunnel.wants != carried.watched:
                self._settle(carried, error)

    def _settle(self, carried: Carried, error: BaseException | None) -> None:
        """See what the connection waits for now, unless it has ended."""
        try:
            if error is None and not carried.tunnel.over:
                self._watch(carried)
                return
        except (OSError, ValueError) as raised:
            error = raised
        self._leave(carried)
        _finish(carried, error)

    def _watch(self, carried: Carried) -> None:
        tunnel = carried.tunnel
        for number, before, wanted in zip(carried.numbers, carried.watched, tunnel.wants, strict=True):
            if before != wanted:
                self._poller.watch(number, before, wanted)
        carried.watched = tunnel.wants
        if tunnel.finished:
            self._check_at = min(self._check_at, carried.deadline)

    def _give_back(self, carried: Carried, error: BaseException | None) -> None:
        """Return a connection that this thread has waited for to whoever drives now."""
        carried.error = carried.error or error
        carried.active = time.monotonic()
        self._post(carried, None)

    def _take_inbox(self) -> None:
        with self._lock:
            self._rung = False
            with suppress(BlockingIOError):
                self._woken.recv(4096)
            posted = tuple(self._inbox)
            self._inbox.clear()
        for carried, error in posted:
            if error is None:
                self._admit(carried)
            elif carried in self._here:
                self._settle(carried, error)
            else:
                carried.error = error

    def _admit(self, carried: Carried) -> None:
        tunnel = carried.tunnel
        client, server = carried.numbers = tunnel.client.raw.fileno(), tunnel.server.raw.fileno()
        self._here.add(carried)
        self._handlers[client] = carried, tunnel.client_ready
        self._handlers[server] = carried, tunnel.server_ready
        self._check_at = min(self._check_at, carried.deadline)
        self._settle(carried, carried.error)

    def _leave(self, carried: Carried) -> None:
        """Take a connection out, so that nothing here touches it any more."""
        self._here.discard(carried)
        for number, watched in zip(carried.numbers, carried.watched, strict=True):
            self._handlers.pop(number, None)
            if watched:
                with suppress(OSError, ValueError):
                    self._poller.watch(number, watched, 0)
        carried.watched = (0, 0)

    def _reap(self) -> float:
        """End what has been silent for too long; return the time."""
        now = time.monotonic()
        if now >= self._check_at:
            for carried in [each for each in self._here if each.deadline <= now]:
                self._leave(carried)
                _finish(carried, None if carried.tunnel.finished else Idle())
            self._check_at = min((each.deadline for each in self._here), default=_NEVER)
        return now

    def _end_all(self) -> None:
        with self._lock:
            left = [*self._here, *(carried for carried, _ in self._inbox)]
            self._stop()
        for carried in left:
            _finish(carried, ConnectionAbortedError())

    def _stop(self) -> None:
        self._stopped.set()
        self._inbox.clear()
        self._poller.close()
        self._wake.close()
        self._woken.close()


def _finish(carried: Carried, error: BaseException | None) -> None:
    if carried.over:
        return
    carried.over = True
    try:
        carried.ended(error)
    except Exception:
        log.exception("end of a connection")


class Pumps:
    """As many pumps as the system's way of waiting makes necessary: one, but for Windows' 512. Thread-safe."""

    def __init__(self, make: Callable[[], Pump] = Pump) -> None:
        """Begin with none."""
        self._make = make
        self._lock = threading.Lock()
        self._pumps: list[Pump] = []
        self._closed = False

    def carry(self, carried: Carried) -> Pump:
        """Take over a connection and return the pump it is in; raises `RuntimeError` if no thread is to be had."""
        with self._lock:
            if self._closed:
                raise RuntimeError("closed")
            pump = next((each for each in self._pumps if not each.full), None)
            if pump is None:
                pump = self._make()
                self._pumps.append(pump)
        pump.carry(carried)
        return pump

    def close(self, seconds: float) -> None:
        """See `Pump.close`."""
        with self._lock:
            self._closed = True
            pumps = tuple(self._pumps)
        deadline = time.monotonic() + seconds
        for pump in pumps:
            pump.close(max(0.0, deadline - time.monotonic()))
