# SPDX-License-Identifier: EUPL-1.2
"""A window that asks a person for a decision: accent, header and one page at a time. Orders and consents are such.

It draws pages and says which action was taken; what the pages say is a presenter's, what an action means is its
subclass's.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QHideEvent

from sithsapp.card.pin import Pin
from sithsapp.settings.schema import Settings
from sithsapp.ui.announce import announce, is_heard
from sithsapp.ui.elements import Accent, Choice, EntryPolicy
from sithsapp.ui.entry_settings import entry_policy
from sithsapp.ui.order.bodies import BindingCodePage, LastTryPage, OrderPage, ProblemPage, WaitingPage
from sithsapp.ui.order.header import AccentBar, OrderHeader
from sithsapp.ui.order.page import Action, BindingCodeBody, CodeBody, LastTryBody, Page, ProblemBody, WaitingBody
from sithsapp.ui.paged import PagedWindow
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.button import Button

if TYPE_CHECKING:
    from sithsapp.ui.order.code_page import CodePage


@dataclasses.dataclass(frozen=True, slots=True)
class WindowOptions:
    """What settings say of the window.

    `done_seconds` 0 keeps the last page, `on_top` is for the other windows, `entry` for the code that is typed.
    `can_report` offers an error report where a request fails.
    """

    done_seconds: int = 3
    on_top: bool = True
    entry: EntryPolicy = dataclasses.field(default_factory=EntryPolicy)
    can_report: bool = False


def window_options(settings: Settings) -> WindowOptions:
    """Return what `settings` say of windows that ask for a decision."""
    return WindowOptions(settings.done_seconds, settings.on_top, entry_policy(settings), can_report=True)


class RequestWindow(PagedWindow):
    """Shows one `Page` at a time. What draws it is made when it is needed, so that the first page comes soon."""

    def __init__(self, theme: Theme, options: WindowOptions | None = None) -> None:
        super().__init__()
        self._page: Page | None = None
        self._build()
        self.set_options(options or WindowOptions())
        self._close_timer = QTimer(self, singleShot=True)
        self._close_timer.timeout.connect(self.hide)
        self.apply_theme(theme)

    def _build(self) -> None:
        self._bar, self._header = AccentBar(), OrderHeader()
        self._waiting = WaitingPage()
        self.build((self._bar, self._header), (self._waiting,))
        self._waiting.acted.connect(self.act)
        self._header.more_time.connect(self.ask_for_time)
        self._header.warned.connect(lambda text: announce(self, text))

    @cached_property
    def _code(self) -> CodePage:
        from sithsapp.ui.order.code_page import CodePage

        page = CodePage(self._quiet)
        self._adopt(page)
        page.set_policy(self._options.entry)
        page.set_tab_order()
        page.chosen.connect(self.choose)
        page.told.connect(lambda text: announce(self, text))
        return page

    @cached_property
    def _last_try(self) -> LastTryPage:
        page = LastTryPage()
        self._adopt(page)
        page.chosen.connect(self.choose)
        return page

    @cached_property
    def _binding(self) -> BindingCodePage:
        page = BindingCodePage()
        self._adopt(page)
        return page

    @cached_property
    def _problem(self) -> ProblemPage:
        page = ProblemPage()
        self._adopt(page)
        return page

    def _adopt(self, page: OrderPage) -> None:
        self.adopt(page)
        page.acted.connect(self.act)

    def prepare(self) -> None:
        """Make the page that is needed next, while the person waits anyway."""
        self._code.field.wipe()

    def act(self, action: Action) -> None:
        """Do what a button means."""
        raise NotImplementedError

    def choose(self, choice: Choice) -> None:
        """Take another card or certificate; windows that offer none need not."""

    def ask_for_time(self) -> None:
        """Ask for more time; windows that offer none need not."""

    def set_options(self, options: WindowOptions) -> None:
        """Go by other settings from the next page on."""
        self._options = options
        if "_code" in self.__dict__:
            self._code.set_policy(options.entry)

    def bring_forward(self) -> None:
        """Come to the front, above the other windows if the settings say so."""
        # A window that is on the screen would vanish: its place in the stack is settled before it shows.
        if not self.isVisible():
            self.setWindowFlag(Qt.WindowType.WindowStaysOnTopHint, self._options.on_top)
        super().bring_forward()

    def show_page(self, page: Page) -> None:
        """Show `page`; a body that is the same leaves what is typed alone."""
        before, self._page = self._page, page
        self.setWindowTitle(page.title)
        self._header.setVisible(page.header is not None)
        if page.header is not None:
            self._header.show_header(page.header)
        if before is None or before.body != page.body:
            self._show_body(page)
        self._use_accent(page.header.accent if page.header is not None else Accent.AUTH)

    def show_again(self, page: Page) -> None:
        """Show `page` in place of the one on screen, in the language that is chosen now."""
        self._page = None
        self.show_page(page)

    def forget_code(self) -> None:
        """Wipe a code that is being typed: the session was locked or the computer sleeps."""
        self._wipe_code()

    def entry(self) -> tuple[CodeBody, Pin | None] | None:
        """Hand out the code with the body that asked for it; None, with the reason shown, if it cannot be sent.

        The code is None where it will be typed on the reader.
        """
        body = self._page.body if self._page is not None else None
        if not isinstance(body, CodeBody) or not self._quiet.admits():
            return None
        objection = self._code.objection()
        if objection:
            announce(self, objection)
            return None
        return body, None if body.on_reader else self._code.field.take()

    def close_soon(self) -> None:
        """Leave by itself after a while where the page says so, but never from under a screen reader."""
        body = self._page.body if self._page is not None else None
        if isinstance(body, BindingCodeBody):
            self._close_timer.start(body.seconds * 1000)
        elif isinstance(body, WaitingBody) and body.closes_itself and self._options.done_seconds and not is_heard():
            self._close_timer.start(self._options.done_seconds * 1000)

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave no timer behind either."""
        self._close_timer.stop()
        super().hideEvent(event)

    def wipe(self) -> None:
        """Forget the codes that the window holds."""
        self._wipe_code()
        if "_binding" in self.__dict__:
            self._binding.forget()

    def _wipe_code(self) -> None:
        if "_code" in self.__dict__:
            self._code.field.wipe()

    def height_above(self, width: int) -> int:
        """Return the height of accent and header."""
        self._header.updateGeometry()  # or the window's layout goes on with the height that it had before
        return self._bar.height() + (0 if self._header.isHidden() else self._header.needed_height(width))

    def _use_accent(self, accent: Accent) -> None:
        """Keep to one colour in the whole window."""
        self._bar.set_accent(accent)
        self._waiting.set_accent(accent)
        for button in self.findChildren(Button):
            button.set_accent(accent)

    def _show_body(self, page: Page) -> None:
        if not isinstance(page.body, CodeBody):
            self._wipe_code()
        shown = self._fill(page)
        shown.set_top_margin(page.header is None)
        self.turn_to(shown, secret=isinstance(page.body, CodeBody))
        announce(self, page.spoken)

    def _fill(self, page: Page) -> OrderPage:
        match page.body:
            case WaitingBody():
                self._waiting.show_body(page.body, page.header)
                return self._waiting
            case CodeBody():
                self._code.show_body(page.body, page.header)
                return self._code
            case LastTryBody():
                self._last_try.show_body(page.body, page.header)
                return self._last_try
            case BindingCodeBody():
                self._binding.show_body(page.body, page.header)
                return self._binding
            case ProblemBody():
                self._problem.show_body(page.body, page.header, can_report=self._options.can_report)
                return self._problem
