# SPDX-License-Identifier: EUPL-1.2
"""Autostart on macOS: launch agents. The user's own lies in her library, the package's in the computer's."""

from __future__ import annotations

import os
import plistlib
from collections.abc import Sequence
from pathlib import Path
from xml.parsers.expat import ExpatError

from sithsapp.failures import Failure, SithsError

LABEL = "se.siths.eid-app"
_MAX_SIZE = 64 * 1024
_MACHINE = Path("/Library/LaunchAgents")


class LaunchAgents:
    """Implements `Autostart` with property lists; launchd reads them at the next log-in."""

    def __init__(self, command: Sequence[str], *, own: Path | None = None, machine: Path = _MACHINE) -> None:
        """Start `command`, program and arguments, absolute."""
        self._command = list(command)
        self._own = (own or Path.home() / "Library" / "LaunchAgents") / f"{LABEL}.plist"
        self._machine = machine / f"{LABEL}.plist"

    def enabled(self) -> bool:
        """Tell whether an agent of ours starts at log-in."""
        return _starts(self._own) or _starts(self._machine)

    def set(self, enabled: bool) -> None:
        """Write or remove the user's own agent.

        Raises `SithsError(AUTOSTART_NOT_CHANGED)`, also where the machine's agent is on.
        """
        if not enabled:
            self.reset()
        elif not _starts(self._machine):
            self._write()
        if self.enabled() is not enabled:
            raise SithsError(Failure.AUTOSTART_NOT_CHANGED, "the machine's own entry decides")

    def reset(self) -> None:
        """Remove the user's own agent; raises `SithsError(AUTOSTART_NOT_CHANGED)`."""
        try:
            self._own.unlink(missing_ok=True)
        except OSError as error:
            raise _failed(error) from error

    def _write(self) -> None:
        agent = {
            "Label": LABEL,
            "ProgramArguments": self._command,
            "RunAtLoad": True,
            "LimitLoadToSessionType": "Aqua",
            "ProcessType": "Interactive",
        }
        fresh = self._own.with_suffix(f".{os.getpid()}")
        try:
            self._own.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_bytes(plistlib.dumps(agent))
            fresh.replace(self._own)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise _failed(error) from error


def _starts(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            agent = plistlib.loads(file.read(_MAX_SIZE))
    except (OSError, ValueError, ExpatError):
        return False
    return isinstance(agent, dict) and agent.get("RunAtLoad") is True and agent.get("Disabled") is not True


def _failed(error: OSError) -> SithsError:
    return SithsError(Failure.AUTOSTART_NOT_CHANGED, error.strerror or type(error).__name__)
