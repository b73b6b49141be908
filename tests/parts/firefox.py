# SPDX-License-Identifier: EUPL-1.2
"""A real Firefox without a window, driven by Marionette, its own remote protocol; started and stopped by a test."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from threading import Event
from typing import Any

import pytest

_SECONDS = 40.0
_QUIET = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.security.https_only_mode": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.enabled": False,
}


class Firefox:
    """One profile, one process, one window."""

    def __init__(self, home: Path, **preferences: object) -> None:
        """Keep everything in `home`; names of preferences have two underscores for each dot."""
        program = shutil.which("firefox-esr") or shutil.which("firefox")
        if program is None:
            pytest.skip("Firefox is not installed")
        self.profile = home / "profile"
        self.profile.mkdir(parents=True, exist_ok=True)
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = int(probe.getsockname()[1])
        given = {name.replace("__", "."): value for name, value in preferences.items()}
        wanted = _QUIET | {"marionette.port": self._port} | given
        lines = (f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in wanted.items())
        (self.profile / "user.js").write_text("\n".join(lines))
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self._environment = kept | {"HOME": str(home), "MOZ_HEADLESS": "1", "MOZ_REMOTE_SETTINGS_DEVTOOLS": "1"}
        self._command = [program, "--headless", "--no-remote", "--marionette", "--profile", str(self.profile)]
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        self._number = 0

    def __enter__(self) -> Firefox:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            self._connection = self._connected(self._process)
            self._receive()  # its greeting
            self.ask("WebDriver:NewSession", acceptInsecureCerts=False)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)  # with its own children; the group is its own
            self._process.wait(_SECONDS)

    def ask(self, command: str, **parameters: object) -> Any:
        """Carry out one command; an error of Firefox's fails the test."""
        assert self._connection is not None
        self._number += 1
        text = json.dumps([0, self._number, command, parameters]).encode()
        self._connection.sendall(b"%d:%s" % (len(text), text))
        _type, _number, error, result = self._receive()
        if error is not None:
            raise FirefoxError(f"{error.get('error')}: {error.get('message')}")
        return result

    def open(self, url: str) -> str:
        """Go to an address and return the text of the page."""
        self.ask("WebDriver:Navigate", url=url)
        return str(self.run("return document.body.innerText"))

    def run(self, script: str) -> Any:
        """Run a script in the page; a promise is waited for."""
        return self.ask("WebDriver:ExecuteScript", script=script, args=[])["value"]

    def _connected(self, process: subprocess.Popen[bytes]) -> socket.socket:
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self._port), timeout=_SECONDS)
            except ConnectionRefusedError:
                assert process.poll() is None, "Firefox has ended"
                assert time.monotonic() < deadline, "Firefox does not listen"
                Event().wait(0.05)

    def _receive(self) -> Any:
        assert self._connection is not None
        length = b""
        while not length.endswith(b":"):
            part = self._connection.recv(1)
            assert part, "Firefox has hung up"
            length += part
        text = bytearray()
        while len(text) < int(length[:-1]):
            text += self._connection.recv(int(length[:-1]) - len(text))
        return json.loads(text)


class FirefoxError(Exception):
    """What Firefox answered in place of a result."""
