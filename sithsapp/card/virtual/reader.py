# SPDX-License-Identifier: EUPL-1.2
"""Card readers in process: a `ReaderBackend` over virtual cards, with the manners of shared PC/SC."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sithsapp.card.pin_pad import PadCommand, PinPad
from sithsapp.card.transport import CardProtocol, Presence, ReaderEvent, ReadersSnapshot
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind, FaultQueue, spoil
from sithsapp.card.virtual.pad import VirtualPad
from sithsapp.failures import Failure, SithsError

_STATUS_LENGTH = 2
DEFAULT_READER = "SITHS Virtual Reader 0"


class _Session:
    """One card from insertion to removal, shared by every connection to it."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        self.alive = True
        self.resets = 0
        self.owner: VirtualConnection | None = None

    def reset(self) -> None:
        self.resets += 1
        self.card.reset()


class _Slot:
    def __init__(self, name: str) -> None:
        self.name = name
        self.session: _Session | None = None
        self.insertions = 0
        self.obstacle: Presence | None = None
        self.faults = FaultQueue()
        self.pad: VirtualPad | None = None

    def put(self, card: VirtualCard | None) -> None:
        if self.session is not None:
            self.session.alive = False
        self.session = None
        self.insertions += 1
        if card is not None:
            card.reset()
            self.session = _Session(card)

    def event(self) -> ReaderEvent:
        if self.session is None:
            return ReaderEvent(self.name, Presence.EMPTY, b"", self.insertions)
        presence = self.obstacle or Presence.PRESENT
        atr = b"" if presence is Presence.MUTE else self.session.card.atr
        return ReaderEvent(self.name, presence, atr, self.insertions)


