# SPDX-License-Identifier: EUPL-1.2
"""The URL scheme is registered for this user, and never taken from another product unasked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sithsapp.desktop.scheme_linux import DESKTOP_FILE, Owner, desktop_entry, register, registration
from tests.parts.xvfb import wait_until

pytestmark = pytest.mark.skipif(shutil.which("xdg-mime") is None, reason="needs xdg-utils")

SCHEME = "siths"
OTHER = "other.desktop"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, variable in (("data", "XDG_DATA_HOME"), ("config", "XDG_CONFIG_HOME"), ("share", "XDG_DATA_DIRS")):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_DIRS", str(tmp_path / "etc"))
    for variable in ("XDG_CURRENT_DESKTOP", "DESKTOP_SESSION", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "BROWSER"):
        monkeypatch.delenv(variable, raising=False)
    return tmp_path


def _program(home: Path, name: str) -> tuple[Path, Path]:
    program, seen = home / name, home / f"{name}.seen"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {seen}.new\nmv {seen}.new {seen}\n')
    program.chmod(0o755)
    return program, seen


def _make_other_the_owner(home: Path) -> None:
    applications = home / "data" / "applications"
    applications.mkdir(exist_ok=True)
    (applications / OTHER).write_text("[Desktop Entry]\nType=Application\nName=Other\nExec=/bin/true %u\n")
    (home / "config" / "mimeapps.list").write_text(f"[Default Applications]\nx-scheme-handler/{SCHEME}={OTHER}\n")


def test_nobody_owns_it_at_first() -> None:
    assert registration(SCHEME).owner is Owner.NOBODY


def test_registering_makes_us_the_owner(home: Path) -> None:
    assert register(SCHEME, ["/usr/bin/sithsapp"]).owner is Owner.US
    assert (home / "data" / "applications" / DESKTOP_FILE).is_file()


def test_another_product_keeps_it(home: Path) -> None:
    _make_other_the_owner(home)
    found = register(SCHEME, ["/usr/bin/sithsapp"])
    assert (found.owner, found.desktop_file) == (Owner.OTHER, OTHER)
    assert not (home / "data" / "applications" / DESKTOP_FILE).exists()


def test_it_is_taken_when_told_to(home: Path) -> None:
    _make_other_the_owner(home)
    assert register(SCHEME, ["/usr/bin/sithsapp"], replace_other=True).owner is Owner.US


def test_the_link_is_the_value_of_a_fixed_option() -> None:
    entry = desktop_entry(SCHEME, ["/opt/a b/python", "-m", "sithsapp"])
    assert 'Exec="/opt/a b/python" -m sithsapp --url %u\n' in entry


def test_special_signs_are_escaped() -> None:
    assert 'Exec="/a\\\\$b%%" --url' in desktop_entry(SCHEME, ["/a$b%"])


@pytest.mark.skipif(shutil.which("desktop-file-validate") is None, reason="needs desktop-file-utils")
def test_the_entry_is_valid(home: Path) -> None:
    path = home / DESKTOP_FILE
    path.write_text(desktop_entry(SCHEME, ["/usr/bin/sithsapp"]))
    subprocess.run(["desktop-file-validate", str(path)], timeout=20, check=True)


@pytest.mark.e2e
@pytest.mark.parametrize("link", ["siths:start?v=1&s=demo&t=abc", "siths:--hidden", "siths:$(touch x);`id`"])
def test_a_real_launcher_passes_the_link_as_one_argument(home: Path, link: str) -> None:
    program, seen = _program(home, "handler")
    register(SCHEME, [str(program)])
    # xdg-open looks for handlers only where there is a display; none is opened here.
    environment = os.environ | {"DISPLAY": ":none", "BROWSER": "/bin/false"}
    subprocess.run(["xdg-open", link], timeout=20, check=True, capture_output=True, env=environment)
    wait_until(seen.exists)
    assert seen.read_text().splitlines() == ["--url", link]
