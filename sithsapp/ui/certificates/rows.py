# SPDX-License-Identifier: EUPL-1.2
"""Rows of a certificate's details: fields below one another, a chain, demands and values to copy."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QWidget

from sithsapp.locale import tr
from sithsapp.pki.ad_checks import Verdict
from sithsapp.ui.certificates.checks_presenter import ChainRow, DemandRow, LogonView, MappingRow
from sithsapp.ui.certificates.fold import Fold
from sithsapp.ui.elements import Fact
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.panels import Banner
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row

_SIGNS = {
    Verdict.MET: (Icon.CHECK_CIRCLE, "ok"),
    Verdict.NOT_MET: (Icon.ALERT, "err"),
    Verdict.SETUP: (Icon.WARNING, "warn"),
    Verdict.ADVICE: (Icon.INFO, "info"),
    Verdict.NOT_CHECKED: (Icon.INFO, "text2"),
}
_STEP = 16


class FieldList(Frame):
    """Labels with their values below them: for values that are long and labels that are not ours to shorten."""

    def __init__(self, facts: Sequence[Fact], parent: QWidget | None = None) -> None:
        super().__init__("sunken", parent)
        layout = column(self, 10)
        layout.setContentsMargins(16, 14, 16, 14)
        for fact in facts:
            layout.addWidget(_pair(fact.label, fact.value))


class ChainList(QWidget):
    """A chain from the certificate upwards, each issuer a step further in."""

    def __init__(self, rows: Sequence[ChainRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = column(self, 8)
        for depth, each in enumerate(rows):
            line = row(spacing=10)
            line.setContentsMargins(depth * _STEP, 0, 0, 0)
            emblem = Emblem(Icon.CERTIFICATE, 18)
            emblem.set_look(Icon.CERTIFICATE, "primary_text")
            line.addWidget(emblem, 0, Qt.AlignmentFlag.AlignTop)
            line.addWidget(_pair(each.name, each.note, strong_first=True), 1)
            layout.addLayout(line)


class LogonPanel(QWidget):
    """The readiness for a log-on to Windows. `copied(str)` with what to say when a value was copied."""

    copied = Signal(str)

    def __init__(self, view: LogonView, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = column(self, 12)
        banner = Banner()
        banner.show_notice(view.notice)
        layout.addWidget(banner)
        for demand in view.open_demands:
            layout.addLayout(_demand(demand))
        for mapping in view.mappings:
            layout.addWidget(self._mapping(mapping))
        labels = (tr("Show the other demands"), tr("Hide the other demands"))
        self.fold = Fold(labels, lambda: DemandList(view.other_demands), theme)
        layout.addWidget(self.fold)

    def _mapping(self, mapping: MappingRow) -> Frame:
        frame = Frame("sunken")
        copy = Button(Kind.LINK)
        copy.set_label(tr("Copy the value"))
        copy.setAccessibleName(f"{copy.accessibleName()}: {mapping.title}")
        copy.clicked.connect(lambda: self._copy(mapping))
        layout = column(frame, 6)
        layout.setContentsMargins(16, 12, 16, 12)
        layout.addWidget(_pair(mapping.title, mapping.value, strong_first=True))
        note = Text(TextStyle.SMALL, tone="secondary")
        note.setText(mapping.note)
        layout.addWidget(note)
        layout.addWidget(copy, 0, Qt.AlignmentFlag.AlignLeft)
        return frame

    def _copy(self, mapping: MappingRow) -> None:
        QGuiApplication.clipboard().setText(mapping.value)
        self.copied.emit(mapping.copied)


class DemandList(QWidget):
    """Demands below one another."""

    def __init__(self, demands: Sequence[DemandRow], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        layout = column(self, 12)
        for demand in demands:
            layout.addLayout(_demand(demand))


def _demand(demand: DemandRow) -> QHBoxLayout:
    line = row(spacing=10)
    icon, colour = _SIGNS[demand.verdict]
    emblem = Emblem(icon, 18)
    emblem.set_look(icon, colour)
    line.addWidget(emblem, 0, Qt.AlignmentFlag.AlignTop)
    line.addWidget(_pair(demand.title, demand.text, strong_first=True), 1)
    return line


def _pair(first: str, second: str, *, strong_first: bool = False) -> QWidget:
    pair = QWidget()
    upper = Text(TextStyle.LABEL) if strong_first else Text(TextStyle.SMALL, tone="secondary")
    lower = Text(TextStyle.SMALL, tone="secondary" if strong_first else "")
    upper.setText(first)
    lower.setText(second)
    lower.setAccessibleName(f"{first}: {second}")
    layout = column(pair, 2)
    layout.addWidget(upper)
    layout.addWidget(lower)
    return pair
