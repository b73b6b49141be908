# SPDX-License-Identifier: EUPL-1.2
"""All readers and cards for the rest of the app: snapshots out, jobs in, results as futures.

One thread waits at each backend and one works at each reader; without events all of them sleep. Listeners are
called from these threads, one snapshot after another, and must not block.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from sithsapp.card.active import ActiveCard
from sithsapp.card.cache import CardCache
from sithsapp.card.jobs import Job
from sithsapp.card.model import CardId, CardsState, PinRole, PinState, SignatureScheme, Slot, SlotStatus
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.session import Session, TokenSource
from sithsapp.card.transport import Presence, ReaderBackend, ReaderEvent, ReadersSnapshot, Renewable
from sithsapp.card.worker import ReaderWorker
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

CLOSE_SECONDS = 1.2
_BACKEND_RETRY_SECONDS = 1.0
_ACTIVE_FILE = "active-reader"

Listener = Callable[[CardsState], None]
Result = TypeVar("Result")


class _Reader:
    """A reader as the service keeps it: its worker, the slot people see and the insertion that it belongs to."""

    def __init__(self, worker: ReaderWorker) -> None:
        self.worker = worker
        self.insertions: int | None = None
        self.slot = Slot(worker.reader, SlotStatus.EMPTY)


class CardService:
    """Readers of all backends, and work on the cards in them. Thread-safe."""

    def __init__(
        self,
        backends: Sequence[ReaderBackend],
        *,
        cache_dir: Path | None = None,
        tokens: TokenSource | None = None,
        state_dir: Path | None = None,
    ) -> None:
        """Watch `backends`; public card data is kept in `cache_dir` (made when needed), or in memory alone.

        In `state_dir` the name of the reader with the active card is kept. `tokens` serves the cards that are no
        IDPrime, and tokens that sit in no reader.
        """
        self._backends = tuple(backends) if tokens is None else (*backends, tokens)
        self._tokens = tokens
        self._cache = CardCache(cache_dir)
        self._active = ActiveCard(None if state_dir is None else state_dir / _ACTIVE_FILE)
        self._lock = threading.Lock()
        self._publishing = threading.RLock()
        self._readers: dict[str, _Reader] = {}
        self._snapshots = dict.fromkeys(range(len(self._backends)), ReadersSnapshot(True, ()))
        self._owned: dict[int, set[str]] = {number: set() for number in self._snapshots}
        self._state = CardsState()
        self._listeners: list[Listener] = []
        self._unheard = set(self._snapshots)
        self._known = threading.Event()
        self._closing = threading.Event()
        self._watchers: list[threading.Thread] = []

    @property
    def state(self) -> CardsState:
        """The last snapshot."""
        return self._state

    def start(self) -> None:
        """Begin to watch. Returns at once; the first snapshot comes when the backends have answered."""
        for number, backend in enumerate(self._backends):
            watcher = threading.Thread(target=self._watch, args=(number, backend), name="reader monitor", daemon=True)
            self._watchers.append(watcher)
            watcher.start()

    def wait_until_known(self, timeout: float) -> bool:
        """Wait until each backend has said which readers it has; tell whether that was within `timeout` seconds."""
        return self._known.wait(timeout)

    def close(self) -> None:
        """End all threads. Returns within two seconds even if a reader hangs; open futures fail. May be repeated."""
        self._closing.set()
        for backend in self._backends:
            backend.cancel()
        with self._lock:
            workers = [reader.worker for reader in self._readers.values()]
        for worker in workers:
            worker.stop()
        deadline = time.monotonic() + CLOSE_SECONDS
        for thread in (*(worker.thread for worker in workers), *self._watchers):
            if thread is not threading.current_thread() and thread.is_alive():
                thread.join(max(0.0, deadline - time.monotonic()))
        for worker in workers:
            if worker.thread.is_alive():
                worker.abandon()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each new snapshot, from a card thread; the returned function ends that."""
        with self._publishing:
            self._listeners.append(listener)

        def unsubscribe() -> None:
            with self._publishing:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return unsubscribe

    def refresh(self) -> None:
        """Look at readers and cards anew: the session was disconnected, or the computer slept. Returns at once."""
        for backend in self._backends:
            if isinstance(backend, Renewable):
                backend.renew()

    def reread(self, reader: str) -> None:
        """Read the card in that reader again, past the cache; harmless for an unknown reader."""
        worker = self._worker(reader)
        if worker is not None:
            worker.reread()

    def use(self, reader: str | None) -> None:
        """Make the card in that reader the active one (`CardsState.chosen`), for this session and the next.

        None takes the choice back. An empty reader may be chosen: whichever card comes into it is meant.
        """
        with self._publishing:
            self._active.choose(reader, self._state.cards)
        self._tell()

    def pin_state(self, card: CardId, role: PinRole) -> Future[PinState]:
        """Read the state of a code now. No try is used."""
        return self._submit(card, lambda session, _: session.pin_state(role))

    def prepare(self, card: CardId, credential_id: str, scheme: SignatureScheme) -> Future[PinState]:
        """Read the state of the code that a signature will need, and spare that signature a command.

        To be called while the person is asked for the code.
        """
        return self._submit(card, lambda session, _: session.prepare(credential_id, scheme))

    def sign(
        self,
        card: CardId,
        credential_id: str,
        scheme: SignatureScheme,
        message: bytes,
        pin: Pin | PadEntry,
        *,
        last_try_ok: bool = False,
    ) -> Future[bytes]:
        """Hash and sign `message`: verify and sign in one short transaction, then end the card's login state.

        The tries left are read just before the code is sent. Fails with PIN_LOCKED, LAST_TRY_NOT_CONFIRMED (one left
        and not `last_try_ok`), PIN_WRONG with the tries left, CARD_REMOVED, CARD_CHANGED, ALGORITHM_NOT_SUPPORTED and
        the connection's failures. Nothing is sent twice. The future is done before the card has logged out.

        With a `PadEntry` the code is typed on the reader (`Card.pin_pad`); that may take a minute, and fail with
        PIN_PAD_TIMEOUT, PIN_PAD_CANCELLED, PIN_PAD_REFUSED and, once the entry is withdrawn, CANCELLED_BY_USER.
        """

        def work(session: Session, deliver: Callable[[bytes], None]) -> None:
            session.sign(credential_id, scheme, message, pin, deliver=deliver, last_try_ok=last_try_ok)

        return self._submit(card, work, pin)

    def change_pin(
        self, card: CardId, role: PinRole, old: Pin, new: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """Replace a code. Fails as `sign` does, and with NEW_PIN_REFUSED."""
        return self._submit(
            card, lambda session, _: session.change_pin(role, old, new, last_try_ok=last_try_ok), old, new
        )

    def unblock(
        self, card: CardId, role: PinRole, puk: Pin, new: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """Set a new code with the PUK. Fails with PUK_WRONG, PUK_LOCKED, NEW_PIN_REFUSED, UNBLOCK_NOT_POSSIBLE."""
        return self._submit(
            card, lambda session, _: session.unblock(role, puk, new, last_try_ok=last_try_ok), puk, new
        )

    def change_pin_on_pad(
        self, card: CardId, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """Replace a code, old and new typed on the reader (`Card.pin_pad.changes`).

        Fails as `sign` does, and with NEW_PIN_REFUSED and NEW_PINS_DIFFER.
        """
        return self._submit(
            card, lambda session, _: session.change_pin_on_pad(role, entry, last_try_ok=last_try_ok), entry
        )

    def unblock_on_pad(
        self, card: CardId, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """Set a new code with the PUK, both typed on the reader. Fails as `unblock` and `change_pin_on_pad`."""
        return self._submit(
            card, lambda session, _: session.unblock_on_pad(role, entry, last_try_ok=last_try_ok), entry
        )

    def delete_certificate(
        self, card: CardId, credential_id: str, pin: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        """Delete a certificate for good and return the state of its code; its key stays on the card.

        Fails as `sign` does, and with CERTIFICATE_NOT_DELETABLE, before anything is sent unless it is the card that
        refuses. `Card.deletes_certificates` tells beforehand. The card is then read again.
        """
        return self._submit(
            card, lambda session, _: session.delete_certificate(credential_id, pin, last_try_ok=last_try_ok), pin
        )

    def _submit(
        self,
        card: CardId,
        action: Callable[[Session, Callable[[Result], None]], Result | None],
        *codes: Pin | PadEntry,
    ) -> Future[Result]:
        worker = self._worker(card.reader)

        def work(job: Job[Result]) -> Result | None:
            assert worker is not None  # noqa: S101 - without a worker nothing runs this
            return worker.on_card(card, job, lambda session: action(session, job.deliver))

        job: Job[Result] = Job(work, codes)
        if worker is None or self._closing.is_set():
            job.fail(SithsError(Failure.CARD_REMOVED, "the reader is gone"))
        else:
            worker.submit(job)
        return job.future

    def _worker(self, reader: str) -> ReaderWorker | None:
        with self._lock:
            found = self._readers.get(reader)
            return found.worker if found is not None else None

    def _watch(self, number: int, backend: ReaderBackend) -> None:
        known: ReadersSnapshot | None = None
        while not self._closing.is_set():
            try:
                snapshot = backend.wait(known)
            except Exception:
                _log.exception("reader monitor")
                self._closing.wait(_BACKEND_RETRY_SECONDS)
                continue
            if snapshot != known and not self._closing.is_set():
                self._update(number, backend, snapshot)
            known = snapshot

    def _update(self, number: int, backend: ReaderBackend, snapshot: ReadersSnapshot) -> None:
        """Bring readers and slots in line with what a backend says, then tell the workers."""
        with self._lock:
            self._snapshots[number] = snapshot
            gone = self._owned[number] - {event.reader for event in snapshot.readers}
            stopped = [self._readers.pop(name).worker for name in gone]
            self._owned[number] -= gone
            fresh = [self._note(number, backend, event) for event in snapshot.readers]
        for worker in stopped:
            worker.stop()
        self._tell()
        self._unheard.discard(number)
        if not self._unheard:
            self._known.set()
        for event, worker_or_none in zip(snapshot.readers, fresh, strict=True):
            if worker_or_none is not None:
                worker_or_none.seen(event)

    def _note(self, number: int, backend: ReaderBackend, event: ReaderEvent) -> ReaderWorker | None:
        """Return the reader's worker, made if need be; None if another backend has a reader of that name."""
        name = event.reader
        reader = self._readers.get(name)
        if reader is None:
            worker = ReaderWorker(backend, name, self._cache, self._publish_slot, self._tokens, lambda: self._state)
            reader = self._readers[name] = _Reader(worker)
            self._owned[number].add(name)
            reader.worker.thread.start()
        elif name not in self._owned[number]:
            return None
        if reader.insertions != event.insertions:
            reader.insertions = event.insertions
            reader.slot = Slot(name, SlotStatus.EMPTY if event.presence is Presence.EMPTY else SlotStatus.READING)
        return reader.worker

    def _publish_slot(self, slot: Slot, insertions: int) -> None:
        """Take a worker's slot unless the reader has moved on since."""
        with self._lock:
            reader = self._readers.get(slot.reader)
            if reader is None or reader.insertions != insertions:
                return
            reader.slot = slot
        self._tell()

    def _tell(self) -> None:
        """Make a snapshot and give it to the listeners if it differs from the last one."""
        with self._publishing:
            with self._lock:
                slots = tuple(reader.slot for reader in self._readers.values())
                running = any(snapshot.service_running for snapshot in self._snapshots.values())
                failures = (snapshot.failure for snapshot in self._snapshots.values() if snapshot.failure is not None)
                state = CardsState(running, slots, None if running else next(failures, None))
            chosen = self._active.among(state.cards)
            state = replace(state, chosen_id=None if chosen is None else chosen.id)
            if state == self._state:
                return
            _log_changes(self._state, state)
            self._state = state
            for listener in tuple(self._listeners):
                try:
                    listener(state)
                except Exception:
                    _log.exception("listener")


def _log_changes(before: CardsState, after: CardsState) -> None:
    """Write one line for each reader that is not as it was. Nothing in it is of a person."""
    known = {slot.reader: (slot.status, slot.failure) for slot in before.slots}
    for slot in after.slots:
        if known.pop(slot.reader, None) != (slot.status, slot.failure):
            number = f" ({slot.failure.number})" if slot.failure is not None else ""
            _log.info("reader %s: %s%s", slot.reader, slot.status.value, number)
    for reader in known:
        _log.info("reader %s: gone", reader)
