# SPDX-License-Identifier: EUPL-1.2
"""Read Windows' registry: the 64-bit view, values of text and number alone."""

from __future__ import annotations

import sys
from collections.abc import Mapping

if sys.platform == "win32":
    import winreg

_MOST = 256


class WindowsRegistry:
    """The registry of this computer and this user. A key that is not there or not readable is an empty one."""

    def value(self, key: str, name: str, *, machine: bool = True) -> str | int | None:
        """Return a value, None where there is none."""
        return self.values(key, machine=machine).get(name)

    def values(self, key: str, *, machine: bool = True) -> Mapping[str, str | int]:
        """Return all values of a key by name."""
        found: dict[str, str | int] = {}
        if sys.platform == "win32":
            try:
                with _open(key, machine=machine) as opened:
                    for number in range(_MOST):
                        name, value, _ = winreg.EnumValue(opened, number)
                        if isinstance(value, str | int):
                            found[name] = value
            except OSError:  # no such key, or no more values
                return found
        return found

    def keys(self, key: str, *, machine: bool = True) -> tuple[str, ...]:
        """Return the names of the keys below one."""
        found: list[str] = []
        if sys.platform == "win32":
            try:
                with _open(key, machine=machine) as opened:
                    found.extend(winreg.EnumKey(opened, number) for number in range(_MOST))
            except OSError:  # no such key, or no more keys
                return tuple(found)
        return tuple(found)


if sys.platform == "win32":

    def _open(key: str, *, machine: bool) -> winreg.HKEYType:
        root = winreg.HKEY_LOCAL_MACHINE if machine else winreg.HKEY_CURRENT_USER
        return winreg.OpenKey(root, key, 0, winreg.KEY_READ | winreg.KEY_WOW64_64KEY)
