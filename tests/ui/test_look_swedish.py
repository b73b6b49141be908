# SPDX-License-Identifier: EUPL-1.2
"""In Swedish, every window looks as it should: nothing cut, lost, nameless or faint."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from tests.ui.look import ENTRIES, SIZES, faults_in


@SIZES
@ENTRIES
def test_look(qapp: QApplication, name: str, size: str) -> None:
    assert faults_in(qapp, name, "sv", size) == ""
