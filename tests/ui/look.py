# SPDX-License-Identifier: EUPL-1.2
"""Draws an entry of the gallery in one language and text size and all themes, and says what is wrong with it.

A window is made once and takes over the themes one after the other, as it does when the desktop changes. The
pictures go to `artefacts/ui/`. The tests that use it are three files, one for a language, so that they can run side
by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from sithsapp.locale import set_language
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import DARK, HIGH_CONTRAST, LIGHT
from sithsapp.ui.widgets.themed import Themed
from tests.ui import inspection
from tests.ui.gallery import GALLERY, outside_words
from tests.ui.pseudo import pseudo_language

PICTURES = Path(__file__).parents[2] / "artefacts" / "ui"
THEMES = {"light": LIGHT, "dark": DARK, "high": HIGH_CONTRAST}
SCALES = {"100": 1.0, "200": 2.0}
BODY_PIXELS, SYSTEM_PIXELS = 15, 13
FAST = 80  # a PNG's quality: the larger, the less time goes into packing it


@contextmanager
def _speaking(language: str) -> Iterator[None]:
    set_language("sv" if language == "sv" else "en")
    yield


LANGUAGES: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "sv": lambda: _speaking("sv"),
    "en": lambda: _speaking("en"),
    "pseudo": pseudo_language,
}


@contextmanager
def _text_size(application: QApplication, scale: float) -> Iterator[None]:
    usual, font = application.font(), application.font()
    font.setPixelSize(round(SYSTEM_PIXELS * scale))
    application.setFont(font)
    try:
        yield
    finally:
        application.setFont(usual)


@contextmanager
def _shown(name: str, language: str, scale: float, application: QApplication) -> Iterator[QWidget]:
    with LANGUAGES[language](), _text_size(application, scale):
        window = GALLERY[name](Theme(LIGHT, BODY_PIXELS * scale))
        try:
            application.processEvents()
            yield window
        finally:
            window.hide()  # an order that is being signed refuses to be closed
            window.deleteLater()
            application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


ENTRIES = pytest.mark.parametrize("name", GALLERY)
SIZES = pytest.mark.parametrize("size", SCALES)


def faults_in(application: QApplication, name: str, language: str, size: str) -> str:
    """Return what is wrong, a line each; empty if nothing is."""
    with _shown(name, language, SCALES[size], application) as window:
        faults = _faults(window)
        for theme, tokens in THEMES.items():
            if isinstance(window, Themed) and tokens is not LIGHT:  # light is what it was made in
                window.apply_theme(Theme(tokens, BODY_PIXELS * SCALES[size]))
                application.processEvents()
            image = window.grab().toImage()
            dense = f"-dense-{image.devicePixelRatio():g}" if image.devicePixelRatio() != 1 else ""
            _keep(image, f"{name}-{language}-{theme}-{size}{dense}")
            faults += [f"{theme}: {fault}" for fault in _faults_of_theme(window, image)]
        if language == "pseudo":
            faults += [f"not translated: {word}" for word in inspection.untranslated(window, outside_words())]
    return "\n".join(faults)


def _faults(window: QWidget) -> list[str]:
    return [
        *inspection.misplaced(window),
        *inspection.too_large(window),
        *inspection.nameless(window),
        *inspection.small_targets(window),
        *inspection.keyboard_faults(window),
    ]


def _faults_of_theme(window: QWidget, image: QImage) -> list[str]:
    # A menu is the desktop's own: Qt draws it here only for want of one.
    faint = [] if isinstance(window, QMenu) else inspection.faint_texts(window, image)
    return inspection.cut_texts(window) + faint


def _keep(image: QImage, name: str) -> None:
    path = PICTURES / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    assert image.convertToFormat(QImage.Format.Format_RGB888).save(str(path), quality=FAST)
