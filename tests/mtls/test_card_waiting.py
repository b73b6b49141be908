# SPDX-License-Identifier: EUPL-1.2
"""A program comes before the card: the person gets time to insert it, once for all connections."""

from __future__ import annotations

import threading
import time

import pytest

from sithsapp.failures import Failure
from sithsapp.mtls.interaction import CardWanted
from tests.mtls.desk import Desk, fetch, http_answer, together
from tests.mtls.parts import TlsServer, eventually


@pytest.fixture
def empty(desk: Desk) -> Desk:
    """A desk with the card out of the reader."""
    desk.readers.remove()
    eventually(lambda: not desk.service.state.cards)
    return desk


def insert_later(desk: Desk) -> None:
    """Have the person insert the card when asked."""

    def insert(_wanted: CardWanted) -> bool:
        assert desk.card is not None
        threading.Thread(target=desk.readers.insert, args=(desk.card,)).start()
        return True

    desk.person.inserts = insert


def test_the_card_is_waited_for_and_asked_for_once(empty: Desk) -> None:
    insert_later(empty)
    with TlsServer(empty.files.context(), http_answer) as server:
        helper = empty.helper(server.port)
        answers = together(6, lambda: fetch(helper))
    assert [status for status, _ in answers] == [200] * 6
    assert [wanted.failure for wanted in empty.person.wanted] == [Failure.NO_CARD]
    assert empty.person.wanted[0].purpose.host == "localhost"
    assert len(empty.person.requests) == 1
    assert empty.person.ends == [None, None]  # the card was found, the signature made


def test_a_refusal_counts_for_all_who_wait(empty: Desk) -> None:
    def refuse(wanted: CardWanted) -> bool:
        threading.Timer(0.3, wanted.settle, kwargs={"refused": True}).start()
        return True

    empty.person.inserts = refuse
    with TlsServer(empty.files.context(), http_answer) as server:
        helper = empty.helper(server.port)
        answers = together(4, lambda: fetch(helper))
    assert [status for status, _ in answers] == [504] * 4
    assert len(empty.person.wanted) == 1
    assert empty.person.requests == []


def test_where_nobody_is_there_to_insert_one_the_answer_comes_at_once(empty: Desk) -> None:
    with TlsServer(empty.files.context(), http_answer) as server:
        helper = empty.helper(server.port)
        began = time.monotonic()
        status, text = fetch(helper)
    assert (status, text[:4]) == (502, "R105")
    assert time.monotonic() - began < 5


def test_time_that_is_up_is_told_and_the_reason_is_the_missing_card(empty: Desk) -> None:
    def expire(wanted: CardWanted) -> bool:
        wanted.deadline = time.monotonic() + 0.2
        return True

    empty.person.inserts = expire
    with TlsServer(empty.files.context(), http_answer) as server:
        status, text = fetch(empty.helper(server.port))
    assert (status, text[:4]) == (502, "R105")
    assert empty.person.ends == [Failure.CANCELLED_BY_USER]


def test_settling_twice_keeps_the_first_answer() -> None:
    wanted = CardWanted(None, Failure.NO_CARD, time.monotonic() + 60)  # type: ignore[arg-type] # nobody looks at it
    wanted.settle()
    wanted.settle(refused=True)
    assert wanted.wait() is True
    assert not wanted.is_open
