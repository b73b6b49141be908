# SPDX-License-Identifier: EUPL-1.2
"""What a thousand orders leave behind in the order window, on a screen of the benchmark's own.

Each order goes through opening, code, work and end, and the window is hidden again. Memory is counted after a
hundred orders and at the end: resident, and what the C library's heap has in use, so that a leak is told from holes.
`SITHS_GROWTH_ORDERS` changes the number.
"""

from __future__ import annotations

import ctypes
import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

ORDERS = int(os.environ.get("SITHS_GROWTH_ORDERS", "1000"))
_WARM_UP = 100
_STEPS = ("opening", "auth", "working", "done")
_FIELDS = ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")


class _HeapState(ctypes.Structure):
    """What `mallinfo2` returns."""

    _fields_ = [(name, ctypes.c_size_t) for name in _FIELDS]  # ctypes' own way


def main() -> None:
    """Measure in a process of its own on a display of its own."""
    from tests.parts.xvfb import is_installed, xvfb

    if not is_installed():
        print("skipped: needs Xvfb and openbox")
        return
    with tempfile.TemporaryDirectory() as home, xvfb(Path(home)) as screen:
        root = Path(__file__).resolve().parents[1]
        environment = screen.environment | {"SITHS_GROWTH_ORDERS": str(ORDERS)}
        subprocess.run([sys.executable, "-m", "benchmarks.growth"], env=environment, cwd=root, check=True)


def measure() -> None:
    """Print a row for the orders in this process."""
    from PySide6.QtWidgets import QApplication

    application = QApplication([])
    application.setStyle("Fusion")
    order = _orders(application)
    for _ in range(_WARM_UP):
        order()
    resident, heap = _usage()
    for _ in range(ORDERS):
        order()
    resident_after, heap_after = _usage()
    print("| orders | resident KiB | grown | heap in use KiB | grown |\n|--:|--:|--:|--:|--:|")
    print(
        f"| {ORDERS} | {resident} → {resident_after} | {resident_after - resident}"
        f" | {heap} → {heap_after} | {heap_after - heap} |"
    )


def _orders(application: QApplication) -> Callable[[], None]:
    from sithsapp.ui.theme import current
    from tests.ui import samples
    from tests.ui.pointing import order_window

    window = order_window(current("light"))

    def order() -> None:
        views = samples.views()
        for step in _STEPS:
            window.show_view(views[step])
            application.processEvents()
        window.hide()
        application.processEvents()

    return order


def _usage() -> tuple[int, int]:
    """Return resident memory and the heap in use, in KiB, after a collection."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    library = ctypes.CDLL(None)
    library.mallinfo2.restype = _HeapState
    state = library.mallinfo2()
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024, (state.uordblks + state.hblkhd) // 1024


if __name__ == "__main__":
    measure()
