# SPDX-License-Identifier: EUPL-1.2
"""A code goes in, a `Pin` comes out, and nothing of it is anywhere else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleInterface,
    QContextMenuEvent,
    QDropEvent,
    QGuiApplication,
    QInputMethodEvent,
    QKeySequence,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QScrollArea, QScrollBar
from pytestqt.qtbot import QtBot

from sithsapp.card.pin import Pin
from sithsapp.failures import Failure, SithsError
from sithsapp.ui.quiet import QUIET_SECONDS, QuietTime
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets.pin_edit import UNFOCUSED_WIPE_MS, PinEdit
from sithsapp.ui.widgets.pin_field import PinField

SECRET = "804913"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def field(qtbot: QtBot, clock: Clock) -> PinField:
    made = PinField(QuietTime(clock))
    qtbot.addWidget(made)
    for child in (made, made.edit, made.eye):
        child.apply_theme(Theme(LIGHT))
    made.set_up("Identification code", "6–8 digits", 8, context="Journalen asks you to identify yourself")
    made.show()
    made.edit.setFocus()
    return made


@pytest.fixture
def edit(field: PinField) -> PinEdit:
    return field.edit


def _digits(pin: Pin) -> bytes:
    with pin.once() as digits:
        return bytes(digits)


def test_typed_digits_come_out_once(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    assert edit.count == 6
    assert _digits(edit.take()) == SECRET.encode()
    assert edit.count == 0


def test_taking_nothing_is_refused(edit: PinEdit) -> None:
    with pytest.raises(SithsError) as refused:
        edit.take()
    assert refused.value.failure is Failure.PIN_FORMAT


def test_the_widget_holds_only_dots(field: PinField, edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    field.eye.click()
    assert edit.text() == "••••••"
    assert edit.displayText() == "●" * 6
    everything = " ".join((edit.accessibleName(), edit.accessibleDescription(), edit.toolTip(), repr(edit.__dict__)))
    assert SECRET not in everything.replace(repr(edit._digits), "")


def test_accessibility_sees_only_dots(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    interface = QAccessible.queryAccessibleInterface(edit)
    assert interface is not None
    assert interface.state().passwordEdit
    seen = [interface.text(kind) for kind in QAccessible.Text]
    assert not any(sign.isdigit() for text in seen for sign in text if "entered" not in text)
    assert interface.text(QAccessible.Text.Value) in ("••••••", "●●●●●●")


def test_the_description_counts_digits_and_says_who_asks(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    assert "6 of at most 8 digits entered" in edit.accessibleDescription()
    assert "Journalen asks you" in edit.accessibleDescription()


@pytest.mark.parametrize(
    "keys", [QKeySequence.StandardKey.SelectAll, QKeySequence.StandardKey.Copy, QKeySequence.StandardKey.Cut]
)
def test_the_clipboard_gets_nothing(field: PinField, edit: PinEdit, keys: QKeySequence.StandardKey) -> None:
    clipboard = QGuiApplication.clipboard()
    clipboard.setText("before")
    QTest.keyClicks(edit, SECRET)
    field.eye.click()
    for pressed in (QKeySequence.StandardKey.SelectAll, keys):
        QTest.keySequence(edit, QKeySequence(pressed))
    edit.copy()
    edit.cut()
    assert clipboard.text() == "before"
    assert not edit.hasSelectedText()


def test_digits_can_be_pasted(edit: PinEdit) -> None:
    QGuiApplication.clipboard().setText(f" {SECRET[:3]} {SECRET[3:]}\n")
    QTest.keySequence(edit, QKeySequence(QKeySequence.StandardKey.Paste))
    assert _digits(edit.take()) == SECRET.encode()


@pytest.mark.parametrize("text", ["12a456", "", "1" * 5000, "٣٣٣٣٣٣"])
def test_other_things_cannot_be_pasted(edit: PinEdit, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    QTest.keySequence(edit, QKeySequence(QKeySequence.StandardKey.Paste))
    assert edit.count == 0


def test_undo_brings_nothing_back(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    edit.wipe()
    QTest.keySequence(edit, QKeySequence(QKeySequence.StandardKey.Undo))
    edit.undo()
    assert edit.count == 0
    assert not edit.isUndoAvailable()


def test_no_menu_no_drag_no_drop(edit: PinEdit) -> None:
    event = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, QPoint(5, 5), edit.mapToGlobal(QPoint(5, 5)))
    QApplication.sendEvent(edit, event)
    assert QApplication.activePopupWidget() is None
    data = QMimeData()
    data.setText(SECRET)
    left = Qt.MouseButton.LeftButton
    drop = QDropEvent(QPointF(5, 5), Qt.DropAction.CopyAction, data, left, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(edit, drop)
    assert edit.count == 0
    assert not edit.dragEnabled()
    assert not edit.acceptDrops()


def test_a_mouse_selects_nothing_and_middle_click_pastes_nothing(edit: PinEdit) -> None:
    QGuiApplication.clipboard().setText(SECRET)
    QTest.keyClicks(edit, "123")
    QTest.mouseDClick(edit, Qt.MouseButton.LeftButton)
    QTest.mouseClick(edit, Qt.MouseButton.MiddleButton)
    assert not edit.hasSelectedText()
    assert edit.count == 3


def test_input_methods_give_digits_and_compose_nothing(edit: PinEdit) -> None:
    event = QInputMethodEvent("99", [])
    event.setCommitString("80")
    QApplication.sendEvent(edit, event)
    assert _digits(edit.take()) == b"80"
    assert edit.inputMethodHints() & Qt.InputMethodHint.ImhSensitiveData


def test_assistive_technology_can_set_the_code(edit: PinEdit) -> None:
    edit.setText(SECRET)
    assert edit.text() == "••••••"
    assert _digits(edit.take()) == SECRET.encode()


def _set_value(interface: QAccessibleInterface) -> None:
    interface.setText(QAccessible.Text.Value, SECRET)


def _replace_text(interface: QAccessibleInterface) -> None:
    interface.editableTextInterface().replaceText(0, 2, SECRET)


def _insert_text(interface: QAccessibleInterface) -> None:
    interface.editableTextInterface().insertText(0, SECRET)


@pytest.mark.parametrize("enter", [_set_value, _replace_text, _insert_text])
def test_a_code_from_assistive_technology_never_stands_in_the_line(
    edit: PinEdit, enter: Callable[[QAccessibleInterface], None]
) -> None:
    """What stands there for a moment is told to every listener on the accessibility bus."""
    stood: list[str] = []
    QTest.keyClicks(edit, "12")
    edit.textChanged.connect(stood.append)
    enter(QAccessible.queryAccessibleInterface(edit))
    assert set("".join(stood)) == {"•"}
    assert _digits(edit.take()) == SECRET.encode()


def test_assistive_technology_can_erase_the_code(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    QAccessible.queryAccessibleInterface(edit).editableTextInterface().deleteText(0, 6)
    assert edit.count == 0


def test_assistive_technology_is_told_what_the_field_is(edit: PinEdit) -> None:
    interface = QAccessible.queryAccessibleInterface(edit)
    assert interface.role() is QAccessible.Role.EditableText
    state = interface.state()
    assert (state.passwordEdit, state.editable, state.focusable) == (1, 1, 1)
    assert interface.textInterface().characterCount() == 0
    assert interface.valueInterface() is None


def test_entries_that_have_gone_leave_nothing_where_other_things_come_to_lie(qapp: QApplication) -> None:
    """Python once took new scroll bars for accessibility interfaces that Qt had deleted with their widgets."""
    for _ in range(300):
        entry = PinField(QuietTime())
        interface = QAccessible.queryAccessibleInterface(entry.edit)
        assert interface.textInterface().characterCount() == 0
        del interface
        entry.deleteLater()
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        areas = [QScrollArea() for _ in range(6)]
        assert all(isinstance(area.verticalScrollBar(), QScrollBar) for area in areas)
        for area in areas:
            area.deleteLater()
        qapp.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_letters_are_answered_in_words(field: PinField, edit: PinEdit) -> None:
    QTest.keyClicks(edit, "a")
    assert edit.count == 0
    assert "The code has digits only" in edit.accessibleDescription()


def test_backspace_takes_one_and_delete_all(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    QTest.keyClick(edit, Qt.Key.Key_Backspace)
    assert edit.count == 5
    assert bytes(edit._digits[5:]) == bytes(11)
    QTest.keyClick(edit, Qt.Key.Key_Delete)
    assert edit.count == 0
    assert not any(edit._digits)


def test_wiping_overwrites_the_buffer(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    buffer = edit._digits
    edit.wipe()
    assert not any(buffer)


def test_taking_overwrites_the_buffer(edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    buffer = edit._digits
    edit.take().wipe()
    assert not any(buffer)


def test_no_more_than_the_card_takes(edit: PinEdit) -> None:
    QTest.keyClicks(edit, "1234567890")
    assert edit.count == 8


def test_return_submits(qtbot: QtBot, edit: PinEdit) -> None:
    with qtbot.waitSignal(edit.submitted, timeout=1000):
        QTest.keyClick(edit, Qt.Key.Key_Return)


def test_nothing_is_taken_before_the_window_has_settled(qtbot: QtBot, edit: PinEdit, clock: Clock) -> None:
    edit._quiet.begin()
    clock.now += QUIET_SECONDS - 0.01
    QTest.keyClicks(edit, SECRET)
    with qtbot.assertNotEmitted(edit.submitted):
        QTest.keyClick(edit, Qt.Key.Key_Return)
    assert edit.count == 0
    clock.now += QUIET_SECONDS
    QTest.keyClicks(edit, SECRET)
    assert edit.count == 6


def test_somebody_who_goes_on_typing_is_not_heard_either(edit: PinEdit, clock: Clock) -> None:
    edit._quiet.begin()
    for _ in range(20):
        clock.now += QUIET_SECONDS / 3
        QTest.keyClicks(edit, "1")
    assert edit.count == 0


def test_a_minute_without_focus_wipes(qtbot: QtBot, field: PinField, edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    other = QLineEdit()
    qtbot.addWidget(other)
    assert edit._forget_timer.interval() == UNFOCUSED_WIPE_MS
    edit.clearFocus()
    assert edit._forget_timer.isActive()
    edit._forget_timer.timeout.emit()
    assert edit.count == 0


def test_coming_back_in_time_keeps_the_code(field: PinField, edit: PinEdit) -> None:
    QTest.keyClicks(edit, SECRET)
    edit.clearFocus()
    edit.setFocus()
    assert not edit._forget_timer.isActive()
    assert edit.count == 6


def test_looking_at_the_code_can_be_forbidden(field: PinField) -> None:
    field.set_up("Identification code", "6–8 digits", 8, allow_show=False)
    assert not field.eye.isVisible()


def test_a_new_entry_hides_the_code_again(field: PinField, edit: PinEdit) -> None:
    field.eye.click()
    assert field.eye.accessibleName() == "Hide the code"
    field.set_up("Identification code", "6–8 digits", 8)
    assert field.eye.accessibleName() == "Show the code"
    assert not edit._revealed


def test_looking_ends_when_the_field_loses_the_focus(qtbot: QtBot, field: PinField, edit: PinEdit) -> None:
    field.eye.click()
    assert edit._revealed
    edit.clearFocus()
    qtbot.waitUntil(lambda: not edit._revealed, timeout=2000)


def test_looking_goes_on_while_the_eye_has_the_focus(qtbot: QtBot, field: PinField, edit: PinEdit) -> None:
    qtbot.waitUntil(field.isActiveWindow, timeout=2000)
    field.eye.setFocus()
    field.eye.click()
    QApplication.processEvents()
    assert edit._revealed
