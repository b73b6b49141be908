# SPDX-License-Identifier: EUPL-1.2
"""What is told by the desktop's notes, and how often."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QObject, Signal

from sithsapp.desktop.memory import ToldMemory
from sithsapp.desktop.notification_bus import Note
from sithsapp.locale import ngettext, tr
from sithsapp.pki.reminders import due
from sithsapp.ui.notices.expiry import Ending
from sithsapp.ui.notices.notifier import Notifier

log = logging.getLogger(__name__)

REQUEST, EXPIRY, BACKGROUND = "request", "expiry", "background"


class Telling(QObject):
    """Decides and tells. `wanted(key, activation token)` when the person follows a note."""

    wanted = Signal(str, str)

    def __init__(self, notifier: Notifier, memory: ToldMemory | None = None, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._notifier, self._memory = notifier, memory or ToldMemory()
        notifier.chosen.connect(self.wanted)

    def request_waits(self) -> None:
        """Tell that a request waits silently, whose window does not come by itself."""
        note = Note(tr("A service is waiting for you"), tr("Click to identify yourself."), tr("Open"))
        self._notifier.tell(REQUEST, note)

    def certificates_end(self, ending: Sequence[Ending], now: datetime) -> None:
        """Remind of certificates that end soon, each once at each level."""
        if not self._notifier.can_tell():
            return
        end, memory = due(ending, self._memory.reminders(), now)
        # What cannot be remembered is not told either: it would be told again and again.
        if end is None or not self._memory.keep_reminders(memory):
            return
        days = (end - now).days
        title = ngettext("The certificates expire in {n} day", "The certificates expire in {n} days", days)
        self._notifier.tell(
            EXPIRY, Note(title.format(n=days), tr("Renew them on My pages in good time."), tr("Open"))
        )
        log.info("reminded of certificates that end in %d days", days)

    def goes_on_in_background(self) -> None:
        """Tell once, ever, that a closed window is not the end of the app."""
        if self._notifier.can_tell() and self._memory.first_time(BACKGROUND):
            text = tr("It opens when a service asks you to identify yourself.")
            self._notifier.tell(BACKGROUND, Note(tr("The app runs in the background"), text, tr("Open")))

    def close(self) -> None:
        """Let go of the desktop."""
        self._notifier.close()
