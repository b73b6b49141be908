# SPDX-License-Identifier: EUPL-1.2
"""The card service: snapshots, jobs, swaps, and an end that comes in time."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future
from pathlib import Path

import pytest

from sithsapp.card.jobs import Job
from sithsapp.card.model import CardId, PinRole, SignatureScheme, SlotStatus
from sithsapp.card.service import CardService
from sithsapp.card.transport import CardConnection, Presence, ReadersSnapshot
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, DEADLINE, WRONG, NoKeys, Recorder, Watcher, assert_signed, eventually, pin
from tests.parts.virtual_card import CardFactory

PS256 = SignatureScheme.PS256
MESSAGE = b"a message"


def failure(future: Future[object] | Future[bytes]) -> SithsError:
    error = future.exception(DEADLINE)
    assert isinstance(error, SithsError), error
    return error


def sign(service: CardService, card: CardId, code: str = CODES[PinRole.AUTH], **options: bool) -> Future[bytes]:
    return service.sign(card, "00", PS256, MESSAGE, pin(code), **options)


def statuses(watcher: Watcher) -> list[SlotStatus]:
    """Return what one reader went through, each status once."""
    seen = [state.slots[0].status for state in watcher.states if state.slots]
    return [status for at, status in enumerate(seen) if at == 0 or status is not seen[at - 1]]


def test_a_card_is_shown_while_it_is_read_and_after(ready: VirtualCard, watcher: Watcher) -> None:
    assert statuses(watcher)[-2:] == [SlotStatus.READING, SlotStatus.READY]


def test_a_signature_is_made_and_the_state_told(ready: VirtualCard, service: CardService, watcher: Watcher) -> None:
    card = watcher.card()
    assert failure(sign(service, card.id, WRONG)).tries_left == 2
    watcher.until(lambda state: [p.tries_left for p in state.cards[0].pins] == [2, 3, 10])
    assert_signed(card.credentials[0], PS256, MESSAGE, sign(service, card.id).result(DEADLINE))
    watcher.until(lambda state: [p.tries_left for p in state.cards[0].pins] == [3, 3, 10])


def test_codes_are_managed(ready: VirtualCard, service: CardService, watcher: Watcher) -> None:
    card = watcher.card().id
    changed = service.change_pin(card, PinRole.AUTH, pin(CODES[PinRole.AUTH]), pin("864201")).result(DEADLINE)
    assert changed.tries_left == 3
    unblocked = service.unblock(card, PinRole.AUTH, pin(CODES[PinRole.PUK]), pin(CODES[PinRole.AUTH]))
    assert unblocked.result(DEADLINE).tries_left == 3
    assert service.pin_state(card, PinRole.PUK).result(DEADLINE).tries_left == 10


def test_only_verify_and_signature_remain_after_the_code(
    ready: VirtualCard, service: CardService, watcher: Watcher
) -> None:
    recorder = Recorder(ready)
    done = sign(service, watcher.card().id)
    done.result(DEADLINE)
    eventually(lambda: len(recorder.commands) == 6)
    assert [command[2:4] for command in recorder.take()] == ["20", "20", "2A", "2A", "20", "20"]


def test_a_known_card_is_not_read_again(
    ready: VirtualCard, empty_readers: VirtualReaders, watcher: Watcher, tmp_path: Path
) -> None:
    card = watcher.card()
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    recorder = Recorder(ready)
    empty_readers.insert(ready)
    assert watcher.card() == card
    assert not [command for command in recorder.take() if command.startswith("00A40000020207")]
    # A new process knows the card from its file.
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    readers = VirtualReaders()
    other = CardService([readers], cache_dir=tmp_path / "cache")
    other.start()
    readers.insert(ready)
    assert Watcher(other).card() == card
    other.close()
    assert not [command for command in recorder.take() if command.startswith("00A40000020207")]


def test_reading_again_passes_the_cache(ready: VirtualCard, service: CardService, watcher: Watcher) -> None:
    recorder = Recorder(ready)
    service.reread(DEFAULT_READER)
    service.reread("no such reader")
    eventually(lambda: any(command.startswith("00A40000020207") for command in recorder.commands))
    watcher.card()


def test_a_renewed_card_is_read_anew(
    ready: VirtualCard, empty_readers: VirtualReaders, watcher: Watcher, make_card: CardFactory
) -> None:
    before = watcher.card()
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    ready.set_containers(make_card().spec.containers)
    empty_readers.insert(ready)
    after = watcher.card()
    assert after.id == before.id
    assert after.credentials != before.credentials


def test_another_card_is_never_signed_with(
    ready: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher, make_card: CardFactory
) -> None:
    first = watcher.card().id
    other = make_card()
    empty_readers.insert(other)
    watcher.until(lambda state: bool(state.cards) and state.cards[0].id != first)
    assert failure(sign(service, first)).failure is Failure.CARD_CHANGED
    assert other.signatures == 0


def test_a_swap_that_nobody_saw_is_noticed_at_the_card(
    ready: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher, make_card: CardFactory
) -> None:
    first = watcher.card().id
    other = make_card()
    recorder = Recorder(other)
    empty_readers.insert(other)
    error = failure(sign(service, first))
    assert error.failure in (Failure.CARD_CHANGED, Failure.CARD_REMOVED)
    assert not any(command.startswith("0020001110") for command in recorder.commands)


def test_news_of_a_card_that_is_gone_come_too_late(
    ready: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    old = service.state.slots[0]
    insertions = service._readers[DEFAULT_READER].insertions
    assert insertions is not None
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    service._publish_slot(old, insertions)
    assert not service.state.cards


def test_without_a_card_work_fails_at_once(
    ready: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    card = watcher.card().id
    empty_readers.remove()
    entry = pin(CODES[PinRole.AUTH])
    assert failure(service.sign(card, "00", PS256, MESSAGE, entry)).failure is Failure.CARD_REMOVED
    assert len(entry) == 0
    empty_readers.remove_reader(DEFAULT_READER)
    watcher.until(lambda state: state.slots == ())
    assert failure(sign(service, card)).failure is Failure.CARD_REMOVED


@pytest.mark.parametrize(
    ("presence", "expected"), [(Presence.MUTE, Failure.CARD_MUTE), (Presence.IN_USE, Failure.CARD_IN_USE)]
)
def test_obstacles_are_told_and_their_end_is_noticed(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    presence: Presence,
    expected: Failure,
) -> None:
    empty_readers.obstruct(presence)
    empty_readers.insert(card)
    watcher.until(lambda state: bool(state.slots) and state.slots[0].failure is expected)
    card_id = CardId(DEFAULT_READER, card.atr, bytes(12))
    assert failure(sign(service, card_id)).failure is expected
    empty_readers.obstruct(None)
    watcher.card()


def test_the_service_comes_and_goes(
    ready: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    card = watcher.card().id
    empty_readers.stop_service()
    assert watcher.until(lambda state: not state.service_running).slots == ()
    empty_readers.start_service()
    assert watcher.card().id == card
    assert sign(service, card).result(DEADLINE)


def test_readers_of_several_backends_are_shown_together(make_card: CardFactory) -> None:
    first, second = VirtualReaders(["one"]), VirtualReaders(["two", "one"])
    service = CardService([first, second])
    watcher = Watcher(service)
    service.start()
    watcher.until(lambda state: len(state.slots) == 2)
    first.stop_service()
    watcher.until(lambda state: state.service_running and len(state.slots) <= 2 and "two" in str(state.slots))
    service.close()


def test_a_listener_that_fails_hurts_nobody(
    service: CardService, empty_readers: VirtualReaders, card: VirtualCard, watcher: Watcher
) -> None:
    def broken(_: object) -> None:
        raise ValueError

    stop = service.subscribe(broken)
    empty_readers.insert(card)
    watcher.card()
    stop()
    stop()


def test_a_broken_backend_is_asked_again(monkeypatch: pytest.MonkeyPatch, card: VirtualCard) -> None:
    monkeypatch.setattr("sithsapp.card.service._BACKEND_RETRY_SECONDS", 0.01)

    class Moody(VirtualReaders):
        failures = 2

        def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
            if self.failures:
                self.failures -= 1
                raise OSError("moody")
            return super().wait(known, timeout)

    readers = Moody()
    readers.insert(card)
    service = CardService([readers])
    watcher = Watcher(service)
    service.start()
    watcher.card()
    service.close()


class Hanging(VirtualReaders):
    """Readers whose connections hang when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.hang = threading.Event()
        self.hung = threading.Event()
        self.release = threading.Event()

    def connect(self, reader: str) -> CardConnection:  # type: ignore[override]  # a wrapper of the same interface
        readers = self
        inner = super().connect(reader)

        class Wrapper(NoKeys):
            atr = inner.atr
            protocol = inner.protocol
            transaction = inner.transaction
            disconnect = inner.disconnect

            def transmit(self, command: bytes) -> bytes:
                if readers.hang.is_set():
                    readers.hung.set()
                    readers.release.wait(DEADLINE)
                return inner.transmit(command)

        return Wrapper()


