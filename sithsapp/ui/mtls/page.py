# SPDX-License-Identifier: EUPL-1.2
"""The page of programs: which servers they reach with the card, and which of them use it now."""

from __future__ import annotations

from typing import TypeVar

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from sithsapp.locale import tr
from sithsapp.settings.store import SettingsStore
from sithsapp.ui.announce import announce
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.mtls.browsers import BrowsersPanel
from sithsapp.ui.mtls.lending import Lending
from sithsapp.ui.mtls.page_presenter import Programs, SessionRow, TargetCard, present_programs
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.panels import Banner, Facts
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, apply_to_children, column, empty, row

_Widget = TypeVar("_Widget", bound=QWidget)


class ProgramsPage(MainPage):
    """Draws `Programs`."""

    def __init__(self, lending: Lending, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lending = lending
        self._browsers = BrowsersPanel(store)
        self._drawn: Programs | None = None
        self._intro, self._banner = Text(TextStyle.BODY, tone="secondary"), Banner()
        self._in_use, self._nobody = Text(TextStyle.TITLE), Text(TextStyle.BODY, tone="secondary")
        self._sessions, self._end_all = column(spacing=10), Button(Kind.SECONDARY)
        self._servers, self._targets = Text(TextStyle.TITLE), column(spacing=10)
        self._end_all.clicked.connect(lending.end_sessions)
        self._lay_out()
        lending.changed.connect(self.refresh)

    def _lay_out(self) -> None:
        layout = column(self, 14)
        for widget in (self._intro, self._banner, self._in_use, self._nobody):
            layout.addWidget(widget)
        layout.addLayout(self._sessions)
        layout.addWidget(self._end_all)
        layout.addSpacing(6)
        layout.addWidget(self._servers)
        layout.addLayout(self._targets)
        layout.addSpacing(6)
        layout.addWidget(self._browsers)
        layout.addStretch(1)

    def title(self) -> str:
        """Return the heading."""
        return tr("Programs")

    def retranslate(self) -> None:
        """Draw in the language in use."""
        self._drawn = None
        self._browsers.retranslate()
        self.refresh()

    def shown(self) -> None:
        """Draw what is so now: times and counts go on without telling."""
        self.refresh()
        self._browsers.draw()
        self._browsers.look()

    def refresh(self) -> None:
        """Draw targets and sessions, if they have changed."""
        lending = self._lending
        page = present_programs(lending.status(), lending.sessions(), lending.failure)
        before, self._drawn = self._drawn, page
        if page == before:
            return
        for text, words in ((self._intro, page.intro), (self._in_use, page.in_use), (self._nobody, page.nobody)):
            text.setText(words)
            text.setVisible(bool(words))
        self._banner.setVisible(page.notice is not None)
        if page.notice is not None:
            self._banner.show_notice(page.notice)
        self._end_all.set_label(page.end_all)
        self._end_all.setVisible(bool(page.end_all))
        self._servers.setText(page.servers)
        self._servers.setVisible(bool(page.servers))
        if before is None or before.sessions != page.sessions:
            self._draw_sessions(page)
        if before is None or before.targets != page.targets:
            self._draw_targets(page)

    def _draw_sessions(self, page: Programs) -> None:
        empty(self._sessions)
        for session in page.sessions:
            panel = self._themed(SessionPanel(session))
            panel.ended.connect(self._lending.end_session)
            self._sessions.addWidget(panel)

    def _draw_targets(self, page: Programs) -> None:
        empty(self._targets)
        for target in page.targets:
            panel = self._themed(TargetPanel(target))
            panel.copied.connect(lambda text: announce(self, text))
            self._targets.addWidget(panel)

    def _themed(self, panel: _Widget) -> _Widget:
        theme: Theme | None = getattr(self, "theme", None)
        if theme is not None:
            apply_to_children(panel, theme)
        return panel


class SessionPanel(Frame):
    """One program that uses the card. `ended(str)` with the session's id when that should end."""

    ended = Signal(str)

    def __init__(self, session: SessionRow, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        title, details = Text(TextStyle.STRONG), Text(TextStyle.SMALL, tone="secondary")
        title.setText(session.title)
        details.setText(session.details)
        end = Button(Kind.LINK)
        end.set_label(session.end)
        end.setAccessibleName(f"{session.end}: {session.title}")
        end.clicked.connect(lambda: self.ended.emit(session.id))
        words = column(spacing=2)
        words.addWidget(title)
        words.addWidget(details)
        layout = row(self, 12)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addLayout(words, 1)
        layout.addWidget(end, 0, Qt.AlignmentFlag.AlignVCenter)


class TargetPanel(QWidget):
    """One server. `copied(str)` with what to tell when its address was copied."""

    copied = Signal(str)

    def __init__(self, target: TargetCard, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        title, facts = Text(TextStyle.STRONG), Facts(large=True)
        title.setText(target.title)
        facts.show_facts(target.facts)
        layout = column(self, 6)
        layout.addWidget(title)
        layout.addWidget(facts)
        if target.address:
            copy = Button(Kind.LINK)
            copy.set_label(target.copy)
            copy.setAccessibleName(f"{target.copy}: {target.title}")
            copy.clicked.connect(lambda: self._copy(target.address))
            layout.addWidget(copy, 0, Qt.AlignmentFlag.AlignLeft)

    def _copy(self, address: str) -> None:
        QGuiApplication.clipboard().setText(address)
        self.copied.emit(tr("Copied"))
