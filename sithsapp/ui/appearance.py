# SPDX-License-Identifier: EUPL-1.2
"""Follow what the desktop says of colours and contrast while the app runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication

if TYPE_CHECKING:
    from sithsapp.ui.theme import ThemeChoice

_SCHEMES = {"light": Qt.ColorScheme.Light, "dark": Qt.ColorScheme.Dark, "system": Qt.ColorScheme.Unknown}


class Appearance(QObject):
    """`changed()` when the desktop turns light, dark or high in contrast, or its font changes."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        hints = QGuiApplication.styleHints()
        hints.colorSchemeChanged.connect(self.changed)
        hints.accessibility().contrastPreferenceChanged.connect(self.changed)
        application = QGuiApplication.instance()
        if isinstance(application, QGuiApplication):
            application.fontChanged.connect(self.changed)

    def prefer(self, choice: ThemeChoice) -> None:
        """Have the windows that are the desktop's own, such as file dialogs, go by the person's choice too."""
        wanted = _SCHEMES[choice]
        hints = QGuiApplication.styleHints()
        if wanted is Qt.ColorScheme.Unknown:
            hints.unsetColorScheme()
        else:
            hints.setColorScheme(wanted)
