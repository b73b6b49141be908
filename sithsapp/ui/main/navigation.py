# SPDX-License-Identifier: EUPL-1.2
"""The navigation column: the app's name, the environment, the pages and the version."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QLabel, QSizePolicy, QWidget

from sithsapp import __version__
from sithsapp.locale import tr
from sithsapp.ui.app_icon import paint_mark
from sithsapp.ui.main.catalogue import Entry
from sithsapp.ui.main.place import Place
from sithsapp.ui.order.header import Pill
from sithsapp.ui.theme import TextStyle, Theme
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row

_WIDTH, _COMPACT_WIDTH = 224, 76
_MARK, _MARGIN = 30, 12
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class Navigation(Frame):
    """The pages as buttons of which one is chosen. `chosen(Place)` when another one is wanted.

    `quit_wanted()` when the app shall end: offered where there is no icon whose menu does.
    """

    chosen = Signal(object)
    quit_wanted = Signal()

    def __init__(self, entries: Mapping[Place, Entry], parent: QWidget | None = None) -> None:
        super().__init__("navigation", parent)
        self._entries = dict(entries)
        self._mark, self._name = QLabel(), Text(TextStyle.STRONG)
        self._environment = Pill()
        self._version = Text(TextStyle.SMALL, tone="secondary")
        self.quit = Button(Kind.LINK)
        self.quit.clicked.connect(self.quit_wanted)
        self.quit.hide()
        self._group = QButtonGroup(self)
        self._compact = self._marking = False
        self._theme: Theme | None = None
        self._buttons = {place: self._offer(place, entry) for place, entry in self._entries.items()}
        self._lay_out()

    def _offer(self, place: Place, entry: Entry) -> Button:
        button = Button(Kind.NAVIGATION, entry.icon)
        button.setCheckable(True)
        button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        button.setAutoExclusive(True)  # so that a screen reader calls it one of several, not a box to tick
        # Assistive technology chooses without a click.
        button.toggled.connect(lambda checked: self._toggled(place, checked=checked))
        self._group.addButton(button)
        return button

    def _lay_out(self) -> None:
        head = row(spacing=10)
        head.setContentsMargins(10, 0, 0, 0)
        head.addWidget(self._mark)
        head.addWidget(self._name, 1)
        layout = column(self, 4)
        layout.setContentsMargins(_MARGIN, 22, _MARGIN, 16)
        layout.addLayout(head)
        badge = row()
        badge.setContentsMargins(10, 6, 0, 0)
        badge.addWidget(self._environment, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addLayout(badge)
        layout.addSpacing(10)
        for button in self._buttons.values():
            layout.addWidget(button)
        layout.addStretch(1)
        foot = column(spacing=4)
        foot.setContentsMargins(10, 0, 0, 0)
        foot.addWidget(self.quit, 0, Qt.AlignmentFlag.AlignLeft)
        foot.addWidget(self._version)
        layout.addLayout(foot)

    def show_environment(self, name: str) -> None:
        """Show the environment's badge; an empty name hides it."""
        self._environment.show_text(name, "warning")

    def _toggled(self, place: Place, *, checked: bool) -> None:
        if checked and not self._marking:
            self.chosen.emit(place)

    def choose(self, place: Place) -> None:
        """Mark `place` as the page in front."""
        self._marking = True
        self._buttons[place].setChecked(True)
        self._marking = False
        for button in self._buttons.values():
            button.set_chosen(button.isChecked())

    def set_compact(self, compact: bool) -> None:
        """Show icons alone, where a window is too narrow for their names."""
        if compact is self._compact or self._theme is None:
            return
        self._compact = compact
        for text in (self._name, self._version):
            text.setVisible(not compact)
        self._label()
        self.apply_theme(self._theme)

    def first_focus(self) -> QWidget:
        """Return the button of the page in front."""
        return next((button for button in self._buttons.values() if button.isChecked()), self)

    def retranslate(self) -> None:
        """Take the texts of the language in use."""
        self._name.setText(tr("SITHS eID-app"))
        self.quit.set_label(tr("Quit"))
        self._version.setText(tr("Version {version}").format(version=__version__))
        self._label()

    def _label(self) -> None:
        for number, (place, entry) in enumerate(self._entries.items(), 1):
            button = self._buttons[place]
            button.set_label(entry.name())
            button.setToolTip(f"{entry.name()} (Ctrl+{number})")
            if self._compact:
                button.setText("")
        self._fit()

    def _fit(self) -> None:
        """Be as wide as the longest name needs."""
        if self._theme is None:
            return
        margins = self.contentsMargins().left() + self.contentsMargins().right() + 2 * _MARGIN
        longest = max((button.sizeHint().width() for button in self._buttons.values()), default=0) + margins
        self.setFixedWidth(self._theme.px(_COMPACT_WIDTH) if self._compact else max(self._theme.px(_WIDTH), longest))

    def apply_theme(self, theme: Theme) -> None:
        """Take over the sizes."""
        self._theme = theme
        for button in self._buttons.values():  # their fonts and padding say how wide the column must be
            button.ensurePolished()
            button.apply_theme(theme)
        self._fit()
        size = theme.px(_MARK)
        ratio = self.devicePixelRatioF()
        mark = paint_mark(round(size * ratio))
        mark.setDevicePixelRatio(ratio)
        self._mark.setPixmap(mark)
        self._mark.setFixedSize(QSize(size, size))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go up and down among the pages with the arrow keys."""
        buttons = list(self._buttons.values())
        position = next((number for number, button in enumerate(buttons) if button.hasFocus()), None)
        step = _STEPS.get(Qt.Key(event.key()))
        if position is None or step is None:
            super().keyPressEvent(event)
            return
        number = (position + step) % len(buttons)
        buttons[number].setFocus(Qt.FocusReason.OtherFocusReason)
        buttons[number].click()
