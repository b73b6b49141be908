# SPDX-License-Identifier: EUPL-1.2
"""The cards and tokens behind all modules: a driver for cards in readers, and readers of tokens that need none."""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.card.pkcs11.messages import Contents, Look, Read, Token, Tokens
from sithsapp.card.pkcs11.modules import Module, check_module
from sithsapp.card.pkcs11.outcomes import failure_of
from sithsapp.card.pkcs11.process import ModuleProcess, ModuleRefusal
from sithsapp.card.pkcs11.session import TokenSession
from sithsapp.card.pkcs11.tokens import TokenRecord, build_record, is_in_reader, place
from sithsapp.card.session import Record
from sithsapp.card.transport import CardConnection, Presence, ReaderEvent, ReadersSnapshot
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)


class Pkcs11Tokens:
    """The `TokenSource` over vendors' modules. Thread-safe: each call has a process of its own."""

    def __init__(self, modules: Sequence[Module], environment: Mapping[str, str] | None = None) -> None:
        """Use `modules` in that order; `environment` is added to what their processes get."""
        self._modules = tuple(modules)
        self._environment = dict(environment or {})
        self._changed = threading.Condition()
        self._stale = False
        self._cancelled = False

    def open(self, reader: str, atr: bytes, reset: Callable[[], None], others: CardsState) -> TokenSession:
        """Read the card in that reader with the first module that has it; as `TokenSource.open`."""
        problem = SithsError(Failure.CARD_NOT_SUPPORTED, "no PKCS#11 module knows the card")
        for module in self._modules:
            try:
                session = self._open(module, reader, atr, reset, others)
            except SithsError as error:
                _log.warning("%s: %s", module.path.name, error)
                problem = error
                continue
            if session is not None:
                return session
        self.look_again()
        raise problem

    def resume(self, record: Record, reset: Callable[[], None]) -> TokenSession:
        """Start the card's module again; as `TokenSource.resume`."""
        if not isinstance(record, TokenRecord):
            raise TypeError("the record of another driver")
        with self._started(record.module) as process:
            session = TokenSession(process, record, reset)
            try:
                session.look()
            except SithsError as error:
                if error.failure in (Failure.CARD_REMOVED, Failure.CARD_CHANGED):
                    self.look_again()
                raise
            return session

    def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
        """List tokens that sit in no reader, at first and when one proved to be gone; otherwise sleep."""
        with self._changed:
            if known is not None and not self._changed.wait_for(lambda: self._stale or self._cancelled, timeout):
                return known
            if known is not None and self._cancelled:
                return known
            self._stale = False
        events = {event.reader: event for event in self._without_reader()}
        return ReadersSnapshot(bool(events), tuple(events.values()))

    def look_again(self) -> None:
        """Let `wait` list the tokens anew."""
        with self._changed:
            self._stale = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """End a `wait` in another thread, now and for good."""
        with self._changed:
            self._cancelled = True
            self._changed.notify_all()

    def connect(self, reader: str) -> CardConnection:
        """Refuse: these tokens take no APDUs."""
        raise SithsError(Failure.CARD_NOT_SUPPORTED, f"{reader}: a token without a PC/SC reader")

    def _without_reader(self) -> Iterator[ReaderEvent]:
        for module in self._modules:
            if module.readers_only:
                continue
            try:
                with self._started(module) as process:
                    tokens = process.call(Look(), Tokens).tokens
                    process.close()
            except SithsError as error:
                _log.warning("%s: %s", module.path.name, error)
                continue
            for token in tokens:
                if not token.removable and place(token):
                    identity = zlib.crc32(token.serial + token.label.encode())
                    yield ReaderEvent(place(token), Presence.PRESENT, b"", identity)

    def _open(
        self, module: Module, reader: str, atr: bytes, reset: Callable[[], None], others: CardsState
    ) -> TokenSession | None:
        with self._started(module) as process:
            tokens = process.call(Look(), Tokens).tokens
            here = [token for token in tokens if is_in_reader(token, reader)]
            guessed = not here
            wanted = here or _only_homeless(tokens, reader, others)
            contents = [(token, process.call(Read(token.slot, token.serial), Contents)) for token in wanted]
            record = build_record(module, reader, atr, contents)
            if record is None or (guessed and _is_shown(record, others)):
                process.close()
                return None
            return TokenSession(process, record, reset)

    @contextmanager
    def _started(self, module: Module) -> Iterator[ModuleProcess]:
        """Lend a process with the module, as safe to load as it was when found; end it on any failure."""
        process = ModuleProcess(check_module(module.path), self._environment)
        try:
            yield process
        except ModuleRefusal as refusal:
            process.close()
            raise SithsError(failure_of(refusal.failed), refusal.failed.reason) from None
        except BaseException:
            process.close()
            raise


def _only_homeless(tokens: Iterable[Token], reader: str, others: CardsState) -> list[Token]:
    """Return the tokens of the one slot that no reader's name explains, where this is the one unexplained reader.

    Some modules number readers their own way. While other readers are being read nothing is known, and nothing found.
    """
    elsewhere = [slot for slot in others.slots if slot.reader != reader]
    if any(s.status is SlotStatus.READING or s.failure is Failure.CARD_NOT_SUPPORTED for s in elsewhere):
        return []
    homeless = [t for t in tokens if t.removable and not any(is_in_reader(t, slot.reader) for slot in elsewhere)]
    return homeless if len({place(token) for token in homeless}) == 1 else []


def _is_shown(record: TokenRecord, others: CardsState) -> bool:
    """Tell whether another reader shows a card with one of these certificates."""
    shown = {c.certificate for card in others.cards if card.id.reader != record.id.reader for c in card.credentials}
    return any(key.credential.certificate in shown for key in record.keys)
