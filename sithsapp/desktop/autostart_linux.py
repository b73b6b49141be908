# SPDX-License-Identifier: EUPL-1.2
"""Autostart on Linux: desktop entries, by the freedesktop.org autostart specification.

The package's entry lies in /etc/xdg/autostart; one of the same name under the user's configuration directory goes
before it. So that updates reach the user, an entry of her own is written only where the package has none, or to
switch the package's off.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from sithsapp.desktop.desktop_entry import entry_values, quote
from sithsapp.failures import Failure, SithsError

ENTRY = "sithsapp.desktop"


class DesktopEntries:
    """Implements `Autostart` with files."""

    def __init__(self, command: Sequence[str]) -> None:
        """Start `command`, program and arguments, absolute."""
        self._command = tuple(command)

    def enabled(self) -> bool:
        """Tell whether the first entry of our name, the user's before the machine's, is switched on."""
        own = entry_values(_own())
        return _is_on(own) if own is not None else self._machine_starts()

    def set(self, enabled: bool) -> None:
        """Write or remove the user's own entry; raises `SithsError(AUTOSTART_NOT_CHANGED)`."""
        if enabled is self._machine_starts():
            self.reset()
        else:
            self._write(_entry(self._command, hidden=not enabled))

    def reset(self) -> None:
        """Remove the user's own entry; raises `SithsError(AUTOSTART_NOT_CHANGED)`."""
        try:
            _own().unlink(missing_ok=True)
        except OSError as error:
            raise _failed(error) from error

    def _machine_starts(self) -> bool:
        found = (entry_values(path) for path in _machine_wide())
        return next((_is_on(values) for values in found if values is not None), False)

    def _write(self, text: str) -> None:
        path = _own()
        fresh = path.with_name(f".{ENTRY}.{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            fresh.write_text(text, encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise _failed(error) from error


def _entry(command: Sequence[str], *, hidden: bool) -> str:
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Name=SITHS eID-app",
        f"Exec={' '.join(map(quote, command))}",
        "Terminal=false",
        f"Hidden={'true' if hidden else 'false'}",
        f"X-GNOME-Autostart-enabled={'false' if hidden else 'true'}",
    )
    return "\n".join(lines) + "\n"


def _is_on(values: dict[str, str]) -> bool:
    return values.get("Hidden", "false") != "true" and values.get("X-GNOME-Autostart-enabled", "true") != "false"


def _own() -> Path:
    given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (given if given.is_absolute() else Path.home() / ".config") / "autostart" / ENTRY


def _machine_wide() -> Iterator[Path]:
    for name in (os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":"):
        if Path(name).is_absolute():
            yield Path(name) / "autostart" / ENTRY


def _failed(error: OSError) -> SithsError:
    return SithsError(Failure.AUTOSTART_NOT_CHANGED, error.strerror or type(error).__name__)
