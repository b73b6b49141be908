# SPDX-License-Identifier: EUPL-1.2
"""Draw the pictures of the documentation: `python -m docs.screenshots [DIRECTORY]`. Needs no display."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={Path(__file__).parents[1] / 'tests/ui/offscreen.json'}"

from PySide6.QtGui import QFont, QFontDatabase, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from sithsapp.locale import LanguageChoice, set_language
from sithsapp.support.state import Glyph
from sithsapp.ui.theme import ThemeChoice, current
from sithsapp.ui.tray.icons import tray_icon
from tests.ui.gallery import GALLERY
from tests.ui.pointing import code_field

IMAGES = Path(__file__).parent / "images"
_FONTS = ("Inter", "Noto Sans", "DejaVu Sans")


@dataclass(frozen=True, slots=True)
class _Shot:
    """A picture: file name, entry of the gallery, language, theme, and how many digits are typed."""

    name: str
    entry: str
    language: LanguageChoice = "sv"
    theme: ThemeChoice = "light"
    digits: int = 0


SHOTS = (
    _Shot("order-log-in", "order/auth", digits=6),
    _Shot("order-sign", "order/sign", theme="dark"),
    _Shot("order-sign-documents", "order/sign-documents"),
    _Shot("order-wrong-code", "order/auth-wrong", "en"),
    _Shot("order-wrong-code-sv", "order/auth-wrong"),
    _Shot("order-last-try", "order/auth-last"),
    _Shot("order-waiting", "order/no-card"),
    _Shot("order-on-reader", "order/auth-on-reader"),
    _Shot("order-other-device", "order/auth-other-device"),
    _Shot("order-done", "order/done"),
    _Shot("order-locked", "order/locked"),
    _Shot("order-unreachable", "order/unreachable"),
    _Shot("overview", "overview/ready"),
    _Shot("overview-no-card", "overview/no-card"),
    _Shot("overview-locked", "overview/locked", theme="dark"),
    _Shot("overview-first-start", "overview/welcome-0"),
    _Shot("code-change", "codes/change"),
    _Shot("code-unlock", "codes/unlock-wrong"),
    _Shot("code-locked", "codes/change-locked"),
    _Shot("certificates", "certificates/list"),
    _Shot("certificates-detail", "certificates/revoked"),
    _Shot("programs", "programs/used"),
    _Shot("program-asks", "consent/ask"),
    _Shot("settings", "settings/usual"),
    _Shot("settings-locked", "settings/locked", theme="dark"),
    _Shot("help", "support/tested"),
    _Shot("report", "report/preview"),
    _Shot("accessibility", "support/accessibility"),
)
TRAY = "tray-icons"


def names() -> set[str]:
    """Return the names of all pictures, without `.png`."""
    return {shot.name for shot in SHOTS} | {TRAY}


def main() -> int:
    """Draw all pictures."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else IMAGES
    target.mkdir(parents=True, exist_ok=True)
    application = QApplication([])
    application.setStyle("Fusion")
    draw_all(target)
    return 0


def draw_all(target: Path) -> None:
    """Draw every picture into the directory `target`."""
    application = QApplication.instance()
    assert isinstance(application, QApplication)  # noqa: S101 - a tool for developers
    family = next((name for name in _FONTS if name in QFontDatabase.families()), "")
    application.setFont(QFont(family, 10))
    for shot in SHOTS:
        _save(_draw(shot), target / f"{shot.name}.png")
    _save(_draw_tray(), target / f"{TRAY}.png")


def _draw(shot: _Shot) -> QImage:
    set_language(shot.language)
    window = GALLERY[shot.entry](current(shot.theme))
    if shot.digits:
        QTest.keyClicks(code_field(window), "8" * shot.digits)
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
