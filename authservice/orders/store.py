# SPDX-License-Identifier: EUPL-1.2
"""Where orders are kept: an interface that a shared store can implement, and one in memory.

Each operation is one round trip of a key-value store with expiry, compare-and-swap and change notices, so that
Redis fits. Tokens and order references never reach the store, only their SHA-256.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import threading
from typing import Protocol

from authservice.clock import Clock
from authservice.orders.record import OrderRecord


class OrderStore(Protocol):
    """Keep orders and short-lived notes."""

    async def create(self, record: OrderRecord) -> None:
        """Store a new order; its key and token hashes are fresh random values."""

    async def get(self, key: str) -> OrderRecord | None:
        """Return the order with this key, or None."""

    async def find_by_token(self, token_hash: str) -> OrderRecord | None:
        """Return the order that has this token hash, or None."""

    async def compare_and_swap(self, record: OrderRecord, version: int) -> bool:
        """Replace the stored order, and add its new token hashes, if it still has `version`; tell whether it did."""

    async def wait_for_change(self, key: str, version: int, timeout: float) -> None:
        """Return when the stored order's version is no longer `version`, or after `timeout` seconds."""

    async def put_if_absent(self, name: str, value: str, expires_at: float) -> str | None:
        """Note `value` under `name` unless there is a note that has not expired; return that note, or None."""

    async def read_note(self, name: str) -> str | None:
        """Return the note under `name` that has not expired, or None."""

    async def purge(self) -> None:
        """Forget what has expired."""


class MemoryStore:
    """Orders in this process's memory; safe for many threads and event loops."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._orders: dict[str, OrderRecord] = {}
        self._keys_by_token: dict[str, str] = {}
        self._notes: dict[str, tuple[str, float]] = {}
        self._expiries: list[tuple[float, str, bool]] = []
        self._waiters: dict[str, set[_Waiter]] = {}

    async def create(self, record: OrderRecord) -> None:
        """Store a new order."""
        with self._lock:
            self._put(record)

    async def get(self, key: str) -> OrderRecord | None:
        """Return the order with this key, or None."""
        with self._lock:
            return self._orders.get(key)

    async def find_by_token(self, token_hash: str) -> OrderRecord | None:
        """Return the order that has this token hash, or None."""
        with self._lock:
            key = self._keys_by_token.get(token_hash)
            return None if key is None else self._orders.get(key)

    async def compare_and_swap(self, record: OrderRecord, version: int) -> bool:
        """Replace the stored order if it still has `version`."""
        with self._lock:
            stored = self._orders.get(record.key)
            if stored is None or stored.version != version:
                return False
            self._put(record)
            waiters = self._waiters.pop(record.key, set())
        for waiter in waiters:
            waiter.wake()
        return True

    async def wait_for_change(self, key: str, version: int, timeout: float) -> None:
        """Return when the order's version differs from `version`, or after `timeout` seconds."""
        waiter = _Waiter()
        with self._lock:
            stored = self._orders.get(key)
            if stored is None or stored.version != version:
                return
            self._waiters.setdefault(key, set()).add(waiter)
        try:
            await waiter.wait(timeout)
        finally:
            self._forget_waiter(key, waiter)

    async def put_if_absent(self, name: str, value: str, expires_at: float) -> str | None:
        """Note `value` under `name` unless a live note is there."""
        with self._lock:
            found = self._live_note(name)
            if found is None:
                self._notes[name] = (value, expires_at)
                self._expire_at(expires_at, name, note=True)
            return found

    async def read_note(self, name: str) -> str | None:
        """Return the live note under `name`, or None."""
        with self._lock:
            return self._live_note(name)

    async def purge(self) -> None:
        """Forget the orders and notes whose time is over."""
        now = self._clock.now()
        with self._lock:
            while self._expiries and self._expiries[0][0] <= now:
                _, name, is_note = heapq.heappop(self._expiries)
                self._drop(name, is_note, now)

    def _put(self, record: OrderRecord) -> None:
        self._orders[record.key] = record
        for token_hash in record.token_hashes:
            self._keys_by_token[token_hash] = record.key
        self._expire_at(record.expires_at, record.key, note=False)

    def _expire_at(self, when: float, name: str, *, note: bool) -> None:
        heapq.heappush(self._expiries, (when, name, note))

    def _drop(self, name: str, is_note: bool, now: float) -> None:
        if is_note:
            if self._live_note(name) is None:
                self._notes.pop(name, None)
            return
        record = self._orders.get(name)
        if record is None or record.expires_at > now:
            return
        del self._orders[name]
        for token_hash in record.token_hashes:
            self._keys_by_token.pop(token_hash, None)

    def _live_note(self, name: str) -> str | None:
        value, expires_at = self._notes.get(name, ("", 0.0))
        return value if expires_at > self._clock.now() else None

    def _forget_waiter(self, key: str, waiter: _Waiter) -> None:
        with self._lock:
            waiters = self._waiters.get(key)
            if waiters is not None:
                waiters.discard(waiter)
                if not waiters:
                    del self._waiters[key]


class _Waiter:
    """One waiting request; woken from any thread."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._event = asyncio.Event()

    def wake(self) -> None:
        # The waiting request's loop may have ended meanwhile; then nobody waits.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._event.set)

    async def wait(self, timeout: float) -> None:
        try:
            async with asyncio.timeout(timeout):
                await self._event.wait()
        except TimeoutError:
            return
