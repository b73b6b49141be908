# SPDX-License-Identifier: EUPL-1.2
"""The settings page in the states that look different."""

from __future__ import annotations

from PySide6.QtWidgets import QApplication, QWidget

from sithsapp.failures import Failure
from sithsapp.oob.reach import Reached
from sithsapp.settings.schema import DisplayName
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.settings.page import SettingsPage
from sithsapp.ui.theme import Theme
from tests.parts.settings import store_of
from tests.ui import hosting

STATES = ("usual", "locked", "unusable", "tested", "asked")
NAME = DisplayName(sv="Region Exempel", en="Example Region")
PROXY = "http://proxy.example:3128"
SERVICE = {
    "id": "demo",
    "origin": "http://localhost:8080",
    "display_name": {"sv": NAME.sv, "en": NAME.en},
    "environment": "demo",
    "order_keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "A" * 43, "y": "A" * 43}],
}
_POLICY = {"theme": "light", "autostart": True, "allow_show_pin": False, "proxy": PROXY, "environment": "test"}
_BROKEN = {"keypad": "perhaps"}


class NeverStarting:
    """A desktop on which nothing starts at log-in, whatever this computer does."""

    def enabled(self) -> bool:
        """Tell that it does not."""
        return False

    def set(self, enabled: bool) -> None:
        """Change nothing."""

    def reset(self) -> None:
        """Change nothing."""


def window(name: str, theme: Theme) -> QWidget:
    """Return the main window with the page in a state of `STATES`."""
    services = hosting.services(theme=theme)
    policy = _POLICY if name == "locked" else {"environment": "demo"}
    own = _BROKEN if name == "unusable" else {"services": [SERVICE]}
    services.store = store_of(policy, **own)
    made = MainWindow(services)
    made.go(Place.SETTINGS)
    page = made.page(Place.SETTINGS)
    assert isinstance(page, SettingsPage)
    page._autostart = NeverStarting()
    page.refresh()
    if name == "asked":
        made.open()
        QApplication.processEvents()  # so that the navigation had the focus once, as in a window that was used
        page._reset.ask.click()
    elif name == "tested":
        page._test._answers = [Reached(NAME, None), Reached(NAME, Failure.SERVICE_UNREACHABLE)]
        page._test.retranslate()
    made.open(Place.SETTINGS)
    return made


def words() -> tuple[str, ...]:
    """Return the texts that come from outside."""
    return (NAME.sv, NAME.en, PROXY, "user", "keypad", "Expected bool, got str")
