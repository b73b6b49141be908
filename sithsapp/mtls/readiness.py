# SPDX-License-Identifier: EUPL-1.2
"""Waiting until sockets can be read or written, by the best way that the system has."""

from __future__ import annotations

import select
import selectors
import socket
import sys
from collections.abc import Sequence
from typing import Final, Protocol

READ: Final = 1
"""A socket can be read, or has an end or an error to tell. The numbers are those of epoll and poll."""
WRITE: Final = 4
"""A socket can be written."""
_BATCH: Final = 64


class Poller(Protocol):
    """Many sockets that one thread waits for."""

    capacity: int
    """How many sockets it can watch."""

    def watch(self, number: int, before: int, wanted: int) -> None:
        """Go over from wanting `before` of the descriptor `number` to `wanted`; 0 takes it out, or was not in."""

    def wait(self, seconds: float | None) -> Sequence[tuple[int, int]]:
        """Return descriptors and what they are ready for.

        Bits other than `READ` and `WRITE` mean an error and count as both. Empty when time is over.
        """

    def close(self) -> None:
        """Give back what the system lent."""


def poller() -> Poller:
    """Return the best poller of this system."""
    return EpollPoller() if hasattr(select, "epoll") else SelectorPoller()


def readable_within(each: socket.socket, seconds: float) -> bool:
    """Wait for data, an end or an error; tell whether one came within `seconds`."""
    if hasattr(select, "poll"):  # knows no highest descriptor
        poll = select.poll()
        poll.register(each, select.POLLIN)
        return bool(poll.poll(seconds * 1000))
    return bool(select.select([each], [], [each], seconds)[0])


class EpollPoller:
    """A `Poller` by epoll, which costs the same for one connection as for hundreds. Linux."""

    capacity = 1 << 20

    def __init__(self) -> None:
        if sys.platform != "linux":
            raise NotImplementedError("epoll")
        self._epoll = select.epoll()

    def watch(self, number: int, before: int, wanted: int) -> None:
        """See `Poller`. What is not wanted must not wake us either, so that it is taken out."""
        if not before:
            self._epoll.register(number, wanted)
        elif wanted:
            self._epoll.modify(number, wanted)
        else:
            self._epoll.unregister(number)

    def wait(self, seconds: float | None) -> Sequence[tuple[int, int]]:
        """See `Poller`."""
        return self._epoll.poll(seconds, _BATCH)

    def close(self) -> None:
        """See `Poller`."""
        self._epoll.close()


class SelectorPoller:
    """A `Poller` by what the standard library finds: kqueue, poll, or select with its 512 sockets on Windows."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._selector = selector or selectors.DefaultSelector()
        self.capacity = 500 if isinstance(self._selector, selectors.SelectSelector) else 1 << 20

    def watch(self, number: int, before: int, wanted: int) -> None:
        """See `Poller`."""
        events = (selectors.EVENT_READ if wanted & READ else 0) | (selectors.EVENT_WRITE if wanted & WRITE else 0)
        if not before:
            self._selector.register(number, events)
        elif wanted:
            self._selector.modify(number, events)
        else:
            self._selector.unregister(number)

    def wait(self, seconds: float | None) -> Sequence[tuple[int, int]]:
        """See `Poller`."""
        return [(key.fd, _bits(events)) for key, events in self._selector.select(seconds)]

    def close(self) -> None:
        """See `Poller`."""
        self._selector.close()


def _bits(events: int) -> int:
    return (READ if events & selectors.EVENT_READ else 0) | (WRITE if events & selectors.EVENT_WRITE else 0)
