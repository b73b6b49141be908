# SPDX-License-Identifier: EUPL-1.2
"""Every window and page in every state that looks different, for the tests of the look and for the pictures.

A new state is one more line in `GALLERY`: its name ("window/state") and a function that takes a theme and returns
the widget, shown, in that state. `test_gallery.py` then draws it in all languages, themes and text sizes, and
`python -m docs.screenshots` can use it. Texts that come from outside are invented in `samples.py`; words that stand
on the screen in every language and are found nowhere else go into `UNTRANSLATED`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from enum import Enum
from functools import cache, partial
from weakref import WeakKeyDictionary

import msgspec
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from sithsapp.ui.overview.presenter import present_overview
from sithsapp.ui.overview.window import OverviewWindow
from sithsapp.ui.state import app_state
from sithsapp.ui.theme import Theme
from sithsapp.ui.tray.tray import Tray
from tests.ui import samples
from tests.ui.pointing import order_window, settle

Factory = Callable[[Theme], QWidget]

UNTRANSLATED = frozenset({"Svenska", "English"})
NOW = datetime(2026, 11, 25, tzinfo=UTC)
_OWNERS: WeakKeyDictionary[QWidget, QObject] = WeakKeyDictionary()


def _order(name: str, theme: Theme) -> QWidget:
    window = order_window(theme)
    window.show_view(samples.views()["opening"])
    window.show_view(samples.views()[name])
    settle(window)
    return window


def _overview(name: str, theme: Theme) -> QWidget:
    cards, ends = samples.card_states()[name]
    window = OverviewWindow(theme)
    window.show_page(present_overview(app_state(cards, lambda _credential: ends, NOW), samples.describe, ""))
    window.open()
    return window


def _tray_menu(name: str, _theme: Theme) -> QWidget:
    cards, ends = samples.card_states()[name]
    tray = Tray()
    tray.retranslate("system")
    tray.show_state(app_state(cards, lambda _credential: ends, NOW), request_open=name == "ready", environment="Test")
    tray._menu.popup(tray._menu.pos())
    _OWNERS[tray._menu] = tray
    return tray._menu


GALLERY: Mapping[str, Factory] = {
    **{f"order/{name}": partial(_order, name) for name in samples.views()},
    **{f"overview/{name}": partial(_overview, name) for name in samples.card_states()},
    **{f"tray/{name}": partial(_tray_menu, name) for name in ("ready", "no-reader")},
}


@cache
def outside_words() -> frozenset[str]:
    """Return the words that may stand on the screen though no catalogue has them."""
    invented = (samples.views(), samples.card_states(), samples.HOLDER)
    words = {word for text in _strings(invented) for word in re.findall(r"[A-Za-z]{2,}", text)}
    return frozenset(words | UNTRANSLATED)


def _strings(value: object) -> Iterator[str]:
    """Yield every text in dicts, tuples, dataclasses and messages, at any depth; a failure's texts are our own."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Enum):
        return
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _strings(each))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in _strings(each))
    elif dataclasses.is_dataclass(value):
        yield from (text for field in dataclasses.fields(value) for text in _strings(getattr(value, field.name)))
    elif isinstance(value, msgspec.Struct):
        yield from (text for name in value.__struct_fields__ for text in _strings(getattr(value, name)))
