# SPDX-License-Identifier: EUPL-1.2
"""A session bus of the test's own, and an assistive technology on it (assistive_client.py) in a child process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from tests.parts.xvfb import end, wait_until

_PYTHON = "/usr/bin/python3"
_CLIENT = Path(__file__).with_name("assistive_client.py")
_SECONDS = 20.0


def is_installed() -> bool:
    """Tell whether the system's Python has AT-SPI, and a session bus can be started."""
    if not (shutil.which("dbus-daemon") and Path(_PYTHON).exists()):
        return False
    asked = "import gi; gi.require_version('Atspi', '2.0')"
    return subprocess.run([_PYTHON, "-c", asked], capture_output=True, check=False).returncode == 0


@contextmanager
def session_bus(environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Run a session bus as long as the block lasts; yields `environment` with its address.

    What the bus starts by itself, the accessibility bus and its registry, ends with it.
    """
    read, write = os.pipe()
    own = {name: value for name, value in environment.items() if name != "DBUS_SESSION_BUS_ADDRESS"}
    bus = subprocess.Popen(
        ["dbus-daemon", "--session", "--nofork", f"--print-address={write}"],
        env=own,
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    try:
        with os.fdopen(read) as pipe:
            address = pipe.readline().strip()
        yield own | {"DBUS_SESSION_BUS_ADDRESS": address}
    finally:
        end(bus)
        wait_until(lambda: not _bearers(address), _SECONDS)


def _bearers(address: str) -> list[Path]:
    """Return the accessibility services that were started on the bus of that address."""
    marked = f"DBUS_SESSION_BUS_ADDRESS={address}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if b"at-spi" in (process / "cmdline").read_bytes() and marked in (process / "environ").read_bytes():
                found.append(process)
        except OSError:  # it ended meanwhile
            continue
    return found


@dataclass(frozen=True)
class Heard:
    """An event of another program: its type, its number, what it carries and whose it is."""

    event: str
    detail: int
    data: str
    name: str


class Assistant:
    """Reads and uses other programs as a screen reader does; keeps everything that it hears."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._answers: Queue[dict[str, Any]] = Queue()
        self._lines: list[str] = []
        self.heard: list[Heard] = []
        self.thread = Thread(target=self._listen, daemon=True)
        self.thread.start()
        self._next_answer()

    def tree(self) -> list[dict[str, Any]]:
        """Return all things of all programs: depth, role, name, description, states, text."""
        found: list[dict[str, Any]] = self._ask("tree")
        return found

    def focused(self) -> dict[str, Any]:
        """Return what has the focus; raises `LookupError` if nothing has."""
        found: dict[str, Any] = self._ask("focused")
        return found

    def enter(self, text: str) -> None:
        """Set the text of the field that has the focus."""
        assert self._ask("enter", text=text)

    def press(self, name: str) -> None:
        """Press the visible button of that name."""
        assert self._ask("press", name=name)

    def announcements(self) -> list[str]:
        """Return what programs asked to have said at once."""
        return [each.data for each in self.heard if each.event.startswith("object:announcement")]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds."""
        wait_until(condition, _SECONDS)

    @property
    def everything(self) -> bytes:
        """All that came from the accessibility bus: events and answers."""
        return "\n".join(self._lines).encode()

    def _ask(self, do: str, **arguments: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "with": arguments}) + "\n")
        self._process.stdin.flush()
        message = self._next_answer()
        if "error" in message:
            raise LookupError(message["error"])
        return message["answer"]

    def _next_answer(self) -> dict[str, Any]:
        try:
            return self._answers.get(timeout=_SECONDS)
        except Empty:
            raise TimeoutError("the assistive client does not answer") from None

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.append(line)
            message = json.loads(line)
            if "event" in message:
                self.heard.append(Heard(**message))
            else:
                self._answers.put(message)


@contextmanager
def assistant(environment: Mapping[str, str]) -> Iterator[Assistant]:
    """Run an assistive technology on the bus of `environment` as long as the block lasts."""
    process = subprocess.Popen(
        [_PYTHON, str(_CLIENT)], env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    made = Assistant(process)
    try:
        yield made
    finally:
        assert process.stdin is not None
        process.stdin.close()
        made.thread.join(_SECONDS)
        end(process)  # type: ignore[arg-type] # text or bytes, it is ended alike
        assert process.stdout is not None
        process.stdout.close()