def test_the_end_comes_in_time_even_if_a_reader_hangs(card: VirtualCard) -> None:
    readers = Hanging()
    service = CardService([readers])
    watcher = Watcher(service)
    service.start()
    readers.insert(card)
    card_id = watcher.card().id
    readers.hang.set()
    first, second = sign(service, card_id), sign(service, card_id)
    assert readers.hung.wait(DEADLINE)
    began = time.monotonic()
    service.close()
    assert time.monotonic() - began < 2.0
    assert failure(first).failure is Failure.CARD_REMOVED
    assert failure(second).failure is Failure.CARD_REMOVED
    assert failure(sign(service, card_id)).failure is Failure.CARD_REMOVED
    readers.release.set()


def test_closing_leaves_no_thread(card: VirtualCard, tmp_path: Path) -> None:
    before = set(threading.enumerate())
    readers = VirtualReaders()
    readers.insert(card)
    service = CardService([readers])
    watcher = Watcher(service)
    service.start()
    watcher.card()
    service.close()
    service.close()
    assert set(threading.enumerate()) <= before


def test_work_that_comes_while_a_worker_ends_fails_and_the_worker_ends(
    ready: VirtualCard, empty_readers: VirtualReaders, service: CardService, watcher: Watcher
) -> None:
    worker = service._readers[DEFAULT_READER].worker
    worker.stop()
    job: Job[int] = Job(lambda _: 1)
    worker.submit(job)
    worker.thread.join(DEADLINE)
    assert not worker.thread.is_alive()
    assert job.future.done()
    late: Job[int] = Job(lambda _: 1)
    worker.submit(late)
    assert late.future.exception(DEADLINE) is not None