class VirtualReaders:
    """Readers that tests and the demo fill, empty and disturb. Thread-safe."""

    def __init__(self, names: Sequence[str] = (DEFAULT_READER,)) -> None:
        self._changed = threading.Condition()
        self._slots = {name: _Slot(name) for name in names}
        self._running = True
        self._cancelled = False

    def add_reader(self, name: str) -> None:
        """Plug in a reader; raises `ValueError` if the name is taken."""
        with self._changed:
            if name in self._slots:
                raise ValueError(name)
            self._slots[name] = _Slot(name)
            self._changed.notify_all()

    def remove_reader(self, name: str) -> None:
        """Unplug a reader, with the card in it; raises `KeyError` for an unknown one."""
        with self._changed:
            self._slots.pop(name).put(None)
            self._changed.notify_all()

    def give_keys(self, pad: VirtualPad | None, reader: str = DEFAULT_READER) -> None:
        """Give a reader keys for codes, or take them away; for connections that are made from now on."""
        with self._changed:
            self._slots[reader].pad = pad

    def insert(self, card: VirtualCard, reader: str = DEFAULT_READER) -> None:
        """Put a card into a reader; one that is there falls out (a swap too quick to be seen empty)."""
        self._put(reader, card)

    def remove(self, reader: str = DEFAULT_READER) -> None:
        """Pull the card out; harmless on an empty reader."""
        with self._changed:
            if self._slots[reader].session is not None:
                self._slots[reader].put(None)
                self._changed.notify_all()

    def obstruct(self, obstacle: Presence | None, reader: str = DEFAULT_READER) -> None:
        """Make the card MUTE or IN_USE (held exclusively by another program); None ends it."""
        with self._changed:
            self._slots[reader].obstacle = obstacle
            self._changed.notify_all()

    def inject(self, fault: Fault, reader: str = DEFAULT_READER) -> None:
        """Let something go wrong at a coming command."""
        with self._changed:
            self._slots[reader].faults.add(fault)

    def clear_faults(self, reader: str = DEFAULT_READER) -> None:
        """Drop the faults that have not happened."""
        with self._changed:
            self._slots[reader].faults.clear()

    def stop_service(self) -> None:
        """Stop the smart card service: every connection dies."""
        with self._changed:
            self._running = False
            for slot in self._slots.values():
                slot.put(slot.session.card if slot.session is not None else None)
            self._changed.notify_all()

    def start_service(self) -> None:
        """Start the smart card service again; the cards are still there."""
        with self._changed:
            self._running = True
            self._changed.notify_all()

    def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
        """Block until something differs from `known`; see `ReaderBackend`."""
        with self._changed:
            self._changed.wait_for(lambda: self._cancelled or self._snapshot() != known, timeout)
            return self._snapshot()

    def cancel(self) -> None:
        """End a `wait` in another thread, now and for good."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def connect(self, reader: str) -> VirtualConnection:
        """Open a shared connection.

        Raises `SithsError`: NO_READER_SERVICE, NO_READER, NO_CARD, CARD_MUTE, CARD_IN_USE.
        """
        with self._changed:
            self._require_service()
            slot = self._slots.get(reader)
            if slot is None:
                raise SithsError(Failure.NO_READER, "no such virtual reader")
            if slot.session is None:
                raise SithsError(Failure.NO_CARD, "virtual reader empty")
            if slot.obstacle is not None:
                failure = Failure.CARD_MUTE if slot.obstacle is Presence.MUTE else Failure.CARD_IN_USE
                raise SithsError(failure, "virtual reader obstructed")
            return VirtualConnection(self, slot, slot.session)

    def _put(self, reader: str, card: VirtualCard) -> None:
        with self._changed:
            self._slots[reader].put(card)
            self._changed.notify_all()

    def _snapshot(self) -> ReadersSnapshot:
        if not self._running:
            return ReadersSnapshot(False, ())
        return ReadersSnapshot(True, tuple(slot.event() for slot in self._slots.values()))

    def _require_service(self) -> None:
        if not self._running:
            raise SithsError(Failure.NO_READER_SERVICE, "virtual service stopped")


class VirtualConnection:
    """A `CardConnection`. Other connections to the same card share its login state and wait for its transactions."""

    def __init__(self, readers: VirtualReaders, slot: _Slot, session: _Session) -> None:
        self._readers = readers
        self._slot = slot
        self._session = session
        self._resets = session.resets
        self._pad = slot.pad
        self._depth = 0
        self._open = True

    @property
    def atr(self) -> bytes:
        """The answer to reset."""
        return self._session.card.atr

    @property
    def protocol(self) -> CardProtocol:
        """The protocol that the ATR offers."""
        return self._session.card.protocol

    def transmit(self, command: bytes) -> bytes:
        """Send one command APDU; raises as `CardConnection` says.

        A reset by others is told once, here or at the next transaction, as CARD_ERROR. (`PcscReaders` takes it up
        silently when a transaction begins; a driver must bear both.)
        """
        with self._readers._changed:
            self._take_turn()
            fault = self._slot.faults.next(command)
        answer = self._execute(command, fault)
        with self._readers._changed:
            self._require_card()
        return answer

    @property
    def pin_pad(self) -> PinPad | None:
        """The keys of the virtual reader."""
        return None if self._pad is None else self._pad.features

    def enter(self, command: PadCommand) -> bytes:
        """Let fingers type on the reader; what they make goes to the card as any command does."""
        if self._pad is None:
            raise SithsError(Failure.PIN_PAD_REFUSED, "the virtual reader has no keys")
        with self._readers._changed:
            self._take_turn()
        filled = self._pad.fill(command)
        return filled if len(filled) == _STATUS_LENGTH else self.transmit(filled)

    def distrust_pad(self) -> None:
        """Take the keys for unusable."""
        self._pad = self._slot.pad = None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the card; others' commands wait until the block ends."""
        with self._readers._changed:
            self._take_turn()
            self._session.owner = self
            self._depth += 1
        try:
            yield
        finally:
            with self._readers._changed:
                self._depth -= 1
                self._release()

    def disconnect(self, *, reset: bool = False) -> None:
        """Let go of the card, in the middle of a transaction too."""
        with self._readers._changed:
            if not self._open:
                return
            self._open = False
            self._depth = 0
            if reset and self._session.alive:
                self._session.reset()
            self._release()

    def _release(self) -> None:
        if self._depth <= 0 and self._session.owner is self:
            self._session.owner = None
            self._readers._changed.notify_all()

    def _take_turn(self) -> None:
        """Wait for others' transactions, then check that the card is still the one that was connected to."""
        self._readers._changed.wait_for(lambda: not self._session.alive or self._session.owner in (None, self))
        self._require_card()
        if self._resets != self._session.resets:
            self._resets = self._session.resets
            raise SithsError(Failure.CARD_ERROR, "card was reset by another program")

    def _require_card(self) -> None:
        self._readers._require_service()
        if not self._open or not self._session.alive:
            raise SithsError(Failure.CARD_REMOVED, "virtual card gone")

    def _execute(self, command: bytes, fault: Fault | None) -> bytes:
        if fault is None:
            return self._session.card.process(command)
        if fault.kind is FaultKind.STATUS:
            return spoil(fault, b"")
        if fault.kind in (FaultKind.GARBAGE, FaultKind.TRUNCATED):
            return spoil(fault, self._session.card.process(command))
        if fault.executed:
            self._session.card.process(command)
        return self._break_off(fault)

    def _break_off(self, fault: Fault) -> bytes:
        if fault.kind is FaultKind.REMOVED:
            self._readers.remove(self._slot.name)
            raise SithsError(Failure.CARD_REMOVED, "virtual card removed")
        if fault.kind is FaultKind.UNPLUGGED:
            self._readers.remove_reader(self._slot.name)
            raise SithsError(Failure.NO_READER, "virtual reader unplugged")
        if fault.kind is FaultKind.SERVICE:
            self._readers.stop_service()
            raise SithsError(Failure.NO_READER_SERVICE, "virtual service ended")
        if fault.kind is FaultKind.RESET:
            with self._readers._changed:
                self._session.reset()
                self._resets = self._session.resets
            raise SithsError(Failure.CARD_ERROR, "card was reset by another program")
        raise SithsError(Failure.CARD_MUTE, "virtual card silent")
