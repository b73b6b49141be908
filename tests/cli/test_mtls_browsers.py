# SPDX-License-Identifier: EUPL-1.2
"""`siths mtls open | trust | untrust | status` as processes of their own, with real NSS databases."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.local_store import LocalStore
from sithsapp.mtls.own_browser import Browser, find_browsers, proxy_answers, start
from sithsapp.mtls.peer import Address
from tests.cli.test_mtls import serving
from tests.parts.siths import Siths
from tests.parts.virtual_card import CardFactory

CERTUTIL = shutil.which("certutil") or ""
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="who is at the other end"),
    pytest.mark.skipif(not CERTUTIL, reason="certutil is not installed"),
]
HOST, OTHER = "portal.example", "journal.example"


@pytest.fixture
def siths(card: VirtualCard, make_card: CardFactory, tmp_path: Path) -> Siths:
    siths = Siths(make_card.directory(), tmp_path / "home")
    database_of(siths).mkdir(parents=True)  # as if Chromium had been here
    configure(siths, HOST)
    return siths


def home_of(siths: Siths) -> Path:
    return Path(siths.environment["HOME"])


def database_of(siths: Siths) -> Path:
    return home_of(siths) / ".local" / "share" / "pki" / "nssdb"


def proxy_of(siths: Siths) -> Path:
    return home_of(siths) / ".local" / "share" / "sithsapp" / "mtls"


def configure(siths: Siths, *hosts: str) -> None:
    path = Path(siths.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
    settings = json.loads(path.read_text())
    settings["mtls"] = {"targets": [{"name": f"web{n}", "host": h, "mode": "browser"} for n, h in enumerate(hosts)]}
    path.write_text(json.dumps(settings))


def listing(siths: Siths) -> str:
    command = [CERTUTIL, "-L", "-d", f"sql:{database_of(siths)}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


def test_trust_is_given_seen_and_taken_back_without_a_trace(siths: Siths) -> None:
    before = siths.run("mtls", "status", "--json").data["browsers"]
    assert [store["trusted"] for store in before["stores"]] == [False]
    given = siths.run("mtls", "trust", "--yes", "--json")
    assert given.exit_code == 0
    assert given.data["hosts"] == [HOST]
    assert [store["trusted"] for store in given.data["stores"]] == [True]
    assert "BEGIN CERTIFICATE" in Path(given.data["authority"]).read_text()
    assert "C,," in listing(siths)
    told = siths.run("mtls", "status", LANGUAGE="en")
    assert "trusts the proxy" in told.out
    assert siths.run("mtls", "untrust").exit_code == 0
    assert "SITHS" not in listing(siths)
    left = [path for path in proxy_of(siths).rglob("*") if path.is_file()]
    assert left == []


def test_other_hosts_make_the_trust_stale_until_it_is_given_anew(siths: Siths) -> None:
    siths.run("mtls", "trust", "--yes")
    configure(siths, HOST, OTHER)
    LocalStore(proxy_of(siths)).ensure([HOST, OTHER])  # as a helper does that starts with these settings
    (store,) = siths.run("mtls", "status", "--json").data["browsers"]["stores"]
    assert (store["trusted"], store["stale"]) == (False, 1)
    (store,) = siths.run("mtls", "trust", "--yes", "--json").data["stores"]
    assert (store["trusted"], store["stale"]) == (True, 0)
    assert listing(siths).count("SITHS") == 1


@pytest.mark.parametrize(("answer", "exit_code"), [("yes\n", 0), ("no\n", 155), ("\n", 155)])
def test_it_says_what_it_will_do_and_asks(siths: Siths, answer: str, exit_code: int) -> None:
    siths.environment["LANGUAGE"] = "en"
    result = siths.at_terminal("mtls", "trust", answers=[("Go on?", answer)])
    assert HOST in result.err
    assert str(database_of(siths)) in result.err
    assert result.exit_code == exit_code
    assert (proxy_of(siths) / "proxy.pem").exists() == (exit_code == 0)


def test_without_a_terminal_nothing_is_trusted_unasked(siths: Siths) -> None:
    assert siths.run("mtls", "trust").number == "A936"
    assert siths.run("mtls", "trust", "--json").number == "A936"
    assert not (database_of(siths) / "cert9.db").exists()


def test_without_servers_for_browsers_there_is_nothing_to_trust(siths: Siths) -> None:
    configure(siths)
    assert siths.run("mtls", "trust", "--yes", "--json").number == "A931"
    assert "browsers" not in siths.run("mtls", "status", "--json").data


def test_open_shows_the_settings_of_a_proxy_that_runs(siths: Siths) -> None:
    assert siths.run("mtls", "open", "--print", "--json").number == "A930"
    with serving(siths, DEMO_CODES.pin1):
        shown = siths.run("mtls", "open", "--print", "--json").data
        assert shown["address"] == f"https://{HOST}/"
        assert shown["pac"].endswith("/proxy.pac")
        assert siths.run("mtls", "open", "elsewhere", "--json").number == "A931"
        row = siths.run("mtls", "status", "--json").data["targets"][0]
        assert (row["open"], row["mode"]) == (True, "browser")
        configure(siths, HOST, OTHER)
        assert siths.run("mtls", "open", "--print", "--json").number == "A937"


def test_a_port_that_another_user_has_taken_is_not_believed(siths: Siths) -> None:
    class Stranger:
        def own_program(self, _ours: Address, _theirs: Address) -> Program | None:
            return None

    class Own:
        def own_program(self, _ours: Address, _theirs: Address) -> Program | None:
            return Program("/siths", 1)

    with serving(siths, DEMO_CODES.pin1):
        port = LocalStore(proxy_of(siths)).noted_port()
        assert port is not None
        assert proxy_answers(port, Own())
        assert not proxy_answers(port, Stranger())


@contextmanager
def stand_in(directory: Path, name: str, status: int = 0) -> Iterator[Path]:
    """A program that notes how it was called; gives the file it notes in."""
    program, noted = directory / name, directory / "called"
    os.mkfifo(noted)
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {noted}\nexit {status}\n')
    program.chmod(0o755)
    yield noted


def called(noted: Path, browser: Browser, profile: Path) -> list[str]:
    reading = subprocess.Popen(["cat", str(noted)], stdout=subprocess.PIPE, text=True)
    start(browser, profile, "http://127.0.0.1:9440/proxy.pac", f"https://{HOST}/")
    return reading.communicate(timeout=20)[0].splitlines()


def test_firefox_gets_a_profile_of_its_own(tmp_path: Path) -> None:
    with stand_in(tmp_path, "firefox-esr") as noted:
        (browser,) = find_browsers(str(tmp_path))
        assert browser.kind == "firefox"
        arguments = called(noted, browser, tmp_path / "profile")
    assert arguments == ["--new-instance", "--profile", str(tmp_path / "profile"), f"https://{HOST}/"]
    preferences = (tmp_path / "profile" / "user.js").read_text()
    assert 'user_pref("network.proxy.autoconfig_url", "http://127.0.0.1:9440/proxy.pac");' in preferences
    assert 'user_pref("network.proxy.type", 2);' in preferences


def test_chromium_gets_a_profile_of_its_own(tmp_path: Path) -> None:
    with stand_in(tmp_path, "chromium") as noted:
        (browser,) = find_browsers(str(tmp_path))
        arguments = called(noted, browser, tmp_path / "profile")
    assert f"--user-data-dir={tmp_path / 'profile'}" in arguments
    assert "--proxy-pac-url=http://127.0.0.1:9440/proxy.pac" in arguments
    assert arguments[-1] == f"https://{HOST}/"


def program(path: Path, content: str = "#!/bin/sh\n") -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    path.chmod(0o755)
    return str(path)


def test_browsers_in_a_snap_are_left_out(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "firefox", '#!/bin/sh\nexec /snap/bin/firefox "$@"\n')
    snap = program(tmp_path / "lib" / "snap", "")
    (tmp_path / "bin" / "chromium").symlink_to(snap)
    assert find_browsers(str(tmp_path / "bin")) == ()
    real = program(tmp_path / "bin" / "firefox-esr")
    assert find_browsers(str(tmp_path / "bin")) == (Browser("firefox", real),)


def test_windows_browsers_are_found_where_they_are_installed(tmp_path: Path) -> None:
    places = {"PROGRAMFILES": str(tmp_path / "pf"), "PROGRAMFILES(X86)": str(tmp_path / "x86")}
    firefox = program(tmp_path / "pf" / "Mozilla Firefox" / "firefox.exe")
    edge = program(tmp_path / "x86" / "Microsoft" / "Edge" / "Application" / "msedge.exe")
    found = find_browsers(platform="win32", environment=places)
    assert set(found) == {Browser("firefox", firefox), Browser("chromium", edge)}
    assert find_browsers(platform="win32", environment={}) == ()
