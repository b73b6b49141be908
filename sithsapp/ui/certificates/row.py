# SPDX-License-Identifier: EUPL-1.2
"""One certificate on the page: its panel, what is known of it, and what is done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from sithsapp.failures import SithsError
from sithsapp.locale import tr
from sithsapp.pki.findings import Inspection
from sithsapp.ui.certificates import checks_presenter, presenter, saving
from sithsapp.ui.certificates.detail import CertificateDetail
from sithsapp.ui.certificates.entries import Entry
from sithsapp.ui.certificates.knowledge import Knowledge, logon_of
from sithsapp.ui.certificates.panel import CertificatePanel
from sithsapp.ui.certificates.saving import Format
from sithsapp.ui.certificates.work import Work
from sithsapp.ui.elements import Notice, Severity
from sithsapp.ui.main.services import Services
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.themed import apply_to_children


def _show_outside(der: bytes) -> None:
    from sithsapp.desktop.certificate_viewer import show_certificate

    show_certificate(der)


@dataclass(slots=True)
class Outside:
    """What the page has others do: ask for a file, show a certificate in another program."""

    choose_file: saving.ChooseFile = saving.choose_file
    show: Callable[[bytes], None] = field(default=_show_outside)


class Host(Protocol):
    """What a certificate needs of its page."""

    services: Services
    work: Work
    outside: Outside

    def current_theme(self) -> Theme:
        """Return the theme in force."""

    def as_parent(self) -> QWidget:
        """Return the widget that dialogs belong to."""

    def say(self, text: str) -> None:
        """Have a screen reader say `text`."""

    def delete(self, row: Row) -> None:
        """Ask whether the certificate shall be deleted."""


class Row:
    """A certificate with its panel. Its details are made once and kept: making them anew costs memory."""

    def __init__(self, entry: Entry, host: Host, before: Row | None = None) -> None:
        """Make the panel; what was known and open `before` stays so."""
        self.entry, self._host = entry, host
        self.panel = CertificatePanel()
        self.knowledge: Knowledge | None = before.knowledge if before is not None else None
        self.inspection: Inspection | None = before.inspection if before is not None else None
        self._revealed = False
        self._stale = True
        self._detail: CertificateDetail | None = None
        self.panel.toggled.connect(self.toggle)
        self.show_card()
        if before is not None and before.panel.detail is not None:
            self.toggle()

    def show_card(self) -> None:
        """Show the certificate in one glance, as of now."""
        self.panel.show_card(presenter.present_card(self.entry, datetime.now(UTC), self.inspection))

    def toggle(self) -> None:
        """Open or close the details."""
        if self.panel.detail is not None:
            self.hide_number()
            self.panel.hide_detail()
            return
        detail = self._detail = self._detail or self._make()
        detail.show_checking(checking=self._host.work.is_checking(self.entry.id))
        self.panel.show_detail()
        detail.show_notice(checks_presenter.present_result(self.inspection) if self.inspection else None)
        if self.knowledge is None:
            self._host.work.look(self.entry, self._host.services.store.settings)
        else:
            self._show_knowledge(self.knowledge)

    def looked(self, result: object) -> None:
        """Take what was worked out, or why it was not."""
        if isinstance(result, SithsError):
            self.tell(checks_presenter.present_failure(result))
        elif isinstance(result, Knowledge) and self.knowledge is None:
            self._show_knowledge(result)

    def checked(self, result: object) -> None:
        """Take the issuers' answer, or why there is none."""
        if isinstance(result, Inspection):
            self.inspection, self._stale = result, True
            self._show_knowledge(Knowledge(result.chain, logon_of(self.entry, result.chain)))
            self.show_card()
            self.tell(checks_presenter.present_result(result))
        elif isinstance(result, SithsError):
            self.tell(checks_presenter.present_failure(result))
        if self._detail is not None:
            self._detail.show_checking(checking=False)

    def opened(self, result: object) -> None:
        """Take how it went to show the certificate elsewhere."""
        if isinstance(result, SithsError):
            self.tell(checks_presenter.present_failure(result))

    def hide_number(self) -> None:
        """Mask a personal number that was revealed."""
        if self._revealed:
            self._reveal()

    def tell(self, notice: Notice) -> None:
        """Show a result where the person looks, and say it."""
        if self._detail is not None:
            self._detail.show_notice(notice, in_sight=True)
        self._host.say(notice.title)

    def _make(self) -> CertificateDetail:
        sheet = presenter.present_sheet(self.entry, revealed=False)
        theme = self._host.current_theme()
        detail = CertificateDetail(sheet, theme, deletable=self.entry.deletable)
        detail.check_wanted.connect(self._check)
        detail.reveal_wanted.connect(self._reveal)
        detail.copy_wanted.connect(self._copy)
        detail.open_wanted.connect(lambda: self._host.work.open(self.entry, self._host.outside.show))
        detail.export_wanted.connect(self._export)
        detail.delete_wanted.connect(lambda: self._host.delete(self))
        detail.copied.connect(self._host.say)
        self._stale = True
        self.panel.hold(detail)
        apply_to_children(self.panel, theme)
        return detail

    def _show_knowledge(self, knowledge: Knowledge) -> None:
        self._stale |= knowledge is not self.knowledge
        self.knowledge = knowledge
        if self._detail is None or not self._stale:
            return
        self._stale = False
        self._detail.show_chain(checks_presenter.present_chain(knowledge.chain, self.inspection))
        if knowledge.logon is not None:
            self._detail.show_logon(checks_presenter.present_logon(knowledge.logon))

    def _check(self) -> None:
        work = self._host.work
        checking = not work.is_checking(self.entry.id)
        if checking:
            work.check(self.entry, self._host.services.store.settings)
        else:
            work.cancel(self.entry.id)
        self.tell(Notice(Severity.INFO, tr("Asking the issuer …") if checking else tr("The check was stopped")))
        if self._detail is not None:
            self._detail.show_checking(checking=checking)

    def _reveal(self) -> None:
        self._revealed = not self._revealed
        if self._detail is not None:
            self._detail.show_sheet(presenter.present_sheet(self.entry, revealed=self._revealed))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(presenter.as_text(self.entry, revealed=self._revealed))
        self.tell(Notice(Severity.INFO, tr("Copied as text")))

    def _export(self, wanted: Format) -> None:
        serial = f"{self.entry.fields.serial_number:x}" if self.entry.fields is not None else ""
        name, suffix = saving.suggested_name(serial, wanted), wanted.value.suffix
        self._host.outside.choose_file(self._host.as_parent(), name, suffix, lambda path: self._write(wanted, path))

    def _write(self, wanted: Format, path: str) -> None:
        try:
            saving.save(path, saving.content(self.entry.der, self.knowledge, wanted))
        except SithsError as error:
            self.tell(checks_presenter.present_failure(error))
            return
        whole = self.knowledge is not None and self.knowledge.chain.complete
        self.tell(checks_presenter.present_saved(incomplete=wanted is Format.CHAIN and not whole))
