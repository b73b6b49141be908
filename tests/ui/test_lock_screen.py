# SPDX-License-Identifier: EUPL-1.2
"""The real app on a real screen: a locked session ends the request that is open."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.parts import dbus
from tests.parts.lines import ROOT, Child
from tests.parts.xvfb import end, is_installed, wait_until, xvfb

LINK = "siths:start?v=1&s=demo&t=" + "A" * 43
GIVEN_UP = "the open order is given up"


def _lock(logind: Child) -> bool:
    logind.say("lock")
    return True


def _settings(port: int) -> dict[str, object]:
    service = {
        "id": "demo",
        "origin": f"http://localhost:{port}",
        "display_name": {"sv": "Exempel", "en": "Example"},
        "environment": "demo",
        "order_keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "A" * 43, "y": "A" * 43}],
    }
    return {"environment": "demo", "services": [service], "language": "en"}


@pytest.mark.e2e
@pytest.mark.skipif(not (is_installed() and dbus.is_installed()), reason="needs Xvfb, openbox, xdotool, dbus-daemon")
def test_a_locked_session_ends_an_open_request(tmp_path: Path) -> None:
    # A service that takes the call and says nothing: the request stays open until somebody ends it.
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        dbus.private_bus() as bus,
        xvfb(tmp_path) as screen,
    ):
        environment = screen.environment | bus.environment | {"PCSCLITE_CSOCK_NAME": str(tmp_path / "no-pcscd")}
        settings = Path(environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(_settings(silent.getsockname()[1])))
        logind = Child([sys.executable, "-m", "tests.parts.fake_logind", "c1"], environment)
        app = subprocess.Popen([sys.executable, "-m", "sithsapp", "--url", LINK], env=environment, cwd=ROOT)
        try:
            assert logind.hear() == "ready"
            connection, _ = silent.accept()
            with connection:
                log = Path(environment["XDG_STATE_HOME"]) / "sithsapp" / "log" / "tray.log"
                wait_until(lambda: "session watch" in log.read_text(), 20)
                assert GIVEN_UP not in log.read_text()
                # The bus tells nobody what the app listens for: lock until it has heard.
                wait_until(lambda: _lock(logind) and GIVEN_UP in log.read_text(), 20)
                connection.settimeout(20)
                while connection.recv(4096):  # what it had asked for, and then the end of the call
                    pass
        finally:
            end(app)
            logind.end()
