# SPDX-License-Identifier: EUPL-1.2
"""The line that a code is typed into.

The digits live in a buffer of our own. The line edit beneath holds as many dots, so that accessibility events,
undo, selection and clipboard never have anything but dots; dots, digits and caret are painted here. A code
lives no longer than it is needed: it is wiped when taken, when cleared, and after a minute without focus.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QInputMethodEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QLineEdit, QWidget

from sithsapp.card.pin import MAX_PIN_LENGTH, Pin, is_trivial
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.quiet import QuietTime
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.pin_access import TextTaker, install

UNFOCUSED_WIPE_MS = 60_000
_DOT = "•"


class PinEdit(TextTaker):
    """Takes digits, shows dots, gives a `Pin` once.

    `count_changed(int)` after each digit, `submitted()` on Return, `foreign_sign()` when something else than
    a digit was typed, `paste_refused()` when it may not be pasted, `left()` when the focus went elsewhere.
    """

    count_changed = Signal(int)
    submitted = Signal()
    foreign_sign = Signal()
    paste_refused = Signal()
    left = Signal()

    def __init__(self, quiet: QuietTime, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._quiet = quiet
        self._digits = bytearray(MAX_PIN_LENGTH)
        self._count = 0
        self._limit = MAX_PIN_LENGTH
        self._policy = EntryPolicy()
        self._revealed = self._wrong = self._caret_on = False
        self._theme: Theme | None = None
        self._harden()
        install()
        self._forget_timer = QTimer(self, singleShot=True, interval=UNFOCUSED_WIPE_MS)
        self._forget_timer.timeout.connect(self.wipe)
        self._blink_timer = QTimer(self)
        self._blink_timer.timeout.connect(self._blink)
        self.textChanged.connect(self._entered_from_outside)

    def _harden(self) -> None:
        hints = Qt.InputMethodHint
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setInputMethodHints(
            hints.ImhHiddenText | hints.ImhSensitiveData | hints.ImhNoPredictiveText | hints.ImhDigitsOnly
        )
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setDragEnabled(False)
        self.setAcceptDrops(False)
        self.setFrame(False)

    def set_policy(self, policy: EntryPolicy) -> None:
        """Take pasted codes, and keep a code while another window is used, or not."""
        self._policy = policy

    def set_limit(self, digits: int) -> None:
        """Take at most that many digits."""
        self._limit = min(digits, MAX_PIN_LENGTH)

    def set_wrong(self, wrong: bool) -> None:
        """Draw the frame of a field whose entry was refused."""
        self._wrong = wrong
        self.update()

    def set_revealed(self, revealed: bool) -> None:
        """Paint the digits in place of the dots."""
        self._revealed = revealed
        self.update()

    @property
    def count(self) -> int:
        """How many digits are entered."""
        return self._count

    def agrees_with(self, other: PinEdit) -> bool:
        """Tell whether two entries have the same digits, in a time that says nothing; neither is copied."""
        return self._count == other._count and hmac.compare_digest(self._digits, other._digits)

    @property
    def is_trivial(self) -> bool:
        """Whether the digits are one digit repeated, or a run."""
        return is_trivial(memoryview(self._digits)[: self._count])

    def is_part_of(self, text: str) -> bool:
        """Tell whether the digits stand together in `text`, such as a personal number."""
        digits = bytes(ord(sign) for sign in text if sign in "0123456789")
        return bool(self._count) and digits.find(memoryview(self._digits)[: self._count]) >= 0

    def press(self, digit: int) -> None:
        """Take a digit from keys on the screen."""
        self._type(str(digit))

    def erase(self) -> None:
        """Take the last digit back."""
        self._erase_last(everything=False)

    def take(self) -> Pin:
        """Hand out the code and forget it; raises `SithsError(PIN_FORMAT)` if there is none."""
        taken = bytearray(memoryview(self._digits)[: self._count])
        self.wipe()
        return Pin(taken)

    def wipe(self) -> None:
        """Overwrite and forget the digits."""
        for position in range(MAX_PIN_LENGTH):
            self._digits[position] = 0
        self._forget_timer.stop()
        self._set_count(0)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and sizes."""
        self._theme = theme
        self.setFont(theme.font(TextStyle.STRONG))
        self.setFixedHeight(theme.px(52))
        self.update()

    def sizeHint(self) -> QSize:
        """Return a size that fits the longest code."""
        return QSize(240, self.height())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take digits, Backspace, Delete, Paste and Return; leave the rest to the window."""
        if event.matches(QKeySequence.StandardKey.Paste):
            self._admitted(self._paste)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._admitted(self.submitted.emit)
        elif event.key() == Qt.Key.Key_Backspace:
            self._erase_last(everything=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif event.key() == Qt.Key.Key_Delete:
            self.wipe()
        elif event.text() and event.text().isprintable():
            self._type(event.text())
        else:
            event.ignore()

    def inputMethodEvent(self, event: QInputMethodEvent) -> None:
        """Take committed digits; nothing is composed and nothing is remembered."""
        if event.commitString():
            self._type(event.commitString())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the focus; there is nothing to select."""
        self.setFocus(Qt.FocusReason.MouseFocusReason)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Select nothing."""

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Paste nothing with the middle button."""

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Select nothing."""

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the caret, and keep what was typed."""
        self._forget_timer.stop()
        self._caret_on = True
        flash = QGuiApplication.styleHints().cursorFlashTime()
        if flash > 0:
            self._blink_timer.start(flash // 2)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the caret, and forget the code if nobody comes back."""
        self._blink_timer.stop()
        self._caret_on = False
        if self._count:
            self._forget_timer.start()
        # A menu or another entry of the same window takes the focus for a reason of its own.
        if self._policy.wipe_when_left and event.reason() is Qt.FocusReason.ActiveWindowFocusReason:
            self.wipe()
        self.update()
        self.left.emit()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint frame, dots or digits, and caret."""
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_frame(painter, self._theme)
        self._paint_code(painter, self._theme)
        painter.end()

    def _paint_frame(self, painter: QPainter, theme: Theme) -> None:
        colour = "err" if self._wrong else "focus" if self.hasFocus() else "border"
        width = 2.0 if self._wrong or self.hasFocus() else 1.0
        painter.setPen(QPen(theme.colour(colour), width))
        painter.setBrush(theme.colour("surface"))
        inset = width / 2
        area = QRectF(self.rect()).adjusted(inset, inset, -inset, -inset)
        painter.drawRoundedRect(area, theme.px(8), theme.px(8))

    def _paint_code(self, painter: QPainter, theme: Theme) -> None:
        step, middle, left = theme.px(20), self.height() / 2, float(theme.px(16))
        painter.setPen(theme.colour("text"))
        font = theme.font(TextStyle.TITLE)
        painter.setFont(font)
        for position in range(self._count):
            cell = QRectF(left + position * step, 0, step, self.height())
            if self._revealed:
                painter.drawText(cell, Qt.AlignmentFlag.AlignCenter, chr(self._digits[position]))
            else:
                painter.setBrush(theme.colour("text"))
                painter.drawEllipse(cell.center(), theme.px(6), theme.px(6))
        if self._caret_on:
            x = left + self._count * step + (theme.px(3) if self._count else 0)
            reach = theme.px(12)
            painter.fillRect(QRectF(x, middle - reach, max(1, theme.px(1.4)), 2 * reach), theme.colour("text"))

    def _type(self, text: str) -> None:
        if not self._quiet.admits():
            return
        if not (text.isascii() and text.isdigit()):
            self.foreign_sign.emit()
            return
        for digit in text[: self._limit - self._count]:
            self._digits[self._count] = ord(digit)
            self._count += 1
        self._set_count(self._count)

    def _paste(self) -> None:
        if not self._policy.allow_paste:
            self.paste_refused.emit()
            return
        text = QGuiApplication.clipboard().text()
        self._type("".join(text.split()) if len(text) <= 2 * MAX_PIN_LENGTH else "?")

    def _erase_last(self, *, everything: bool) -> None:
        if everything:
            self.wipe()
        elif self._count:
            self._digits[self._count - 1] = 0
            self._set_count(self._count - 1)

    def _set_count(self, count: int) -> None:
        self._count = count
        dots = _DOT * count
        if self.text() != dots:
            self.setText(dots)
        self._caret_on = self.hasFocus()
        self.update()
        self.count_changed.emit(count)

    def take_text(self, text: str) -> None:
        """Take a whole code that assistive technology enters."""
        self.wipe()
        if text:
            self._type(text)

    def _entered_from_outside(self, text: str) -> None:
        # Nobody should come this way. Our own dots do, and need nothing.
        if text != _DOT * self._count:
            self.take_text(text)

    def _blink(self) -> None:
        self._caret_on = not self._caret_on
        self.update()

    def _admitted(self, act: Callable[[], object]) -> None:
        if self._quiet.admits():
            act()
