# SPDX-License-Identifier: EUPL-1.2
"""Start at log-in to the computer: the user's own choice, over what the package set up for the whole machine."""

from __future__ import annotations

import sys
from typing import Protocol

from sithsapp.desktop.program import own_command


class Autostart(Protocol):
    """What starts at log-in. Every change is the user's own; nothing machine-wide is written."""

    def enabled(self) -> bool:
        """Tell whether the app starts at log-in as things are."""

    def set(self, enabled: bool) -> None:
        """Have it so from now on; raises `SithsError(AUTOSTART_NOT_CHANGED)`."""

    def reset(self) -> None:
        """Take the user's choice back, so that the package decides; raises `SithsError(AUTOSTART_NOT_CHANGED)`."""


def autostart() -> Autostart:
    """Return this platform's way."""
    command = (*own_command(), "--hidden")
    if sys.platform == "win32":
        import winreg

        from sithsapp.desktop.autostart_windows import RunKeys

        return RunKeys(winreg, command)
    if sys.platform == "darwin":
        from sithsapp.desktop.autostart_macos import LaunchAgents

        return LaunchAgents(command)
    from sithsapp.desktop.autostart_linux import DesktopEntries

    return DesktopEntries(command)


def follow(wanted: bool | None, by: Autostart) -> None:
    """Bring the desktop in line with the setting `autostart`; None takes the user's choice back.

    Raises `SithsError(AUTOSTART_NOT_CHANGED)`.
    """
    if wanted is None:
        by.reset()
    elif by.enabled() is not wanted:
        by.set(wanted)
