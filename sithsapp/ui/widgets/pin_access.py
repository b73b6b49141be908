# SPDX-License-Identifier: EUPL-1.2
"""What assistive technology sees of a code entry, and how it enters a code without anybody overhearing it.

Qt's own interface of a line edit sets the whole text at once and then tells every listener on the accessibility bus
what was inserted, digits and all. This one hands a text that comes from outside to the code entry, so that the line
edit beneath never holds anything but dots; for all else it asks Qt's own.
"""

from __future__ import annotations

from PySide6.QtCore import QObject
from PySide6.QtGui import QAccessible, QAccessibleEditableTextInterface, QAccessibleInterface
from PySide6.QtWidgets import QAccessibleWidget, QLineEdit
from shiboken6 import Shiboken
from shiboken6.Shiboken import Object

_Type = QAccessible.InterfaceType
_SHOWN_DOT = "●"


class TextTaker(QLineEdit):
    """A line edit that takes what assistive technology enters by `take_text` alone."""

    def take_text(self, text: str) -> None:
        """Take the whole text anew."""
        raise NotImplementedError


class _Entering(QAccessibleEditableTextInterface):
    """Gives texts on; parts of a code that is dots to everybody cannot be changed one by one."""

    def __init__(self, edit: TextTaker) -> None:
        super().__init__()
        self._edit = edit

    def insertText(self, offset: int, text: str) -> None:
        """Take `text` as the whole code."""
        self._edit.take_text(text)

    def replaceText(self, start: int, end: int, text: str) -> None:
        """Take `text` as the whole code."""
        self._edit.take_text(text)

    def deleteText(self, start: int, end: int) -> None:
        """Forget the code."""
        self._edit.take_text("")


class _PinAccess(QAccessibleWidget):
    """A line edit's interface but for entering.

    Of Qt's own it keeps the address of the part that reads the dots, and no Python object: Qt deletes its own with
    the widget, and Python would take whatever comes to lie there next for it.
    """

    def __init__(self, edit: TextTaker, reading: int) -> None:
        """Speak for `edit`; `reading` is the address of Qt's own text interface of it."""
        super().__init__(edit, QAccessible.Role.EditableText)
        self._edit, self._reading, self._entering = edit, reading, _Entering(edit)

    def state(self) -> QAccessible.State:
        """Say that this is a field for a password."""
        state = super().state()
        for name in ("editable", "selectableText", "passwordEdit"):
            setattr(state, name, True)
        return state

    def text(self, what: QAccessible.Text) -> str:
        """Return name and description, and dots for a value."""
        return _SHOWN_DOT * len(self._edit.text()) if what is QAccessible.Text.Value else super().text(what)

    def setText(self, what: QAccessible.Text, text: str) -> None:
        """Take a value as the whole code."""
        if what is QAccessible.Text.Value:
            self._edit.take_text(text)

    def interface_cast(self, wanted: QAccessible.InterfaceType) -> object:  # type: ignore[override] # VoidPtr
        """Return the address of another interface of the entry, 0 for none."""
        if wanted is _Type.EditableTextInterface:
            return Shiboken.VoidPtr(_address(self._entering))
        return Shiboken.VoidPtr(self._reading if wanted is _Type.TextInterface else 0)


_kept: list[_PinAccess] = []
"""Qt deletes an interface with its widget; until then Python must not."""

_asking = _installed = False


def _address(thing: Object) -> int:
    return int(Shiboken.getCppPointer(thing)[0])


def _make(_key: str, thing: QObject) -> QAccessibleInterface | None:
    global _asking
    if _asking or not isinstance(thing, TextTaker):
        return None
    _asking = True  # Qt's own comes from the same question
    try:
        reading = _address(QAccessible.queryAccessibleInterface(thing).textInterface())
    finally:
        _asking = False
    made = _PinAccess(thing, reading)
    _kept.append(made)
    return made


def install() -> None:
    """Be asked for the interfaces of code entries from now on; each of them sees to that."""
    global _installed
    if not _installed:
        _installed = True
        QAccessible.installFactory(_make)
