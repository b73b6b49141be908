# SPDX-License-Identifier: EUPL-1.2
"""Start of the tray, idle cost, and the way from a link to a window; other programs beside it in the same run.

The others are a bare PySide6 tray, and KeePassXC and AusweisApp2 where they are installed.

All programs take turns on a screen of the benchmark's own (Xvfb, openbox, trayer). Times are wall clock from the
start of the process until the icon or window is on the screen, as a poll of the X server sees it; the poll itself
takes some 10 ms. Ours has the demo's settings, and a card in a real reader service where one can run.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks._peers import peers
from demo.stack import Stack
from tests.parts.xvfb import Screen, end, wait_until, xvfb

_ROOT = Path(__file__).resolve().parents[1]
_ROUNDS = 7
_STARTS, _ORDERS = 5, 3
_IDLE_SECONDS = 10.0
_NOWHERE = subprocess.DEVNULL
_LINK = "siths:start?v=1&s=demo&t=" + "A" * 43
_BARE = """
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QApplication, QMenu, QSystemTrayIcon
application = QApplication([])
pixmap = QPixmap(24, 24)
pixmap.fill("white")
menu = QMenu()
menu.addAction("Quit")
icon = QSystemTrayIcon(QIcon(pixmap))
icon.setContextMenu(menu)
icon.show()
application.exec()
"""
_OURS = (sys.executable, "-m", "sithsapp")
_TRAYS = {"bare PySide6 tray": (sys.executable, "-c", _BARE), "ours, --hidden": (*_OURS, "--hidden")}


@dataclass(frozen=True, slots=True)
class _Memory:
    """Resident, proportional and private memory in MiB."""

    rss: float
    pss: float
    private: float


def main() -> None:
    """Print the figures as a table."""
    with (
        tempfile.TemporaryDirectory() as home,
        xvfb(Path(home)) as bare_screen,
        _panel(bare_screen),
        Stack(environment=bare_screen.environment) as stack,
    ):
        screen = Screen(bare_screen.display, stack.environment)
        trays = _TRAYS | peers(stack.xdg("CONFIG_HOME"))
        times = _tray_times(screen, trays)
        print("| program | to the icon, median [lowest–highest] ms | RSS MiB | PSS MiB | private MiB | wake-ups/s |")
        print("|---|---|---|---|---|---|")
        for name, command in trays.items():
            memory, wakeups = _idle(screen, command)
            figures = f"{memory.rss:.1f} | {memory.pss:.1f} | {memory.private:.1f} | {wakeups:.2f}"
            print(f"| {name} | {_spread(times[name])} | {figures} |")
        print()
        _print_links(screen)


@contextmanager
def _panel(screen: Screen) -> Iterator[None]:
    """Run trayer as long as the block lasts."""
    panel = _start_panel(screen)
    try:
        yield
    finally:
        end(panel)


def _start_panel(screen: Screen) -> subprocess.Popen[bytes]:
    """Start trayer, which gives up at times when the window manager has only just started."""
    for _ in range(5):
        panel = screen.start("trayer")
        try:
            wait_until(lambda: bool(screen.windows("panel")), 3)
        except TimeoutError:
            end(panel)
        else:
            return panel
    raise TimeoutError("trayer")


def _print_links(screen: Screen) -> None:
    cold = [_cold_link(screen) for _ in range(_ROUNDS)]
    firsts, later = [], []
    for _ in range(_STARTS):
        with _tray(screen, _TRAYS["ours, --hidden"]):
            first, *more = [_warm_link(screen) for _ in range(_ORDERS)]
            handed = _hand_over(screen)
        firsts.append(first)
        later += more
    print("| from the link to the order window | median [lowest–highest] ms |")
    print("|---|---|")
    print(f"| the app starts | {_spread(cold)} |")
    print(f"| the app runs, first order | {_spread(firsts)} |")
    print(f"| the app runs, later orders | {_spread(later)} |")
    print(f"| hand-over by a second process, start to end | {handed:.0f} |")


def _hand_over(screen: Screen) -> float:
    started = time.perf_counter()
    subprocess.run([*_OURS, "--hidden"], env=screen.environment, cwd=_ROOT, check=True)  # ours
    return (time.perf_counter() - started) * 1000


def _tray_times(screen: Screen, trays: Mapping[str, tuple[str, ...]]) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in trays}
    for _ in range(_ROUNDS):
        for name, command in trays.items():
            times[name].append(_measure(screen, command, lambda: _icons(screen) > 0))
            wait_until(lambda: _icons(screen) == 0)
    return times


def _measure(screen: Screen, command: tuple[str, ...], seen: Callable[[], bool]) -> float:
    started = time.perf_counter()
    process = subprocess.Popen(command, env=screen.environment, cwd=_ROOT, stdout=_NOWHERE, stderr=_NOWHERE)
    try:
        _poll(seen)
        return (time.perf_counter() - started) * 1000
    finally:
        end(process)


def _cold_link(screen: Screen) -> float:
    return _measure(screen, (*_OURS, "--url", _LINK), lambda: _window(screen))


def _warm_link(screen: Screen) -> float:
    started = time.perf_counter()
    process = subprocess.Popen([*_OURS, "--url", _LINK], env=screen.environment, cwd=_ROOT)  # ours
    _poll(lambda: _window(screen))
    taken = (time.perf_counter() - started) * 1000
    process.wait(10)
    # The token of the link is unknown, so the order has ended already; its window is closed for the next round.
    while _window(screen):
        screen.run("xdotool", "sleep", "0.8", "key", "Escape")
    return taken


def _poll(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not seen():
        if time.monotonic() > deadline:
            raise TimeoutError(seen)


@contextmanager
def _tray(screen: Screen, command: tuple[str, ...]) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=screen.environment, cwd=_ROOT, stdout=_NOWHERE, stderr=_NOWHERE)
    try:
        wait_until(lambda: _icons(screen) > 0, 20)
        yield process
    finally:
        end(process)
        wait_until(lambda: _icons(screen) == 0)


def _idle(screen: Screen, command: tuple[str, ...]) -> tuple[_Memory, float]:
    with _tray(screen, command) as process:
        time.sleep(2)
        before = _switches(process.pid)
        time.sleep(_IDLE_SECONDS)
        after = _switches(process.pid)
        lasting = before.keys() & after.keys()
        return _memory(process.pid), sum(after[thread] - before[thread] for thread in lasting) / _IDLE_SECONDS


def _switches(pid: int) -> dict[str, int]:
    threads = Path(f"/proc/{pid}/task")
    pattern = re.compile(r"^voluntary_ctxt_switches:\s+(\d+)", re.MULTILINE)
    found = {thread.name: pattern.search((thread / "status").read_text()) for thread in threads.iterdir()}
    return {thread: int(match[1]) for thread, match in found.items() if match is not None}


def _memory(pid: int) -> _Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return _Memory(sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"])


def _icons(screen: Screen) -> int:
    """Count the windows that are docked in the tray."""
    tree = subprocess.run(  # ours; it fails when a window goes away under its eyes, and is asked again
        ["xwininfo", "-root", "-tree"], env=screen.environment, capture_output=True, text=True, check=False
    ).stdout
    return len(re.findall(r'" "[^"]+"\)  2[0-9]x2[0-9]\+0\+0', tree))


def _window(screen: Screen) -> bool:
    """Tell whether a window is open besides the panel."""
    listed = screen.run("xprop", "-root", "_NET_CLIENT_LIST")
    return len(re.findall(r"0x[0-9a-f]+", listed)) > 1


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.0f} [{min(values):.0f}–{max(values):.0f}]"


if __name__ == "__main__":
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors\n")
    main()
