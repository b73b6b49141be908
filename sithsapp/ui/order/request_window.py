# SPDX-License-Identifier: EUPL-1.2
"""A window that asks a person for a decision: accent, header and one page at a time. Orders and consents are such.

It draws pages and says which action was taken; what the pages say is a presenter's, what an action means is its
subclass's.
"""

from __future__ import annotations

import dataclasses

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QCursor, QGuiApplication, QHideEvent, QKeyEvent, QScreen, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QDialog, QStackedWidget

from sithsapp.card.pin import Pin
from sithsapp.desktop.capture import exclude_from_capture
from sithsapp.ui.announce import announce, is_heard
from sithsapp.ui.elements import Accent, Choice
from sithsapp.ui.order.bodies import (
    BindingCodePage,
    CodePage,
    LastTryPage,
    OrderPage,
    ProblemPage,
    WaitingPage,
)
from sithsapp.ui.order.header import AccentBar, OrderHeader
from sithsapp.ui.order.page import Action, BindingCodeBody, CodeBody, LastTryBody, Page, ProblemBody, WaitingBody
from sithsapp.ui.quiet import QuietTime
from sithsapp.ui.stylesheet import stylesheet
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.button import Button
from sithsapp.ui.widgets.ring import Ring
from sithsapp.ui.widgets.themed import apply_to_children, column

_WIDTH, _MAX_HEIGHT = 456, 712
_SCREEN_MARGIN = 48


@dataclasses.dataclass(frozen=True, slots=True)
class WindowOptions:
    """What settings say of the window. `done_seconds` 0 keeps the last page."""

    allow_show_pin: bool = True
    done_seconds: int = 3


