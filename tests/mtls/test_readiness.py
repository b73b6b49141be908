# SPDX-License-Identifier: EUPL-1.2
"""One contract for all ways of waiting."""

from __future__ import annotations

import select
import selectors
import socket
from collections.abc import Callable

import pytest

from sithsapp.mtls.readiness import READ, WRITE, EpollPoller, Poller, SelectorPoller, poller, readable_within

KINDS: dict[str, Callable[[], Poller]] = {
    "system": SelectorPoller,
    "select": lambda: SelectorPoller(selectors.SelectSelector()),
}
if hasattr(select, "epoll"):
    KINDS["epoll"] = EpollPoller


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[], Poller]:
    return KINDS[request.param]


def test_what_is_ready_is_told(make: Callable[[], Poller]) -> None:
    waiting = make()
    one, other = socket.socketpair()
    with one, other:
        number = one.fileno()
        waiting.watch(number, 0, READ)
        assert list(waiting.wait(0)) == []
        other.send(b"!")
        assert list(waiting.wait(5)) == [(number, READ)]
        waiting.watch(number, READ, READ | WRITE)
        assert sum(events for _, events in waiting.wait(5)) == READ | WRITE
        waiting.watch(number, READ | WRITE, WRITE)
        assert list(waiting.wait(5)) == [(number, WRITE)]
        waiting.watch(number, WRITE, 0)
        waiting.close()


def test_an_end_counts_once_it_is_wanted_and_not_before(make: Callable[[], Poller]) -> None:
    waiting = make()
    one, other = socket.socketpair()
    awake, waker = socket.socketpair()
    with one, awake, waker:
        waiting.watch(awake.fileno(), 0, READ)
        waiting.watch(one.fileno(), 0, READ)
        waiting.watch(one.fileno(), READ, 0)
        other.close()
        assert list(waiting.wait(0.01)) == []
        waiting.watch(one.fileno(), 0, READ)
        [(number, events)] = waiting.wait(5)
        assert number == one.fileno()
        assert events & ~WRITE
        assert readable_within(one, 5)
        waiting.close()


def test_nothing_is_readable_in_time() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert not readable_within(one, 0.01)


def test_how_many_sockets_fit_is_known() -> None:
    """Windows' select takes 512; a pump that holds more would stand still."""
    few, many = SelectorPoller(selectors.SelectSelector()), poller()
    assert few.capacity <= 512 < many.capacity
    few.close()
    many.close()
