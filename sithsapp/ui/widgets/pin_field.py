# SPDX-License-Identifier: EUPL-1.2
"""A labelled code entry: the line, a way to look at the code, and a line of help or error beneath."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from sithsapp.card.pin import Pin
from sithsapp.locale import tr
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.icons import Icon
from sithsapp.ui.quiet import QuietTime
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.pin_edit import PinEdit
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import column, row, set_tone


class PinField(QWidget):
    """One code entry. `submitted()` on Return; `message_changed(str)` when an error is told."""

    submitted = Signal()
    message_changed = Signal(str)

    def __init__(self, quiet: QuietTime, parent: QWidget | None = None, *, one_of_several: bool = False) -> None:
        """Make an entry; `one_of_several` stands beside others, so that its eye is named after it."""
        super().__init__(parent)
        self._is_one_of_several = one_of_several
        self._label = Text(TextStyle.LABEL)
        self.edit = PinEdit(quiet)
        self.eye = Button(Kind.ICON, Icon.EYE, self.edit)
        self._emblem = Emblem(Icon.ALERT, 16)
        self._message = Text(TextStyle.SMALL, tone="secondary")
        self._hint = self._context = ""
        self._limit = 0
        self._revealed = False
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        self._label.setBuddy(self.edit)
        self._emblem.set_look(Icon.ALERT, "err")
        message = row(spacing=6)
        message.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        message.addWidget(self._message, 1)
        layout = column(self, 6)
        layout.addWidget(self._label)
        layout.addWidget(self.edit)
        layout.addLayout(message)
        self.eye.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def _connect(self) -> None:
        self.edit.count_changed.connect(self._describe)
        self.edit.submitted.connect(self.submitted)
        self.edit.foreign_sign.connect(lambda: self.tell_error(tr("The code has digits only.")))
        self.edit.paste_refused.connect(lambda: self.tell_error(tr("A code cannot be pasted here.")))
        self.eye.clicked.connect(lambda: self._reveal(not self._revealed))
        self.edit.left.connect(self._hide_unless_looking, Qt.ConnectionType.QueuedConnection)

    def set_up(self, label: str, hint: str, limit: int, *, context: str = "", allow_show: bool = True) -> None:
        """Begin a new entry. `context` is what a screen reader says besides, when the field gets the focus."""
        self.edit.wipe()
        self.edit.set_limit(limit)
        self._label.setText(label)
        self.edit.setAccessibleName(label)
        self._hint, self._context, self._limit = hint, context, limit
        self.eye.setVisible(allow_show)
        self._reveal(False)
        self.tell_error("")

    def set_policy(self, policy: EntryPolicy) -> None:
        """Let the person see and paste the code, or not."""
        self.edit.set_policy(policy)
        self.eye.setVisible(policy.allow_show)
        self._reveal(False)

    def tell_error(self, text: str) -> None:
        """Show an error in place of the hint, or the hint if `text` is empty."""
        self._message.setText(text or self._hint)
        set_tone(self._message, "error" if text else "secondary")
        self._emblem.setVisible(bool(text))
        self.edit.set_wrong(bool(text))
        self._describe(self.edit.count)
        if text:
            self.message_changed.emit(text)

    def take(self) -> Pin:
        """Hand out the code; raises `SithsError(PIN_FORMAT)` if there is none."""
        self._reveal(False)
        return self.edit.take()

    def wipe(self) -> None:
        """Forget what was typed."""
        self._reveal(False)
        self.edit.wipe()

    def apply_theme(self, theme: Theme) -> None:
        """Keep the eye inside the line."""
        self._place_eye()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the eye inside the line."""
        self._place_eye()

    def _place_eye(self) -> None:
        size = self.eye.sizeHint()
        margin = (self.edit.height() - size.height()) // 2
        self.eye.setGeometry(self.width() - size.width() - margin, margin, size.width(), size.height())

    def _hide_unless_looking(self) -> None:
        # Queued, because only then it is known where the focus went: the eye itself may have it.
        if not self.edit.hasFocus() and not self.eye.hasFocus():
            self._reveal(False)

    def _reveal(self, revealed: bool) -> None:
        self._revealed = revealed
        self.edit.set_revealed(revealed)
        self.eye.set_icon(Icon.EYE_OFF if revealed else Icon.EYE)
        name = tr("Hide the code") if revealed else tr("Show the code")
        self.eye.setAccessibleName(f"{name} ({self._label.text()})" if self._is_one_of_several else name)
        self.eye.setToolTip(name)

    def _describe(self, count: int) -> None:
        entered = tr("{n} of at most {max} digits entered").format(n=count, max=self._limit)
        parts = (self._context, self._message.text(), entered)
        self.edit.setAccessibleDescription(". ".join(part.rstrip(".") for part in parts if part))
