# SPDX-License-Identifier: EUPL-1.2
"""Autostart on Windows: the Run keys, and what the task manager has switched off.

The package's value lies under HKEY_LOCAL_MACHINE, the user's own under HKEY_CURRENT_USER. Windows keeps beside them
which entries a person has switched off (`StartupApproved`): an odd first byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from sithsapp.failures import Failure, SithsError

VALUE = "SITHS eID-app"
RUN = r"Software\Microsoft\Windows\CurrentVersion\Run"
APPROVED = r"Software\Microsoft\Windows\CurrentVersion\Explorer\StartupApproved\Run"
_ALLOWED = b"\x02" + bytes(11)


class Registry(Protocol):
    """What is used of the standard library's `winreg`."""

    HKEY_CURRENT_USER: int
    HKEY_LOCAL_MACHINE: int
    KEY_SET_VALUE: int
    REG_SZ: int
    REG_BINARY: int

    def OpenKey(self, key: int, sub_key: str, reserved: int = 0, access: int = ...) -> Any:
        """Open a key; raises `FileNotFoundError`."""

    def CreateKeyEx(self, key: int, sub_key: str, reserved: int = 0, access: int = ...) -> Any:
        """Open a key, made if missing."""

    def QueryValueEx(self, key: Any, name: str) -> tuple[Any, int]:
        """Return value and type; raises `FileNotFoundError`."""

    def SetValueEx(self, key: Any, name: str, reserved: int, kind: int, value: Any) -> None:
        """Set a value."""

    def DeleteValue(self, key: Any, name: str) -> None:
        """Remove a value; raises `FileNotFoundError`."""


class RunKeys:
    """Implements `Autostart` with the registry."""

    def __init__(self, registry: Registry, command: Sequence[str]) -> None:
        """Start `command`, program and arguments, absolute."""
        self._registry, self._command = registry, tuple(command)

    def enabled(self) -> bool:
        """Tell whether a Run value of ours exists that nobody has switched off."""
        hives = (self._registry.HKEY_CURRENT_USER, self._registry.HKEY_LOCAL_MACHINE)
        return any(self._read(hive, RUN) is not None and self._is_allowed(hive) for hive in hives)

    def set(self, enabled: bool) -> None:
        """Write or remove the user's own value.

        Raises `SithsError(AUTOSTART_NOT_CHANGED)`, also where the machine's value is on: a user cannot switch it off.
        """
        try:
            if enabled:
                self._write(RUN, self._registry.REG_SZ, _command_line(self._command))
                self._write(APPROVED, self._registry.REG_BINARY, _ALLOWED)
            else:
                self._remove(RUN)
                self._remove(APPROVED)
        except OSError as error:
            raise _failed(error.strerror or type(error).__name__) from error
        if self.enabled() is not enabled:
            raise _failed("the machine's own entry decides")

    def reset(self) -> None:
        """Remove the user's own value; raises `SithsError(AUTOSTART_NOT_CHANGED)`."""
        try:
            self._remove(RUN)
            self._remove(APPROVED)
        except OSError as error:
            raise _failed(error.strerror or type(error).__name__) from error

    def _is_allowed(self, hive: int) -> bool:
        state = self._read(hive, APPROVED)
        return not (isinstance(state, bytes) and state and state[0] & 1)

    def _read(self, hive: int, key: str) -> Any:
        try:
            with self._registry.OpenKey(hive, key) as opened:
                return self._registry.QueryValueEx(opened, VALUE)[0]
        except OSError:
            return None

    def _write(self, key: str, kind: int, value: object) -> None:
        hive, access = self._registry.HKEY_CURRENT_USER, self._registry.KEY_SET_VALUE
        with self._registry.CreateKeyEx(hive, key, 0, access) as opened:
            self._registry.SetValueEx(opened, VALUE, 0, kind, value)

    def _remove(self, key: str) -> None:
        hive, access = self._registry.HKEY_CURRENT_USER, self._registry.KEY_SET_VALUE
        try:
            with self._registry.OpenKey(hive, key, 0, access) as opened:
                self._registry.DeleteValue(opened, VALUE)
        except FileNotFoundError:
            return


def _command_line(command: Sequence[str]) -> str:
    from subprocess import list2cmdline

    return list2cmdline(command)


def _failed(why: str) -> SithsError:
    return SithsError(Failure.AUTOSTART_NOT_CHANGED, why)
