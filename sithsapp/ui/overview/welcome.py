# SPDX-License-Identifier: EUPL-1.2
"""The short guide that is seen once, at the top of the overview: three steps, which can be skipped."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from sithsapp.locale import tr
from sithsapp.ui.announce import announce
from sithsapp.ui.icons import Icon
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.button_row import ButtonRow
from sithsapp.ui.widgets.pictures import Emblem
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.themed import Frame, column, row


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the guide."""

    icon: Icon
    title: str
    text: str


def steps() -> tuple[Step, ...]:
    """Return the steps in the language in use."""
    return (
        Step(
            Icon.CARD,
            tr("Insert your card"),
            tr("Connect a card reader and insert your SITHS card. This page says in one sentence how it is."),
        ),
        Step(
            Icon.PERSON,
            tr("Answer only what you have started yourself"),
            tr("When a service asks you to identify yourself, a window says which one. Enter your code there."),
        ),
        Step(
            Icon.KEY,
            tr("Look after your codes here"),
            tr("Change them or unlock them below. Help and logs says what is wrong, if anything is."),
        ),
    )


class Welcome(Frame):
    """Shows the steps one by one, and is gone after the last one."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("card", parent)
        self._number = 0
        self._emblem = Emblem(Icon.CARD, 44, round_field=True)
        self._count, self._title = Text(TextStyle.SMALL, tone="secondary"), Text(TextStyle.TITLE)
        self._text = Text(TextStyle.BODY, tone="secondary")
        self.skip, self.next = Button(Kind.SECONDARY), Button(Kind.PRIMARY)
        words = column(spacing=5)
        for widget in (self._count, self._title, self._text):
            words.addWidget(widget)
        words.addSpacing(8)
        words.addWidget(ButtonRow(self.skip, self.next))
        layout = row(self, 18)
        layout.setContentsMargins(22, 18, 22, 18)
        layout.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignTop)
        layout.addLayout(words, 1)
        self.skip.clicked.connect(self.hide)
        self.next.clicked.connect(self._go_on)
        self.retranslate()

    def retranslate(self) -> None:
        """Show the same step in the language in use."""
        found = steps()
        step, last = found[self._number], self._number == len(found) - 1
        self._emblem.set_look(step.icon, "primary_text", "primary_soft")
        self._count.setText(tr("Step {n} of {count}").format(n=self._number + 1, count=len(found)))
        self._title.setText(step.title)
        self._text.setText(step.text)
        self.skip.set_label(tr("Skip"))
        self.skip.setVisible(not last)
        self.next.set_label(tr("Done") if last else tr("Next"))

    def _go_on(self) -> None:
        if self._number + 1 == len(steps()):
            self.hide()
            return
        self._number += 1
        self.retranslate()
        announce(self, f"{self._title.text()}. {self._text.text()}")
