# SPDX-License-Identifier: EUPL-1.2
"""The page of certificates: one panel for each, with its details, and what can be done with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication, QHideEvent
from PySide6.QtWidgets import QWidget

from sithsapp.card.model import CardId
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.pki.findings import Inspection
from sithsapp.ui.announce import announce
from sithsapp.ui.certificates import checks_presenter, presenter, saving
from sithsapp.ui.certificates.detail import CertificateDetail
from sithsapp.ui.certificates.entries import Entry, EntryId, entries_of
from sithsapp.ui.certificates.knowledge import Knowledge, logon_of
from sithsapp.ui.certificates.panel import CertificatePanel
from sithsapp.ui.certificates.saving import Format
from sithsapp.ui.certificates.work import Work
from sithsapp.ui.elements import Notice, Severity
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.services import Services
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, Themed, apply_to_children, column

if TYPE_CHECKING:  # made when a certificate is first to be deleted
    from sithsapp.ui.certificates.deleting import DeleteWindow

Show = Callable[[bytes], None]


def _show_outside(der: bytes) -> None:
    from sithsapp.desktop.certificate_viewer import show_certificate

    show_certificate(der)


@dataclass(slots=True)
class _Row:
    """A certificate on the page with what is known of it."""

    entry: Entry
    panel: CertificatePanel
    knowledge: Knowledge | None = None
    inspection: Inspection | None = None
    revealed: bool = False


@dataclass(slots=True)
class Outside:
    """What the page has others do: ask for a file, show a certificate in another program."""

    choose_file: saving.ChooseFile = saving.choose_file
    show: Show = field(default=_show_outside)


class CertificatesPage(MainPage):
    """Shows the certificates of all cards."""

    def __init__(self, services: Services, outside: Outside | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services, self._outside = services, outside or Outside()
        self._rows: dict[EntryId, _Row] = {}
        self.work = Work(self)
        self.work.looked.connect(self._looked)
        self.work.checked.connect(self._checked)
        self.work.opened.connect(self._opened)
        self.deleting: DeleteWindow | None = None
        self._headings: list[Text] = []
        self._nothing = Nothing()
        self._layout = column(self, 14)
        self._layout.addWidget(self._nothing)
        self._layout.addStretch(1)

    def title(self) -> str:
        """Return the heading."""
        return tr("Certificates")

    def retranslate(self) -> None:
        """Make everything anew in the language in use."""
        self._rebuild()

    def shown(self) -> None:
        """Show the cards of now: certificates expire by themselves."""
        self.refresh()

    def refresh(self) -> None:
        """Follow the cards; what was opened stays open for as long as its card is there."""
        entries = entries_of(self._services.cards.state)
        if [entry.id for entry in entries] != list(self._rows) or not entries:
            self._rebuild()
        for entry in entries:
            row = self._rows[entry.id]
            row.entry = entry
            self._show_card(row)

    def session_left(self) -> None:
        """Forget a code that is being typed, and hide what was revealed."""
        if self.deleting is not None:
            self.deleting.reject()
        self._hide_numbers()

    def hideEvent(self, event: QHideEvent) -> None:
        """Hide what was revealed when the person turns to something else."""
        super().hideEvent(event)
        self._hide_numbers()

    def _hide_numbers(self) -> None:
        for row in self._rows.values():
            if row.revealed:
                self._reveal(row)

    def row_panel(self, number: int) -> CertificatePanel:
        """Return the panel of one certificate, counted from 0 in the order of the page."""
        return list(self._rows.values())[number].panel

    def _rebuild(self) -> None:
        before, self._rows = self._rows, {}
        for old in before.values():
            old.panel.hide()
            old.panel.deleteLater()
        self._clear_headings()
        cards = self._services.cards.state.cards
        for entry in entries_of(self._services.cards.state):
            if len(cards) > 1 and not any(each.card == entry.id.card for each in list(self._rows)):
                self._add_heading(entry.id.card)
            self._add(entry, before.pop(entry.id, None))
        for gone in before:
            self.work.cancel(gone)
        state = self._services.state
        empty = tr("No certificates on the card") if self._services.cards.state.cards else state.title
        self._nothing.show_texts(empty, "" if self._services.cards.state.cards else state.text)
        self._nothing.setVisible(not self._rows)

    def _add(self, entry: Entry, old: _Row | None) -> None:
        panel = CertificatePanel()
        row = self._rows[entry.id] = _Row(entry, panel)
        if old is not None:
            row.knowledge, row.inspection, row.revealed = old.knowledge, old.inspection, old.revealed
        panel.toggled.connect(lambda: self._toggle(row))
        self._insert(panel)
        self._show_card(row)
        self._theme_children(panel)
        if old is not None and old.panel.detail is not None:
            self._toggle(row)

    def _add_heading(self, card_id: CardId) -> None:
        card = self._services.cards.state.find(card_id)
        if card is None:
            return
        heading = Text(TextStyle.STRONG)
        heading.setText(presenter.present_heading(card, self._services.describe))
        self._headings.append(heading)
        self._insert(heading)

    def _clear_headings(self) -> None:
        for heading in self._headings:
            heading.hide()
            heading.deleteLater()
        self._headings.clear()

    def _insert(self, widget: QWidget) -> None:
        """Put a widget below the others; what comes into a page that is shown must be shown itself."""
        self._layout.insertWidget(self._layout.count() - 1, widget)
        widget.show()
        theme = getattr(self, "theme", None)
        if theme is not None and isinstance(widget, Themed):
            widget.apply_theme(theme)

    def _theme_children(self, widget: QWidget) -> None:
        theme = getattr(self, "theme", None)
        if theme is not None:
            apply_to_children(widget, theme)

    def _show_card(self, row: _Row) -> None:
        row.panel.show_card(presenter.present_card(row.entry, datetime.now(UTC), row.inspection))

    def _toggle(self, row: _Row) -> None:
        if row.panel.detail is not None:
            row.revealed = False
            row.panel.show_detail(None)
            return
        detail = self._detail(row)
        row.panel.show_detail(detail)
        self._theme_children(row.panel)
        detail.show_checking(checking=self.work.is_checking(row.entry.id))
        if row.inspection is not None:
            detail.show_notice(checks_presenter.present_result(row.inspection))
        if row.knowledge is None:
            self.work.look(row.entry, self._services.store.settings)
        else:
            self._show_knowledge(row, row.knowledge)

    def _detail(self, row: _Row) -> CertificateDetail:
        theme = getattr(self, "theme", None) or self._services.theme()
        sheet = presenter.present_sheet(row.entry, revealed=row.revealed)
        detail = CertificateDetail(sheet, theme, deletable=row.entry.deletable)
        detail.check_wanted.connect(lambda: self._check(row))
        detail.reveal_wanted.connect(lambda: self._reveal(row))
        detail.copy_wanted.connect(lambda: self._copy(row))
        detail.open_wanted.connect(lambda: self.work.open(row.entry, self._outside.show))
        detail.export_wanted.connect(lambda wanted: self._export(row, wanted))
        detail.delete_wanted.connect(lambda: self._delete(row))
        detail.copied.connect(lambda text: announce(self, text))
        return detail

    def _check(self, row: _Row) -> None:
        checking = not self.work.is_checking(row.entry.id)
        if checking:
            self.work.check(row.entry, self._services.store.settings)
            self._tell(row, Notice(Severity.INFO, tr("Asking the issuer …")))
        else:
            self.work.cancel(row.entry.id)
            self._tell(row, Notice(Severity.INFO, tr("The check was stopped")))
        if row.panel.detail is not None:
            row.panel.detail.show_checking(checking=checking)

    def _checked(self, entry: EntryId, result: object) -> None:
        self.work.finished(entry)
        row = self._rows.get(entry)
        if row is None:
            return
        if isinstance(result, Inspection):
            row.inspection = result
            row.knowledge = Knowledge(result.chain, logon_of(row.entry, result.chain))
            self._tell(row, checks_presenter.present_result(result))
            self._show_knowledge(row, row.knowledge)
            self._show_card(row)
        elif isinstance(result, SithsError):
            self._tell(row, checks_presenter.present_failure(result))
        if row.panel.detail is not None:
            row.panel.detail.show_checking(checking=False)

    def _looked(self, entry: EntryId, result: object) -> None:
        row = self._rows.get(entry)
        if row is None:
            return
        if isinstance(result, SithsError):
            self._tell(row, checks_presenter.present_failure(result))
        elif isinstance(result, Knowledge) and row.knowledge is None:
            row.knowledge = result
            self._show_knowledge(row, result)

    def _show_knowledge(self, row: _Row, knowledge: Knowledge) -> None:
        detail = row.panel.detail
        if detail is None:
            return
        detail.show_chain(checks_presenter.present_chain(knowledge.chain, row.inspection))
        if knowledge.logon is not None:
            detail.show_logon(checks_presenter.present_logon(knowledge.logon))

    def _opened(self, entry: EntryId, result: object) -> None:
        row = self._rows.get(entry)
        if row is not None and isinstance(result, SithsError):
            self._tell(row, checks_presenter.present_failure(result))

    def _reveal(self, row: _Row) -> None:
        row.revealed = not row.revealed
        if row.panel.detail is not None:
            row.panel.detail.show_sheet(presenter.present_sheet(row.entry, revealed=row.revealed))

    def _copy(self, row: _Row) -> None:
        QGuiApplication.clipboard().setText(presenter.as_text(row.entry, revealed=row.revealed))
        self._tell(row, Notice(Severity.INFO, tr("Copied as text")))

    def _delete(self, row: _Row) -> None:
        credential = row.entry.credential
        card = self._services.cards.state.find(row.entry.id.card)
        pin = card.pin(credential.pin) if card is not None and credential is not None else None
        if card is None or credential is None or pin is None:
            self._tell(row, checks_presenter.present_failure(SithsError(Failure.CARD_REMOVED)))
            return
        from sithsapp.ui.certificates.deleting_presenter import Deletion

        self._services.protect()
        self._delete_window().ask(Deletion(card, credential, row.entry.fields, pin))

    def _delete_window(self) -> DeleteWindow:
        """Return the one window, made when it is first wanted, in the theme and by the settings of now."""
        from sithsapp.ui.certificates.deleting import DeleteWindow
        from sithsapp.ui.order.request_window import window_options

        services = self._services
        options, theme = window_options(services.store.settings), services.theme()
        if self.deleting is None:
            self.deleting = DeleteWindow(services.cards, services.describe, theme, options)
        else:
            self.deleting.set_options(options)
            self.deleting.apply_theme(theme)
        return self.deleting

    def _export(self, row: _Row, wanted: Format) -> None:
        serial = f"{row.entry.fields.serial_number:x}" if row.entry.fields is not None else ""
        name = saving.suggested_name(serial, wanted)
        self._outside.choose_file(self, name, wanted.value.suffix, lambda path: self._write(row, wanted, path))

    def _write(self, row: _Row, wanted: Format, path: str) -> None:
        try:
            saving.save(path, saving.content(row.entry.der, row.knowledge, wanted))
        except SithsError as error:
            self._tell(row, checks_presenter.present_failure(error))
            return
        self._tell(row, self._saved(row, wanted))

    def _saved(self, row: _Row, wanted: Format) -> Notice:
        incomplete = wanted is Format.CHAIN and not (row.knowledge is not None and row.knowledge.chain.complete)
        if incomplete:
            text = tr("The chain has no root. Check revocation first, and the missing issuers are fetched.")
            return Notice(Severity.WARNING, tr("The certificate was saved"), text)
        return Notice(Severity.GOOD, tr("The certificate was saved"))

    def _tell(self, row: _Row, notice: Notice) -> None:
        """Show a result where the person looks, and say it."""
        if row.panel.detail is not None:
            row.panel.detail.show_notice(notice)
        announce(self, notice.title)


class Nothing(Frame):
    """Says why there is no certificate to be seen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._title, self._text = Text(TextStyle.STRONG), Text(TextStyle.BODY, tone="secondary")
        layout = column(self, 6)
        layout.setContentsMargins(22, 22, 22, 22)
        layout.addWidget(self._title)
        layout.addWidget(self._text)

    def show_texts(self, title: str, text: str) -> None:
        """Show a sentence and what to do."""
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
