# SPDX-License-Identifier: EUPL-1.2
"""Panels of a page: banner, facts, identity and a text to read."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QFontMetricsF, QShowEvent, QTextOption
from PySide6.QtWidgets import QGridLayout, QMenu, QPlainTextEdit, QWidget

from sithsapp.ui.elements import Choice, Fact, Identity, Notice, Reading, Severity
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.pictures import CardArt, Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row, set_tone

_SIGNS = {
    Severity.GOOD: (Icon.CHECK_CIRCLE, "ok"),
    Severity.INFO: (Icon.INFO, "info"),
    Severity.WARNING: (Icon.WARNING, "warn"),
    Severity.ERROR: (Icon.ALERT, "err"),
}
_VISIBLE_LINES = 4
_OPTIONAL_LINES = 3


class Banner(Frame):
    """A notice: icon, title and perhaps a sentence."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("banner", parent)
        self._emblem = Emblem(Icon.INFO, 20)
        self._title = Text(TextStyle.STRONG)
        self._text = Text(TextStyle.SMALL)
        words = column(spacing=2)
        words.addWidget(self._title)
        words.addWidget(self._text)
        layout = row(self, 10)
        layout.setContentsMargins(14, 12, 14, 12)
        layout.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)

    def show_notice(self, notice: Notice) -> None:
        """Show `notice`."""
        icon, colour = _SIGNS[notice.severity]
        set_tone(self, notice.severity.value)
        self._emblem.set_look(icon, colour)
        self._title.setText(notice.title)
        self._text.setText(notice.text)
        self._text.setVisible(bool(notice.text))
        self.setAccessibleName(f"{notice.title} {notice.text}".strip())


class Facts(Frame):
    """Labels and values in two columns; each value is a text of its own. `large` where they are a page's matter."""

    def __init__(self, parent: QWidget | None = None, *, large: bool = False) -> None:
        super().__init__("card" if large else "sunken", parent)
        self._grid = QGridLayout(self)
        self._style = TextStyle.BODY if large else TextStyle.SMALL
        across, down = (20, 14) if large else (14, 10)
        self._grid.setContentsMargins(across, down, across, down)
        self._grid.setHorizontalSpacing(across)
        self._grid.setVerticalSpacing(8 if large else 5)
        self._grid.setColumnStretch(1, 1)
        self._rows: list[tuple[Text, Text]] = []
        self._theme: Theme | None = None

    def show_facts(self, facts: Sequence[Fact]) -> None:
        """Show `facts` in place of those before."""
        while len(self._rows) < len(facts):
            self._add_row()
        for number, (label, value) in enumerate(self._rows):
            fact = facts[number] if number < len(facts) else Fact("", "")
            label.setText(fact.label)
            value.setText(fact.value)
            value.setAccessibleName(f"{fact.label}: {fact.value}")
            label.setVisible(bool(fact.label))
            value.setVisible(bool(fact.label))
        self.setVisible(bool(facts))

    def apply_theme(self, theme: Theme) -> None:
        """Remember the theme for rows that come later."""
        self._theme = theme

    def _add_row(self) -> None:
        label, value = Text(TextStyle.SMALL, tone="secondary"), Text(self._style)
        number = len(self._rows)
        self._grid.addWidget(label, number, 0, Qt.AlignmentFlag.AlignTop)
        self._grid.addWidget(value, number, 1)
        self._rows.append((label, value))
        if self._theme is not None:
            label.apply_theme(self._theme)
            value.apply_theme(self._theme)


class IdentityPanel(Frame):
    """Who the person acts as: the card, name and organisation. `chosen(Choice)` when another card is picked."""

    chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._caption = Text(TextStyle.SMALL, tone="secondary")
        self._name = Text(TextStyle.STRONG)
        self._details = Text(TextStyle.SMALL, tone="secondary")
        self.switch = Button(Kind.LINK)
        self._menu = QMenu(self)
        words = column(spacing=1)
        for text in (self._caption, self._name, self._details):
            words.addWidget(text)
        layout = row(self, 14)
        layout.setContentsMargins(14, 12, 12, 12)
        layout.addWidget(CardArt(72), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(words, 1)
        layout.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignVCenter)
        self.switch.clicked.connect(self._open_menu)

    def show_identity(self, identity: Identity) -> None:
        """Show `identity`; the choice is offered only where there is one."""
        self._caption.setText(identity.caption)
        self._name.setText(identity.name)
        self._details.setText("\n".join(identity.details))
        self._details.setVisible(bool(identity.details))
        self.setAccessibleName(", ".join((f"{identity.caption} {identity.name}", *identity.details)))
        self.switch.set_label(identity.switch)
        self.switch.setVisible(bool(identity.choices))
        self._menu.clear()
        for choice in identity.choices:
            self._offer(choice)

    def _offer(self, choice: Choice) -> None:
        action = self._menu.addAction(choice.label.replace("&", "&&"))
        action.setCheckable(True)
        action.setChecked(choice.current)
        action.triggered.connect(lambda: self.chosen.emit(choice))

    def _open_menu(self) -> None:
        self._menu.popup(self.switch.mapToGlobal(self.switch.rect().bottomLeft()))


class ReadingBox(QWidget):
    """A text to be read. `was_read` turns true when its end has been on screen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._title = Text(TextStyle.LABEL)
        self.box = QPlainTextEdit()
        self._reminder = Text(TextStyle.SMALL, tone="secondary")
        self.was_read = True
        self.box.setReadOnly(True)
        self.box.setTabChangesFocus(True)
        self.box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByKeyboard)
        self.box.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.box.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.box.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        layout = column(self, 6)
        for widget in (self._title, self.box, self._reminder):
            layout.addWidget(widget)
        bar = self.box.verticalScrollBar()
        bar.valueChanged.connect(self.check_end)
        bar.rangeChanged.connect(self.check_end)

    def show_reading(self, reading: Reading) -> None:
        """Show `reading` from its beginning."""
        self._title.setText(reading.title)
        self.box.setAccessibleName(reading.title)
        self.box.setAccessibleDescription(reading.reminder)
        self.box.setPlainText(reading.text)
        self._reminder.setText(reading.reminder)
        self._reminder.setVisible(bool(reading.reminder))
        set_tone(self._reminder, "secondary")
        self.was_read = not reading.reminder
        self._fit()

    def remind(self) -> None:
        """Show that the text has to be read first, and go there."""
        set_tone(self._reminder, "error")
        self.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def apply_theme(self, theme: Theme) -> None:
        """Take over the font."""
        self.box.setFont(theme.font(TextStyle.BODY))
        self._fit()

    def check_end(self) -> None:
        """Look whether the end is on screen; a text that needs no scrolling never tells by itself."""
        bar = self.box.verticalScrollBar()
        laid_out = self.box.isVisible() and self.box.height() == self.box.maximumHeight()
        if self.was_read or not laid_out or bar.value() < bar.maximum():
            return
        self.was_read = True
        self._reminder.setVisible(False)

    def showEvent(self, event: QShowEvent) -> None:
        """Look for the end once the text is laid out."""
        QTimer.singleShot(0, self, self.check_end)

    def _fit(self) -> None:
        most = _OPTIONAL_LINES if self.was_read else _VISIBLE_LINES
        lines = min(most, max(2, self.box.document().blockCount()))
        around = 2 * (self.box.frameWidth() + 10) + 2 * int(self.box.document().documentMargin())
        self.box.setFixedHeight(int(lines * QFontMetricsF(self.box.font()).lineSpacing()) + around)