class RequestWindow(QDialog):
    """Shows one `Page` at a time, always in the same place. `closed()` when it has gone from the screen.

    Made once and used again: a window of its own for each request costs memory that never comes back.
    """

    closed = Signal()

    def __init__(self, theme: Theme, options: WindowOptions | None = None) -> None:
        super().__init__(None, Qt.WindowType.Window | Qt.WindowType.WindowStaysOnTopHint)
        self.setObjectName("window")
        self._options = options or WindowOptions()
        self._quiet = QuietTime()
        self._page: Page | None = None
        self._build()
        self._close_timer = QTimer(self, singleShot=True)
        self._close_timer.timeout.connect(self.hide)
        self.apply_theme(theme)

    def _build(self) -> None:
        self._bar, self._header, self._stack = AccentBar(), OrderHeader(), QStackedWidget()
        self._waiting, self._problem, self._binding = WaitingPage(), ProblemPage(), BindingCodePage()
        self._code, self._last_try = CodePage(self._quiet), LastTryPage()
        layout = column(self)
        layout.addWidget(self._bar)
        layout.addWidget(self._header)
        layout.addWidget(self._stack, 1)
        for page in (self._waiting, self._code, self._last_try, self._binding, self._problem):
            self._stack.addWidget(page)
            page.acted.connect(self.act)
        self._code.set_tab_order()
        self._ring = Ring(self)
        self._code.chosen.connect(self.choose)
        self._last_try.chosen.connect(self.choose)
        self._code.told.connect(lambda text: announce(self, text))
        self._code.area.verticalScrollBar().valueChanged.connect(self._ring.place)
        self._header.more_time.connect(self.ask_for_time)
        self._header.warned.connect(lambda text: announce(self, text))
        for button in self.findChildren(QAbstractButton):
            button.installEventFilter(self)

    def act(self, action: Action) -> None:
        """Do what a button means."""
        raise NotImplementedError

    def choose(self, choice: Choice) -> None:
        """Take another card or certificate; windows that offer none need not."""

    def ask_for_time(self) -> None:
        """Ask for more time; windows that offer none need not."""

    def show_page(self, page: Page) -> None:
        """Show `page`; a body that is the same leaves what is typed alone."""
        before, self._page = self._page, page
        self.setWindowTitle(page.title)
        self._header.setVisible(page.header is not None)
        if page.header is not None:
            self._header.show_header(page.header)
        self._use_accent(page.header.accent if page.header is not None else Accent.AUTH)
        if before is None or before.body != page.body:
            self._show_body(page)

    def show_again(self, page: Page) -> None:
        """Show `page` in place of the one on screen, in the language that is chosen now."""
        self._page = None
        self.show_page(page)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self._theme = theme
        self.setStyleSheet(stylesheet(theme))
        apply_to_children(self, theme)
        self._fit()

    def bring_forward(self) -> None:
        """Come to the front of the pointer's screen, and take nothing for a moment."""
        self._quiet.begin()
        self._fit()
        self._place(QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen())
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def forget_code(self) -> None:
        """Wipe a code that is being typed: the session was locked or the computer sleeps."""
        self._code.field.wipe()

    def entry(self) -> tuple[CodeBody, Pin] | None:
        """Hand out the code with the body that asked for it; None, with the reason shown, if it cannot be sent."""
        body = self._page.body if self._page is not None else None
        if not isinstance(body, CodeBody) or not self._quiet.admits():
            return None
        objection = self._code.objection()
        if objection:
            announce(self, objection)
            return None
        return body, self._code.field.take()

    def close_soon(self) -> None:
        """Leave by itself after a while where the page says so, but never from under a screen reader."""
        body = self._page.body if self._page is not None else None
        if isinstance(body, BindingCodeBody):
            self._close_timer.start(body.seconds * 1000)
        elif isinstance(body, WaitingBody) and body.closes_itself and self._options.done_seconds and not is_heard():
            self._close_timer.start(self._options.done_seconds * 1000)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Treat the title bar's close button as Escape; stay only while the card works."""
        self.reject()
        event.setAccepted(not self.isVisible())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Return press the button that has the focus, and Escape decline, once the window is settled."""
        if not self._quiet.admits():
            event.accept()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            focused = self.focusWidget()
            if isinstance(focused, QAbstractButton):
                focused.click()
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Take no key press on a button while the window has only just come up."""
        return event.type() == QEvent.Type.KeyPress and not self._quiet.admits()

    def showEvent(self, event: QShowEvent) -> None:
        """Put the focus where the page wants it: what is focused before a window shows is lost."""
        super().showEvent(event)
        self._focus()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave nothing behind: no code, no timer."""
        super().hideEvent(event)
        self._close_timer.stop()
        self._code.field.wipe()
        self._binding.forget()
        self.closed.emit()

    def _use_accent(self, accent: Accent) -> None:
        """Keep to one colour in the whole window."""
        self._bar.set_accent(accent)
        self._waiting.set_accent(accent)
        for button in self.findChildren(Button):
            button.set_accent(accent)

    def _show_body(self, page: Page) -> None:
        if not isinstance(page.body, CodeBody):
            self._code.field.wipe()
        shown = self._fill(page)
        shown.set_top_margin(page.header is None)
        self._stack.setCurrentWidget(shown)
        self._fit()
        if self.isVisible():
            self._focus()
            exclude_from_capture(int(self.winId()), isinstance(page.body, CodeBody))
        announce(self, page.spoken)

    def _fill(self, page: Page) -> OrderPage:
        match page.body:
            case WaitingBody():
                self._waiting.show_body(page.body, page.header)
                return self._waiting
            case CodeBody():
                self._code.show_body(page.body, page.header, allow_show=self._options.allow_show_pin)
                return self._code
            case LastTryBody():
                self._last_try.show_body(page.body, page.header)
                return self._last_try
            case BindingCodeBody():
                self._binding.show_body(page.body, page.header)
                return self._binding
            case ProblemBody():
                self._problem.show_body(page.body, page.header)
                return self._problem

    def _focus(self) -> None:
        page = self._stack.currentWidget()
        if isinstance(page, OrderPage):
            page.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def _fit(self) -> None:
        """Be as high as the page needs: a dialog's own adjustSize stops at two thirds of the screen."""
        page = self._stack.currentWidget()
        if not isinstance(page, OrderPage):
            return
        width = self._theme.px(_WIDTH)
        above = 0 if self._header.isHidden() else self._header.needed_height(width)
        limit = self._highest(self.screen() or QGuiApplication.primaryScreen())
        height = min(limit, self._bar.height() + above + page.needed_height(width))
        self._header.updateGeometry()  # or the window's layout goes on with the height that it had before
        self.setFixedSize(width, height)
        self._ring.place()

    def _place(self, screen: QScreen) -> None:
        # Placed for the highest page, so that no page moves the window or leaves the screen.
        free = screen.availableGeometry()
        top = max(0, (free.height() - self._highest(screen) - _SCREEN_MARGIN) // 3)
        self.move(free.x() + (free.width() - self.width()) // 2, free.y() + top)

    def _highest(self, screen: QScreen) -> int:
        return min(self._theme.px(_MAX_HEIGHT), screen.availableGeometry().height() - _SCREEN_MARGIN)
