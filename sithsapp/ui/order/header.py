# SPDX-License-Identifier: EUPL-1.2
"""The part of the order window that stays in view: who asks, for what, where, and for how long."""

from __future__ import annotations

import math
import time

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QWidget

from sithsapp.locale import ngettext, tr
from sithsapp.ui.elements import Accent
from sithsapp.ui.icons import Icon
from sithsapp.ui.order.page import Header
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, needed_height, row, set_tone

WARN_SECONDS = 30
OFFER_SECONDS = 60


class AccentBar(QWidget):
    """The strip of colour at the window's top edge."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._accent = Accent.AUTH
        self._theme: Theme | None = None
        self.setFixedHeight(4)

    def set_accent(self, accent: Accent) -> None:
        """Show the colour of log-in or signing."""
        self._accent = accent
        self.update()

    def apply_theme(self, theme: Theme) -> None:
        """Take over the colours."""
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Fill the strip."""
        if self._theme is not None:
            painter = QPainter(self)
            painter.fillRect(self.rect(), self._theme.accent(self._accent))
            painter.end()


class Pill(Frame):
    """A few words in a rounded field, perhaps with an icon."""

    def __init__(self, icon: Icon | None = None, parent: QWidget | None = None) -> None:
        super().__init__("pill", parent)
        self._emblem = Emblem(icon or Icon.INFO, 16)
        self._text = Text(TextStyle.LABEL)
        layout = row(self, 6)
        layout.setContentsMargins(10, 5, 12, 5)
        layout.addWidget(self._emblem)
        layout.addWidget(self._text)
        self._emblem.setVisible(icon is not None)

    def show_text(self, text: str, tone: str, icon: Icon | None = None, colour: str = "text") -> None:
        """Show `text`; an empty one hides the pill."""
        self._text.setText(text)
        set_tone(self, tone)
        set_tone(self._text, tone)
        if icon is not None:
            self._emblem.set_look(icon, colour)
        self.setVisible(bool(text))


class OrderHeader(QWidget):
    """Draws a `Header`. `more_time()` when asked for; `warned(str)` once, shortly before the end."""

    more_time = Signal()
    warned = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = Pill(Icon.PERSON)
        self._environment = Pill()
        self._left = Text(TextStyle.SMALL, tone="secondary")
        self._more = Button(Kind.LINK, Icon.CLOCK)
        self._who = Text(TextStyle.DISPLAY)
        self._wants = Text(TextStyle.BODY, tone="secondary")
        self._waiting = Text(TextStyle.SMALL, tone="warning")
        self._waiting.setVisible(False)
        self._deadline: float | None = None
        self._offer = self._warned = False
        self._timer = QTimer(self, interval=1000)
        self._timer.timeout.connect(self._tick)
        self._more.clicked.connect(self.more_time)
        self._lay_out()

    def _lay_out(self) -> None:
        top = row(spacing=8)
        top.addWidget(self._kind)
        top.addWidget(self._environment)
        top.addStretch(1)
        top.addWidget(self._more)
        top.addWidget(self._left, 0, Qt.AlignmentFlag.AlignVCenter)
        layout = column(self, 0)
        layout.setContentsMargins(24, 16, 24, 12)
        layout.addLayout(top)
        layout.addSpacing(12)
        layout.addWidget(self._who)
        layout.addWidget(self._wants)
        layout.addWidget(self._waiting)

    def show_header(self, header: Header) -> None:
        """Show `header`."""
        sign = header.accent is Accent.SIGN
        tone = "sign" if sign else "auth"
        icon, colour = (Icon.PEN, "sign_text") if sign else (Icon.PERSON, "primary_text")
        self._kind.show_text(header.kind, tone, icon, colour)
        self._environment.show_text(header.environment, "warning")
        self._who.setText(header.who)
        self._who.setAccessibleName(header.sentence)
        self._wants.setText(header.wants)
        self._more.set_label(header.more_time)
        self._offer = bool(header.more_time)
        if header.deadline != self._deadline:
            self._deadline, self._warned = header.deadline, False
        self._tick()

    def show_waiting(self, count: int) -> None:
        """Tell how many further requests wait."""
        text = ngettext("{n} more request waiting", "{n} more requests waiting", count).format(n=count)
        self._waiting.setText(text if count else "")
        self._waiting.setVisible(bool(count))

    def needed_height(self, width: int) -> int:
        """Return the height that shows everything at that width."""
        return needed_height(self.layout(), width)

    def showEvent(self, event: QShowEvent) -> None:
        """Count while visible."""
        self._tick()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop counting."""
        self._timer.stop()

    def _tick(self) -> None:
        if self._deadline is None:
            self._left.setVisible(False)
            self._more.setVisible(False)
            return
        seconds = max(0, math.ceil(self._deadline - time.monotonic()))
        minutes, rest = divmod(seconds, 60)
        self._left.setText(tr("{t} left").format(t=f"{minutes}:{rest:02}"))
        self._left.setVisible(True)
        set_tone(self._left, "warning" if seconds <= WARN_SECONDS else "secondary")
        self._more.setVisible(self._offer and seconds <= OFFER_SECONDS)
        if seconds % 10 == 0 or not self._left.accessibleName():
            spoken = tr("The request is valid for another {m} minutes and {s} seconds")
            self._left.setAccessibleName(spoken.format(m=minutes, s=rest))
        if seconds <= WARN_SECONDS and not self._warned:
            self._warned = True
            self.warned.emit(tr("The request expires in 30 seconds"))