def test_two_at_once_both_get_their_signature(ready: VirtualCard, service: CardService, watcher: Watcher) -> None:
    card = watcher.card()
    futures = [sign(service, card.id) for _ in range(20)]
    for future in futures:
        assert_signed(card.credentials[0], PS256, MESSAGE, future.result(DEADLINE))


def test_a_connection_is_let_go_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
) -> None:
    monkeypatch.setattr("sithsapp.card.worker.LINGER_SECONDS", 0.05)
    empty_readers.insert(card)
    card_id = watcher.card().id
    worker = service._readers[DEFAULT_READER].worker
    eventually(lambda: worker._session is None)
    recorder = Recorder(card)
    assert sign(service, card_id).result(DEADLINE)
    assert [command[2:4] for command in recorder.take()][:2] == ["A4", "CA"]


def test_a_card_in_use_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
) -> None:
    monkeypatch.setattr("sithsapp.card.worker.IN_USE_RETRY_SECONDS", (0.01, 0.01))
    connect = empty_readers.connect
    refusals = [SithsError(Failure.CARD_IN_USE)] * 2

    def busy(reader: str) -> CardConnection:
        if refusals:
            raise refusals.pop()
        return connect(reader)

    monkeypatch.setattr(empty_readers, "connect", busy)
    empty_readers.insert(card)
    watcher.card()
    assert any(state.slots and state.slots[0].failure is Failure.CARD_IN_USE for state in watcher.states)


def test_a_card_that_fails_once_is_read_in_the_second_try(
    card: VirtualCard, empty_readers: VirtualReaders, watcher: Watcher
) -> None:
    empty_readers.inject(Fault(FaultKind.RESET, skip=5))
    empty_readers.insert(card)
    watcher.card()


def test_idle_threads_sleep(ready: VirtualCard, service: CardService, watcher: Watcher) -> None:
    """Between events nothing runs: the threads of the service use no processor time."""
    eventually(lambda: service._readers[DEFAULT_READER].worker._queue.empty())
    before = time.process_time()
    threading.Event().wait(0.3)
    assert time.process_time() - before < 0.05


def test_a_card_that_another_program_holds_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
    ready: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
) -> None:
    monkeypatch.setattr("sithsapp.card.jobs.HELD_SECONDS", 0.05)
    card = watcher.card().id
    other = empty_readers.connect(DEFAULT_READER)
    recorder = Recorder(ready)
    entry = pin(CODES[PinRole.AUTH])
    with other.transaction():
        error = failure(service.sign(card, "00", PS256, MESSAGE, entry))
        assert error.failure is Failure.CARD_IN_USE
        assert len(entry) == 0
    assert sign(service, card).result(DEADLINE)
    assert sum(command.startswith("0020001110") for command in recorder.take()) == 1


def test_a_card_that_is_held_while_it_should_be_read_is_told(
    monkeypatch: pytest.MonkeyPatch, card: VirtualCard, empty_readers: VirtualReaders, watcher: Watcher
) -> None:
    monkeypatch.setattr("sithsapp.card.worker.HELD_SECONDS", 0.05)
    held, go_on = threading.Event(), threading.Event()
    connect = empty_readers.connect

    def slow(reader: str) -> CardConnection:
        held.set()
        assert go_on.wait(DEADLINE)
        return connect(reader)

    monkeypatch.setattr(empty_readers, "connect", slow)
    empty_readers.insert(card)
    assert held.wait(DEADLINE)
    watcher.until(lambda state: state.slots[0].failure is Failure.CARD_IN_USE)
    go_on.set()
    watcher.card()


def test_the_log_has_one_line_for_each_change(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO", "sithsapp.card.service")
    watcher.until(lambda state: bool(state.slots))
    caplog.clear()
    empty_readers.insert(card)
    shown = watcher.kept()
    failure(sign(service, shown.id, WRONG))
    watcher.until(lambda state: state.cards[0].pins[0].tries_left == 2)
    empty_readers.remove_reader(DEFAULT_READER)
    watcher.until(lambda state: not state.slots)
    lines = [record.getMessage() for record in caplog.records]
    assert lines == [f"reader {DEFAULT_READER}: {what}" for what in ("reading", "ready", "gone")]
