# SPDX-License-Identifier: EUPL-1.2
"""Waiting until sockets can be read or written: poll where there is one, as it knows no highest descriptor."""

from __future__ import annotations

import select
import socket
from typing import NamedTuple, Protocol


class Ready(NamedTuple):
    """What is wanted of a socket, or what it is ready for."""

    readable: bool
    writable: bool


class Pair(Protocol):
    """Two sockets, or one, that one thread waits for again and again."""

    def wait(self, one: Ready, other: Ready, seconds: float) -> tuple[Ready, Ready]:
        """Return what each is ready for, an error counting as all that was wanted; nothing when time is over."""


def pair(one: socket.socket, other: socket.socket | None) -> Pair:
    """Return the best way to wait that this system has."""
    return PollPair(one, other) if hasattr(select, "poll") else SelectPair(one, other)


def readable_within(each: socket.socket, seconds: float) -> bool:
    """Wait for data, an end or an error; tell whether one came within `seconds`."""
    return pair(each, None).wait(Ready(True, False), Ready(False, False), seconds)[0].readable


class PollPair:
    """A `Pair` by poll."""

    def __init__(self, one: socket.socket, other: socket.socket | None) -> None:
        self._poll = select.poll()
        self._numbers = (one.fileno(), -1 if other is None else other.fileno())
        self._masks = [0, 0]

    def wait(self, one: Ready, other: Ready, seconds: float) -> tuple[Ready, Ready]:
        """See `Pair`."""
        self._want(0, one)
        self._want(1, other)
        events = dict(self._poll.poll(seconds * 1000))
        first, second = (events.get(number, 0) for number in self._numbers)
        return _ready(first, one), _ready(second, other)

    def _want(self, index: int, wanted: Ready) -> None:
        mask = (select.POLLIN if wanted.readable else 0) | (select.POLLOUT if wanted.writable else 0)
        if mask == self._masks[index]:
            return
        self._masks[index] = mask
        if mask:
            self._poll.register(self._numbers[index], mask)
        else:  # what is not wanted must not wake us either, such as an end that was seen already
            self._poll.unregister(self._numbers[index])


def _ready(events: int, wanted: Ready) -> Ready:
    return Ready(
        wanted.readable and bool(events & ~select.POLLOUT), wanted.writable and bool(events & ~select.POLLIN)
    )


class SelectPair:
    """A `Pair` by select, where there is no poll."""

    def __init__(self, one: socket.socket, other: socket.socket | None) -> None:
        self._sockets = (one, other)

    def wait(self, one: Ready, other: Ready, seconds: float) -> tuple[Ready, Ready]:
        """See `Pair`."""
        wanted = list(zip(self._sockets, (one, other), strict=True))
        readers = [each for each, want in wanted if each is not None and want.readable]
        writers = [each for each, want in wanted if each is not None and want.writable]
        readable, writable, failed = select.select(readers, writers, [*readers, *writers], seconds)
        first, second = (
            Ready(
                want.readable and (each in readable or each in failed),
                want.writable and (each in writable or each in failed),
            )
            for each, want in wanted
        )
        return first, second
