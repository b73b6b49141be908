# SPDX-License-Identifier: EUPL-1.2
"""One certificate on the page: what it is in one glance, and its details once they are wanted."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QWidget

from sithsapp.locale import tr
from sithsapp.ui.certificates.detail import CertificateDetail
from sithsapp.ui.certificates.presenter import CertificateCard, Use
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row, set_tone

_LOOKS = {
    Use.IDENTIFICATION: (Icon.PERSON, "primary_text"),
    Use.SIGNATURE: (Icon.PEN, "sign_text"),
    Use.ISSUER: (Icon.CERTIFICATE, "text2"),
}


class CertificatePanel(Frame):
    """Draws a `CertificateCard`. `toggled()` when the details shall come or go."""

    toggled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._emblem, self._title = Emblem(Icon.CERTIFICATE, 26), Text(TextStyle.STRONG)
        self._issuer, self._status = Text(TextStyle.SMALL, tone="secondary"), Text(TextStyle.SMALL)
        self.toggle = Button(Kind.LINK)
        self.toggle.clicked.connect(self.toggled)
        self._detail: CertificateDetail | None = None
        self._card: CertificateCard | None = None
        words = column(spacing=2)
        for text in (self._title, self._issuer, self._status):
            words.addWidget(text)
        head = row(spacing=14)
        head.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        head.addLayout(words, 1)
        head.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignVCenter)
        self._layout = column(self, 16)
        self._layout.setContentsMargins(18, 14, 18, 14)
        self._layout.addLayout(head)

    def show_card(self, card: CertificateCard) -> None:
        """Show the certificate in one glance."""
        self._card = card
        self._emblem.set_look(*_LOOKS[card.use])
        self._title.setText(card.title)
        self._issuer.setText(card.issuer)
        self._issuer.setVisible(bool(card.issuer))
        self._status.setText(card.status)
        set_tone(self._status, card.tone.value)
        self.setAccessibleName(", ".join(filter(None, (card.title, card.issuer, card.status))))
        self._label()

    @property
    def detail(self) -> CertificateDetail | None:
        """The details, if they are shown."""
        return self._detail if self._detail is not None and not self._detail.isHidden() else None

    def hold(self, detail: CertificateDetail) -> None:
        """Keep details for later."""
        detail.hide()
        self._detail = detail
        self._layout.addWidget(detail)

    def show_detail(self) -> None:
        """Show the details."""
        if self._detail is not None:
            self._detail.show()
        self._label()

    def hide_detail(self) -> None:
        """Show the certificate in one glance alone."""
        if self._detail is not None:
            self._detail.hide()
        self._label()

    def _label(self) -> None:
        label = tr("Show details") if self.detail is None else tr("Hide details")
        self.toggle.set_label(label)
        if self._card is not None:
            self.toggle.setAccessibleName(f"{label}: {self._card.title}")
