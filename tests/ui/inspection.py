# SPDX-License-Identifier: EUPL-1.2
"""What is wrong with a window as it stands on the screen: cut texts, lost widgets, names, keyboard, contrast.

Each check returns a list of sentences; an empty one is good. Nothing here knows one window from another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TypeVar

from PySide6.QtCore import QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QAccessible, QGuiApplication, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QScrollArea,
    QScrollBar,
    QTextEdit,
    QWidget,
)

from sithsapp.ui.tokens import contrast

TEXT_CONTRAST = 4.5
LEAST_TARGET = 24
_LINE_STEP = 3  # stems of letters are higher
_BARS = ("qt_scrollarea_hcontainer", "qt_scrollarea_vcontainer")
_LEAVES = (QLabel, QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit, QTextEdit)
_TARGETS = (QAbstractButton, QLineEdit, QComboBox, QAbstractSpinBox)
_TABS = Qt.FocusPolicy.TabFocus.value
_Widget = TypeVar("_Widget", bound=QWidget)


def seen(window: QWidget, kind: type[_Widget]) -> list[_Widget]:
    """Return the widgets of that kind that are shown and have not been scrolled away or given no room by purpose."""
    return [each for each in window.findChildren(kind) if each.isVisible() and not _inner(each)]


def called(widget: QWidget) -> str:
    """Return what identifies `widget` in a report."""
    text = widget.text() if isinstance(widget, QLabel | QAbstractButton) else ""
    return f"{type(widget).__name__} “{(text or widget.accessibleName() or widget.objectName())[:60]}”"


def cut_texts(window: QWidget) -> list[str]:
    """Return the labels, buttons and fields that need more room than they have."""
    return [
        f"{called(each)} needs {need}, has {has}"
        for each in _leaves(window)
        for need, has in _room(each)
        if need > has
    ]


def misplaced(window: QWidget) -> list[str]:
    """Return what lies outside its parent or beside the window, and texts and buttons that cover each other."""
    leaves = [(each, _place(each, window)) for each in _leaves(window)]
    outside = [f"{called(each)} is outside" for each, _ in leaves if not _is_inside(each, window)]
    shown = [(each, place) for each, place in leaves if not place.isEmpty()]
    covered = [
        f"{called(one)} and {called(other)} overlap"
        for number, (one, place) in enumerate(shown)
        for other, elsewhere in shown[number + 1 :]
        if place.intersects(elsewhere) and not one.isAncestorOf(other) and not other.isAncestorOf(one)
    ]
    return outside + covered + _too_wide(window)


def too_large(window: QWidget) -> list[str]:
    """Return the window if it does not fit the screen."""
    screen, size = QGuiApplication.primaryScreen().availableGeometry().size(), window.size()
    fits = size.width() <= screen.width() and size.height() <= screen.height()
    return [] if fits else [f"{size.width()}x{size.height()} does not fit the screen"]


def nameless(window: QWidget) -> list[str]:
    """Return what can be used and has no name or no role, and buttons that share a name."""
    buttons = [_name(each) for each in seen(window, QAbstractButton)]
    return [
        *(f"{called(each)} has no name" for each in _usable(window) if not _name(each)),
        *(f"{called(each)} has no role" for each in _usable(window) if _role(each) in _NO_ROLES),
        *(f"{count} buttons are called “{name}”" for name, count in Counter(buttons).items() if count > 1),
    ]


def small_targets(window: QWidget) -> list[str]:
    """Return what is pressed and is smaller than 24 pixels."""
    targets = [each for kind in _TARGETS for each in seen(window, kind)]
    return [
        f"{called(each)} is {each.width()}x{each.height()}"
        for each in targets
        if min(each.width(), each.height()) < LEAST_TARGET
    ]


def keyboard_faults(window: QWidget) -> list[str]:
    """Go round with the Tab key: return what is not reached, and what has the focus and cannot be seen."""
    if isinstance(window, QMenu):
        return []  # the arrow keys are its own
    wanted = {each for each in seen(window, QWidget) if each.focusPolicy().value & _TABS and each.isEnabled()}
    begun = window.focusWidget()
    reached, hidden = set(), []
    for _ in range(2 * len(wanted) + 2):
        QTest.keyClick(window.focusWidget() or window, Qt.Key.Key_Tab)
        focused = window.focusWidget()
        if focused is None or focused in reached:
            continue
        reached.add(focused)
        QApplication.processEvents()
        if focused.visibleRegion().isEmpty():
            hidden.append(f"{called(focused)} has the focus out of sight")
    if begun is not None:
        begun.setFocus(Qt.FocusReason.OtherFocusReason)
    proxies = {each.focusProxy() for each in wanted} - {None}
    missed = [each for each in wanted - reached if each.focusProxy() not in reached | proxies]
    return [*hidden, *(f"Tab does not reach {called(each)}" for each in missed)]


def faint_texts(window: QWidget, image: QImage) -> list[str]:
    """Return texts whose strongest pixel has too little contrast to the colour around it."""
    pixels = image.convertToFormat(QImage.Format.Format_RGB32)
    words = memoryview(pixels.constBits()).cast("I")
    faint = []
    for each in _texts(window):
        place = _place(each, window)
        if place.size() != each.size():
            continue  # partly scrolled away
        ratio = _contrast_in(words, pixels.bytesPerLine() // 4, _in_pixels(place, image.devicePixelRatio()))
        if ratio < TEXT_CONTRAST:
            faint.append(f"{called(each)} has a contrast of {ratio:.2f}")
    return faint


def texts(window: QWidget) -> Iterator[str]:
    """Yield everything that a person sees or hears in the window, but what is typed."""
    yield window.windowTitle()
    for each in [window, *seen(window, QWidget)]:
        yield from (each.toolTip(), each.accessibleName(), each.accessibleDescription())
        yield from _own_texts(each)


def untranslated(window: QWidget, known: frozenset[str]) -> list[str]:
    """Return words of plain letters that no catalogue has given; `known` are words from outside, or begin so."""
    found = {word for text in texts(window) for word in re.findall(r"[A-Za-z]{2,}", text)}
    return sorted(word for word in found - known if not any(whole.startswith(word) for whole in known))


def _own_texts(widget: QWidget) -> Iterator[str]:
    if isinstance(widget, QLabel | QAbstractButton):
        yield widget.text()
    elif isinstance(widget, QMenu):
        yield from (action.text() for action in widget.actions())
    elif isinstance(widget, QComboBox):
        yield from (widget.itemText(number) for number in range(widget.count()))
    elif isinstance(widget, QPlainTextEdit | QTextEdit):
        yield from (widget.toPlainText(), widget.placeholderText())
    elif isinstance(widget, QLineEdit):
        yield widget.placeholderText()


def _leaves(window: QWidget) -> list[QWidget]:
    return [each for each in seen(window, QWidget) if isinstance(each, _LEAVES) and not each.size().isEmpty()]


def _texts(window: QWidget) -> list[QWidget]:
    shown: list[QWidget] = [each for each in seen(window, QLabel) if each.text().strip()]
    shown += [each for each in seen(window, QAbstractButton) if each.text().strip() and each.isEnabled()]
    return shown


def _usable(window: QWidget) -> list[QWidget]:
    return [
        each
        for each in seen(window, QWidget)
        if isinstance(each, _TARGETS) or (each.focusPolicy().value & _TABS and each.focusProxy() is None)
    ]


def _inner(widget: QWidget) -> bool:
    """Tell whether `widget` is a part of another that speaks for it."""
    if widget.objectName().startswith("qt_") or isinstance(widget, QScrollBar):
        return True
    parent = widget.parentWidget()
    return isinstance(parent, QComboBox | QAbstractSpinBox) or (parent is not None and parent.objectName() in _BARS)


def _room(widget: QWidget) -> Iterator[tuple[int, int]]:
    if isinstance(widget, QLabel):
        yield widget.minimumSizeHint().width(), widget.width()
        yield _needed_height(widget), widget.height()
    elif isinstance(widget, QAbstractButton | QComboBox):
        needed = widget.sizeHint()
        yield needed.width(), widget.width()
        yield needed.height(), widget.height()


def _needed_height(label: QLabel) -> int:
    return label.heightForWidth(label.width()) if label.hasHeightForWidth() else label.sizeHint().height()


def _place(widget: QWidget, window: QWidget) -> QRect:
    """Return the part of the window, in its coordinates, where `widget` can be seen."""
    place = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    parent = widget.parentWidget()
    while parent is not None and parent is not window:
        place = place.intersected(QRect(parent.mapTo(window, QPoint(0, 0)), parent.size()))
        parent = parent.parentWidget()
    return place.intersected(window.rect())


def _is_inside(widget: QWidget, window: QWidget) -> bool:
    """Tell whether `widget` lies within all that holds it; what scrolls may be higher than its viewport."""
    inner = widget
    while inner is not window:
        parent = inner.parentWidget()
        scrolls = parent is not None and isinstance(parent.parentWidget(), QAbstractScrollArea)
        if parent is None or (not scrolls and not parent.rect().contains(inner.geometry())):
            return parent is None
        inner = parent
    return True


def _too_wide(window: QWidget) -> list[str]:
    held = [(area, area.widget()) for area in seen(window, QScrollArea)]
    return [
        f"{called(area)} would have to be scrolled sideways"
        for area, widget in held
        if widget is not None and widget.width() > area.viewport().width()
    ]


def _name(widget: QWidget) -> str:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.text(QAccessible.Text.Name) if interface is not None else ""


def _role(widget: QWidget) -> QAccessible.Role:
    interface = QAccessible.queryAccessibleInterface(widget)
    return interface.role() if interface is not None else QAccessible.Role.NoRole


_NO_ROLES = (QAccessible.Role.NoRole, QAccessible.Role.Client)


def _in_pixels(place: QRect, ratio: float) -> QRect:
    return QRectF(place.x() * ratio, place.y() * ratio, place.width() * ratio, place.height() * ratio).toRect()


def _contrast_in(words: memoryview[int], stride: int, place: QRect) -> float:
    colours: Counter[int] = Counter()
    for line in range(place.top(), place.bottom() + 1, _LINE_STEP):
        start = line * stride + place.left()
        colours.update(words[start : start + place.width()])
    ground = colours.most_common(1)[0][0]
    return max(_contrast(ground, colour) for colour in colours)


@cache
def _contrast(one: int, other: int) -> float:
    return contrast(_hex(one), _hex(other))


def _hex(pixel: int) -> str:
    return f"#{pixel & 0xFFFFFF:06X}"
