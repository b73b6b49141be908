# SPDX-License-Identifier: EUPL-1.2
"""What every `ReaderBackend` and `CardConnection` must do, and the driver above them, over each implementation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import pytest

from sithsapp.card.model import PinRole, SignatureScheme
from sithsapp.card.service import CardService
from sithsapp.card.transport import CardConnection, CardProtocol, Presence, ReaderBackend, ReadersSnapshot
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, DEADLINE, WRONG, Watcher, assert_signed, pin
from tests.parts.pcscd import PcscSlots
from tests.parts.virtual_card import CardFactory

SELECT = bytes.fromhex("00A4040C0BA000000018800000000662")
VERIFY = bytes.fromhex("0020001110") + CODES[PinRole.AUTH].encode().ljust(16, b"\0")


class Slots(Protocol):
    """Where a test puts its cards."""

    def insert(self, card: VirtualCard) -> str:
        """Put a card in; return the reader's name."""

    def remove(self) -> None:
        """Pull it out."""


class InProcess:
    """Readers in process."""

    def __init__(self) -> None:
        self.backend = VirtualReaders()

    def insert(self, card: VirtualCard) -> str:
        """Put a card in."""
        self.backend.insert(card)
        return DEFAULT_READER

    def remove(self) -> None:
        """Pull it out."""
        self.backend.remove()


@dataclass
class Rig:
    """One implementation, and a card that speaks one protocol."""

    backend: ReaderBackend
    slots: Slots
    card: VirtualCard
    protocol: CardProtocol

    def status(self) -> bytes:
        """Return the question for the state of PIN1, as the protocol wants it."""
        return bytes.fromhex("00200011") + (b"\0" if self.protocol is CardProtocol.T0 else b"")

    def until(self, presence: Presence, reader: str) -> ReadersSnapshot:
        """Watch until the reader shows that."""
        snapshot: ReadersSnapshot | None = None
        deadline = time.monotonic() + DEADLINE
        while time.monotonic() < deadline:
            snapshot = self.backend.wait(snapshot, timeout=1.0)
            if any(event.reader == reader and event.presence is presence for event in snapshot.readers):
                return snapshot
        raise AssertionError(snapshot)

    def connect(self) -> CardConnection:
        """Insert the card, wait until it is seen and connect to it."""
        reader = self.slots.insert(self.card)
        self.until(Presence.PRESENT, reader)
        return self.backend.connect(reader)


PARAMETERS = [
    pytest.param((kind, protocol), id=f"{kind}-{protocol.name}", marks=[pytest.mark.e2e] if kind == "pcscd" else [])
    for kind in ("in-process", "pcscd")
    for protocol in CardProtocol
]


@pytest.fixture(params=PARAMETERS)
def rig(request: pytest.FixtureRequest, make_card: CardFactory) -> Iterator[Rig]:
    kind, protocol = request.param
    card = make_card(protocol=protocol)
    if kind == "in-process":
        slots = InProcess()
        yield Rig(slots.backend, slots, card, protocol)
        slots.backend.cancel()
    else:
        real: PcscSlots = request.getfixturevalue("pcsc_slots")
        from sithsapp.card.pcsc import PcscReaders

        readers = PcscReaders()
        yield Rig(readers, real, card, protocol)
        readers.cancel()


def failure(action: Callable[[], object]) -> Failure:
    with pytest.raises(SithsError) as caught:
        action()
    return caught.value.failure


class TestWatching:
    def test_the_first_answer_comes_at_once(self, rig: Rig) -> None:
        snapshot = rig.backend.wait(None)
        assert snapshot.service_running
        assert [event.presence for event in snapshot.readers[:1]] == [Presence.EMPTY]

    def test_a_wait_ends_after_its_time(self, rig: Rig) -> None:
        known = rig.backend.wait(None)
        assert rig.backend.wait(known, timeout=0.01) == known

    def test_a_card_is_seen_and_counted(self, rig: Rig) -> None:
        empty = {event.reader: event for event in rig.backend.wait(None).readers}
        reader = rig.slots.insert(rig.card)
        seen = next(e for e in rig.until(Presence.PRESENT, reader).readers if e.reader == reader)
        assert seen.atr == rig.card.atr
        assert seen.insertions != empty[reader].insertions
        rig.slots.remove()
        gone = next(e for e in rig.until(Presence.EMPTY, reader).readers if e.reader == reader)
        assert gone.atr == b""
        assert gone.insertions != seen.insertions

    def test_a_wait_is_cancelled_for_good(self, rig: Rig) -> None:
        known = rig.backend.wait(None)
        done = threading.Event()

        def watch() -> None:
            rig.backend.wait(known)
            done.set()

        threading.Thread(target=watch, daemon=True).start()
        assert not done.wait(0.05)
        rig.backend.cancel()
        assert done.wait(DEADLINE)
        rig.backend.wait(known)


