# SPDX-License-Identifier: EUPL-1.2
"""Opens the error report's window for pages and orders alike, and collects what goes into it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sithsapp.support.compose import make_context
from sithsapp.support.recent import recent_failures
from sithsapp.support.report.building import Material, build, redactor_for
from sithsapp.ui.support.background import run_self_test
from sithsapp.ui.support.report_window import Collect, Collected, ReportWindow
from sithsapp.ui.theme import Theme

if TYPE_CHECKING:
    from sithsapp.card.service import CardService
    from sithsapp.settings.store import SettingsStore


class Reporting:
    """Keeps the one window. Belongs to the Qt thread."""

    def __init__(self, store: SettingsStore, cards: CardService, theme: Callable[[], Theme]) -> None:
        self._store, self._cards, self._theme = store, cards, theme
        self.window: ReportWindow | None = None

    def open(self, number: str = "") -> None:
        """Show the window; `number` is the failure that the report is about."""
        if self.window is None:
            self.window = ReportWindow(self._collector, self._theme())
        self.window.open(number)

    def retranslate(self) -> None:
        """Take all texts anew."""
        if self.window is not None:
            self.window.retranslate()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        if self.window is not None:
            self.window.apply_theme(theme)

    def _collector(self) -> Collect:
        """Return what collects a report in another thread; what belongs to this one is taken now."""
        context = make_context(self._store, lambda: self._cards.state)

        def collect() -> Collected:
            results = run_self_test(context, lambda _found: None)
            material = Material(context, results, met=recent_failures.latest(), home=Path.home())
            return Collected(build(material, datetime.now()), redactor_for(material))

        return collect
