# SPDX-License-Identifier: EUPL-1.2
"""The self-test on the page: a button, the findings as they come in, and what the app can do about them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from sithsapp.locale import tr
from sithsapp.support.checks.check import Check, Context, Result
from sithsapp.ui.announce import announce
from sithsapp.ui.background import Background
from sithsapp.ui.icons import Icon
from sithsapp.ui.support.background import run_self_test
from sithsapp.ui.support.presenter import in_order, present_check, summary
from sithsapp.ui.support.rows import FindingRow
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, apply_to_children, column, row


class SelfTestPanel(Frame):
    """Runs the self-tests in the background. `wanted(Action)` when a finding's button was pressed."""

    wanted = Signal(object)

    def __init__(self, make_context: Callable[[], Context], parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._make_context = make_context
        self._context: Context | None = None
        self._results: list[tuple[Check, Result]] = []
        self._theme: Theme | None = None
        self.background = Background(self)
        self.background.told.connect(self._add)
        self.background.ended.connect(self._end)
        self._emblem, self._title = Emblem(Icon.CHECK_CIRCLE, 22), Text(TextStyle.STRONG)
        self._emblem.set_look(Icon.CHECK_CIRCLE, "primary_text")
        self._text = Text(TextStyle.SMALL, tone="secondary")
        self.button = Button(Kind.SECONDARY, Icon.REFRESH)
        self.button.clicked.connect(self._press)
        self._rows: list[FindingRow] = []
        self._lay_out()

    def _lay_out(self) -> None:
        words = column(spacing=4)
        words.addWidget(self._title)
        words.addWidget(self._text)
        head = row(spacing=12)
        head.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        self._found = column(spacing=0)
        layout = column(self, 12)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.addLayout(head)
        layout.addWidget(self.button)
        layout.addLayout(self._found)

    def apply_theme(self, theme: Theme) -> None:
        """Remember the theme for rows that come later."""
        self._theme = theme

    def retranslate(self) -> None:
        """Take all texts anew, the findings too."""
        self._title.setText(tr("Self-test"))
        self._label()
        if self._results or self.background.is_running:
            self._draw()

    def run(self) -> None:
        """Run all self-tests anew."""
        self.cancel()
        self._results.clear()
        self._context = context = self._make_context()
        self.background.start("self-test", lambda tell: run_self_test(context, tell))
        self._label()
        self._draw()
        announce(self, tr("The self-test is running …"))

    def show_results(self, results: Sequence[tuple[Check, Result]]) -> None:
        """Show the findings of a whole run."""
        self._results = list(results)
        self._label()
        self._draw()

    def cancel(self) -> None:
        """Break off, without an answer."""
        if self._context is not None:
            self._context.cancelled.set()
        self.background.cancel()
        self._label()

    def _press(self) -> None:
        if self.background.is_running:
            self.cancel()
        else:
            self.run()

    def _label(self) -> None:
        running = self.background.is_running
        self.button.set_label(tr("Cancel") if running else tr("Run the self-test"))
        if running:
            self._text.setText(tr("The self-test is running …"))
        elif self._results:
            self._text.setText(summary(self._results))
        else:
            self._text.setText(tr("Tests readers, cards, network, clock and settings. Nothing is changed."))

    def _add(self, found: tuple[Check, Result]) -> None:
        self._results.append(found)
        self._draw()

    def _end(self, results: list[tuple[Check, Result]] | None) -> None:
        self.show_results(self._results if results is None else results)
        announce(self, self._text.text())

    def _draw(self) -> None:
        shown = in_order(present_check(check, result) for check, result in self._results)
        while len(self._rows) < len(shown):
            self._add_row()
        for number, widget in enumerate(self._rows):
            widget.setVisible(number < len(shown))
            if number < len(shown):
                widget.show_row(shown[number])

    def _add_row(self) -> None:
        added = FindingRow()
        added.wanted.connect(partial(self.wanted.emit))
        self._rows.append(added)
        self._found.addWidget(added)
        if self._theme is not None:
            apply_to_children(added, self._theme)
