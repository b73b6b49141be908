# SPDX-License-Identifier: EUPL-1.2
"""The order window's page on which a code is typed. A module of its own, so that a window can come before it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from sithsapp.ui.elements import Accent, EntryPolicy
from sithsapp.ui.icons import Icon
from sithsapp.ui.order.bodies import OrderPage, approve_kind
from sithsapp.ui.order.page import (
    Action,
    CodeBody,
    Header,
)
from sithsapp.ui.quiet import QuietTime
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.keypad import Keypad
from sithsapp.ui.widgets.panels import Banner, Facts, IdentityPanel, ReadingBox
from sithsapp.ui.widgets.pin_field import PinField
from sithsapp.ui.widgets.text import Text

_READINGS = 2
_SCROLL_KEYS = {Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Up, Qt.Key.Key_Down}


class CodePage(OrderPage):
    """Draws a `CodeBody`. `chosen(Choice)` when another card was picked; `told(str)` when an error is shown."""

    chosen = Signal(object)
    told = Signal(str)

    def __init__(self, quiet: QuietTime, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._body: CodeBody | None = None
        self._facts = self.add(Facts())
        self._banner = self.add(Banner())
        self._readings = [self.add(ReadingBox()) for _ in range(_READINGS)]
        self._identity = self.add(IdentityPanel())
        self.field = self.add_below(PinField(quiet))
        self._on_reader = self.add_below(Text(TextStyle.BODY))
        self._keypad = self.add_below(Keypad())
        self._policy = EntryPolicy()
        self.decline = Button(Kind.SECONDARY)
        self.approve = Button(Kind.PRIMARY)
        self.add_buttons(self.decline, self.approve)
        self._small_print = self.add_below(Text(TextStyle.SMALL, tone="secondary"))
        self._report = Button(Kind.LINK, Icon.FLAG)
        self._reference = Text(TextStyle.SMALL, tone="secondary")
        self.add_last_line(self._report, self._reference)
        self._connect()
        self.finish()

    def _connect(self) -> None:
        self.acts(self.decline, Action.DECLINE)
        self.acts(self.approve, Action.APPROVE)
        self.field.submitted.connect(lambda: self.acted.emit(Action.APPROVE))
        self.field.message_changed.connect(self.told)
        self._keypad.pressed.connect(self.field.edit.press)
        self._keypad.erased.connect(self.field.edit.erase)
        self._identity.chosen.connect(self.chosen)

    def set_policy(self, policy: EntryPolicy) -> None:
        """Take over what settings say of the entry."""
        self._policy = policy
        self.field.set_policy(policy)

    def set_tab_order(self) -> None:
        """Go from text to code, action, way out and the rest; to be called once the page is in its window."""
        boxes = [reading.box for reading in self._readings]
        order = [*boxes, self.field, self.approve, self.decline, self.field.eye, self._identity.switch]
        for one, other in zip(order, [*order[1:], self._report], strict=True):
            QWidget.setTabOrder(one, other)

    def show_body(self, body: CodeBody, header: Header | None) -> None:
        """Show `body` with an empty field."""
        self._body = body
        self._facts.show_facts(body.facts)
        self._banner.setVisible(bool(body.notices))
        for notice in body.notices:
            self._banner.show_notice(notice)
        for number, box in enumerate(self._readings):
            box.setVisible(number < len(body.readings))
            if number < len(body.readings):
                box.show_reading(body.readings[number])
        self._identity.show_identity(body.identity)
        context = header.sentence if header is not None else ""
        show = self._policy.allow_show
        self.field.set_up(body.label, body.hint, body.max_length, context=context, allow_show=show)
        self._keypad.arrange(shuffled=self._policy.shuffled)
        self.field.tell_error(body.error)
        self.field.setVisible(not body.on_reader)
        self._on_reader.setText(body.on_reader)
        self._on_reader.setVisible(bool(body.on_reader))
        self._keypad.setVisible(self._policy.keypad and not body.on_reader)
        self.approve.set_kind(approve_kind(header.accent if header is not None else Accent.AUTH))
        self.approve.set_label(body.approve)
        self.decline.set_label(body.decline)
        self._small_print.setText(body.small_print)
        self._report.set_label(body.report)
        self._report.setVisible(bool(body.report))
        self._reference.setText(body.reference)
        self._reference.setVisible(bool(body.reference))

    def objection(self) -> str:
        """Return why the entry cannot be sent yet, having shown it; empty if it can."""
        if self._body is None:
            return ""
        for reading in self._readings:
            reading.check_end()
        unread = next((box for box in self._readings if not box.was_read and not box.isHidden()), None)
        if unread is not None:
            unread.remind()
            return self._body.readings[0].reminder
        if self._body.on_reader:
            return ""
        count = self.field.edit.count
        text = self._body.empty if count == 0 else self._body.too_short if count < self._body.min_length else ""
        if text:
            self.field.tell_error(text)
            self.field.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        return text

    def first_focus(self) -> QWidget:
        """Return the code entry, or the main button where the code is typed on the reader."""
        return self.approve if self._body is not None and self._body.on_reader else self.field.edit

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Scroll the text to read from the code entry, so that nobody needs the mouse."""
        box = next((box for box in self._readings if not box.isHidden()), None)
        if box is None or event.key() not in _SCROLL_KEYS:
            event.ignore()
            return
        bar = box.box.verticalScrollBar()
        step = bar.pageStep() if event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown) else bar.singleStep()
        back = event.key() in (Qt.Key.Key_PageUp, Qt.Key.Key_Up)
        bar.setValue(bar.value() + (-step if back else step))