class TestConnection:
    def test_it_talks_to_the_card(self, rig: Rig) -> None:
        connection = rig.connect()
        assert connection.atr == rig.card.atr
        assert connection.protocol is rig.protocol
        with connection.transaction():
            assert connection.transmit(SELECT) == b"\x90\x00"
            assert connection.transmit(rig.status()) == b"\x63\xc3"
        connection.disconnect()
        connection.disconnect()
        assert failure(lambda: connection.transmit(SELECT)) is Failure.CARD_REMOVED

    def test_an_empty_or_unknown_reader_is_told(self, rig: Rig) -> None:
        reader = rig.backend.wait(None).readers[0].reader
        assert failure(lambda: rig.backend.connect(reader)) is Failure.NO_CARD
        assert failure(lambda: rig.backend.connect("no such reader")) is Failure.NO_READER

    def test_a_pulled_card_is_told(self, rig: Rig) -> None:
        connection = rig.connect()
        rig.slots.remove()
        assert failure(lambda: connection.transmit(SELECT)) is Failure.CARD_REMOVED
        connection.disconnect()

    def test_an_old_connection_never_reaches_a_new_card(self, rig: Rig, make_card: CardFactory) -> None:
        connection = rig.connect()
        rig.slots.remove()
        rig.until(Presence.EMPTY, rig.backend.wait(None).readers[0].reader)
        rig.slots.insert(make_card(protocol=rig.protocol))

        def use() -> None:
            with connection.transaction():
                connection.transmit(SELECT)

        assert failure(use) is Failure.CARD_REMOVED
        connection.disconnect()

    def test_others_wait_for_a_transaction(self, rig: Rig) -> None:
        first = rig.connect()
        second = rig.backend.connect(rig.backend.wait(None).readers[0].reader)
        got_in = threading.Event()

        def intrude() -> None:
            with second.transaction():
                got_in.set()

        with first.transaction():
            first.transmit(SELECT)
            thread = threading.Thread(target=intrude, daemon=True)
            thread.start()
            assert not got_in.wait(0.1)
        assert got_in.wait(DEADLINE)
        thread.join(DEADLINE)
        second.disconnect()
        first.disconnect()

    def test_a_transaction_ends_with_its_block_and_with_the_connection(self, rig: Rig) -> None:
        first = rig.connect()
        with pytest.raises(ValueError, match="ours"), first.transaction():
            raise ValueError("ours")
        with first.transaction():
            first.disconnect()
        second = rig.backend.connect(rig.backend.wait(None).readers[0].reader)
        with second.transaction():
            assert second.transmit(SELECT) == b"\x90\x00"
        second.disconnect()

    def test_a_reset_ends_the_login_state_for_all(self, rig: Rig) -> None:
        first = rig.connect()
        first.transmit(SELECT)
        assert first.transmit(VERIFY) == b"\x90\x00"
        first.disconnect(reset=True)
        second = rig.backend.connect(rig.backend.wait(None).readers[0].reader)
        second.transmit(SELECT)
        assert second.transmit(rig.status()) == b"\x63\xc3"
        second.disconnect()


@pytest.fixture
def service(rig: Rig) -> Iterator[CardService]:
    service = CardService([rig.backend])
    service.start()
    yield service
    began = time.monotonic()
    service.close()
    assert time.monotonic() - began < 2.0


class TestDriver:
    def test_sign_and_nobody_after_us(self, rig: Rig, service: CardService) -> None:
        watcher = Watcher(service)
        reader = rig.slots.insert(rig.card)
        card = watcher.card()
        for scheme in (SignatureScheme.PS256, SignatureScheme.RS256):
            signature = service.sign(card.id, "00", scheme, b"m", pin(CODES[PinRole.AUTH])).result(DEADLINE)
            assert_signed(card.credentials[0], scheme, b"m", signature)
        other = rig.backend.connect(reader)
        with other.transaction():
            other.transmit(bytes.fromhex("002241B60680014284015E"))
            other.transmit(bytes.fromhex("002A90A0229020") + bytes(32))
            assert other.transmit(bytes.fromhex("002A9E9A00")) == b"\x69\x82"
        other.disconnect()

    def test_wrong_codes_change_and_unblock(self, rig: Rig, service: CardService) -> None:
        watcher = Watcher(service)
        rig.slots.insert(rig.card)
        card = watcher.card().id
        for left in (2, 1, 0):
            future = service.sign(card, "01", SignatureScheme.PS256, b"m", pin(WRONG), last_try_ok=True)
            error = future.exception(DEADLINE)
            assert isinstance(error, SithsError)
            assert error.tries_left == left
        unblocked = service.unblock(card, PinRole.SIGN, pin(CODES[PinRole.PUK]), pin("864201")).result(DEADLINE)
        assert unblocked.tries_left == 3
        changed = service.change_pin(card, PinRole.SIGN, pin("864201"), pin(CODES[PinRole.SIGN]))
        assert changed.result(DEADLINE).tries_left == 3

    def test_another_program_resets_the_card(self, rig: Rig, service: CardService) -> None:
        watcher = Watcher(service)
        reader = rig.slots.insert(rig.card)
        card = watcher.card()
        for _ in range(3):
            rig.backend.connect(reader).disconnect(reset=True)
            signed = service.sign(card.id, "00", SignatureScheme.PS256, b"m", pin(CODES[PinRole.AUTH]))
            assert_signed(card.credentials[0], SignatureScheme.PS256, b"m", signed.result(DEADLINE))
        assert rig.card.tries_left(0x11) == 3

    def test_pulled_and_put_back(self, rig: Rig, service: CardService) -> None:
        watcher = Watcher(service)
        rig.slots.insert(rig.card)
        card = watcher.card()
        rig.slots.remove()
        watcher.until(lambda state: not state.cards)
        rig.slots.insert(rig.card)
        assert watcher.card().id == card.id
        assert service.sign(card.id, "00", SignatureScheme.PS256, b"m", pin(CODES[PinRole.AUTH])).result(DEADLINE)
