# SPDX-License-Identifier: EUPL-1.2
"""The card for the error report and the versions on the page."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QWidget

from sithsapp.locale import tr
from sithsapp.support.recent import recent_failures
from sithsapp.ui.icons import Icon
from sithsapp.ui.support.presenter import met_lines
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row
from sithsapp.ui.widgets.wrap import Wrap

_COPIED_MS = 2500


class ReportCard(Frame):
    """`report_wanted()` and `versions_wanted()` when their buttons were pressed."""

    report_wanted = Signal()
    versions_wanted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._emblem = Emblem(Icon.BUG, 22)
        self._emblem.set_look(Icon.BUG, "primary_text")
        self._title, self._text = Text(TextStyle.STRONG), Text(TextStyle.SMALL, tone="secondary")
        self._met = Text(TextStyle.SMALL)
        self.report, self.versions = Button(Kind.PRIMARY), Button(Kind.SECONDARY, Icon.COPY)
        self.report.clicked.connect(self.report_wanted)
        self.versions.clicked.connect(self.versions_wanted)
        self._timer = QTimer(self, singleShot=True)
        self._timer.setInterval(_COPIED_MS)
        self._timer.timeout.connect(self._label)
        words = column(spacing=4)
        for widget in (self._title, self._text, self._met):
            words.addWidget(widget)
        head = row(spacing=12)
        head.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        layout = column(self, 14)
        layout.setContentsMargins(20, 16, 20, 16)
        layout.addLayout(head)
        layout.addWidget(Wrap(self.report, self.versions, spread=False))

    def retranslate(self) -> None:
        """Take all texts anew."""
        self._title.setText(tr("Error report"))
        self._text.setText(
            tr(
                "The report is saved as a file on this computer. Nothing is sent until you send it. "
                "Codes and personal identity numbers are never in it."
            )
        )
        self.report.set_label(tr("Create an error report …"))
        self._label()
        self.show_met()

    def show_met(self) -> None:
        """Show the failures that were met last."""
        lines = met_lines(recent_failures.latest(), 3)
        self._met.setText("\n".join((tr("Met lately:"), *lines)) if lines else "")
        self._met.setVisible(bool(lines))

    def show_copied(self) -> None:
        """Say for a moment that the versions were copied."""
        self.versions.set_label(tr("Copied"))
        self._timer.start()

    def _label(self) -> None:
        self.versions.set_label(tr("Copy version details"))
