# SPDX-License-Identifier: EUPL-1.2
"""How the desktop starts this app: the command for autostart entries."""

from __future__ import annotations

import sys
from pathlib import Path

_NAME = "sithsapp"


def own_command() -> tuple[str, ...]:
    """Return program and arguments, absolute, that start the app as it was installed."""
    interpreter = Path(sys.executable)
    if getattr(sys, "frozen", False):  # set by the packagers' builds, where the program is the app
        return (str(interpreter),)
    script = interpreter.with_name(_NAME + interpreter.suffix)
    return (str(script),) if script.is_file() else (str(interpreter), "-m", _NAME)
