# SPDX-License-Identifier: EUPL-1.2
"""With texts that are 40 % longer every window looks as it should, and no text on it was never translated."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication

from tests.ui.look import ENTRIES, SIZES, faults_in


@SIZES
@ENTRIES
def test_look(qapp: QApplication, name: str, size: str) -> None:
    assert faults_in(qapp, name, "pseudo", size) == ""
