# SPDX-License-Identifier: EUPL-1.2
"""A screen of the test's own: Xvfb on a free display with a window manager, ended by process id."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

NEEDED = ("Xvfb", "openbox", "xdotool", "xprop")
_START_SECONDS = 15.0
_PAUSE = 0.02


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Poll until `condition` holds; raises `TimeoutError` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(condition)
        time.sleep(_PAUSE)


@dataclass(frozen=True)
class Screen:
    """A running display. `environment` is what programs need to draw on it, and nothing of the user's own."""

    display: str
    environment: dict[str, str]

    def run(self, *command: str) -> str:
        """Run a program on this screen and return what it writes; raises on failure."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a program on this screen; the caller ends it."""
        return subprocess.Popen(command, env=self.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def windows(self, title: str) -> list[str]:
        """Return the ids of visible windows whose title matches."""
        command = ("xdotool", "search", "--onlyvisible", "--name", title)
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.split()

    def active_title(self) -> str:
        """Return the title of the active window, empty if there is none."""
        command = ("xdotool", "getactivewindow", "getwindowname")
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=30, check=False)
        return done.stdout.strip()

    def picture(self, path: Path) -> None:
        """Write a picture of the whole screen."""
        self.run("import", "-window", "root", str(path))


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process that we started, and wait for it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


@contextmanager
def xvfb(home: Path, *, size: str = "1366x768", extra: Sequence[str] = ()) -> Iterator[Screen]:
    """Run a screen with openbox, and the programs named in `extra`, as long as the block lasts.

    `home` is a new directory for everything that programs keep.
    """
    reading, writing = os.pipe()
    # The server picks a free display itself and tells us; so tests can run side by side.
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", f"{size}x24", "-nolisten", "tcp", "-noreset"],
        pass_fds=[writing],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(writing)
    programs: list[subprocess.Popen[bytes]] = []
    try:
        with os.fdopen(reading) as pipe:
            number = pipe.readline().strip()
        screen = Screen(f":{number}", _environment(home, f":{number}"))
        programs.append(screen.start("openbox"))
        wait_until(lambda: _has_window_manager(screen), _START_SECONDS)
        programs.extend(screen.start(program) for program in extra)
        yield screen
    finally:
        for process in (*reversed(programs), server):
            end(process)


def is_installed() -> bool:
    """Tell whether the programs that a screen needs are there."""
    return all(shutil.which(program) for program in NEEDED)


def _has_window_manager(screen: Screen) -> bool:
    try:
        return "window id" in screen.run("xprop", "-root", "_NET_SUPPORTING_WM_CHECK")
    except subprocess.CalledProcessError:
        return False


def _environment(home: Path, display: str) -> dict[str, str]:
    runtime = home / "run"
    runtime.mkdir(mode=0o700)
    return {
        "DISPLAY": display,
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "LANGUAGE": "en",
        "XDG_RUNTIME_DIR": str(runtime),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_STATE_HOME": str(home / "state"),
        "DBUS_SESSION_BUS_ADDRESS": "disabled:",
        "QT_QPA_PLATFORM": "xcb",
    }
