# SPDX-License-Identifier: EUPL-1.2
"""The part of the tray's menu that shows which programs use the card. It is there only while one does."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QMenu, QWidget

from sithsapp.locale import ngettext, tr


class LendingMenu(QMenu):
    """One line a session; choosing it ends that session. `end_wanted(str)` with its id, empty for all."""

    end_wanted = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.show_sessions(())

    def show_sessions(self, sessions: Sequence[tuple[str, str]]) -> None:
        """Show sessions as pairs of id and line."""
        self.clear()
        self.setTitle(in_use_line(len(sessions)))
        for session_id, line in sessions:
            self._offer(tr("End {session}").format(session=line), session_id)
        if len(sessions) > 1:
            self.addSeparator()
            self._offer(tr("End all"), "")
        self.menuAction().setVisible(bool(sessions))

    def _offer(self, text: str, session_id: str) -> None:
        action = self.addAction(text.replace("&", "&&"))
        action.triggered.connect(lambda: self.end_wanted.emit(session_id))


def in_use_line(count: int) -> str:
    """Return how many programs use the card."""
    return ngettext("{n} program uses the card", "{n} programs use the card", count).format(n=count)
