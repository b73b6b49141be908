# SPDX-License-Identifier: EUPL-1.2
"""The system that the app runs on."""

from __future__ import annotations

import os
import sys

from sithsapp.support.system.facts import System


def this_system() -> System:
    """Return the adapter for this operating system."""
    if sys.platform == "win32":
        from sithsapp.desktop.registry_windows import WindowsRegistry
        from sithsapp.support.system.windows import WindowsSystem

        return WindowsSystem(os.environ, WindowsRegistry())
    if sys.platform == "darwin":
        from sithsapp.support.system.mac import MacSystem

        return MacSystem(os.environ)
    from sithsapp.support.system.linux import LinuxSystem

    return LinuxSystem(os.environ)
