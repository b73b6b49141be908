# SPDX-License-Identifier: EUPL-1.2
"""The one thread that talks to the card in one reader."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.opening import open_card, resume_card
from sithsapp.card.idprime.record import CardRecord
from sithsapp.card.idprime.session import CardSession
from sithsapp.card.jobs import HELD_SECONDS, Job
from sithsapp.card.model import CardId, CardsState, Slot, SlotStatus
from sithsapp.card.session import Record, Session, SessionLost, TokenSource
from sithsapp.card.transport import Presence, ReaderBackend, ReaderEvent
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

LINGER_SECONDS = 60.0
"""How long a connection is kept after use: while people type a code. Others may share the card meanwhile."""
IN_USE_RETRY_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)

Publish = Callable[[Slot, int], None]
Result = TypeVar("Result")
_LOOK, _LOOK_AGAIN, _LOOK_ANEW, _STOP = object(), object(), object(), object()
_NOT_READABLE = {Presence.MUTE: Failure.CARD_MUTE, Presence.IN_USE: Failure.CARD_IN_USE}
_TRY_AGAIN = frozenset({Failure.CARD_ERROR, Failure.CARD_MUTE})


class ReaderWorker:
    """Reads what is put into the reader and does jobs on it, one after another, sleeping in between.

    `publish` takes a slot and the insertion that it belongs to, and drops it if the reader has moved on. Cards that
    the IDPrime driver does not know are left to `tokens`, which is told what the other readers have.
    """

    def __init__(
        self,
        backend: ReaderBackend,
        reader: str,
        cache: CardCache,
        publish: Publish,
        tokens: TokenSource | None = None,
        others: Callable[[], CardsState] = CardsState,
    ) -> None:
        self.reader = reader
        self._backend = backend
        self._cache = cache
        self._publish = publish
        self._tokens = tokens
        self._others = others
        self._queue: SimpleQueue[Any] = SimpleQueue()
        self._event: ReaderEvent | None = None
        self._read_at: int | None = None
        self._record: Record | None = None
        self._failure: Failure | None = None
        self._session: Session | None = None
        self._let_go_at: float | None = None
        self._to_keep = False
        self._held = False
        self._retries = 0
        self._retry_at: float | None = None
        self._stopping = False
        self._current: Job[Any] | None = None
        self.thread = threading.Thread(target=self._run, name="card worker", daemon=True)

    def seen(self, event: ReaderEvent) -> None:
        """Take note of what the monitor saw (any thread)."""
        self._event = event
        self._queue.put(_LOOK)

    def reread(self) -> None:
        """Read the card again from the start, past the cache (any thread)."""
        self._queue.put(_LOOK_ANEW)

    def submit(self, job: Job[Any]) -> None:
        """Queue a job (any thread)."""
        self._queue.put(job)
        if self._stopping:
            self._fail_waiting()
        elif self._held:
            self._refuse_jobs()

    def stop(self) -> None:
        """End the thread after what it does now; jobs that wait, or hang, fail (any thread)."""
        self._stopping = True
        self._fail_waiting()

    def abandon(self) -> None:
        """Fail the job that a hanging reader keeps from ending (any thread)."""
        job = self._current
        if job is not None:
            job.fail(SithsError(Failure.CARD_REMOVED, "the card service was closed"))

    def on_card(self, card_id: CardId, job: Job[Any], action: Callable[[Session], Result]) -> Result:
        """Run an action in a session with exactly that card; only for jobs of this worker.

        Raises CARD_REMOVED or CARD_CHANGED if it is not there, else what the action raises.
        """
        record = self._record
        if record is None:
            raise SithsError(self._failure or Failure.CARD_REMOVED, "no card is ready in the reader")
        if record.id != card_id:
            raise SithsError(Failure.CARD_CHANGED, "the reader has another card")
        try:
            result = self._in_session(record, job, action)
        except SithsError as error:
            self._after_failure(record, error)
            raise
        else:
            if record.stale:
                self._queue.put(_LOOK_ANEW)
            return result
        finally:
            self._publish_record(record)

    def _in_session(self, record: Record, job: Job[Any], action: Callable[[Session], Result]) -> Result:
        try:
            return action(self._open_session(record, job))
        except SessionLost as lost:
            _log.info("the connection to the card was lost: %s", lost.error)
            self._drop_session()
        try:
            return action(self._open_session(record, job))
        except SessionLost as lost:
            raise lost.error from None

    def _open_session(self, record: Record, job: Job[Any]) -> Session:
        if self._session is None or not self._session.alive:
            try:
                self._session = self._resume(record)
            except SithsError as error:
                raise _while_working(error) from error
        self._session.on_begin = job.begin
        self._let_go_at = time.monotonic() + LINGER_SECONDS
        return self._session

    def _resume(self, record: Record) -> Session:
        if isinstance(record, CardRecord):
            return resume_card(self._backend.connect(self.reader), record)
        assert self._tokens is not None  # noqa: S101 - the record came from there
        return self._tokens.resume(record, self._reset)

    def _reset(self) -> None:
        """Reset the card by ourselves, for a driver that cannot."""
        try:
            self._backend.connect(self.reader).disconnect(reset=True)
        except SithsError as error:
            _log.info("no card to reset: %s", error)

    def _after_failure(self, record: Record, error: SithsError) -> None:
        if record.stale:
            self._cache.drop(record.id.serial)
        if error.failure is Failure.CARD_CHANGED:
            self._queue.put(_LOOK_ANEW)
        if error.failure in (Failure.CARD_REMOVED, Failure.CARD_MUTE, Failure.CARD_ERROR, Failure.NO_READER_SERVICE):
            self._drop_session()

    def _run(self) -> None:
        while True:
            item = self._next()
            if item is _STOP:
                self._keep()
                break
            self._current = item if isinstance(item, Job) else None
            try:
                self._handle(item)
            except Exception:
                _log.exception("card worker")
            self._current = None
        self._drop_session()

    def _next(self) -> object:
        """Wait for work; wake up early only to let go of the card or to look again at one that was in use."""
        if self._queue.empty():
            self._keep()
        while True:
            due = min((at for at in (self._let_go_at, self._retry_at) if at is not None), default=None)
            try:
                return self._queue.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
            except Empty:
                if self._retry_at is not None and self._retry_at <= time.monotonic():
                    self._retry_at = None
                    return _LOOK_AGAIN
                self._drop_session()

    def _handle(self, item: object) -> None:
        if isinstance(item, Job):
            item.run()
        else:
            self._look(again=item is not _LOOK, anew=item is _LOOK_ANEW)

    def _look(self, *, again: bool, anew: bool) -> None:
        """Do what the last event asks for; `again` even if that was done, `anew` past the cache."""
        event = self._event
        if event is None or (not again and event.insertions == self._read_at and event.presence is Presence.PRESENT):
            return
        self._forget()
        if event.presence is Presence.EMPTY:
            return
        if event.presence is Presence.MUTE or (event.presence is Presence.IN_USE and not again):
            self._publish(self._failed(_NOT_READABLE[event.presence]), event.insertions)
            return
        self._read_at = event.insertions
        if not again or anew:
            self._publish(Slot(self.reader, SlotStatus.READING), event.insertions)
        with self._told_if_held(event.insertions):
            slot = self._read(anew=anew)
        self._publish(slot, event.insertions)

    @contextmanager
    def _told_if_held(self, insertions: int) -> Iterator[None]:
        """Show CARD_IN_USE when reading takes so long that another program must be holding the card."""
        held = Slot(self.reader, SlotStatus.FAILED, failure=Failure.CARD_IN_USE)
        watchdog = threading.Timer(HELD_SECONDS, self._publish, (held, insertions))
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()

    def _read(self, *, anew: bool) -> Slot:
        try:
            self._record = self._read_twice(anew=anew)
        except SithsError as error:
            _log.info("the card cannot be used: %s", error)
            self._drop_session()
            if error.failure is Failure.CARD_REMOVED:
                return Slot(self.reader, SlotStatus.EMPTY)
            return self._failed(error.failure)
        self._retries = 0
        return Slot(self.reader, SlotStatus.READY, self._record.card)

    def _failed(self, failure: Failure) -> Slot:
        """Return the slot of a card that cannot be used. One in use is looked at again: its release may go untold."""
        self._failure = failure
        if failure is Failure.CARD_IN_USE:
            self._read_at = None
            self._retry_later()
        return Slot(self.reader, SlotStatus.FAILED, failure=failure)

    def _read_twice(self, *, anew: bool) -> Record:
        """Read the card, and once more after a failure that a new connection may end."""
        try:
            return self._read_card(anew=anew)
        except SithsError as error:
            if error.failure not in _TRY_AGAIN:
                raise
            _log.info("reading the card again: %s", error)
            self._drop_session()
            return self._read_card(anew=anew)

    def _read_card(self, *, anew: bool) -> Record:
        try:
            return self._read_idprime(anew=anew)
        except SithsError as error:
            if error.failure is not Failure.CARD_NOT_SUPPORTED or self._tokens is None:
                raise
        atr = self._event.atr if self._event is not None else b""
        self._session = self._tokens.open(self.reader, atr, self._reset, self._others())
        self._let_go_at = time.monotonic() + LINGER_SECONDS
        return self._session.record

    def _read_idprime(self, *, anew: bool) -> Record:
        try:
            connection = self._backend.connect(self.reader)
        except SithsError as error:
            raise _while_working(error) from error
        session = self._session = open_card(connection, self.reader, self._cache, anew=anew)
        try:
            session.read_pins()
            session.prepare_login()
        except SessionLost as lost:
            raise lost.error from None
        self._let_go_at = time.monotonic() + LINGER_SECONDS
        self._to_keep = True
        return session.record

    def _keep(self) -> None:
        """Put what was read into the cache, once; only when nobody waits, as it may take commands."""
        session = self._session
        if self._to_keep and isinstance(session, CardSession) and session.alive:
            self._learn_counters(session)
            record = session.record
            if record.freshness is not None and record.complete:
                self._cache.store(record.id.serial, record.id.atr, record.freshness, record.contents)
        self._to_keep = False

    def _learn_counters(self, session: CardSession) -> None:
        session.on_begin = _nothing
        try:
            with self._others_told_if_held():
                if not session.learn_counters():
                    self._queue.put(_LOOK_ANEW)
        except (SithsError, SessionLost) as error:
            _log.info("the card is not kept for the next time: %s", error)
            self._drop_session()

    @contextmanager
    def _others_told_if_held(self) -> Iterator[None]:
        """Let no job wait without end behind work that nobody asked for."""
        watchdog = threading.Timer(HELD_SECONDS, self._refuse_jobs)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield
        finally:
            watchdog.cancel()
            watchdog.join()
            self._held = False

    def _refuse_jobs(self) -> None:
        self._held = True
        for item in self._fail_jobs(SithsError(Failure.CARD_IN_USE, "another program holds the card")):
            self._queue.put(item)

    def _publish_record(self, record: Record) -> None:
        if record is self._record and self._read_at is not None:
            self._publish(Slot(self.reader, SlotStatus.READY, record.card), self._read_at)

    def _retry_later(self) -> None:
        """Look again after a while, and less and less often; others do not always tell that they let go."""
        delay = IN_USE_RETRY_SECONDS[min(self._retries, len(IN_USE_RETRY_SECONDS) - 1)]
        self._retries += 1
        self._retry_at = time.monotonic() + delay

    def _forget(self) -> None:
        self._to_keep = False
        self._record = None
        self._failure = None
        self._read_at = None
        self._retry_at = None
        self._drop_session()

    def _drop_session(self) -> None:
        self._let_go_at = None
        session, self._session = self._session, None
        if session is not None and session.alive:
            session.close()

    def _fail_waiting(self) -> None:
        """Fail the jobs in the queue and leave nothing in it but the order to stop."""
        self._fail_jobs(SithsError(Failure.CARD_REMOVED, "the reader is gone"))
        self._queue.put(_STOP)

    def _fail_jobs(self, error: SithsError) -> list[object]:
        """Take everything from the queue; fail the jobs and return what is none."""
        others: list[object] = []
        with suppress(Empty):
            while True:
                item = self._queue.get_nowait()
                if isinstance(item, Job):
                    item.fail(error)
                else:
                    others.append(item)
        return others


def _nothing() -> None:
    """Do nothing."""


def _while_working(error: SithsError) -> SithsError:
    """Call an empty reader a removed card: whoever asks had one."""
    return SithsError(Failure.CARD_REMOVED, error.detail) if error.failure is Failure.NO_CARD else error
