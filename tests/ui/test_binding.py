# SPDX-License-Identifier: EUPL-1.2
"""The Qt binding keeps `None` alive, and does not read our sources.

PySide6 6.12.0 on Python before 3.12 loses a reference to `None` at each call that returns nothing.
"""

from __future__ import annotations

import subprocess
import sys

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot


def test_calls_that_return_nothing_lose_no_reference(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    before = sys.getrefcount(None)
    for _ in range(500):
        label.setText("x")
    assert abs(sys.getrefcount(None) - before) < 50


def test_no_source_is_read_after_the_binding_was_imported() -> None:
    code = (
        "from sithsapp.ui.binding import skip_source_search\n"
        "assert skip_source_search()\n"
        "import linecache, sithsapp.ui.main_loop, sithsapp.ui.order.window\n"
        "assert not [name for name in linecache.cache if 'sithsapp' in name and 'binding' not in name]"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
