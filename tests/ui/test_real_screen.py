# SPDX-License-Identifier: EUPL-1.2
"""The order window on a real X11 screen, with a window manager and real key strokes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import pytest

from tests.parts.xvfb import Screen, end, is_installed, wait_until, xvfb

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not is_installed(), reason="needs Xvfb, openbox, xdotool, xprop")]

ROOT = Path(__file__).parents[2]
TITLE = "Journalen"
SECRET = "804913"
_OTHER = """
from PySide6.QtWidgets import QApplication, QLineEdit
application = QApplication([])
line = QLineEdit()
line.setWindowTitle("Other")
line.textChanged.connect(lambda text: print(text, flush=True))
line.resize(1366, 700)
line.show()
application.exec()
"""


class Program:
    """A program on the screen, and the lines that it writes."""

    def __init__(self, screen: Screen, *command: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            env=screen.environment,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: Queue[str] = Queue()
        Thread(target=self._read, daemon=True).start()

    def line(self, seconds: float = 10.0) -> str:
        """Return the next line; raises `queue.Empty`."""
        return self._lines.get(timeout=seconds)

    def tell(self, line: str) -> None:
        """Write a line to the program."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        """End the program."""
        end(self.process)  # type: ignore[arg-type] # text or bytes, it is ended alike
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.strip())


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    with xvfb(tmp_path_factory.mktemp("screen")) as made:
        yield made


@contextmanager
def _program(screen: Screen, *command: str) -> Iterator[Program]:
    program = Program(screen, *command)
    try:
        yield program
    finally:
        program.close()


@contextmanager
def _order(screen: Screen, view: str = "auth") -> Iterator[Program]:
    with _program(screen, "-m", "tests.ui.harness", view) as program:
        wait_until(lambda: TITLE in screen.active_title(), 20)
        yield program


def _type_until_heard(screen: Screen, program: Program, text: str) -> str:
    """Type a code and Return as a person would who tries again when the window was not ready yet."""
    for _ in range(5):
        screen.run("xdotool", "sleep", "0.8", "type", "--delay", "20", text)
        screen.run("xdotool", "key", "Return")
        try:
            return program.line(1.0)
        except Empty:
            screen.run("xdotool", "key", "ctrl+BackSpace")
    raise AssertionError("the code was never taken")


def test_a_typed_code_arrives(screen: Screen) -> None:
    with _order(screen) as program:
        assert _type_until_heard(screen, program, SECRET) == f"PinEntered {SECRET}"


def test_escape_declines(screen: Screen) -> None:
    with _order(screen) as program:
        screen.run("xdotool", "sleep", "0.8", "key", "Escape")
        assert program.line() == "CancelRequested"
        wait_until(lambda: not screen.windows(TITLE))


def test_the_window_comes_to_the_front_and_takes_nothing_of_what_is_being_typed(screen: Screen) -> None:
    """Somebody writes in another window while the order arrives, and goes on for a while (threat K4)."""
    with _program(screen, "-c", _OTHER) as other:
        wait_until(lambda: screen.active_title() == "Other", 20)
        screen.run("xdotool", "type", "hello")
        assert other.line()
        with _program(screen, "-m", "tests.ui.harness", "auth") as program:
            typist = screen.start("xdotool", "type", "--delay", "100", "1234567" * 6 + "\n")
            wait_until(lambda: TITLE in screen.active_title(), 20)
            typist.wait(30)
            with pytest.raises(Empty):
                program.line(0.3)
            assert _type_until_heard(screen, program, SECRET) == f"PinEntered {SECRET}"


def _minimised(screen: Screen) -> bool:
    """Minimise the order's window; anew if it was still on its way to the front the last time."""
    for window in screen.windows(TITLE):
        screen.run("xdotool", "windowminimize", window)
    return TITLE not in screen.active_title()


def test_a_second_order_brings_a_minimised_window_back(screen: Screen) -> None:
    with _order(screen) as program:
        wait_until(lambda: _minimised(screen))
        program.tell("again")
        wait_until(lambda: TITLE in screen.active_title(), 10)


def test_the_window_is_on_the_screen_of_the_pointer_in_its_upper_part(screen: Screen) -> None:
    with _order(screen):
        geometry = dict(
            line.split("=")
            for line in screen.run("xdotool", "getactivewindow", "getwindowgeometry", "--shell").split()
        )
        width, height = int(geometry["WIDTH"]), int(geometry["HEIGHT"])
        assert abs(int(geometry["X"]) + width / 2 - 1366 / 2) < 40
        assert int(geometry["Y"]) < (768 - height) / 2
