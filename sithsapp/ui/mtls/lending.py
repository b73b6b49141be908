# SPDX-License-Identifier: EUPL-1.2
"""The mTLS helper as the tray runs it: started beside the windows, made anew when its settings change."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from sithsapp.failures import Failure, SithsError

if TYPE_CHECKING:  # the helper's modules are imported in its own thread, and only where there are targets
    from sithsapp.card.model import CardsState
    from sithsapp.card.service import CardService
    from sithsapp.mtls.helper import MtlsHelper
    from sithsapp.mtls.route import TargetStatus
    from sithsapp.mtls.sessions import Session
    from sithsapp.settings.store import SettingsStore
    from sithsapp.ui.mtls.consents import Consents

log = logging.getLogger(__name__)

_CLOSE_SECONDS = 4.0
FOLLOWED = frozenset({"environment", "extra_ca", "mtls", "proxy"})
"""The settings that a helper is made of."""


class Lending(QObject):
    """Lends the card to the programs of the settings. `changed()` when sessions or the helper itself have changed.

    Starting takes a moment (the encryption library is tried out first), so it happens in a thread; one thread at a
    time starts and ends helpers, in the order of the settings' changes.
    """

    changed = Signal()

    def __init__(
        self, store: SettingsStore, cards: CardService, consents: Consents, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._store, self._cards, self.consents = store, cards, consents
        self._turn = threading.Lock()
        self._helper: MtlsHelper | None = None
        self._failure: SithsError | None = None
        self._closed = False
        self._threads: list[threading.Thread] = []
        self._unsubscribe = store.subscribe(self._settings_changed)

    @property
    def failure(self) -> SithsError | None:
        """Why the card is not lent, if that failed."""
        return self._failure

    def start(self) -> None:
        """Begin to serve the targets of the settings in force; harmless where there are none."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        thread = threading.Thread(target=self._serve, name="mtls start", daemon=True)
        self._threads.append(thread)
        thread.start()

    def close(self) -> None:
        """End all of it, within some seconds."""
        self._closed = True
        self._unsubscribe()
        self.consents.close()
        self.start()
        for thread in self._threads:
            thread.join(_CLOSE_SECONDS)

    def status(self) -> tuple[TargetStatus, ...]:
        """Return how the targets are doing; empty while nothing is served."""
        helper = self._helper
        return helper.status() if helper is not None else ()

    def sessions(self) -> tuple[Session, ...]:
        """Return which programs use the card now."""
        helper = self._helper
        return helper.sessions() if helper is not None else ()

    def end_session(self, session_id: str) -> None:
        """End one program's use of the card."""
        helper = self._helper
        if helper is not None:
            helper.end_session(session_id)

    def end_sessions(self) -> None:
        """End every use of the card; programs may ask again."""
        helper = self._helper
        if helper is not None:
            helper.end_sessions()

    def session_left(self) -> None:
        """Refuse what is asked and end what was granted: the person has left the screen."""
        self.consents.give_up()
        self.end_sessions()

    @Slot(object)
    def cards_changed(self, cards: CardsState) -> None:
        """Take back a question about a card that has gone."""
        self.consents.cards_changed(cards)

    def _settings_changed(self, names: frozenset[str]) -> None:
        if names & FOLLOWED and not self._closed:
            self.start()

    def _serve(self) -> None:
        """End the helper that is, and start one with the settings of now."""
        with self._turn:
            helper, self._helper, self._failure = self._helper, None, None
            if helper is not None:
                helper.close()
            settings = self._store.settings
            if not self._closed and settings.mtls.targets:
                try:
                    self._helper = self._started()
                except SithsError as error:
                    self._failure = error
                    log.warning("the card is not lent to programs: %s", error)
                except Exception:  # thread boundary
                    self._failure = SithsError(Failure.UNKNOWN)
                    log.exception("mtls helper")
        self.changed.emit()

    def _started(self) -> MtlsHelper:
        from sithsapp.desktop.paths import mtls_dir
        from sithsapp.mtls.helper import MtlsHelper

        settings = self._store.settings
        helper = MtlsHelper(
            settings.mtls,
            self._cards,
            self.consents,
            directory=mtls_dir(),
            extra_ca=settings.extra_ca,
            proxy=settings.proxy,
        )
        helper.subscribe(lambda _sessions: self.changed.emit())
        helper.start()
        return helper
