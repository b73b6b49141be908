# SPDX-License-Identifier: EUPL-1.2
"""One contract for both ways of waiting."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable

import pytest

from sithsapp.mtls.readiness import Pair, PollPair, Ready, SelectPair, readable_within

NOTHING, BOTH = Ready(False, False), Ready(True, True)
KINDS = [*([PollPair] if hasattr(select, "poll") else []), SelectPair]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest) -> Callable[[socket.socket, socket.socket | None], Pair]:
    kind: Callable[[socket.socket, socket.socket | None], Pair] = request.param
    return kind


def test_what_is_ready_is_told(make: Callable[[socket.socket, socket.socket | None], Pair]) -> None:
    one, other = socket.socketpair()
    with one, other:
        waiting = make(one, other)
        assert waiting.wait(Ready(True, False), Ready(True, False), 0) == (NOTHING, NOTHING)
        other.send(b"!")
        assert waiting.wait(BOTH, Ready(True, False), 5) == (BOTH, NOTHING)
        assert waiting.wait(NOTHING, Ready(False, True), 5) == (NOTHING, Ready(False, True))
        assert waiting.wait(Ready(True, False), NOTHING, 5) == (Ready(True, False), NOTHING)
        assert waiting.wait(Ready(False, True), NOTHING, 5) == (Ready(False, True), NOTHING)


def test_an_end_counts_once_it_is_wanted_and_not_before(
    make: Callable[[socket.socket, socket.socket | None], Pair],
) -> None:
    one, other = socket.socketpair()
    with one:
        waiting = make(one, None)
        other.close()
        assert waiting.wait(NOTHING, NOTHING, 0.01) == (NOTHING, NOTHING)
        assert waiting.wait(Ready(True, False), NOTHING, 5)[0].readable
        assert readable_within(one, 5)
