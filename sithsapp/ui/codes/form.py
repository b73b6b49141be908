# SPDX-License-Identifier: EUPL-1.2
"""The page where a code is changed: three entries, checked here before anything is sent to the card."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from sithsapp.card.pin import Pin
from sithsapp.ui.codes.page import EntryField, FormBody
from sithsapp.ui.elements import EntryPolicy
from sithsapp.ui.order.bodies import OrderPage
from sithsapp.ui.order.page import Action
from sithsapp.ui.quiet import QuietTime
from sithsapp.ui.theme import TextStyle
from sithsapp.ui.widgets.button import Button, Kind
from sithsapp.ui.widgets.keypad import Keypad
from sithsapp.ui.widgets.panels import Banner, Facts
from sithsapp.ui.widgets.pin_field import PinField
from sithsapp.ui.widgets.text import Text


class FormPage(OrderPage):
    """Draws a `FormBody`."""

    def __init__(self, quiet: QuietTime, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._body: FormBody | None = None
        self._insisting = False
        self._title = self.add(Text(TextStyle.DISPLAY))
        self._intro = self.add(Text(TextStyle.BODY, tone="secondary"))
        self._facts, self._banner = self.add(Facts()), self.add(Banner())
        self._on_reader = self.add(Text(TextStyle.BODY))
        self.known, self.new, self.again = (self.add(PinField(quiet, one_of_several=True)) for _ in range(3))
        self.keypad = self.add_below(Keypad())
        self._cancel, self._confirm = Button(Kind.SECONDARY), Button(Kind.PRIMARY)
        self.add_buttons(self._cancel, self._confirm)
        self._small_print = self.add_below(Text(TextStyle.SMALL, tone="secondary"))
        self._policy, self._refuse_easy = EntryPolicy(), False
        self._last = self.known
        self._connect()
        self.finish()

    @property
    def fields(self) -> tuple[PinField, PinField, PinField]:
        """The entries from top to bottom."""
        return (self.known, self.new, self.again)

    def _connect(self) -> None:
        self.acts(self._cancel, Action.CLOSE)
        self.acts(self._confirm, Action.APPROVE)
        self.known.submitted.connect(lambda: self._go_to(self.new))
        self.new.submitted.connect(lambda: self._go_to(self.again))
        self.again.submitted.connect(lambda: self.acted.emit(Action.APPROVE))
        self.new.edit.count_changed.connect(self._reconsider)
        self.keypad.pressed.connect(lambda digit: self._typed_into().edit.press(digit))
        self.keypad.erased.connect(lambda: self._typed_into().edit.erase())

    def set_tab_order(self) -> None:
        """Go through the entries to the action; to be called once the page is in its window."""
        order = [*(field.edit for field in self.fields), self._confirm, self._cancel]
        order += [field.eye for field in self.fields]
        for one, other in pairwise(order):
            QWidget.setTabOrder(one, other)

    def set_policy(self, policy: EntryPolicy, *, refuse_easy: bool) -> None:
        """Take over what settings say of codes."""
        self._policy, self._refuse_easy = policy, refuse_easy
        self.keypad.arrange(shuffled=policy.shuffled)
        for field in self.fields:
            field.set_policy(policy)

    def show_body(self, body: FormBody) -> None:
        """Show `body` with empty fields."""
        self._body, self._insisting, self._last = body, False, self.known
        self._title.setText(body.title)
        self._intro.setText(body.intro)
        self._facts.show_facts(body.facts)
        self._banner.setVisible(body.notice is not None)
        if body.notice is not None:
            self._banner.show_notice(body.notice)
        for field, content in zip(self.fields, (body.known, body.new, body.again), strict=True):
            self._fill(field, content, body.title)
        self._on_reader.setText(body.on_reader)
        self._on_reader.setVisible(bool(body.on_reader))
        for field in self.fields:
            field.setVisible(not body.on_reader)
        self.keypad.setVisible(self._policy.keypad and not body.on_reader)
        self._confirm.set_label(body.confirm)
        self._cancel.set_label(body.cancel)
        self._small_print.setText(body.small_print)
        self._small_print.setVisible(bool(body.small_print))

    def objection(self) -> str:
        """Return why the entries cannot be sent yet, having shown it at its field; empty if they can."""
        if self._body is None or self._body.on_reader:
            return ""
        for field in self.fields:
            field.tell_error("")
        return next(filter(None, (self._lengths(self._body), self._rules(self._body))), "")

    def take(self) -> tuple[Pin, Pin]:
        """Hand out the known and the new code, and forget all three entries."""
        self.again.wipe()
        return self.known.take(), self.new.take()

    def wipe(self) -> None:
        """Forget what was typed."""
        for field in self.fields:
            field.wipe()

    def first_focus(self) -> QWidget:
        """Return the first entry, or the button where there is none."""
        return self._confirm if self._body is not None and self._body.on_reader else self.known.edit

    def _fill(self, field: PinField, content: EntryField, context: str) -> None:
        show = self._policy.allow_show
        field.set_up(content.label, content.hint, content.max_length, context=context, allow_show=show)
        field.tell_error(content.error)

    def _lengths(self, body: FormBody) -> str:
        for field, content in zip(self.fields, (body.known, body.new, body.again), strict=True):
            count = field.edit.count
            if count < content.min_length:
                return self._object(field, content.too_short if count else content.empty)
        return ""

    def _rules(self, body: FormBody) -> str:
        new, rules = self.new.edit, body.rules
        if not new.agrees_with(self.again.edit):
            return self._object(self.again, rules.differ)
        if new.agrees_with(self.known.edit):
            return self._object(self.new, rules.same)
        weak = rules.easy if new.is_trivial else rules.own if new.is_part_of(rules.personal) else ""
        if not weak or (self._insisting and not self._refuse_easy):
            return ""
        self._insisting = True
        return self._object(self.new, weak if self._refuse_easy else f"{weak} {rules.insist}")

    def _object(self, field: PinField, text: str) -> str:
        field.tell_error(text)
        self._go_to(field)
        return text

    def _go_to(self, field: PinField) -> None:
        field.edit.setFocus(Qt.FocusReason.OtherFocusReason)
        self.area.ensureWidgetVisible(field)

    def _typed_into(self) -> PinField:
        focused = self.window().focusWidget()
        self._last = next((field for field in self.fields if field.edit is focused), self._last)
        return self._last

    def _reconsider(self, _count: int) -> None:
        self._insisting = False
