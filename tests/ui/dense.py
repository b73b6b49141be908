# SPDX-License-Identifier: EUPL-1.2
"""Draws some of the gallery on a dense screen and prints what is wrong: `python -m tests.ui.dense FACTOR DIRECTORY`.

A process of its own, as Qt reads the factor once. The screen has room for 1366x768 logical pixels at any factor.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

PLACES = ("order/auth-wrong", "order/sign-documents", "order/code", "overview/ready", "certificates/list")


def _prepare(factor: float, directory: Path) -> None:
    screen = {"name": "dense", "x": 0, "y": 0, "width": round(1366 * factor), "height": round(768 * factor)}
    screen |= {"logicalDpi": 96, "logicalBaseDpi": 96, "dpr": 1}
    path = directory / "screen.json"
    path.write_text(json.dumps({"screens": [screen]}))
    os.environ["QT_QPA_PLATFORM"] = f"offscreen:configfile={path}"
    os.environ["QT_SCALE_FACTOR"] = str(factor)


def main() -> int:
    """Print a line for each fault; 1 if there is one."""
    factor, directory = float(sys.argv[1]), Path(sys.argv[2])
    _prepare(factor, directory)
    from PySide6.QtWidgets import QApplication

    from tests.ui.look import faults_in

    application = QApplication([])
    application.setStyle("Fusion")
    found = [f"{name}: {faults}" for name in PLACES if (faults := faults_in(application, name, "sv", "100"))]
    if application.devicePixelRatio() != factor:
        found.append(f"the screen has a ratio of {application.devicePixelRatio()}")
    sys.stdout.write("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
