# SPDX-License-Identifier: EUPL-1.2
"""The cards and tokens behind all modules: a driver for cards in readers, and readers of tokens that need none.

What it takes to talk to a module is imported at the first use: the app starts with this and most often needs no more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from sithsapp.card.model import CardsState
from sithsapp.card.pkcs11.modules import Module
from sithsapp.card.session import Record
from sithsapp.card.transport import CardConnection, ReaderEvent, ReadersSnapshot
from sithsapp.failures import Failure, SithsError

if TYPE_CHECKING:
    from sithsapp.card.pkcs11.process import ModuleProcess
    from sithsapp.card.pkcs11.session import TokenSession

_log = logging.getLogger(__name__)
_GONE = (Failure.CARD_REMOVED, Failure.CARD_CHANGED)


class Pkcs11Tokens:
    """The `TokenSource` over vendors' modules. Thread-safe: each call has a process of its own."""

    def __init__(
        self,
        modules: Sequence[Module],
        environment: Mapping[str, str] | None = None,
        *,
        may_delete: bool = False,
    ) -> None:
        """Use `modules` in that order; `environment` is added to what their processes get.

        `may_delete`: people may delete certificates where the token lets them.
        """
        self._may_delete = may_delete
        self._modules = tuple(modules)
        self._environment = dict(environment or {})
        self._changed = threading.Condition()
        self._stale = False
        self._cancelled = False
        self._listing: ModuleProcess | None = None

    def open(self, reader: str, atr: bytes, reset: Callable[[], None], others: CardsState) -> TokenSession:
        """Read the card in that reader with the first module that has it; as `TokenSource.open`."""
        from sithsapp.card.pkcs11.opening import Place, open_card

        problem = SithsError(Failure.CARD_NOT_SUPPORTED, "no PKCS#11 module knows the card")
        for module in self._modules:
            try:
                session = open_card(module, self._environment, Place(reader, atr, others), reset)
            except SithsError as error:
                _log.warning("%s: %s", module.path.name, error)
                problem = error
                continue
            if session is not None:
                session.record.may_delete = self._may_delete
                return session
        self.look_again()
        raise problem

    def resume(self, record: Record, reset: Callable[[], None]) -> TokenSession:
        """Start the card's module again; as `TokenSource.resume`."""
        from sithsapp.card.pkcs11.opening import resume_card
        from sithsapp.card.pkcs11.tokens import TokenRecord

        if not isinstance(record, TokenRecord):
            raise TypeError("the record of another driver")
        try:
            return resume_card(record, self._environment, reset)
        except SithsError as error:
            if error.failure in _GONE:
                self.look_again()
            raise

    def wait(self, known: ReadersSnapshot | None, timeout: float | None = None) -> ReadersSnapshot:
        """List tokens that sit in no reader, at first and when one proved to be gone; otherwise sleep."""
        with self._changed:
            if known is not None and not self._changed.wait_for(lambda: self._stale or self._cancelled, timeout):
                return known
            if known is not None and self._cancelled:
                return known
            self._stale = False
        found: dict[str, ReaderEvent] = {}
        for module in self._modules:
            if not module.readers_only:
                found |= self._without_reader(module)
        return ReadersSnapshot(bool(found), tuple(found.values()))

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
            if self._listing is not None:
                self._listing.kill()

    def connect(self, reader: str) -> CardConnection:
        """Refuse: these tokens take no APDUs."""
        raise SithsError(Failure.CARD_NOT_SUPPORTED, f"{reader}: a token without a PC/SC reader")

    def _without_reader(self, module: Module) -> dict[str, ReaderEvent]:
        from sithsapp.card.pkcs11.opening import tokens_without_reader

        try:
            events = tokens_without_reader(module, self._environment, self._note_listing)
            return {event.reader: event for event in events}
        except SithsError as error:
            _log.warning("%s: %s", module.path.name, error)
            return {}

    def _note_listing(self, process: ModuleProcess) -> None:
        with self._changed:
            self._listing = process
            if self._cancelled:
                process.kill()
