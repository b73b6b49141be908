# SPDX-License-Identifier: EUPL-1.2
"""The main window: navigation on the left, the chosen page on the right."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QCursor, QGuiApplication, QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QAbstractButton, QStackedWidget, QWidget

from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.main.catalogue import PAGES, Entry
from sithsapp.ui.main.host import PageHost
from sithsapp.ui.main.navigation import Navigation
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.services import Services
from sithsapp.ui.stylesheet import stylesheet
from sithsapp.ui.theme import Theme
from sithsapp.ui.widgets.ring import Ring
from sithsapp.ui.widgets.themed import apply_to_children, row

_SIZE, _SMALLEST = QSize(880, 676), QSize(640, 420)
_NARROW = 620
_SCREEN_MARGIN = 48


class MainWindow(QWidget):
    """Shows pages; each is made at its first visit. `quit_wanted()` when the app shall end."""

    quit_wanted = Signal()

    def __init__(self, services: Services, entries: Mapping[Place, Entry] | None = None) -> None:
        super().__init__(None, Qt.WindowType.Window)
        self.setObjectName("window")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._services = services
        offered = PAGES if entries is None else entries
        self._entries = {place: entry for place, entry in offered.items() if entry.is_of_use(services)}
        self._hosts: dict[Place, PageHost] = {}
        self._place = next(iter(self._entries))
        self._theme = services.theme()
        self._navigation, self._stack = Navigation(self._entries), QStackedWidget()
        layout = row(self)
        layout.addWidget(self._navigation)
        layout.addWidget(self._stack, 1)
        self._navigation.chosen.connect(self.go)
        self._navigation.quit_wanted.connect(self.quit_wanted)
        for number, place in enumerate(self._entries, 1):
            QShortcut(QKeySequence(f"Ctrl+{number}"), self, partial(self.go, place))
        self._ring = Ring(self)
        self.retranslate()
        self.apply_theme(self._theme)

    @property
    def place(self) -> Place:
        """The page in front."""
        return self._place

    def page(self, place: Place) -> QWidget | None:
        """Return a page that was visited, or None."""
        host = self._hosts.get(place)
        return host.page if host is not None else None

    def go(self, place: Place) -> None:
        """Bring a page to the front, made if this is its first visit; an unknown one changes nothing."""
        if place not in self._entries:
            return
        arrives = place is not self._place or place not in self._hosts
        host = self._hosts.get(place) or self._make(place)
        self._place = place
        self._navigation.choose(place)
        self._stack.setCurrentWidget(host)
        host.page.shown()
        self._ring.place()
        if arrives and self.isVisible():
            announce(self, host.page.title())

    def open(self, place: Place | None = None) -> None:
        """Show the window in front, on the screen of the pointer, with `place` or the page that was seen last."""
        self.go(self._place if place is None else place)
        arrives = not self.isVisible()
        if arrives:
            self._fit_screen()
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()
        if arrives:  # at the page that is shown, not at the first of the list
            self._navigation.first_focus().setFocus(Qt.FocusReason.OtherFocusReason)

    def refresh(self) -> None:
        """Let every page that was visited follow the state."""
        for host in self._hosts.values():
            host.page.refresh()

    def session_left(self) -> None:
        """Let every page that was visited give up what is open."""
        for host in self._hosts.values():
            host.page.session_left()

    def offer_quit(self, offered: bool) -> None:
        """Offer to end the app, where there is no icon whose menu does: a closed window alone does not end it."""
        self._navigation.quit.setVisible(offered)

    def show_environment(self, name: str) -> None:
        """Show the environment's badge; an empty name hides it."""
        self._navigation.show_environment(name)

    def retranslate(self) -> None:
        """Take all texts anew."""
        self.setWindowTitle(tr("SITHS eID-app"))
        self._navigation.retranslate()
        for host in self._hosts.values():
            host.retranslate()

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self._theme = theme
        self.setStyleSheet(stylesheet(theme))
        apply_to_children(self, theme)
        if not self.isVisible():
            self._fit_screen()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the pages enough room."""
        self._navigation.set_compact(self.width() < self._theme.px(_NARROW))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Return press the focused button and Escape close the window."""
        focused = self.focusWidget()
        if event.key() == Qt.Key.Key_Escape:
            self.close()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and isinstance(focused, QAbstractButton):
            focused.click()
        else:
            super().keyPressEvent(event)

    def _make(self, place: Place) -> PageHost:
        host = self._hosts[place] = PageHost(self._entries[place].make(self._services))
        self._stack.addWidget(host)
        apply_to_children(host, self._theme)
        host.apply_theme(self._theme)
        host.retranslate()
        host.page.refresh()
        host.area.verticalScrollBar().valueChanged.connect(self._ring.place)
        return host

    def _fit_screen(self) -> None:
        """Take the size of the design, or what the screen has of it, in the screen's upper part."""
        screen = QGuiApplication.screenAt(QCursor.pos()) or QGuiApplication.primaryScreen()
        free = screen.availableGeometry()
        room = QSize(free.width(), free.height() - _SCREEN_MARGIN)
        self.setMinimumSize(self._scaled(_SMALLEST).boundedTo(room))
        self.resize(self._scaled(_SIZE).boundedTo(room))
        left = free.x() + (free.width() - self.width()) // 2
        self.move(left, free.y() + (room.height() - self.height()) // 3)

    def _scaled(self, size: QSize) -> QSize:
        return QSize(self._theme.px(size.width()), self._theme.px(size.height()))
