# SPDX-License-Identifier: EUPL-1.2
"""Whatever a service, a card, a reader or a program calls itself: the layout stays and our own words say the same."""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Callable, Iterable
from enum import Enum
from functools import cache
from typing import Any

import msgspec
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPlainTextEdit, QWidget

from sithsapp.card.model import Credential
from sithsapp.ui.holder import Holder
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from tests.ui import inspection, mtls_samples, samples
from tests.ui.gallery import GALLERY, outside_words

TEXTS = {
    "markup": "<b>Bold</b><img src='file:///etc/passwd'><a href='https://x.example'>Cancel</a>&amp;&Log in",
    "lines": "top" + "\n" * 5000 + "bottom",
    "overrides": "\u202egnihsihp\u202c \u2066abc\u2069 \u200e\u200f\u061c safe",
    "look-alikes": "Јоurnаlеn\u200b.ехаmрlе",  # Cyrillic letters among Latin ones
    "hidden": "Jour\u200bna\u200d\ufefflen\u00ad\u2060\U000e0041 \x00\x07\x1b[31m",
    "word": "W" * 40_000,
    "emoji": "👩‍⚕️🇸🇪" * 400,
    "marks": "Z" + "\u0301\u0322\u0353" * 2000,
    "arabic": "مرحبا بالعالم " * 40 + "123",
}
PLACES = [
    *(f"order/{name}" for name in ("auth", "auth-other-device", "auth-last", "sign-documents", "removed", "done")),
    *(f"overview/{name}" for name in ("ready", "two-readers")),
    *(f"consent/{name}" for name in ("ask", "wrong")),
    "programs/several",
]
FIELDS = {
    "name",
    "organisation",
    "identifier",
    "card_number",
    "label",
    "product",
    "reader",
    "browser",
    "os",
    "network",
    "body",
}
FIELDS |= {"path", "host", "target"}
ISOLATES = {"\u2068", "\u2069"}
"""What `sithsapp.ui.plain` puts around right-to-left texts itself."""


def _spoilt(value: Any, text: str) -> Any:
    """Return `value` with `text` in each field whose text comes from outside, at any depth."""
    if isinstance(value, dict):
        return {key: _spoilt(each, text) for key, each in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(_spoilt(each, text) for each in value)
    if isinstance(value, Enum | type):
        return value
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value) if field.init]
        return dataclasses.replace(value, **_fields(value, names, text))  # type: ignore[type-var] # any dataclass
    if isinstance(value, msgspec.Struct):
        return msgspec.structs.replace(value, **_fields(value, list(value.__struct_fields__), text))
    return value


def _fields(value: object, names: list[str], text: str) -> dict[str, Any]:
    held = {name: getattr(value, name) for name in names}
    return {
        name: text if name in FIELDS and isinstance(each, str) else _spoilt(each, text) for name, each in held.items()
    }


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let the samples say a hostile text wherever something comes from outside."""

    def act(text: str) -> None:
        for module, name in ((samples, "views"), (samples, "card_states"), (mtls_samples, "requests")):
            original = getattr(module, name)
            monkeypatch.setattr(module, name, lambda original=original: _spoilt(original(), text))
        holder = _spoilt(samples.HOLDER, text)
        monkeypatch.setattr(samples, "describe", lambda _credential: holder)
        for name in ("SESSION", "OPEN_ONLY", "TARGET", "LIMITED", "BROWSER"):
            monkeypatch.setattr(mtls_samples, name, _spoilt(getattr(mtls_samples, name), text))

    return act


def _show(application: QApplication, name: str) -> QWidget:
    window = GALLERY[name](Theme(LIGHT))
    application.processEvents()
    return window


def _remove(application: QApplication, window: QWidget) -> None:
    window.hide()
    window.deleteLater()
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@cache
def _usually(application: QApplication, name: str) -> tuple[set[str], set[str]]:
    """Return the window's own words and the names of its buttons when nobody is hostile."""
    window = _show(application, name)
    found = _own(inspection.texts(window)), _own(_names(window, QAbstractButton))
    _remove(application, window)
    return found


def _own(texts: Iterable[str]) -> set[str]:
    """Return the texts in which nothing is from outside, and nothing counts."""
    words = [text for text in outside_words() if len(text) > 2]
    return {
        text
        for text in texts
        if text and not any(sign.isdigit() for sign in text) and not any(word in text for word in words)
    }


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("name", PLACES)
def test_a_hostile_text_changes_nothing(
    qapp: QApplication, spoil: Callable[[str], None], name: str, kind: str
) -> None:
    own, buttons = _usually(qapp, name)
    spoil(TEXTS[kind])
    window = _show(qapp, name)
    try:
        everything = list(inspection.texts(window))
        # A long purpose is read where the code is asked for, and nowhere else.
        assert own - set(everything) <= {"Purpose"} - _names(window, QPlainTextEdit)
        assert buttons <= _names(window, QAbstractButton)
        assert _hidden_signs("".join(everything)) == set()
        assert [each for each in window.findChildren(QLabel) if not _is_plain(each)] == []
        assert _faults(window) == []
    finally:
        _remove(qapp, window)


def _names(window: QWidget, kind: type[QWidget]) -> set[str]:
    return {each.accessibleName() for each in inspection.seen(window, kind)}


def _is_plain(label: QLabel) -> bool:
    return (label.textFormat() is Qt.TextFormat.PlainText and not label.openExternalLinks()) or not label.text()


def _hidden_signs(text: str) -> set[str]:
    return {sign for sign in text if unicodedata.category(sign) in ("Cf", "Cc", "Co", "Cn")} - ISOLATES - {"\n", "\t"}


def _faults(window: QWidget) -> list[str]:
    return [*inspection.misplaced(window), *inspection.too_large(window), *inspection.cut_texts(window)]


def test_the_samples_are_spoilt() -> None:
    """The test above means something only if the text arrives."""
    view = _spoilt(samples.views()["auth"], "X")
    assert view.open_order.order.rp.name == view.open_order.order.text.body == "X"
    assert _spoilt(samples.HOLDER, "X") == Holder(
        "X", "X", "X", samples.HOLDER.valid_from, samples.HOLDER.valid_until, "X", "3"
    )
    assert isinstance(_spoilt(samples.AUTH, "X"), Credential)
