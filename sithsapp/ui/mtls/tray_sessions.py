# SPDX-License-Identifier: EUPL-1.2
"""Between the helper and the tray's menu: which programs use the card, and the click that ends it."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from sithsapp.ui.mtls.lending import Lending
from sithsapp.ui.mtls.page_presenter import session_line
from sithsapp.ui.tray.tray import Tray


class TraySessions(QObject):
    """Shows the sessions of `lending` in `tray`; lives as long as `lending`."""

    def __init__(self, lending: Lending, tray: Tray) -> None:
        super().__init__(lending)
        self._lending, self._tray = lending, tray
        lending.changed.connect(self._show)
        tray.end_wanted.connect(self._end)

    @Slot()
    def _show(self) -> None:
        self._tray.show_sessions([(each.id, session_line(each)) for each in self._lending.sessions()])

    @Slot(str)
    def _end(self, session_id: str) -> None:
        """End one session, or all of them when none is named."""
        if session_id:
            self._lending.end_session(session_id)
        else:
            self._lending.end_sessions()
