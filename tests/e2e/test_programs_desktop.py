# SPDX-License-Identifier: EUPL-1.2
"""A program reaches a server with the card, with everything real: app, window, pcscd, curl and nginx."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from sithsapp.card.virtual.card import VirtualCard
from tests.mtls.desk import RIGHT, WRONG
from tests.mtls.parts import ServerFiles
from tests.parts.desk import pause
from tests.parts.nginx import Nginx
from tests.parts.pcscd import PcscSlots
from tests.parts.xvfb import Screen, end, is_installed, wait_until, xvfb

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
TITLE = "curl wants to reach localhost"
DEAF_SECONDS = 1.5  # a window that has just come up takes no keys, and a busy machine shows it late
SECONDS = 40


class Office:
    """A screen with the app on it, and a server behind a forward."""

    def __init__(self, screen: Screen, port: int, app: subprocess.Popen[bytes]) -> None:
        self.screen, self.port, self.app = screen, port, app

    def curl(self) -> subprocess.Popen[bytes]:
        command = ("curl", "--silent", "--noproxy", "*", "--max-time", str(SECONDS), f"http://127.0.0.1:{self.port}/")
        return subprocess.Popen(command, env=self.screen.environment, stdout=subprocess.PIPE)

    def curl_until_asked(self) -> subprocess.Popen[bytes]:
        """Ask again while the app has not seen the card yet."""
        while True:
            request = self.curl()
            wait_until(lambda: bool(self.screen.windows(TITLE)) or request.poll() is not None, SECONDS)  # noqa: B023 - used at once
            if request.poll() is None:
                return request
            assert read(request).startswith("R105")

    def answer(self, *keys: str) -> None:
        wait_until(lambda: bool(self.screen.windows(TITLE)) and TITLE in self.screen.active_title(), SECONDS)
        pause(DEAF_SECONDS)
        for key in keys:
            kind = "key" if key in ("Return", "Escape") else "type"
            self.screen.run("xdotool", kind, "--delay", "20", key)


def read(process: subprocess.Popen[bytes]) -> str:
    out, _ = process.communicate(timeout=SECONDS)
    return str(out, "utf-8")


@contextmanager
def office(home: Path, files: ServerFiles, issuers: Path) -> Iterator[Office]:
    with (
        xvfb(home) as screen,
        Nginx(home / "nginx", files.certificate, files.key, files.client_cas, "TLSv1.3") as web,
    ):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        target = {"name": "journal", "listen": port, "host": "localhost", "port": web.port}
        mtls = {"targets": [target | {"ca": [str(files.certificate)]}], "issuers": [str(issuers)]}
        settings = Path(screen.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps({"environment": "test", "pkcs11": False, "language": "en", "mtls": mtls}))
        screen.environment["PCSCLITE_CSOCK_NAME"] = os.environ["PCSCLITE_CSOCK_NAME"]
        app = subprocess.Popen((sys.executable, "-m", "sithsapp", "--hidden"), env=screen.environment, cwd=ROOT)
        try:
            wait_until(lambda: is_open(port), SECONDS)
            yield Office(screen, port, app)
        finally:
            end(app)


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def set_up(
    pcsc_slots: PcscSlots, card: VirtualCard, server_files: ServerFiles, issuers: Path, tmp_path: Path
) -> Iterator[Office]:
    if not is_installed() or shutil.which("curl") is None:
        pytest.skip("needs Xvfb, openbox, xdotool, xprop and curl")
    home = tmp_path / "home"
    home.mkdir()
    pcsc_slots.insert(card)
    with office(home, server_files, issuers) as made:
        yield made


def test_a_person_lends_the_card_to_curl_and_says_no_to_the_next_question(
    set_up: Office, card: VirtualCard, pcsc_slots: PcscSlots
) -> None:
    request = set_up.curl()
    set_up.answer(WRONG, "Return")
    wait_until(lambda: card.tries_left(0x11) == 2)
    pause(DEAF_SECONDS)
    set_up.answer(RIGHT, "Return")
    assert f"serialNumber={DEFAULT_PERSON.hsa_id}" in read(request)
    wait_until(lambda: not set_up.screen.windows(TITLE))
    assert "|r|" in read(set_up.curl())  # resumed: no window, no code
    pcsc_slots.remove()
    pcsc_slots.insert(card)
    request = set_up.curl_until_asked()
    set_up.answer("Escape")
    assert read(request).startswith("A905")
    assert card.tries_left(0x11) == 3
    set_up.app.terminate()
    assert set_up.app.wait(15) == 0
    wait_until(lambda: not is_open(set_up.port))
