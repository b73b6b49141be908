# SPDX-License-Identifier: EUPL-1.2
"""The small overview: the state in one sentence, the card, its holder, certificates and codes."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QWidget

from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.icons import Icon
from sithsapp.ui.order.header import Pill
from sithsapp.ui.overview.presenter import CardLook, OverviewPage
from sithsapp.ui.stylesheet import stylesheet
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.panels import Facts
from sithsapp.ui.widgets.pictures import CardArt, EmptyPlace
from sithsapp.ui.widgets.ring import Ring
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, apply_to_children, column, needed_height, row

_WIDTH = 480
_BADGES = {
    CardLook.READY: (Icon.CHECK, "ok"),
    CardLook.READING: (Icon.REFRESH, "info"),
    CardLook.WARNING: (Icon.CLOCK, "warn"),
    CardLook.LOCKED: (Icon.LOCK, "err"),
    CardLook.UNUSABLE: (Icon.WARNING, "err"),
}
_PLACES = {CardLook.NO_READER: Icon.UNPLUGGED, CardLook.NO_CARD: Icon.CARD}


class OverviewWindow(QWidget):
    """Draws an `OverviewPage`. `reread_wanted()` when the card should be read anew."""

    reread_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._page: OverviewPage | None = None
        self._art, self._place = CardArt(150), EmptyPlace(width=150)
        self._pill = Pill()
        self._title, self._text = Text(TextStyle.TITLE), Text(TextStyle.BODY, tone="secondary")
        self._number = Text(TextStyle.SMALL, tone="secondary")
        self._holder, self._details = Text(TextStyle.STRONG), Text(TextStyle.SMALL, tone="secondary")
        self._facts = Facts()
        self._reread = Button(Kind.SECONDARY, Icon.REFRESH)
        self._reread.clicked.connect(self.reread_wanted)
        self._lay_out()
        self._ring = Ring(self)
        self.apply_theme(theme)

    def _lay_out(self) -> None:
        words = column(spacing=4)
        for widget in (self._title, self._text, self._number, self._holder, self._details):
            words.addWidget(widget)
        words.addStretch(1)
        card = Frame("card")
        inner = row(card, 18)
        inner.setContentsMargins(18, 18, 18, 18)
        for picture in (self._art, self._place):
            inner.addWidget(picture, 0, Qt.AlignmentFlag.AlignTop)
        inner.addLayout(words, 1)
        layout = column(self, 14)
        layout.setContentsMargins(24, 20, 24, 24)
        layout.addWidget(self._pill, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(card)
        layout.addWidget(self._facts)
        layout.addWidget(self._reread)

    def show_page(self, page: OverviewPage) -> None:
        """Show `page`, and say its sentence if it is a new one."""
        before, self._page = self._page, page
        if page == before:
            return
        self.setWindowTitle(tr("SITHS eID-app"))
        self._pill.show_text(page.environment, "warning")
        self._draw_card(page.look)
        for widget, text in (
            (self._title, page.title),
            (self._text, page.text),
            (self._number, page.number),
            (self._holder, page.holder),
            (self._details, page.details),
        ):
            widget.setText(text)
            widget.setVisible(bool(text))
        self._facts.show_facts(page.facts)
        self._reread.set_label(page.reread)
        self._reread.setVisible(bool(page.reread))
        self._fit()
        if before is None or before.title != page.title:
            announce(self, page.title)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self._theme = theme
        self.setStyleSheet(stylesheet(theme))
        apply_to_children(self, theme)
        self._fit()

    def open(self) -> None:
        """Show the window in front, on the screen of the pointer."""
        if not self.isVisible():
            screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
            free = screen.availableGeometry()
            self.move(free.center().x() - self.width() // 2, free.y() + (free.height() - self.height()) // 3)
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Return press the focused button and Escape close the window."""
        focused = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def _draw_card(self, look: CardLook) -> None:
        self._place.setVisible(look in _PLACES)
        self._art.setVisible(look not in _PLACES)
        self._place.set_icon(_PLACES.get(look, Icon.CARD))
        self._art.set_look(grey=look in (CardLook.UNUSABLE, CardLook.READING), badge=_BADGES.get(look))

    def _fit(self) -> None:
        width = self._theme.px(_WIDTH)
        self.setFixedSize(width, needed_height(self.layout(), width))
