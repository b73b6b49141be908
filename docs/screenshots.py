# SPDX-License-Identifier: EUPL-1.2
"""Draw the pictures of the documentation: `python -m docs.screenshots [DIRECTORY]`. Needs no display."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtGui import QFont, QFontDatabase, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from sithsapp.locale import LanguageChoice, set_language
from sithsapp.oob.interaction import View
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.state import Glyph
from sithsapp.ui.theme import ThemeChoice, current
from sithsapp.ui.tray.icons import tray_icon
from tests.ui import hosting, samples
from tests.ui.pointing import code_field, order_window, settle

_IMAGES = Path(__file__).parent / "images"
_FONTS = ("Inter", "Noto Sans", "DejaVu Sans")


@dataclass(frozen=True, slots=True)
class _Shot:
    """A picture: file name, view, language, theme, and how many digits are typed."""

    name: str
    view: str
    language: LanguageChoice
    theme: ThemeChoice
    digits: int = 0


_SHOTS = (
    _Shot("order-log-in", "auth", "sv", "light", 6),
    _Shot("order-sign", "sign", "sv", "dark"),
    _Shot("order-wrong-code", "auth-wrong", "en", "light"),
    _Shot("order-waiting", "no-card", "sv", "light"),
)


def main() -> int:
    """Draw all pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else _IMAGES
    target.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    application.setStyle("Fusion")
    family = next((name for name in _FONTS if name in QFontDatabase.families()), "")
    application.setFont(QFont(family, 10))
    for shot in _SHOTS:
        _save(_draw_order(shot), target / f"{shot.name}.png")
    set_language("sv")
    _save(_draw_overview(), target / "overview.png")
    _save(_draw_tray(), target / "tray-icons.png")
    return 0


def _draw_order(shot: _Shot) -> QImage:
    set_language(shot.language)
    view: View = samples.views()[shot.view]
    window = order_window(current(shot.theme))
    window.show_view(samples.views()["opening"])
    window.show_view(view)
    settle(window)
    if shot.digits:
        QTest.keyClicks(code_field(window), "8" * shot.digits)
    return _grab(window)


def _draw_overview() -> QImage:
    window = MainWindow(hosting.services(theme=current("light")))
    window.open()
    return _grab(window)


def _grab(window: QWidget) -> QImage:
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    image = window.grab().toImage()
    window.hide()
    return image


def _draw_tray() -> QImage:
    """Return every tray icon at 48, 24 and 16 pixels on a light, a dark and a grey panel."""
    step, height = 112, 64
    image = QImage(step * len(Glyph), height * 3, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    for number, panel in enumerate(("#F1F2F4", "#202124", "#9AA0A6")):
        painter.fillRect(0, number * height, image.width(), height, panel)
        for position, glyph in enumerate(Glyph):
            left = position * step + 8
            for size in (48, 24, 16):
                painter.drawPixmap(left, number * height + (height - size) // 2, tray_icon(glyph).pixmap(size, size))
                left += size + 6
    painter.end()
    return image


def _save(image: QImage, path: Path) -> None:
    image.convertToFormat(QImage.Format.Format_RGB888).save(str(path), quality=0)


if __name__ == "__main__":
    sys.exit(main())
