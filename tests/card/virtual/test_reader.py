# SPDX-License-Identifier: EUPL-1.2
"""In-process readers: events, sharing, and faults."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from sithsapp.card.transport import CardConnection, Presence, ReaderBackend, ReadersSnapshot
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.virtual.terminal import SELECT, field
from tests.parts.virtual_card import CardFactory

SELECT_APPLICATION = bytes.fromhex(SELECT)
STATUS = bytes.fromhex("0020001100")
VERIFY = bytes.fromhex("0020001110" + field("804913"))
DEADLINE = 10.0


@pytest.fixture
def readers(card: VirtualCard) -> VirtualReaders:
    readers = VirtualReaders()
    readers.insert(card)
    return readers


def _connect(readers: ReaderBackend, reader: str = DEFAULT_READER) -> CardConnection:
    connection = readers.connect(reader)
    connection.transmit(SELECT_APPLICATION)
    return connection


def _failure(action: Callable[[], object]) -> Failure:
    with pytest.raises(SithsError) as caught:
        action()
    return caught.value.failure


def _in_thread(action: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=action, daemon=True)
    thread.start()
    return thread


def test_first_snapshot_comes_at_once(readers: VirtualReaders, card: VirtualCard) -> None:
    snapshot = readers.wait(None)
    assert snapshot.service_running
    assert [(event.reader, event.presence, event.atr) for event in snapshot.readers] == [
        (DEFAULT_READER, Presence.PRESENT, card.atr)
    ]


def test_an_unchanged_state_waits_for_the_timeout(readers: VirtualReaders) -> None:
    known = readers.wait(None)
    assert readers.wait(known, 0.01) == known


@pytest.mark.parametrize(
    "change",
    [
        lambda readers, card: readers.remove(),
        lambda readers, card: readers.insert(card),
        lambda readers, card: readers.add_reader("Another"),
        lambda readers, card: readers.remove_reader(DEFAULT_READER),
        lambda readers, card: readers.obstruct(Presence.MUTE),
        lambda readers, card: readers.stop_service(),
    ],
    ids=["remove", "swap", "add reader", "remove reader", "mute", "stop service"],
)
def test_every_change_wakes_the_watcher(
    readers: VirtualReaders, card: VirtualCard, change: Callable[[VirtualReaders, VirtualCard], None]
) -> None:
    known = readers.wait(None)
    seen: list[ReadersSnapshot] = []
    watcher = _in_thread(lambda: seen.append(readers.wait(known, DEADLINE)))
    change(readers, card)
    watcher.join(DEADLINE)
    assert seen
    assert seen[0] != known


def test_a_quick_swap_is_seen(readers: VirtualReaders, make_card: CardFactory) -> None:
    known = readers.wait(None)
    readers.insert(make_card())
    assert readers.wait(known, 0).readers[0].insertions != known.readers[0].insertions


def test_cancel_is_for_good(readers: VirtualReaders) -> None:
    known = readers.wait(None)
    watcher = _in_thread(lambda: readers.wait(known))
    readers.cancel()
    watcher.join(DEADLINE)
    assert not watcher.is_alive()
    readers.wait(known)


def test_service_goes_and_comes(readers: VirtualReaders) -> None:
    connection = _connect(readers)
    readers.stop_service()
    assert readers.wait(None) == ReadersSnapshot(False, ())
    assert _failure(lambda: connection.transmit(STATUS)) is Failure.NO_READER_SERVICE
    assert _failure(lambda: readers.connect(DEFAULT_READER)) is Failure.NO_READER_SERVICE
    readers.start_service()
    assert readers.wait(None).readers[0].presence is Presence.PRESENT
    assert _failure(lambda: connection.transmit(STATUS)) is Failure.CARD_REMOVED
    assert _connect(readers).transmit(STATUS) == b"\x63\xc3"


def test_connect_refused(readers: VirtualReaders) -> None:
    assert _failure(lambda: readers.connect("nowhere")) is Failure.NO_READER
    for obstacle, failure in ((Presence.MUTE, Failure.CARD_MUTE), (Presence.IN_USE, Failure.CARD_IN_USE)):
        readers.obstruct(obstacle)
        assert _failure(lambda: readers.connect(DEFAULT_READER)) is failure
    readers.obstruct(None)
    readers.remove()
    assert _failure(lambda: readers.connect(DEFAULT_READER)) is Failure.NO_CARD


def test_login_state_is_shared_until_somebody_resets(readers: VirtualReaders) -> None:
    first, second = _connect(readers), readers.connect(DEFAULT_READER)
    first.transmit(VERIFY)
    assert second.transmit(STATUS) == b"\x90\x00"
    first.disconnect()
    assert second.transmit(STATUS) == b"\x90\x00"
    third = readers.connect(DEFAULT_READER)
    third.disconnect(reset=True)
    assert _failure(lambda: second.transmit(STATUS)) is Failure.CARD_ERROR
    second.transmit(SELECT_APPLICATION)
    assert second.transmit(STATUS) == b"\x63\xc3"


def test_others_wait_for_a_transaction(readers: VirtualReaders) -> None:
    first, second = _connect(readers), readers.connect(DEFAULT_READER)
    answers: list[bytes] = []
    with first.transaction():
        waiting = _in_thread(lambda: answers.append(second.transmit(STATUS)))
        first.transmit(VERIFY)
        waiting.join(0.05)
        assert waiting.is_alive()
    waiting.join(DEADLINE)
    assert answers == [b"\x90\x00"]


def test_a_transaction_ends_with_an_error_and_with_the_connection(readers: VirtualReaders) -> None:
    first, second = _connect(readers), readers.connect(DEFAULT_READER)
    with pytest.raises(ValueError, match="broken"), first.transaction():
        raise ValueError("broken")
    with second.transaction():
        second.disconnect()
        assert first.transmit(STATUS) == b"\x63\xc3"


def test_whoever_waits_learns_that_the_card_is_gone(readers: VirtualReaders) -> None:
    first, second = _connect(readers), readers.connect(DEFAULT_READER)
    failures: list[Failure] = []
    with first.transaction():
        waiting = _in_thread(lambda: failures.append(_failure(lambda: second.transmit(STATUS))))
        readers.remove()
        waiting.join(DEADLINE)
    assert failures == [Failure.CARD_REMOVED]
    assert _failure(lambda: first.transaction().__enter__()) is Failure.CARD_REMOVED


def test_a_connection_does_not_follow_to_another_card(readers: VirtualReaders, make_card: CardFactory) -> None:
    connection = _connect(readers)
    readers.insert(make_card())
    assert _failure(lambda: connection.transmit(STATUS)) is Failure.CARD_REMOVED


@pytest.mark.parametrize(
    ("kind", "failure"),
    [
        (FaultKind.REMOVED, Failure.CARD_REMOVED),
        (FaultKind.UNPLUGGED, Failure.NO_READER),
        (FaultKind.SERVICE, Failure.NO_READER_SERVICE),
        (FaultKind.RESET, Failure.CARD_ERROR),
        (FaultKind.SILENCE, Failure.CARD_MUTE),
    ],
)
@pytest.mark.parametrize("executed", [True, False])
def test_faults_that_break_off(
    readers: VirtualReaders, card: VirtualCard, kind: FaultKind, failure: Failure, executed: bool
) -> None:
    connection = _connect(readers)
    readers.inject(Fault(kind, skip=1, executed=executed))
    wrong = bytes.fromhex("0020001110" + field("000000"))
    assert connection.transmit(STATUS) == b"\x63\xc3"
    assert _failure(lambda: connection.transmit(wrong)) is failure
    assert card.tries_left(0x11) == (2 if executed else 3)
    snapshot = readers.wait(None)
    shown = [event.presence for event in snapshot.readers]
    assert shown == {
        FaultKind.REMOVED: [Presence.EMPTY],
        FaultKind.UNPLUGGED: [],
        FaultKind.SERVICE: [],
    }.get(kind, [Presence.PRESENT])
    assert snapshot.service_running is (kind is not FaultKind.SERVICE)
    if Presence.PRESENT in shown:
        connection.transmit(SELECT_APPLICATION)
        assert connection.transmit(STATUS)[0] == 0x63


@pytest.mark.parametrize(
    ("fault", "check"),
    [
        (Fault(FaultKind.STATUS, status=0x6F00), lambda answer: answer == b"\x6f\x00"),
        (Fault(FaultKind.TRUNCATED), lambda answer: len(answer) == 23),
        (Fault(FaultKind.GARBAGE), lambda answer: len(answer) == 47 and answer[-2:] == b"\x90\x00"),
    ],
    ids=["status", "truncated", "garbage"],
)
def test_faults_that_spoil_an_answer(readers: VirtualReaders, fault: Fault, check: Callable[[bytes], bool]) -> None:
    connection = _connect(readers)
    command = bytes.fromhex("00CA9F7F2D")
    right = connection.transmit(command)
    readers.inject(fault)
    spoilt = connection.transmit(command)
    assert spoilt != right
    assert check(spoilt)
    assert connection.transmit(command) == right


def test_faults_by_instruction_and_in_turn(readers: VirtualReaders) -> None:
    connection = _connect(readers)
    readers.inject(Fault(FaultKind.STATUS, ins=0xCA, skip=1, status=0x6A82))
    readers.inject(Fault(FaultKind.STATUS, ins=0x20, status=0x6983))
    data = bytes.fromhex("00CA9F7F2D")
    assert connection.transmit(data)[-2:] == b"\x90\x00"
    assert connection.transmit(STATUS) == b"\x69\x83"
    assert connection.transmit(data) == b"\x6a\x82"
    readers.inject(Fault(FaultKind.STATUS))
    readers.clear_faults()
    assert connection.transmit(STATUS) == b"\x63\xc3"
