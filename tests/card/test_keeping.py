# SPDX-License-Identifier: EUPL-1.2
"""A card is put into the cache after people are served, and only with counters that go with its contents."""

from __future__ import annotations

import threading
from collections.abc import Callable

import msgspec
import pytest

from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.opening import open_card
from sithsapp.card.idprime.record import CardRecord
from sithsapp.card.idprime.session import CardSession
from sithsapp.card.model import PinRole, SignatureScheme
from sithsapp.card.service import CardService
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, DEADLINE, Recorder, Watcher, eventually, pin
from tests.parts.virtual_card import CardFactory

PS256 = SignatureScheme.PS256
COUNTERS = "00A40000020202"


@pytest.fixture
def session(card: VirtualCard) -> CardSession:
    readers = VirtualReaders()
    readers.insert(card)
    return open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, CardCache())


def renew_second(card: VirtualCard, other: VirtualCard) -> None:
    """Write another certificate and key into the second container."""
    card.set_containers((card.spec.containers[0], other.spec.containers[1]))


def add_key(card: VirtualCard, other: VirtualCard) -> None:
    """Write a key without certificate."""
    fresh = msgspec.structs.replace(other.spec.containers[0], number=4, certificate=None)
    card.set_containers((*card.spec.containers, fresh))


def certificate_alone(card: VirtualCard, other: VirtualCard) -> None:
    """Write another certificate, of the same size in the index, over the first."""
    first = card.spec.containers[0]
    assert first.certificate is not None
    altered = bytearray(first.certificate)
    altered[-1] ^= 1
    card.set_containers((msgspec.structs.replace(first, certificate=bytes(altered)), *card.spec.containers[1:]))


@pytest.mark.parametrize("change", [renew_second, add_key, certificate_alone])
def test_counters_of_a_card_that_changed_since_it_was_read_are_not_taken(
    session: CardSession,
    card: VirtualCard,
    make_card: CardFactory,
    change: Callable[[VirtualCard, VirtualCard], None],
) -> None:
    change(card, make_card())
    assert not session.learn_counters()
    assert session.record.freshness is None


def test_counters_are_read_once(session: CardSession, card: VirtualCard) -> None:
    assert session.learn_counters()
    recorder = Recorder(card)
    assert session.learn_counters()
    assert recorder.take() == []


def test_another_application_is_no_change(session: CardSession, card: VirtualCard) -> None:
    card.process(bytes.fromhex("00A4040008A000000003000000"))
    assert session.learn_counters()


def test_what_was_prepared_remains_so(session: CardSession, card: VirtualCard) -> None:
    session.read_pins()
    session.prepare_login()
    assert session.learn_counters()
    recorder = Recorder(card)
    signed: list[bytes] = []
    session.sign("00", PS256, b"m", pin(CODES[PinRole.AUTH]), deliver=signed.append)
    if session.record.key("00").credential.schemes[0] is PS256:
        assert not any(command.startswith("0022") for command in recorder.take())
    assert signed


def test_the_card_is_shown_before_its_counters_are_read(
    card: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    at_ready: list[bool] = []
    recorder = Recorder(card)
    service.subscribe(
        lambda state: (
            at_ready.append(any(COUNTERS in command for command in recorder.commands)) if state.cards else None
        )
    )
    empty_readers.insert(card)
    watcher.kept()
    assert at_ready[0] is False
    assert any(COUNTERS in command for command in recorder.commands)


def test_a_change_between_reading_and_counters_makes_the_card_be_read_again(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    make_card: CardFactory,
) -> None:
    other = make_card()
    changed: list[bool] = []

    def change(state: object) -> None:
        if service.state.cards and not changed:
            changed.append(True)
            renew_second(card, other)

    service.subscribe(change)
    empty_readers.insert(card)
    wanted = other.spec.containers[1].certificate
    watcher.until(lambda state: bool(state.cards) and state.cards[0].credentials[1].certificate == wanted)
    kept = watcher.kept()
    record = service._readers[DEFAULT_READER].worker._record
    assert isinstance(record, CardRecord)
    assert record.freshness is not None
    found = service._cache.find(kept.id.serial, kept.id.atr, record.freshness)
    assert found == record.contents


def test_a_card_that_fails_while_counters_are_read_stays_usable(
    card: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    recorder = Recorder(card)
    empty_readers.insert(card)
    watcher.kept()
    first = next(at for at, command in enumerate(recorder.take()) if COUNTERS in command)
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    service._cache.drop(next(iter(service._cache._entries)))
    empty_readers.inject(Fault(FaultKind.SILENCE, first))
    empty_readers.insert(card)
    card_id = watcher.card().id
    worker = service._readers[DEFAULT_READER].worker
    eventually(lambda: not worker._to_keep)
    assert service.sign(card_id, "00", PS256, b"m", pin(CODES[PinRole.AUTH])).result(DEADLINE)


def test_no_job_waits_behind_a_card_that_another_program_holds(
    monkeypatch: pytest.MonkeyPatch,
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
) -> None:
    monkeypatch.setattr("sithsapp.card.worker.HELD_SECONDS", 0.2)
    begun, held, done = threading.Event(), threading.Event(), threading.Event()

    def hold() -> None:
        with empty_readers.connect(DEFAULT_READER).transaction():
            held.set()
            done.wait(DEADLINE)

    def hold_when_ready(state: object) -> None:
        if service.state.cards and not begun.is_set():
            begun.set()
            threading.Thread(target=hold, daemon=True).start()
            held.wait(DEADLINE)

    service.subscribe(hold_when_ready)
    empty_readers.insert(card)
    card_id = watcher.card().id
    error = service.sign(card_id, "00", PS256, b"m", pin(CODES[PinRole.AUTH])).exception(DEADLINE)
    done.set()
    assert isinstance(error, SithsError)
    assert error.failure is Failure.CARD_IN_USE
    assert card.tries_left(0x11) == 3
    watcher.kept()
    assert service.sign(card_id, "00", PS256, b"m", pin(CODES[PinRole.AUTH])).result(DEADLINE)


def test_a_card_that_was_read_badly_is_not_kept(
    card: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    recorder = Recorder(card)
    empty_readers.insert(card)
    watcher.kept()
    first = next(at for at, command in enumerate(recorder.take()) if command.startswith("00A40000020207")) + 1
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    service._cache.drop(next(iter(service._cache._entries)))
    empty_readers.inject(Fault(FaultKind.GARBAGE, first))
    empty_readers.insert(card)
    assert [found.id for found in watcher.card().credentials] == ["01"]
    worker = service._readers[DEFAULT_READER].worker
    eventually(lambda: not worker._to_keep)
    assert not service._cache._entries
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    empty_readers.insert(card)
    assert [found.id for found in watcher.card().credentials] == ["00", "01"]
