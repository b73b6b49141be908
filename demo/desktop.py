# SPDX-License-Identifier: EUPL-1.2
"""The main job with a display: the web page in a browser of the demo's own, the app in the tray."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from demo import terminal
from demo.browser import Browser, find_browser, make_default
from demo.stack import Stack
from demo.witness import Witness
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.settings.profile import URL_SCHEME

_ROOT = Path(__file__).resolve().parent.parent
_STOP_SECONDS = 5.0
_LOOK_SECONDS = 0.2


class DesktopDemo:
    """The app and a browser profile that lead to each other. Also what the end-to-end tests drive."""

    def __init__(self, stack: Stack, browser: Browser) -> None:
        """Write the desktop entries of `stack`'s own environment; nothing is started yet."""
        self._stack = stack
        self.browser = Browser((self.script("demo-browser", browser.command),))
        self.app_command = self.script("sithsapp", [sys.executable, "-m", "sithsapp"])
        make_default(self.browser, stack.xdg("DATA_HOME"), stack.xdg("CONFIG_HOME"))
        self._register_scheme()
        self._app: subprocess.Popen[bytes] | None = None

    def script(self, name: str, command: Sequence[str]) -> str:
        """Return the path of a script that runs `command`: a path without spaces, as some openers need."""
        path = self._stack.directory / name
        path.write_text(f'#!/bin/sh\ncd {shlex.quote(str(_ROOT))} && exec {shlex.join(command)} "$@"\n')
        path.chmod(0o700)
        return str(path)

    def start_app(self) -> subprocess.Popen[bytes]:
        """Start the app in the tray."""
        self._app = subprocess.Popen([self.app_command, "--hidden"], env=self._stack.environment)  # noqa: S603 - ours
        return self._app

    def stop_app(self) -> None:
        """End the app if it runs."""
        if self._app is None or self._app.poll() is not None:
            return
        self._app.terminate()
        try:
            self._app.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._app.kill()
            self._app.wait()

    def _register_scheme(self) -> None:
        """Register the app for its scheme, in a process that has the demo's environment."""
        program = (
            "import sys; from sithsapp.desktop.scheme_linux import register; register(sys.argv[1], sys.argv[2:])"
        )
        command = [sys.executable, "-c", program, URL_SCHEME, self.app_command]
        subprocess.run(command, env=self._stack.environment, cwd=_ROOT, check=True)  # noqa: S603 - ours


def run(stack: Stack) -> int:
    """Show the demo until its browser or its app is closed; 0 if a person was logged in."""
    browser = find_browser(stack.directory / "browser")
    if browser is None:
        print("No browser found that could have a profile of its own; going on in the terminal.", file=sys.stderr)
        return terminal.run(stack, auto=False)
    demo = DesktopDemo(stack, browser)
    witness = Witness(stack.events)
    print(f"Demo web service: {stack.backend.rp_origin}")
    print(f"Hint: identification code {DEMO_CODES.pin1}, signing code {DEMO_CODES.pin2}, PUK {DEMO_CODES.puk}.")
    print("Close the browser to end the demo.", flush=True)
    app = demo.start_app()
    window = demo.browser.open(stack.backend.rp_origin, stack.environment)
    seen = False
    try:
        while window.poll() is None and app.poll() is None:
            seen = _tell(witness) or seen
            time.sleep(_LOOK_SECONDS)
    finally:
        window.terminate()
        demo.stop_app()
    return 0 if seen else 1


def _tell(witness: Witness) -> bool:
    """Print what the relying party saw; tell whether it was a person."""
    people = [event for event in witness.events() if event.event == "principal"]
    for person in people:
        print(f"The web service is sure that this is {person.name} ({person.hsaid}).", flush=True)
    return bool(people)
