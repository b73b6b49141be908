# SPDX-License-Identifier: EUPL-1.2
"""The page of certificates: one panel for each, and headings where there are several cards."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QWidget

from sithsapp.card.model import CardId
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.certificates import checks_presenter, presenter
from sithsapp.ui.certificates.entries import EntryId, entries_of
from sithsapp.ui.certificates.panel import CertificatePanel
from sithsapp.ui.certificates.row import Outside, Row
from sithsapp.ui.certificates.work import Work
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.services import Services
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, Themed, apply_to_children, column

if TYPE_CHECKING:  # made when a certificate is first to be deleted
    from sithsapp.ui.certificates.deleting import DeleteWindow


class CertificatesPage(MainPage):
    """Shows the certificates of all cards."""

    def __init__(self, services: Services, outside: Outside | None = None, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.services, self.outside = services, outside or Outside()
        self.deleting: DeleteWindow | None = None
        self.work = Work(self)
        self._rows: dict[EntryId, Row] = {}
        self._headings: list[Text] = []
        self._nothing = Nothing()
        self._layout = column(self, 14)
        self._layout.addWidget(self._nothing)
        self._layout.addStretch(1)
        self.work.looked.connect(lambda entry, result: self._pass_on(Row.looked, entry, result))
        self.work.opened.connect(lambda entry, result: self._pass_on(Row.opened, entry, result))
        self.work.checked.connect(self._checked)

    def title(self) -> str:
        """Return the heading."""
        return tr("Certificates")

    def retranslate(self) -> None:
        """Make everything anew in the language in use."""
        self._arrange(anew=True)

    def shown(self) -> None:
        """Show the cards of now: certificates expire by themselves."""
        self.refresh()

    def refresh(self) -> None:
        """Follow the cards; what was opened stays open for as long as its card is there."""
        entries = entries_of(self.services.cards.state)
        if [entry.id for entry in entries] != list(self._rows) or not entries:
            self._arrange(anew=False)
        for entry in entries:
            row = self._rows[entry.id]
            row.entry = entry
            row.show_card()

    def session_left(self) -> None:
        """Forget a code that is being typed, and hide what was revealed."""
        if self.deleting is not None:
            self.deleting.reject()
        self._hide_numbers()

    def hideEvent(self, event: QHideEvent) -> None:
        """Hide what was revealed when the person turns to something else."""
        super().hideEvent(event)
        self._hide_numbers()

    def row_panel(self, number: int) -> CertificatePanel:
        """Return the panel of one certificate, counted from 0 in the order of the page."""
        return list(self._rows.values())[number].panel

    def current_theme(self) -> Theme:
        """Return the theme in force."""
        return getattr(self, "theme", None) or self.services.theme()

    def as_parent(self) -> QWidget:
        """Return the widget that dialogs belong to."""
        return self

    def say(self, text: str) -> None:
        """Have a screen reader say `text`."""
        announce(self, text)

    def delete(self, row: Row) -> None:
        """Ask whether a certificate shall be deleted, in a window of its own."""
        credential = row.entry.credential
        card = self.services.cards.state.find(row.entry.id.card)
        pin = card.pin(credential.pin) if card is not None and credential is not None else None
        if card is None or credential is None or pin is None:
            row.tell(checks_presenter.present_failure(SithsError(Failure.CARD_REMOVED)))
            return
        from sithsapp.ui.certificates.deleting_presenter import Deletion

        self.services.protect()
        self._delete_window().ask(Deletion(card, credential, row.entry.fields, pin))

    def _delete_window(self) -> DeleteWindow:
        """Return the one window, made when it is first wanted, in the theme and by the settings of now."""
        from sithsapp.ui.certificates.deleting import DeleteWindow
        from sithsapp.ui.order.request_window import window_options

        services = self.services
        options, theme = window_options(services.store.settings), services.theme()
        if self.deleting is None:
            self.deleting = DeleteWindow(services.cards, services.describe, theme, options)
        else:
            self.deleting.set_options(options)
            self.deleting.apply_theme(theme)
        return self.deleting

    def _arrange(self, *, anew: bool) -> None:
        """Put the certificates of now below one another; panels are kept unless all texts change."""
        before, self._rows = self._rows, {}
        self._clear_headings()
        cards = self.services.cards.state.cards
        for entry in entries_of(self.services.cards.state):
            if len(cards) > 1 and not any(each.card == entry.id.card for each in self._rows):
                self._add_heading(entry.id.card)
            old = before.pop(entry.id, None)
            row = self._rows[entry.id] = old if old is not None and not anew else Row(entry, self, old)
            self._insert(row.panel, new=row is not old)
            if old is not None and row is not old:
                _discard(old.panel)
        for gone, row in before.items():
            self.work.cancel(gone)
            _discard(row.panel)
        self._show_nothing()

    def _show_nothing(self) -> None:
        state = self.services.state
        if self.services.cards.state.cards:
            self._nothing.show_texts(tr("No certificates on the card"), "")
        else:
            self._nothing.show_texts(state.title, state.text)
        self._nothing.setVisible(not self._rows)

    def _add_heading(self, card_id: CardId) -> None:
        card = self.services.cards.state.find(card_id)
        if card is None:
            return
        heading = Text(TextStyle.STRONG)
        heading.setText(presenter.present_heading(card, self.services.describe))
        self._headings.append(heading)
        self._insert(heading, new=True)

    def _clear_headings(self) -> None:
        for heading in self._headings:
            _discard(heading)
        self._headings.clear()

    def _insert(self, widget: QWidget, *, new: bool) -> None:
        """Put a widget below the others; what comes into a page that is shown must be shown itself."""
        self._layout.insertWidget(self._layout.count() - 1, widget)
        widget.show()
        if new:
            theme = self.current_theme()
            apply_to_children(widget, theme)
            if isinstance(widget, Themed):
                widget.apply_theme(theme)

    def _checked(self, entry: EntryId, result: object) -> None:
        self.work.finished(entry)
        self._pass_on(Row.checked, entry, result)

    def _pass_on(self, take: Callable[[Row, object], None], entry: EntryId, result: object) -> None:
        row = self._rows.get(entry)
        if row is not None:
            take(row, result)

    def _hide_numbers(self) -> None:
        for row in self._rows.values():
            row.hide_number()


def _discard(widget: QWidget) -> None:
    widget.hide()
    widget.deleteLater()


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
