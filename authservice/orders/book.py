# SPDX-License-Identifier: EUPL-1.2
"""Changes to stored orders: timers first, then one transition, by compare-and-swap."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from authservice.clock import Clock
from authservice.orders import machine
from authservice.orders.record import OrderRecord, State
from authservice.orders.store import OrderStore

logger = logging.getLogger(__name__)

Change = Callable[[OrderRecord, float], OrderRecord]
"""A transition: the settled record and the time in, the record to store out."""

KNOWN_FOR: Final = 3600.0
"""Seconds for which the service can tell an order that is gone from one that never was."""


class NoSuchOrderError(Exception):
    """There is no such order, or it is another party's."""


class OrderGoneError(Exception):
    """The order was there, but its time is over."""


class OrderBook:
    """The one way in which orders are made, read and changed."""

    def __init__(self, store: OrderStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def add(self, record: OrderRecord) -> None:
        """Store a new order."""
        await self._store.create(record)
        await self._store.put_if_absent(f"order:{record.key}", record.rp_id, record.created + KNOWN_FOR)
        logger.info("order %s: created by %s", record.order_id, record.rp_id)

    async def read(self, key: str) -> OrderRecord:
        """Return the order with its timers applied. Raises `NoSuchOrderError` or `OrderGoneError`."""
        return await self.change(key, lambda record, now: record)

    async def read_own(self, key: str, rp_id: str) -> OrderRecord:
        """Return the order as `read` does if it is this relying party's; another's does not exist (threat P23)."""
        owner = await self._store.read_note(f"order:{key}")
        if owner != rp_id:
            raise NoSuchOrderError
        return await self.read(key)

    async def find_by_token(self, token_hash: str) -> OrderRecord | None:
        """Return the settled order that has this token hash, or None."""
        record = await self._store.find_by_token(token_hash)
        return None if record is None else machine.settle(record, self._clock.now())

    async def change(self, key: str, change: Change) -> OrderRecord:
        """Apply `change` to the order as it now is and return what is stored then.

        `change` is called anew when somebody else was faster, so it must do nothing besides. What it raises leaves
        the order as it was, apart from its timers.
        """
        while True:
            stored = await self._load(key)
            now = self._clock.now()
            settled = machine.settle(stored, now)
            if settled is not stored:
                await self._swap(stored, settled)
                continue
            if settled.state is State.GONE:
                raise OrderGoneError
            changed = change(settled, now)
            if changed is settled or await self._swap(stored, changed):
                return changed

    async def wait(self, key: str, version: int, timeout: float) -> OrderRecord:
        """Return the order when its version differs from `version`, or as it is after `timeout` seconds."""
        record = await self.read(key)
        if record.version == version:
            until_timer = max(0.0, record.deadline - self._clock.now()) + 0.01
            await self._store.wait_for_change(key, version, min(timeout, until_timer))
            record = await self.read(key)
        return record

    async def _load(self, key: str) -> OrderRecord:
        record = await self._store.get(key)
        if record is not None:
            return record
        if await self._store.read_note(f"order:{key}") is not None:
            raise OrderGoneError
        raise NoSuchOrderError

    async def _swap(self, before: OrderRecord, after: OrderRecord) -> bool:
        if not await self._store.compare_and_swap(after, before.version):
            return False
        if (before.state, before.hint) != (after.state, after.hint):
            logger.info(
                "order %s: %s to %s, %s", after.order_id, before.state.value, after.state.value, after.hint.value
            )
        return True
