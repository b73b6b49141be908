# SPDX-License-Identifier: EUPL-1.2
"""The main job without a display: a text browser, `siths login`, and the way back into the same session."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import threading
from pathlib import Path

from demo.stack import Stack
from demo.text_browser import TextBrowser
from demo.witness import Witness
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.settings.profile import URL_SCHEME

_ROOT = Path(__file__).resolve().parent.parent
_LOGIN_SECONDS = 120
_RETURN_SECONDS = 20.0


def run(stack: Stack, *, auto: bool) -> int:
    """Log in once; 0 only if the relying party saw the verified person."""
    cookies = stack.directory / "cookies.json"
    _make_default_browser(stack, cookies)
    witness = Witness(stack.events)
    origin = stack.backend.rp_origin
    print(f"Demo web service: {origin}\n  > Logga in med SITHS eID på denna enhet", flush=True)
    links = TextBrowser(cookies).press(f"{origin}/login", how="same")
    launch = next(link for link in links if link.startswith(f"{URL_SCHEME}:"))
    if not auto:
        print(f"Hint: this virtual card's identification code is {DEMO_CODES.pin1}.", flush=True)
    exit_code = _log_in(stack, launch, DEMO_CODES.pin1 if auto else None)
    if exit_code != 0:
        return exit_code
    person = witness.wait_for_person(_RETURN_SECONDS)
    if person is None:
        print("The web service did not see a verified person.", file=sys.stderr)
        return 1
    print(f"The web service is sure that this is {person.name} ({person.hsaid}).")
    return 0


def _make_default_browser(stack: Stack, cookies: Path) -> None:
    """Let xdg-open end in the text browser: without a display it runs what BROWSER names."""
    script = stack.directory / "text-browser"
    command = shlex.join([sys.executable, "-m", "demo.text_browser", str(cookies)])
    script.write_text(f'#!/bin/sh\ncd {shlex.quote(str(_ROOT))} && exec {command} "$1" >&2\n')
    script.chmod(0o700)
    stack.environment["BROWSER"] = str(script)
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "DESKTOP_SESSION"):
        stack.environment.pop(variable, None)


def _log_in(stack: Stack, launch: str, code: str | None) -> int:
    """Run `siths login` as a person would, or with the code through a pipe."""
    command = [sys.executable, "-m", "sithsapp.cli.main", "login", launch]
    if code is None:
        return subprocess.run(command, env=stack.environment, cwd=_ROOT, check=False).returncode  # noqa: S603 - ours
    read, write = os.pipe()
    writer = threading.Thread(target=_write, args=(write, code.encode()))
    writer.start()
    try:
        return subprocess.run(  # noqa: S603 - our own program and arguments
            [*command, "--pin-fd", str(read)],
            env=stack.environment,
            cwd=_ROOT,
            pass_fds=[read],
            timeout=_LOGIN_SECONDS,
            check=False,
        ).returncode
    finally:
        os.close(read)
        writer.join()


def _write(descriptor: int, code: bytes) -> None:
    with os.fdopen(descriptor, "wb") as pipe:
        pipe.write(code)
