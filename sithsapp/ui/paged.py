# SPDX-License-Identifier: EUPL-1.2
"""A window that shows one page at a time, always in the same place, and takes nothing in its first moments."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QCloseEvent, QCursor, QGuiApplication, QHideEvent, QKeyEvent, QScreen, QShowEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QStackedWidget, QWidget

from sithsapp.desktop.capture import exclude_from_capture
from sithsapp.ui.order.bodies import OrderPage
from sithsapp.ui.quiet import QuietTime
from sithsapp.ui.stylesheet import stylesheet
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.ring import Ring
from sithsapp.ui.widgets.themed import apply_to_children, column

_WIDTH, _MAX_HEIGHT = 456, 712
_SCREEN_MARGIN = 48
_LEAST_CONTENT = 120


class PagedWindow(QDialog):
    """Base of the windows in which codes are typed. `closed()` when it has gone from the screen.

    Made once and used again: a window of its own for each request costs memory that never comes back.
    """

    closed = Signal()

    def __init__(self, flags: Qt.WindowType = Qt.WindowType.Window) -> None:
        super().__init__(None, flags)
        self.setObjectName("window")
        self._quiet = QuietTime()
        self._stack = QStackedWidget()
        self._secret = False
        self._theme: Theme

    @property
    def asks_for_code(self) -> bool:
        """Whether a code can be typed into this window now."""
        return self.isVisible() and self._secret

    def build(self, above: Iterable[QWidget], pages: Iterable[OrderPage]) -> None:
        """Lay out what stays in view and the pages below it; to be called once, when they are made."""
        layout = column(self)
        for widget in above:
            layout.addWidget(widget)
        layout.addWidget(self._stack, 1)
        self._ring = Ring(self)
        for button in self.findChildren(QAbstractButton):
            button.installEventFilter(self)
        for page in pages:
            self._take_in(page)

    def adopt(self, page: OrderPage) -> None:
        """Take in a page that was made after the window."""
        self._take_in(page)
        apply_to_children(page, self._theme)

    def _take_in(self, page: OrderPage) -> None:
        self._stack.addWidget(page)
        page.area.verticalScrollBar().valueChanged.connect(self._ring.place)
        for button in page.findChildren(QAbstractButton):
            button.installEventFilter(self)

    def height_above(self, width: int) -> int:
        """Return the height of what stays in view above the pages."""
        return 0

    def wipe(self) -> None:
        """Forget every code that is being typed; called whenever the window goes from the screen."""

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self._theme = theme
        self.setStyleSheet(stylesheet(theme))
        apply_to_children(self, theme)
        self.fit()

    def bring_forward(self) -> None:
        """Come to the front of the pointer's screen, and take nothing for a moment."""
        self._quiet.begin()
        self.fit()
        self._place(QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen())
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def turn_to(self, page: OrderPage, *, secret: bool) -> None:
        """Show `page`; a `secret` one is kept out of pictures of the screen where the system can do that."""
        self._stack.setCurrentWidget(page)
        self._secret = secret
        self.fit()
        if self.isVisible():
            self._focus()
            exclude_from_capture(int(self.winId()), secret)

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
        exclude_from_capture(int(self.winId()), self._secret)
        self._focus()

    def hideEvent(self, event: QHideEvent) -> None:
        """Leave nothing behind."""
        super().hideEvent(event)
        self.wipe()
        self.closed.emit()

    def fit(self) -> None:
        """Be as high as the page needs: a dialog's own adjustSize stops at two thirds of the screen."""
        page = self._stack.currentWidget()
        if not isinstance(page, OrderPage):
            return
        width = self._theme.px(_WIDTH)
        limit = self._highest(self.screen() or QGuiApplication.primaryScreen())
        above = self.height_above(width)
        page.make_room(width, limit - above, self._theme.px(_LEAST_CONTENT))
        height = min(limit, above + page.needed_height(width))
        self.setFixedSize(width, height)
        self._ring.place()

    def _focus(self) -> None:
        page = self._stack.currentWidget()
        if isinstance(page, OrderPage):
            page.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def _place(self, screen: QScreen) -> None:
        # Placed for the highest page, so that no page moves the window or leaves the screen.
        free = screen.availableGeometry()
        top = max(0, (free.height() - self._highest(screen) - _SCREEN_MARGIN) // 3)
        self.move(free.x() + (free.width() - self.width()) // 2, free.y() + top)

    def _highest(self, screen: QScreen) -> int:
        return min(self._theme.px(_MAX_HEIGHT), screen.availableGeometry().height() - _SCREEN_MARGIN)


def code_is_asked(besides: type[PagedWindow]) -> bool:
    """Tell whether a window asks for a code now, one of the kind `besides` left out."""
    asking = (window for window in QApplication.topLevelWidgets() if isinstance(window, PagedWindow))
    return any(window.asks_for_code and not isinstance(window, besides) for window in asking)
