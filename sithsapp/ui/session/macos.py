# SPDX-License-Identifier: EUPL-1.2
"""The notifications of macOS about screen and session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from PySide6.QtCore import QObject

from sithsapp.desktop.presence import Presence
from sithsapp.desktop.session_macos import NAMES
from sithsapp.ui.session.watch import SessionWatch


class Centre(Protocol):
    """A notification centre (`sithsapp.desktop.session_macos.DistributedCentre`)."""

    def observe(self, name: str, callback: Callable[[], None]) -> bool:
        """Have `callback` called when a notification of that name is posted."""


class MacSessionWatch(SessionWatch):
    """A `SessionWatch` by distributed notifications."""

    def __init__(self, centre: Centre, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._centre = centre
        self._listens = False

    def start(self) -> None:
        """Begin to listen."""
        self._listens = True
        for name, presence in NAMES.items():
            self._centre.observe(name, partial(self._posted, presence))

    def stop(self) -> None:
        """Listen no more: what is still posted is not heard."""
        self._listens = False

    def _posted(self, presence: Presence) -> None:
        if self._listens:
            self.notice(presence)
