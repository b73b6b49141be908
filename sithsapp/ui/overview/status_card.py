# SPDX-License-Identifier: EUPL-1.2
"""The card as it is: a drawing, the sentence, what to do, and whose card it is."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QWidget

from sithsapp.ui.icons import Icon
from sithsapp.ui.overview.presenter import CardLook, Overview
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import CardArt, Emblem, EmptyPlace
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row
from sithsapp.ui.widgets.tile import Tile

_ART_WIDTH = 184
_BESIDE = 2.2
_BADGES = {
    CardLook.READY: (Icon.CHECK, "ok"),
    CardLook.READING: (Icon.REFRESH, "info"),
    CardLook.WARNING: (Icon.CLOCK, "warn"),
    CardLook.LOCKED: (Icon.LOCK, "err"),
    CardLook.OFFLINE: (Icon.CHECK, "ok"),
    CardLook.UNUSABLE: (Icon.WARNING, "err"),
}
_PLACES = {CardLook.NO_READER: Icon.UNPLUGGED, CardLook.NO_CARD: Icon.CARD}
_SIGNS = {
    CardLook.READY: (Icon.CHECK_CIRCLE, "ok"),
    CardLook.READING: (Icon.REFRESH, "info"),
    CardLook.WARNING: (Icon.CLOCK, "warn"),
    CardLook.LOCKED: (Icon.LOCK, "err"),
    CardLook.OFFLINE: (Icon.OFFLINE, "warn"),
    CardLook.UPDATE: (Icon.DOWNLOAD, "warn"),
    CardLook.UNUSABLE: (Icon.ALERT, "err"),
    CardLook.NO_READER: (Icon.WARNING, "warn"),
    CardLook.NO_CARD: (Icon.INFO, "info"),
}


class StatusCard(Frame):
    """Draws the upper part of an `Overview`. `act` is its prominent button, `switch` offers the other cards."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._art, self._place = CardArt(_ART_WIDTH), EmptyPlace(width=_ART_WIDTH)
        self._emblem, self._title = Emblem(Icon.INFO, 22), Text(TextStyle.TITLE)
        self._text, self._number = Text(TextStyle.BODY, tone="secondary"), Text(TextStyle.SMALL, tone="secondary")
        self._caption = Text(TextStyle.SMALL, tone="secondary")
        self._holder, self._details = Text(TextStyle.STRONG), Text(TextStyle.SMALL, tone="secondary")
        self.act, self.switch = Tile(Kind.PRIMARY, Icon.KEY), Button(Kind.LINK)
        self._inner = row(self, 22)
        self._inner.setContentsMargins(22, 22, 22, 22)
        for picture in (self._art, self._place):
            self._inner.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        self._inner.addLayout(self._words(), 1)

    def _words(self) -> QBoxLayout:
        headline = row(spacing=8)
        headline.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        headline.addWidget(self._title, 1)
        words = column(spacing=5)
        words.addLayout(headline)
        for widget in (self._text, self._number):
            words.addWidget(widget)
        action = row()  # not by alignment, which leaves no room for a label of several lines
        action.addWidget(self.act)
        action.addStretch(1)
        words.addLayout(action)
        words.addSpacing(4)
        for widget in (self._caption, self._holder, self._details):
            words.addWidget(widget)
        words.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignLeft)
        words.addStretch(1)
        return words

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the words below the drawing where there is no room beside it."""
        narrow = self.width() < self._art.width() * _BESIDE
        directions = QBoxLayout.Direction
        self._inner.setDirection(directions.TopToBottom if narrow else directions.LeftToRight)

    def show_overview(self, overview: Overview) -> None:
        """Show the card's part of `overview`."""
        self._draw(overview.look)
        for widget, text in (
            (self._title, overview.title),
            (self._text, overview.text),
            (self._number, overview.number),
            (self._caption, overview.caption),
            (self._holder, overview.holder),
            (self._details, overview.details),
        ):
            widget.setText(text)
            widget.setVisible(bool(text))
        self.act.setVisible(overview.prominent is not None)
        if overview.prominent is not None:
            self.act.set_label(overview.prominent.label)
        self.switch.set_label(overview.switch)
        self.switch.setVisible(bool(overview.choices))

    def _draw(self, look: CardLook) -> None:
        self._place.setVisible(look in _PLACES)
        self._art.setVisible(look not in _PLACES)
        self._place.set_icon(_PLACES.get(look, Icon.CARD))
        self._art.set_look(grey=look in (CardLook.UNUSABLE, CardLook.READING), badge=_BADGES.get(look))
        self._emblem.set_look(*_SIGNS[look])
