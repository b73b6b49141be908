# SPDX-License-Identifier: EUPL-1.2
"""The tray icons, cut from one picture.

They are not painted at start-up: painting needs the enumerations of Qt's namespace, and these alone cost 30 ms
and 1.4 MiB. `tray_painting` makes the picture.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtGui import QIcon, QPixmap

from sithsapp.support.state import Glyph

SIZES = (16, 22, 24, 32, 48, 64)
PICTURE = Path(__file__).parents[1] / "assets" / "tray.png"


@lru_cache(maxsize=len(Glyph))
def tray_icon(glyph: Glyph) -> QIcon:
    """Return the icon for `glyph` in every size that panels ask for."""
    everything, icon = _picture(), QIcon()
    left, top = 0, list(Glyph).index(glyph) * max(SIZES)
    for size in SIZES:
        icon.addPixmap(everything.copy(left, top, size, size))
        left += size
    return icon


@lru_cache(maxsize=1)
def _picture() -> QPixmap:
    return QPixmap(str(PICTURE))
