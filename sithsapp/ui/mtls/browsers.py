# SPDX-License-Identifier: EUPL-1.2
"""The part of the page of programs that makes browsers ready, and opens servers in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from sithsapp.failures import Failure, SithsError
from sithsapp.ui.announce import announce
from sithsapp.ui.background import Background
from sithsapp.ui.icons import Icon
from sithsapp.ui.mtls.browsers_presenter import (
    Browsers,
    Confirmation,
    StoreRow,
    present_browsers,
    present_confirmation,
)
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.panels import Banner
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import apply_to_children, column, empty, row

if TYPE_CHECKING:
    from sithsapp.mtls.browser_trust import BrowserTrust, TrustOverview
    from sithsapp.settings.schema import Mtls
    from sithsapp.settings.store import SettingsStore

Found = "TrustOverview | SithsError | None"


class BrowsersPanel(QWidget):
    """Shows which of the user's browsers trust the local proxy; gives and takes back that trust.

    Looking and changing take seconds, so they happen in a thread; nothing is changed before the person has read what
    will be and said yes.
    """

    def __init__(self, store: SettingsStore, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._found: TrustOverview | SithsError | None = None
        self._failure: SithsError | None = None
        self._drawn: Browsers | None = None
        self._theme: Theme | None = None
        self._work, self._opening = Background(self), Background(self)
        self._work.ended.connect(self._take)
        self._opening.ended.connect(self._opened)
        self._heading, self._intro = Text(TextStyle.TITLE), Text(TextStyle.BODY, tone="secondary")
        self._banner, self._question = Banner(), ConfirmationPanel()
        self._rows, self._openers = column(spacing=4), column(spacing=4)
        self._give, self._take_back = Button(Kind.SECONDARY), Button(Kind.LINK)
        self._lay_out()
        self._give.clicked.connect(self._ask)
        self._take_back.clicked.connect(lambda: self._begin(lambda trust: trust.take_back()))
        self._question.yes.clicked.connect(lambda: self._begin(lambda trust: trust.give()))
        self._question.no.clicked.connect(self._ask_no_more)

    def _lay_out(self) -> None:
        layout = column(self, 10)
        for widget in (self._heading, self._intro, self._banner):
            layout.addWidget(widget)
        layout.addLayout(self._rows)
        layout.addWidget(self._question)
        layout.addWidget(self._give)
        layout.addWidget(self._take_back, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(self._openers)
        self._question.setVisible(False)

    def look(self) -> None:
        """See how things are, unless something is under way."""
        if self._servers and not self._work.is_running and self._question.isHidden():
            self._begin(lambda trust: trust.look())

    def draw(self) -> None:
        """Draw what is known, in the language in use; hidden where the settings name no server for browsers."""
        self.setVisible(bool(self._servers))
        shown = present_browsers(self._servers, self._found, self._failure)
        before, self._drawn = self._drawn, shown
        if shown == before:
            return
        self._heading.setText(shown.heading)
        self._intro.setText(shown.intro)
        self._banner.setVisible(shown.notice is not None)
        if shown.notice is not None:
            self._banner.show_notice(shown.notice)
        asks = not self._question.isHidden()
        for button, label in ((self._give, shown.give), (self._take_back, shown.take_back)):
            button.set_label(label)
            button.setVisible(bool(label) and not asks)
            button.setEnabled(not self._work.is_running)
        self._draw_rows(shown)

    def retranslate(self) -> None:
        """Take all texts anew."""
        self._drawn = None
        self._ask_no_more()

    def apply_theme(self, theme: Theme) -> None:
        """Remember the theme for rows that come later."""
        self._theme = theme

    @property
    def _settings(self) -> Mtls:
        return self._store.settings.mtls

    @property
    def _servers(self) -> tuple[tuple[str, str], ...]:
        return tuple((target.name, target.host) for target in self._settings.for_browsers)

    def _draw_rows(self, shown: Browsers) -> None:
        empty(self._rows)
        empty(self._openers)
        for store in shown.stores:
            self._rows.addWidget(self._themed(StoreLine(store)))
        for opener in shown.openers:
            button = Button(Kind.LINK)
            button.set_label(opener.text)
            button.clicked.connect(lambda _checked=False, name=opener.target: self._open(name))
            self._openers.addWidget(self._themed(button), 0, Qt.AlignmentFlag.AlignLeft)

    def _ask(self) -> None:
        """Say what will be done; the safe answer has the focus."""
        if self._found is None or isinstance(self._found, SithsError):
            return
        stores = [each.name for each in self._found.stores]
        confirmation = present_confirmation(self._servers, stores)
        self._question.show_confirmation(confirmation)
        self._redraw(asks=True)
        self._question.no.setFocus(Qt.FocusReason.OtherFocusReason)
        announce(self, f"{confirmation.notice.title} {confirmation.notice.text}")

    def _ask_no_more(self) -> None:
        self._redraw(asks=False)

    def _redraw(self, *, asks: bool) -> None:
        self._question.setVisible(asks)
        self._drawn = None
        self.draw()

    def _begin(self, act: Callable[[BrowserTrust], TrustOverview]) -> None:
        settings = self._settings

        def work(_tell: Callable[[object], None]) -> object:
            from sithsapp.desktop.paths import mtls_dir
            from sithsapp.mtls.browser_trust import of_this_user

            try:
                return act(of_this_user(settings, mtls_dir()))
            except SithsError as error:
                return error

        self._failure = None
        self._work.start("browser trust", work)
        self._redraw(asks=False)

    def _take(self, found: TrustOverview | SithsError | None) -> None:
        before, self._found = self._found, found or SithsError(Failure.UNKNOWN)
        self._redraw(asks=False)
        if before is not None and self._drawn is not None:
            said = self._drawn.notice.title if self._drawn.notice is not None else self._drawn.intro
            announce(self, said)

    def _open(self, name: str) -> None:
        settings = self._settings
        target = next((each for each in settings.for_browsers if each.name == name), None)
        if target is None or self._opening.is_running:
            return

        def work(_tell: Callable[[object], None]) -> object:
            from sithsapp.desktop.paths import mtls_dir
            from sithsapp.mtls.opening import browser_of_kind, open_in, way_to

            try:
                open_in(browser_of_kind(), way_to(target, mtls_dir()), settings, mtls_dir())
            except SithsError as error:
                return error
            return True

        self._opening.start("open browser", work)

    def _opened(self, outcome: object) -> None:
        self._failure = outcome if isinstance(outcome, SithsError) else None
        if outcome is None:
            self._failure = SithsError(Failure.UNKNOWN)
        self.draw()

    def _themed(self, widget: QWidget) -> QWidget:
        if self._theme is not None:
            if isinstance(widget, Button):
                widget.apply_theme(self._theme)
            apply_to_children(widget, self._theme)
        return widget


class StoreLine(QWidget):
    """One store: a sign and its words."""

    def __init__(self, store: StoreRow, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        emblem, text = Emblem(Icon.INFO, 18), Text(TextStyle.SMALL)
        emblem.set_look(*((Icon.CHECK_CIRCLE, "ok") if store.good else (Icon.INFO, "text2")))
        text.setText(store.text)
        layout = row(self, 8)
        layout.addWidget(emblem, 0, Qt.AlignmentFlag.AlignTop)
        layout.addWidget(text, 1)


class ConfirmationPanel(QWidget):
    """Draws a `Confirmation`, with its two answers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._banner = Banner()
        self.no, self.yes = Button(Kind.SECONDARY), Button(Kind.PRIMARY)
        buttons = row(spacing=12)
        buttons.addWidget(self.no, 1)
        buttons.addWidget(self.yes, 1)
        layout = column(self, 10)
        layout.addWidget(self._banner)
        layout.addLayout(buttons)

    def show_confirmation(self, confirmation: Confirmation) -> None:
        """Show what is about to be done."""
        self._banner.show_notice(confirmation.notice)
        self.no.set_label(confirmation.no)
        self.yes.set_label(confirmation.yes)
