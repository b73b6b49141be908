# SPDX-License-Identifier: EUPL-1.2
"""The details of one certificate: its facts, what can be done with it, its chain, the log-on, and everything else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QMenu, QScrollArea, QWidget

from sithsapp.locale import tr
from sithsapp.ui.certificates.checks_presenter import ChainRow, LogonView
from sithsapp.ui.certificates.fold import Fold
from sithsapp.ui.certificates.presenter import Sheet
from sithsapp.ui.certificates.rows import ChainList, FieldList, LogonPanel
from sithsapp.ui.certificates.saving import Format
from sithsapp.ui.elements import Notice
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.button_row import ButtonRow
from sithsapp.ui.widgets.panels import Banner, Facts
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import apply_to_children, column

_AROUND = 16


class Section(QWidget):
    """A heading with a part below it that may be filled anew."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        heading = Text(TextStyle.STRONG)
        heading.setText(title)
        self._layout = column(self, 10)
        self._layout.addWidget(heading)
        self._part: QWidget | None = None
        self.hide()

    def fill(self, part: QWidget, theme: Theme) -> None:
        """Show `part` in place of the one before."""
        if self._part is not None:
            self._part.hide()
            self._part.deleteLater()
        self._part = part
        self._layout.addWidget(part)
        part.ensurePolished()
        apply_to_children(part, theme)
        part.show()
        self.show()


class CertificateDetail(QWidget):
    """Draws a certificate's details and says what the person wants: the signals carry no names."""

    check_wanted = Signal()
    reveal_wanted = Signal()
    copy_wanted = Signal()
    open_wanted = Signal()
    delete_wanted = Signal()
    export_wanted = Signal(object)
    copied = Signal(str)

    def __init__(self, sheet: Sheet, theme: Theme, *, deletable: bool, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sheet, self._theme = sheet, theme
        self.banner, self._facts = Banner(), Facts()
        self.banner.hide()
        self.reveal, self.delete = Button(Kind.LINK), Button(Kind.LINK)
        self.export, self.check = Button(Kind.SECONDARY, Icon.DOWNLOAD), Button(Kind.SECONDARY, Icon.REFRESH)
        self._menu = QMenu(self)
        self._chain, self._logon = Section(tr("Chain")), Section(tr("Windows logon"))
        labels = (tr("Show everything"), tr("Hide everything"))
        self.fold = Fold(labels, lambda: FieldList(self._sheet.fields), theme)
        self._fill_menu()
        self._lay_out(deletable=deletable)
        self.show_sheet(sheet)
        self.show_checking(checking=False)

    def _lay_out(self, *, deletable: bool) -> None:
        self.export.set_label(tr("Export …"))
        self.delete.set_label(tr("Delete the certificate …"))
        self.delete.setVisible(deletable)
        self.export.clicked.connect(self._open_menu)
        self.check.clicked.connect(self.check_wanted)
        self.reveal.clicked.connect(self.reveal_wanted)
        self.delete.clicked.connect(self.delete_wanted)
        layout = column(self, 14)
        layout.addWidget(self._facts)
        layout.addWidget(self.reveal, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(ButtonRow(self.export, self.check))
        layout.addWidget(self.banner)
        layout.addWidget(self._chain)
        layout.addWidget(self._logon)
        layout.addWidget(self.fold)
        layout.addWidget(self.delete, 0, Qt.AlignmentFlag.AlignLeft)

    def _fill_menu(self) -> None:
        for label, wanted in (
            (tr("Export as PEM …"), Format.PEM),
            (tr("Export as DER …"), Format.DER),
            (tr("Export the whole chain …"), Format.CHAIN),
        ):
            self._menu.addAction(label).triggered.connect(partial(self._export, wanted))
        self._menu.addSeparator()
        self._menu.addAction(tr("Copy as text")).triggered.connect(lambda: self.copy_wanted.emit())
        self._menu.addAction(tr("Open in the system's viewer")).triggered.connect(lambda: self.open_wanted.emit())

    def _export(self, wanted: Format) -> None:
        self.export_wanted.emit(wanted)

    def _open_menu(self) -> None:
        self._menu.popup(self.export.mapToGlobal(self.export.rect().bottomLeft()))

    @property
    def menu(self) -> QMenu:
        """What can be done with the certificate."""
        return self._menu

    def apply_theme(self, theme: Theme) -> None:
        """Remember the theme for parts that come later."""
        self._theme = theme

    def show_sheet(self, sheet: Sheet) -> None:
        """Show what the certificate says."""
        self._sheet = sheet
        self._facts.show_facts(sheet.facts)
        self.reveal.set_label(sheet.reveal)
        self.reveal.setVisible(bool(sheet.reveal))
        self.fold.renew()

    def show_checking(self, *, checking: bool) -> None:
        """Offer to ask the issuers, or to stop that."""
        self.check.set_label(tr("Stop checking") if checking else tr("Check revocation"))

    def show_notice(self, notice: Notice | None, *, in_sight: bool = False) -> None:
        """Show a result below the buttons that lead to it, or none; `in_sight` scrolls there."""
        self.banner.setVisible(notice is not None)
        if notice is not None:
            self.banner.show_notice(notice)
        if in_sight:
            QTimer.singleShot(0, self, self._scroll_to_banner)  # once it is laid out

    def _scroll_to_banner(self) -> None:
        above = self.parentWidget()
        while above is not None and not isinstance(above, QScrollArea):
            above = above.parentWidget()
        if isinstance(above, QScrollArea) and self.banner.isVisible():
            above.ensureWidgetVisible(self.banner, 0, _AROUND)

    def show_chain(self, rows: Sequence[ChainRow]) -> None:
        """Show the chain."""
        self._chain.fill(ChainList(rows), self._theme)

    def show_logon(self, view: LogonView) -> None:
        """Show the readiness for a log-on to Windows."""
        panel = LogonPanel(view, self._theme)
        panel.copied.connect(self.copied)
        self._logon.fill(panel, self._theme)
