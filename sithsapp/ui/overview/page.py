# SPDX-License-Identifier: EUPL-1.2
"""The overview: the state in one sentence, the card, its holder, certificates and codes."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.icons import Icon
from sithsapp.ui.main.page import MainPage
from sithsapp.ui.main.services import Services
from sithsapp.ui.overview.presenter import CardLook, Overview, present_overview
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.panels import Facts
from sithsapp.ui.widgets.pictures import CardArt, Emblem, EmptyPlace
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row

_ART_WIDTH = 184
_BESIDE = 2.2
_BADGES = {
    CardLook.READY: (Icon.CHECK, "ok"),
    CardLook.READING: (Icon.REFRESH, "info"),
    CardLook.WARNING: (Icon.CLOCK, "warn"),
    CardLook.LOCKED: (Icon.LOCK, "err"),
    CardLook.UNUSABLE: (Icon.WARNING, "err"),
}
_PLACES = {CardLook.NO_READER: Icon.UNPLUGGED, CardLook.NO_CARD: Icon.CARD}
_SIGNS = {
    CardLook.READY: (Icon.CHECK_CIRCLE, "ok"),
    CardLook.READING: (Icon.REFRESH, "info"),
    CardLook.WARNING: (Icon.CLOCK, "warn"),
    CardLook.LOCKED: (Icon.LOCK, "err"),
    CardLook.UNUSABLE: (Icon.ALERT, "err"),
    CardLook.NO_READER: (Icon.WARNING, "warn"),
    CardLook.NO_CARD: (Icon.INFO, "info"),
}


class OverviewPage(MainPage):
    """Draws an `Overview`."""

    def __init__(self, services: Services, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._drawn: Overview | None = None
        self._status = StatusCard()
        self._reread = Button(Kind.ROW, Icon.REFRESH)
        self._reread.clicked.connect(services.reread)
        self._facts = Facts(large=True)
        layout = column(self, 14)
        for widget in (self._status, self._facts, self._reread):
            layout.addWidget(widget)
        layout.addStretch(1)

    def title(self) -> str:
        """Return the heading."""
        return tr("Overview")

    def retranslate(self) -> None:
        """Draw in the language in use."""
        self._drawn = None
        self.refresh()

    def shown(self) -> None:
        """Draw the state of now."""
        self.refresh()

    def refresh(self) -> None:
        """Draw the app's state, and say its sentence if it is a new one."""
        overview = present_overview(self._services.state, self._services.describe)
        before, self._drawn = self._drawn, overview
        if overview == before:
            return
        self._status.show_overview(overview)
        self._facts.show_facts(overview.facts)
        self._reread.set_label(overview.reread)
        self._reread.setVisible(bool(overview.reread))
        if before is not None and before.title != overview.title and self.isVisible():
            announce(self, overview.title)


class StatusCard(Frame):
    """The card as it is: a drawing, the sentence, what to do, and whose card it is."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._art, self._place = CardArt(_ART_WIDTH), EmptyPlace(width=_ART_WIDTH)
        self._emblem, self._title = Emblem(Icon.INFO, 22), Text(TextStyle.TITLE)
        self._text, self._number = Text(TextStyle.BODY, tone="secondary"), Text(TextStyle.SMALL, tone="secondary")
        self._holder, self._details = Text(TextStyle.STRONG), Text(TextStyle.SMALL, tone="secondary")
        headline = row(spacing=8)
        headline.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        headline.addWidget(self._title, 1)
        words = column(spacing=6)
        words.addLayout(headline)
        for widget in (self._text, self._number, self._holder, self._details):
            words.addWidget(widget)
        words.addStretch(1)
        self._inner = row(self, 22)
        self._inner.setContentsMargins(22, 22, 22, 22)
        for picture in (self._art, self._place):
            self._inner.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        self._inner.addLayout(words, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the words below the drawing where there is no room beside it."""
        narrow = self.width() < self._art.width() * _BESIDE
        directions = QBoxLayout.Direction
        self._inner.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)

    def show_overview(self, overview: Overview) -> None:
        """Show the card's part of `overview`."""
        look = overview.look
        self._place.setVisible(look in _PLACES)
        self._art.setVisible(look not in _PLACES)
        self._place.set_icon(_PLACES.get(look, Icon.CARD))
        self._art.set_look(grey=look in (CardLook.UNUSABLE, CardLook.READING), badge=_BADGES.get(look))
        self._emblem.set_look(*_SIGNS[look])
        for widget, text in (
            (self._title, overview.title),
            (self._text, overview.text),
            (self._number, overview.number),
            (self._holder, overview.holder),
            (self._details, overview.details),
        ):
            widget.setText(text)
            widget.setVisible(bool(text))
