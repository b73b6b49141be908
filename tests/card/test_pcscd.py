# SPDX-License-Identifier: EUPL-1.2
"""The service over a real pcscd: its death, other programs, and rest."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp.card.model import CardId, PinRole, SignatureScheme
from sithsapp.card.service import CardService
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.failures import Failure
from tests.card.helpers import CODES, Watcher, assert_signed, eventually, pin
from tests.parts.pcscd import PcscSlots

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="private pcscd")]
PS256 = SignatureScheme.PS256
DEADLINE = 20.0

HAMMER = """
import sys, threading
from sithsapp.card.model import SignatureScheme
from sithsapp.card.pcsc import PcscReaders
from sithsapp.card.pin import Pin
from sithsapp.card.service import CardService
ready = threading.Event()
service = CardService([PcscReaders()])
service.subscribe(lambda state: ready.set() if state.cards else None)
service.start()
assert ready.wait(20)
card = service.state.cards[0]
for _ in range(int(sys.argv[2])):
    code = Pin(bytearray(sys.argv[1].encode()))
    assert service.sign(card.id, "00", SignatureScheme.PS256, b"m", code).result(20)
service.close()
"""


@pytest.fixture
def mortal(pcsc_slots: PcscSlots) -> Iterator[PcscSlots]:
    """The session's service, to kill: the library remembers its first socket, so no other can be used here."""
    yield pcsc_slots
    pcsc_slots.clear()
    pcsc_slots.service.restart()


def started() -> CardService:
    from sithsapp.card.pcsc import PcscReaders

    service = CardService([PcscReaders()])
    service.start()
    return service


def sign(service: CardService, card: CardId) -> bytes:
    return service.sign(card, "00", PS256, b"m", pin(CODES[PinRole.AUTH])).result(DEADLINE)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_service_is_killed_and_comes_back(mortal: PcscSlots, card: VirtualCard) -> None:
    mortal.insert(card)
    service = started()
    watcher = Watcher(service)
    card_id = watcher.card().id
    open_files, threads = descriptors(), threading.active_count()
    for _ in range(3):
        mortal.service.kill()
        watcher.until(lambda state: not state.service_running)
        assert service.state.slots == ()
        mortal.service.restart()
        returned = time.monotonic()
        watcher.until(lambda state: state.service_running)
        assert time.monotonic() - returned < 2.0
        found = watcher.card()
        assert found.id == card_id
        assert_signed(found.credentials[0], PS256, b"m", sign(service, card_id))
    eventually(lambda: threading.active_count() <= threads)
    eventually(lambda: descriptors() <= open_files)
    service.close()


def test_killed_in_the_middle_of_a_signature(mortal: PcscSlots, card: VirtualCard) -> None:
    mortal.insert(card)
    service = started()
    watcher = Watcher(service)
    card_id = watcher.card().id
    sent = threading.Event()

    def kill(command: bytes, _answer: bytes) -> None:
        if command.startswith(bytes.fromhex("002A9E9A")) and not sent.is_set():
            sent.set()
            mortal.service.kill()

    card.observer = kill
    error = service.sign(card_id, "00", PS256, b"m", pin(CODES[PinRole.AUTH])).exception(DEADLINE)
    assert error is not None
    assert sent.is_set()
    mortal.service.restart()
    watcher.until(lambda state: not state.service_running or bool(state.cards))
    assert card.tries_left(0x11) == 3

    def works() -> bool:
        return (
            bool(service.state.cards)
            and service.sign(card_id, "00", PS256, b"m", pin(CODES[PinRole.AUTH])).exception(DEADLINE) is None
        )

    eventually(works)
    service.close()


def test_two_programs_on_one_card_both_finish(pcsc_slots: PcscSlots, card: VirtualCard) -> None:
    pcsc_slots.insert(card)
    count = 25
    command = [sys.executable, "-c", HAMMER, CODES[PinRole.AUTH], str(count)]
    programs = [
        subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    for program in programs:
        output, _ = program.communicate(timeout=60)
        assert program.returncode == 0, output.decode()
    assert card.signatures == 2 * count
    assert card.tries_left(0x11) == 3


def test_a_card_that_is_held_exclusively_is_told_and_comes_back(
    pcsc_slots: PcscSlots, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sithsapp.card import pcsc_library

    monkeypatch.setattr(pcsc_library, "_BUSY_SECONDS", 0.1)
    monkeypatch.setattr("sithsapp.card.worker.IN_USE_RETRY_SECONDS", (0.1,))
    monkeypatch.setattr("sithsapp.card.worker.LINGER_SECONDS", 0.05)
    reader = pcsc_slots.insert(card)
    _, context = pcsc_library.call("SCardEstablishContext", 0)
    exclusive, both_protocols, leave = 1, 3, 0
    code, connected = pcsc_library.call("SCardConnect", context[0], reader, exclusive, both_protocols)
    assert code == 0
    service = started()
    watcher = Watcher(service)
    watcher.until(lambda state: bool(state.slots) and state.slots[0].failure is Failure.CARD_IN_USE)
    pcsc_library.call("SCardDisconnect", connected[0], leave)
    pcsc_library.call("SCardReleaseContext", context[0])
    assert sign(service, watcher.card().id)
    service.close()


def _switches() -> dict[str, str]:
    """Return how often each thread of this process has given up the processor."""
    found: dict[str, str] = {}
    for task in Path("/proc/self/task").iterdir():
        name = (task / "comm").read_text()
        lines = (task / "status").read_text().splitlines()
        if task.name != str(os.getpid()):
            found[task.name + name] = next(line for line in lines if line.startswith("voluntary_ctxt"))
    return found


def test_an_idle_service_does_not_wake_up(
    pcsc_slots: PcscSlots, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sithsapp.card.worker.LINGER_SECONDS", 0.05)
    service = started()
    watcher = Watcher(service)
    reader = pcsc_slots.insert(card)
    watcher.card()
    worker = service._readers[reader].worker
    eventually(lambda: worker._session is None)
    ours = {str(thread.native_id) for thread in (worker.thread, *service._watchers)}
    threading.Event().wait(0.3)
    before = {name: count for name, count in _switches().items() if any(name.startswith(number) for number in ours)}
    threading.Event().wait(1.0)
    after = {name: count for name, count in _switches().items() if name in before}
    assert len(before) == 2
    assert after == before
    service.close()


def test_a_session_that_comes_back_reads_its_cards_anew(mortal: PcscSlots, card: VirtualCard) -> None:
    mortal.insert(card)
    service = started()
    watcher = Watcher(service)
    before = watcher.card()
    threads = threading.active_count()
    watcher.states.clear()
    service.refresh()
    watcher.until(lambda state: bool(state.cards) and any(not earlier.cards for earlier in watcher.states))
    after = watcher.card()
    assert after.id.reader == before.id.reader
    assert_signed(after.credentials[0], PS256, b"m", sign(service, after.id))
    eventually(lambda: threading.active_count() <= threads)
    service.close()
