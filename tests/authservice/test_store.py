# SPDX-License-Identifier: EUPL-1.2
"""The store: compare-and-swap under races, expiry, waiting, and a model of the whole life (threat P22)."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from authservice.orders import machine
from authservice.orders.book import NoSuchOrderError, OrderBook, OrderGoneError
from authservice.orders.machine import TransitionRefusedError
from authservice.orders.record import OrderRecord, State
from authservice.orders.store import MemoryStore
from authservice.rp_api.routes import order_status
from sithsapp.oob.protocol.order import Binding
from sithsapp.oob.protocol.problems import Hint
from tests.authservice.records import CLAIM, NOW, VERIFIER, outstanding, signature, signed
from tests.authservice.support import ManualClock

T = TypeVar("T")


def run(job: Coroutine[Any, Any, T]) -> T:
    """Run a job that never waits, as those of the store in memory are."""
    try:
        job.send(None)
    except StopIteration as done:
        value: T = done.value
        return value
    raise AssertionError("the job waited")


def make_store() -> tuple[MemoryStore, ManualClock]:
    clock = ManualClock()
    clock.time = NOW
    return MemoryStore(clock), clock


def test_swap_needs_the_version() -> None:
    store, _ = make_store()
    record = outstanding()
    run(store.create(record))
    changed = replace(record, version=2)
    assert run(store.compare_and_swap(changed, 1))
    assert not run(store.compare_and_swap(changed, 1))
    assert run(store.get("order")) is changed


def test_one_of_many_threads_wins_each_race() -> None:
    store, clock = make_store()
    book = OrderBook(store, clock)
    run(book.add(signed()))
    barrier = threading.Barrier(8)

    def job(number: int) -> str:
        barrier.wait()
        try:
            if number % 2:
                changed = run(
                    book.change("order", lambda record, now: machine.redeem_verifier(record, VERIFIER, now))
                )
            else:
                changed = run(book.change("order", machine.cancel_by_relying_party))
        except TransitionRefusedError:
            return "refused"
        return changed.state.value

    for _ in range(30):
        run(store.create(signed()))
        with ThreadPoolExecutor(8) as pool:
            outcomes = set(pool.map(job, range(8))) - {"refused"}
        assert outcomes in ({"complete"}, {"failed"})
        barrier.reset()


def test_claim_race_has_no_winner() -> None:
    store, clock = make_store()
    book = OrderBook(store, clock)
    run(book.add(outstanding()))
    barrier = threading.Barrier(4)

    def job(number: int) -> None:
        barrier.wait()
        claim = replace(CLAIM, jkt=str(number) * 43)
        try:
            run(book.change("order", lambda record, now: machine.claim(record, claim, f"key{number}", now)))
        except TransitionRefusedError:
            return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(job, range(4)))
    record = run(book.read("order"))
    assert (record.state, record.hint) == (State.FAILED, Hint.DOUBLE_CLAIM)


def test_expired_orders_and_notes_are_forgotten() -> None:
    store, clock = make_store()
    book = OrderBook(store, clock)
    run(book.add(outstanding()))
    run(store.put_if_absent("note", "value", NOW + 5))
    assert run(store.put_if_absent("note", "other", NOW + 5)) == "value"
    clock.pass_(5)
    assert run(store.read_note("note")) is None
    assert run(store.put_if_absent("note", "new", NOW + 10)) is None
    clock.pass_(1000)
    run(store.purge())
    assert run(store.get("order")) is None
    assert run(store.find_by_token("token-order")) is None
    assert not store._orders
    assert not store._keys_by_token
    assert set(store._notes) == {"order:order"}


def test_swap_prolongs_the_expiry() -> None:
    store, clock = make_store()
    record = outstanding()
    run(store.create(record))
    run(store.compare_and_swap(replace(record, version=2, deadline=NOW + 500), 1))
    clock.pass_(400)
    run(store.purge())
    assert run(store.get("order")) is not None


def test_gone_differs_from_unknown() -> None:
    store, clock = make_store()
    book = OrderBook(store, clock)
    run(book.add(outstanding()))
    clock.pass_(1000)
    run(store.purge())
    for key, error in (("order", OrderGoneError), ("other", NoSuchOrderError)):
        try:
            run(book.read(key))
        except (OrderGoneError, NoSuchOrderError) as raised:
            assert type(raised) is error
        else:
            raise AssertionError("no error")


def test_waiting_ends_with_a_change_from_another_thread() -> None:
    store, clock = make_store()
    book = OrderBook(store, clock)
    run(book.add(outstanding()))

    async def scenario() -> OrderRecord:
        waiting = asyncio.create_task(book.wait("order", 1, 30))
        await asyncio.sleep(0)
        await asyncio.to_thread(run, book.change("order", machine.cancel_by_relying_party))
        return await asyncio.wait_for(waiting, 10)

    assert asyncio.run(scenario()).state is State.FAILED
    assert not store._waiters


def test_waiting_ends_by_itself() -> None:
    store, clock = make_store()
    book = OrderBook(store, clock)
    run(book.add(outstanding()))
    assert asyncio.run(book.wait("order", 1, 0.01)).version == 1
    assert not store._waiters


class OrderLife(RuleBasedStateMachine):
    """Any sequence of events, in any binding: complete at most once, no identity without redemption."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock = make_store()
        self.book = OrderBook(self.store, self.clock)
        self.completions = 0
        self.redeemed = False
        self.last: OrderRecord | None = None
        self.created = False

    @precondition(lambda self: not self.created)
    @rule(binding=st.sampled_from(list(Binding)))
    def create(self, binding: Binding) -> None:
        self.binding = binding
        self.created = True
        run(self.book.add(outstanding(binding)))

    @precondition(lambda self: self.created)
    @rule(
        event=st.sampled_from(
            ["claim", "progress", "extend", "wrong card", "sign", "wrong verifier", "code", "wrong code", "rp", "app"]
        )
    )
    def happen(self, event: str) -> None:
        self._change(event)

    @precondition(lambda self: self.created)
    @rule()
    def redeem(self) -> None:
        if self._change("verifier"):
            self.redeemed = True

    @precondition(lambda self: self.created)
    @rule(seconds=st.sampled_from([0.5, 59, 61, 121, 181, 301]))
    def wait(self, seconds: float) -> None:
        self.clock.pass_(seconds)

    @invariant()
    def holds(self) -> None:
        if not self.created:
            return
        try:
            record = run(self.book.read("order"))
        except OrderGoneError:
            return
        if self.last is not None:
            assert record.version >= self.last.version
            if record.state is State.COMPLETE and self.last.state is not State.COMPLETE:
                self.completions += 1
            if self.last.state is State.FAILED:
                assert record.state is State.FAILED
        self.last = record
        assert self.completions <= 1
        status = order_status(record, self.clock.now())
        if status.completion is not None:
            assert record.state is State.COMPLETE
            assert self.redeemed or self.binding in (Binding.QR, Binding.NONE)

    def _change(self, event: str) -> bool:
        changes: dict[str, Any] = {
            "claim": lambda record, now: machine.claim(record, CLAIM, "key", now),
            "progress": lambda record, now: machine.progress(record, Hint.USER_SIGN),
            "extend": lambda record, now: machine.extend(record),
            "wrong card": machine.wrong_certificate,
            "sign": lambda record, now: machine.sign(record, signature(), now),
            "verifier": lambda record, now: machine.redeem_verifier(record, VERIFIER, now),
            "wrong verifier": lambda record, now: machine.redeem_verifier(record, "x" * 43, now),
            "code": lambda record, now: machine.redeem_code(record, "123456", now),
            "wrong code": lambda record, now: machine.redeem_code(record, "654321", now),
            "rp": machine.cancel_by_relying_party,
            "app": lambda record, now: machine.cancel_by_app(record, Hint.USER_CANCEL, now),
        }
        try:
            record = run(self.book.change("order", changes[event]))
        except (TransitionRefusedError, OrderGoneError):
            return False
        if event == "code" and record.state is State.COMPLETE:
            self.redeemed = True
        return record.state is State.COMPLETE


OrderLife.TestCase.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
TestOrderLife = OrderLife.TestCase
