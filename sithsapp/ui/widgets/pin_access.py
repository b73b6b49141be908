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
    """A line edit's interface but for entering."""

    def __init__(self, edit: TextTaker, usual: QAccessibleInterface) -> None:
        super().__init__(edit, usual.role())
        self._usual, self._edit, self._entering = usual, edit, _Entering(edit)

    def state(self) -> QAccessible.State:
        """Return what Qt says of the line edit."""
        return self._usual.state()

    def text(self, what: QAccessible.Text) -> str:
        """Return what Qt says of the line edit: its value are dots."""
        return self._usual.text(what)

    def setText(self, what: QAccessible.Text, text: str) -> None:
        """Take a value as the whole code."""
        if what is QAccessible.Text.Value:
            self._edit.take_text(text)

    def interface_cast(self, wanted: QAccessible.InterfaceType) -> object:  # type: ignore[override] # VoidPtr
        """Return the address of another interface of the entry, 0 for none."""
        if wanted is _Type.EditableTextInterface:
            return _address(self._entering)
        return _address(self._usual.textInterface()) if wanted is _Type.TextInterface else Shiboken.VoidPtr(0)


_kept: list[_PinAccess] = []
"""Qt deletes an interface with its widget; until then Python must not."""

_asking = _installed = False


def _address(thing: Object) -> object:
    return Shiboken.VoidPtr(Shiboken.getCppPointer(thing)[0])


def _make(_key: str, thing: QObject) -> QAccessibleInterface | None:
    global _asking
    if _asking or not isinstance(thing, TextTaker):
        return None
    _asking = True  # Qt's own comes from the same question
    try:
        usual = QAccessible.queryAccessibleInterface(thing)
    finally:
        _asking = False
    made = _PinAccess(thing, usual)
    _kept.append(made)
    return made


def install() -> None:
    """Be asked for the interfaces of code entries from now on; each of them sees to that."""
    global _installed
    if not _installed:
        _installed = True
        QAccessible.installFactory(_make)
