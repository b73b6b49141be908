# SPDX-License-Identifier: EUPL-1.2
"""Starts a browser in a profile of its own that goes by the local proxy; the person's own profiles stay as they are.

A browser that runs already takes no proxy from a new start, so the profile is another one, kept for the next time.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.connect_request import PAC_PATH
from sithsapp.mtls.peer import LOOPBACK, PeerCheck
from sithsapp.mtls.trust_nss import CHROMIUM_FAMILY

Kind = Literal["chromium", "firefox"]

_PROGRAMS: Final = "/usr/bin:/usr/local/bin"
_FIREFOX: Final = ("firefox", "firefox-esr")
_WINDOWS_PLACES: Final[tuple[tuple[Kind, tuple[str, ...]], ...]] = (
    ("chromium", ("Microsoft", "Edge", "Application", "msedge.exe")),
    ("chromium", ("Google", "Chrome", "Application", "chrome.exe")),
    ("firefox", ("Mozilla Firefox", "firefox.exe")),
)
_MAC_PLACES: Final[tuple[tuple[Kind, str], ...]] = (
    ("chromium", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    ("chromium", "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge"),
    ("firefox", "/Applications/Firefox.app/Contents/MacOS/firefox"),
)
_ASK_SECONDS: Final = 2.0
_EARLY_SECONDS: Final = 1.0
_MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that is installed."""

    kind: Kind
    program: str


def find_browsers(
    programs: str = _PROGRAMS, platform: str = sys.platform, environment: Mapping[str, str] = os.environ
) -> tuple[Browser, ...]:
    """Return a Firefox and a browser of Chromium's kind, as far as they are installed.

    Firefox comes first on Linux, where a profile of its own can trust the proxy alone; elsewhere all take the trust
    from the system. Browsers in a Snap cannot read a profile of ours and are left out.
    """
    if platform == "win32":
        return _first_of_each(_windows_places(environment))
    if platform == "darwin":
        return _first_of_each([(kind, Path(place)) for kind, place in _MAC_PLACES])
    kinds: tuple[tuple[Kind, Sequence[str]], ...] = (("firefox", _FIREFOX), ("chromium", CHROMIUM_FAMILY))
    found = [(kind, shutil.which(name, path=programs)) for kind, names in kinds for name in names]
    return _first_of_each([(kind, Path(path)) for kind, path in found if path is not None and not _is_snap(path)])


def _first_of_each(candidates: Iterable[tuple[Kind, Path]]) -> tuple[Browser, ...]:
    found: dict[Kind, Browser] = {}
    for kind, path in candidates:
        if kind not in found and path.is_file():
            found[kind] = Browser(kind, str(path))
    return tuple(found.values())


def _windows_places(environment: Mapping[str, str]) -> Iterator[tuple[Kind, Path]]:
    roots = (environment.get(name) for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"))
    for root in filter(None, roots):
        for kind, parts in _WINDOWS_PLACES:
            yield kind, Path(root).joinpath(*parts)


def _is_snap(program: str) -> bool:
    """Tell whether a program is a Snap's, or a script that starts one, as Ubuntu has them for its browsers."""
    path = Path(program).resolve()
    try:
        with path.open("rb") as file:
            begin = file.read(_MOST)
    except OSError:
        return False
    return path.name == "snap" or (begin.startswith(b"#!") and b"/snap/bin/" in begin)


def profile_of(kind: Kind, directory: Path) -> Path:
    """Return where a browser's own profile lies in the directory of the local proxy."""
    return directory / kind


def start(browser: Browser, profile: Path, pac_url: str, address: str) -> None:
    """Open `address` in `browser` with `profile`, which is made when it is missing.

    Raises `SithsError(NO_BROWSER)`.
    """
    command = [browser.program, f"--user-data-dir={profile}", f"--proxy-pac-url={pac_url}", "--no-first-run"]
    try:
        profile.mkdir(mode=0o700, parents=True, exist_ok=True)
        if browser.kind == "firefox":
            _write_preferences(profile, pac_url)
            command = [browser.program, "--new-instance", "--profile", str(profile)]
        _run([*command, address])
    except OSError as error:
        raise SithsError(Failure.NO_BROWSER, f"{browser.program}: {error.strerror}") from error


def _write_preferences(profile: Path, pac_url: str) -> None:
    wanted = {
        "network.proxy.type": 2,
        "network.proxy.autoconfig_url": pac_url,
        "browser.shell.checkDefaultBrowser": False,
        "browser.aboutwelcome.enabled": False,
        "browser.startup.homepage_override.mstone": "ignore",
        "datareporting.policy.firstRunURL": "",
    }
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
    (profile / "user.js").write_text("".join(lines), encoding="ascii")


def _run(command: Sequence[str]) -> None:
    process = subprocess.Popen(  # noqa: S603 # an absolute program, checked arguments, no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        status = process.wait(_EARLY_SECONDS)
    except subprocess.TimeoutExpired:
        # It runs on by itself; somebody has to take its exit status in the end.
        threading.Thread(target=process.wait, name="own browser", daemon=True).start()
        return
    if status != 0:
        raise SithsError(Failure.NO_BROWSER, f"{command[0]} ended with {status}")


def proxy_answers(port: int, peers: PeerCheck) -> bool:
    """Tell whether a proxy of this user's own listens on the port: another user may have taken it."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=_ASK_SECONDS) as asking:
            asking.sendall(f"GET {PAC_PATH} HTTP/1.1\r\nHost: {LOOPBACK}:{port}\r\n\r\n".encode("ascii"))
            answer = asking.recv(_MOST)
            own = peers.own_program(asking.getsockname(), asking.getpeername()) is not None
    except OSError:
        return False
    return own and answer.startswith(b"HTTP/1.1 200 ")
