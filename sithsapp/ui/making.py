# SPDX-License-Identifier: EUPL-1.2
"""Makes the app's windows as the settings of the moment say. Each window's modules are imported with the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtWidgets import QApplication

from sithsapp.ui.environment import environment_name
from sithsapp.ui.holder_reading import describe

if TYPE_CHECKING:
    from collections.abc import Callable

    from sithsapp.card.model import CardId
    from sithsapp.settings.store import SettingsStore
    from sithsapp.ui.codes.task import Wish
    from sithsapp.ui.codes.window import CodesWindow
    from sithsapp.ui.main.services import Services
    from sithsapp.ui.main.window import MainWindow
    from sithsapp.ui.mtls.window import ConsentWindow
    from sithsapp.ui.order.request_window import WindowOptions
    from sithsapp.ui.order.window import OrderWindow
    from sithsapp.ui.theme import Theme


class WindowMaker:
    """Makes windows and knows their theme and options."""

    def __init__(self, store: SettingsStore) -> None:
        self._store = store

    def theme(self) -> Theme:
        """Return the theme for the settings and the desktop of this moment."""
        from sithsapp.ui.theme import current

        return current(self._store.settings.theme)

    def options(self) -> WindowOptions:
        """Return what settings say of windows that ask for a decision."""
        from sithsapp.ui.order.request_window import window_options

        return window_options(self._store.settings)

    def main(self, services: Services) -> MainWindow:
        """Return a main window."""
        from sithsapp.ui.main.window import MainWindow

        self.set_icon()
        return MainWindow(services)

    def order(self) -> OrderWindow:
        """Return a window for orders."""
        from sithsapp.ui.order.window import OrderWindow

        self.set_icon()
        return OrderWindow(describe, self.theme(), self.options())

    def codes(self) -> CodesWindow:
        """Return a window in which codes are changed."""
        from sithsapp.ui.codes.window import CodesWindow

        self.set_icon()
        window = CodesWindow(describe, self.theme())
        self.set_code_policy(window)
        return window

    def set_code_policy(self, window: CodesWindow) -> None:
        """Let a window in which codes are changed follow the settings."""
        from sithsapp.ui.entry_settings import entry_policy

        settings = self._store.settings
        window.set_policy(entry_policy(settings), refuse_easy=settings.refuse_easy_codes)

    def consent(self, manage_code: Callable[[Wish, CardId | None], None]) -> ConsentWindow:
        """Return a window that asks before the card signs for a program; `manage_code` unlocks or changes one."""
        from sithsapp.ui.mtls.window import ConsentWindow

        self.set_icon()
        window = ConsentWindow(describe, self.theme(), self.options())
        self.set_consent_terms(window)
        window.code_wanted.connect(manage_code)
        return window

    def set_consent_terms(self, window: ConsentWindow) -> None:
        """Let a window that asks for programs follow the settings."""
        settings = self._store.settings
        seconds = settings.mtls.session_seconds
        window.set_terms(environment=environment_name(settings.environment), session_seconds=seconds)

    @staticmethod
    def is_first_time() -> bool:
        """Tell once, ever, that the app is new here; nothing personal is kept for that."""
        from sithsapp.desktop.memory import ToldMemory

        return ToldMemory().first_time("welcome")

    @staticmethod
    def set_icon() -> None:
        """Give the app's windows their icon, once there is one to be shown."""
        from sithsapp.ui.app_icon import app_icon

        if QApplication.windowIcon().isNull():
            QApplication.setWindowIcon(app_icon())
