# SPDX-License-Identifier: EUPL-1.2
"""When something is told by the desktop's notes, and where a person who follows one is led."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, Signal

from sithsapp.settings.store import SettingsStore
from sithsapp.ui.notices.expiry import ending_soon

if TYPE_CHECKING:  # what shows notes is imported with the first of them
    from sithsapp.card.model import CardsState
    from sithsapp.support.state import ValidUntil
    from sithsapp.ui.notices.telling import Telling
    from sithsapp.ui.tray.tray import Tray


class Notes(QObject):
    """`open_wanted()` for the app as its icon opens it, `overview_wanted()` for the card, when a note is followed."""

    open_wanted = Signal()
    overview_wanted = Signal()

    def __init__(self, store: SettingsStore, tray: Tray, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._tray = store, tray
        self._telling: Telling | None = None
        self._watched: QObject | None = None

    def look(self, cards: CardsState, valid_until: ValidUntil, now: datetime) -> None:
        """Remind of certificates in the readers that end soon, unless the person wants no reminders."""
        ending = ending_soon(cards, valid_until, now) if self._store.settings.expiry_reminder else []
        if ending:
            self._tell().certificates_end(ending, now)

    def request_waits(self) -> None:
        """Tell that a request waits silently."""
        self._tell().request_waits()

    def watch(self, window: QObject) -> None:
        """Explain, the first time that `window` is closed, that the app goes on in the notification area."""
        self._watched = window
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Notice that the window was closed, where there is an icon to come back by."""
        closed = event.type() == QEvent.Type.Close and watched is self._watched
        if closed and self._store.settings.tray_icon and self._tray.is_available():
            self._tell().goes_on_in_background()
        return False

    def close(self) -> None:
        """Let go of the desktop."""
        if self._telling is not None:
            self._telling.close()

    def _tell(self) -> Telling:
        if self._telling is None:
            from sithsapp.ui.notices.notifier import Notifier
            from sithsapp.ui.notices.telling import Telling

            self._telling = Telling(Notifier(self._tray, parent=self), parent=self)
            self._telling.wanted.connect(self._follow)
        return self._telling

    def _follow(self, key: str, activation_token: str) -> None:
        from sithsapp.ui.notices.telling import EXPIRY

        if activation_token:
            # Qt reads it when the next window shows, and Wayland then lets that window come to the front.
            os.environ["XDG_ACTIVATION_TOKEN"] = activation_token
        (self.overview_wanted if key == EXPIRY else self.open_wanted).emit()
