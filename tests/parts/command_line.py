# SPDX-License-Identifier: EUPL-1.2
"""`siths` as a process of its own, and the browser of the person who uses it, in a demo stack's environment."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.stack import Stack
from demo.text_browser import TextBrowser
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from tests.card.virtual.terminal import Terminal, field
from tests.parts.xvfb import end as end_process
from tests.parts.xvfb import wait_until

ROOT = Path(__file__).resolve().parents[2]
SITHS = (sys.executable, "-m", "sithsapp.cli.main")
PIN1 = DEMO_CODES.pin1
WRONG = "111222"
AUTH, SIGN = 0x11, 0x83
_SECONDS = 40.0
_DESKTOP = ("DISPLAY", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "LANGUAGE", "LC_ALL")


@dataclass(frozen=True)
class Said:
    """What a command wrote, and its exit code."""

    exit_code: int
    out: str
    err: str

    @property
    def data(self) -> dict[str, Any]:
        """Standard output as the one JSON object that it must be."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def failure(self) -> str | None:
        """The number of the failure in the JSON object, None for success."""
        error = self.data.get("error")
        return None if error is None else str(error["number"])


class Running:
    """A command under way. Its secrets are looked for in everything that it says."""

    def __init__(self, arguments: tuple[str, ...], environment: Mapping[str, str], home: Path) -> None:
        """Start `siths` with a pipe for the code; `{pin}` in an argument stands for the pipe's number."""
        self._out, self._err = home / "out", home / "err"
        self._secrets = [argument for argument in arguments if argument.startswith("siths:")]
        read, self._pipe = os.pipe()
        command = [*SITHS, *(argument.replace("{pin}", str(read)) for argument in arguments)]
        with self._out.open("wb") as out, self._err.open("wb") as err:
            self.process = subprocess.Popen(
                command,
                env=dict(environment),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                pass_fds=[read],
            )
        os.close(read)

    def give(self, code: str) -> None:
        """Write a code into the pipe and close it."""
        if code:
            self._secrets.append(code)
        pipe, self._pipe = self._pipe, -1
        with suppress(BrokenPipeError):  # a command that ended before it needed a code
            os.write(pipe, code.encode())
        os.close(pipe)

    def wait_for(self, text: str, *, in_result: bool = False) -> None:
        """Wait until standard error, or the result, holds `text`."""
        source = self._out if in_result else self._err
        wait_until(lambda: text in source.read_text() or self.process.poll() is not None, _SECONDS)
        assert text in source.read_text(), self._err.read_text()

    def stop(self, number: int) -> None:
        """Send a signal."""
        self.process.send_signal(number)

    def end(self) -> Said:
        """Wait for the end; fails if a code or a link was said."""
        if self._pipe >= 0:
            self.give("")
        try:
            self.process.wait(_SECONDS)
        finally:
            end_process(self.process)
        said = Said(self.process.returncode, self._out.read_text(), self._err.read_text())
        for secret in self._secrets:
            assert secret.rpartition("=")[2] not in said.out + said.err
        return said


class CommandLine:
    """Runs `siths` in a stack's environment, in English."""

    def __init__(self, stack: Stack, home: Path) -> None:
        self.stack = stack
        self._home = home
        self._number = itertools.count()
        self.browser = home / "browser"
        kept = {name: value for name, value in stack.environment.items() if name not in _DESKTOP}
        self.environment = {**kept, "LANG": "C.UTF-8", "BROWSER": str(self.browser)}

    def settings(self) -> dict[str, Any]:
        """Return the stack's settings, to be changed."""
        path = self.stack.xdg("CONFIG_HOME") / "sithsapp" / "settings.json"
        found: dict[str, Any] = json.loads(path.read_text())
        return found

    def start(
        self, *arguments: str, settings: Mapping[str, object] | str | None = None, **environment: str
    ) -> Running:
        """Start a command, with other settings or more environment if given."""
        home = self._home / f"run-{next(self._number)}"
        home.mkdir()
        own = self.environment | environment
        if settings is not None:
            own["XDG_CONFIG_HOME"] = str(home)
            (home / "sithsapp").mkdir()
            text = settings if isinstance(settings, str) else json.dumps(settings)
            (home / "sithsapp" / "settings.json").write_text(text)
        return Running(arguments, own, home)

    def run(self, *arguments: str, settings: Mapping[str, object] | str | None = None, **environment: str) -> Said:
        """Run a command to its end."""
        return self.start(*arguments, settings=settings, **environment).end()

    def start_login(
        self, link: str, *options: str, settings: Mapping[str, object] | str | None = None, **environment: str
    ) -> Running:
        """Start a log-in whose code comes through a pipe."""
        return self.start("login", link, "--json", "--pin-fd", "{pin}", *options, settings=settings, **environment)

    def login(
        self,
        link: str,
        code: str = PIN1,
        *options: str,
        settings: Mapping[str, object] | str | None = None,
        **environment: str,
    ) -> Said:
        """Log in with a code to the end."""
        running = self.start_login(link, *options, settings=settings, **environment)
        running.give(code)
        return running.end()


class Visitor:
    """A person's browser at the demo's web service. The app's way back is caught, for the test to follow or not."""

    def __init__(self, command_line: CommandLine, home: Path) -> None:
        self._origin = command_line.stack.backend.rp_origin
        self._browser = TextBrowser(home / "cookies.json")
        self._returned = home / "returned"
        new = shlex.quote(f"{self._returned}.new")
        script = f'printf %s "$1" > {new} && mv {new} {shlex.quote(str(self._returned))}'
        command_line.browser.write_text(f"#!/bin/sh\n{script}\n")
        command_line.browser.chmod(0o700)

    def begin(self) -> str:
        """Press the button for this device and return the link."""
        self._returned.unlink(missing_ok=True)
        links = self._browser.press(f"{self._origin}/login", how="same")
        return next(link for link in links if link.startswith("siths:"))

    def page(self, path: str = "/login") -> str:
        """Return the text of a page."""
        return " ".join(self._browser.get(self._origin + path))

    def cancel(self) -> None:
        """Press the page's button to give the order up."""
        self._browser.press(f"{self._origin}/cancel")

    def address_of_return(self) -> str:
        """Wait for the app to open the browser; return the address."""
        wait_until(self._returned.exists, _SECONDS)
        return self._returned.read_text()

    def come_back(self) -> str:
        """Open what the app opened and return the page's text."""
        return " ".join(self._browser.get(self.address_of_return()))


def restore(card: VirtualCard) -> None:
    """Give the card its codes and all their tries back, by the PUK."""
    terminal = Terminal(card)
    puk = field(DEMO_CODES.puk)
    for reference, code in (("11", DEMO_CODES.pin1), ("83", DEMO_CODES.pin2)):
        if card.tries_left(int(reference, 16)) < 3:
            assert terminal.sw(f"002C00{reference}20{puk}{field(code)}") == "9000"
