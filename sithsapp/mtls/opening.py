# SPDX-License-Identifier: EUPL-1.2
"""Opens a server in a browser of the user's that goes by the local proxy."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.local_store import LocalStore
from sithsapp.mtls.own_browser import Browser, find_browsers, profile_of, proxy_answers, start
from sithsapp.mtls.peer import LOOPBACK, system_peer_check
from sithsapp.mtls.trust import trust
from sithsapp.mtls.trust_nss import own_database
from sithsapp.settings.schema import Mtls, MtlsTarget


@dataclass(frozen=True, slots=True)
class Way:
    """How a browser gets to a server: the server's `address`, and the proxy's `port` and settings file `pac_url`."""

    address: str
    port: int
    pac_url: str


def proxy_port(directory: Path) -> int | None:
    """Return where a proxy of this user's own answers now, None if none does. It keeps its files in `directory`."""
    port = LocalStore(directory).noted_port()
    return port if port is not None and proxy_answers(port, system_peer_check()) else None


def way_to(target: MtlsTarget, directory: Path) -> Way:
    """Return the way to a target with the mode `browser`; raises `SithsError(PROXY_NOT_RUNNING)`."""
    port = proxy_port(directory)
    if port is None:
        raise SithsError(Failure.PROXY_NOT_RUNNING)
    address = f"https://{target.host}" + ("" if target.port == 443 else f":{target.port}") + "/"
    return Way(address, port, f"http://{LOOPBACK}:{port}/proxy.pac")


def browser_of_kind(kind: str | None = None) -> Browser:
    """Return a browser that is installed; raises `SithsError(NO_BROWSER)`."""
    found = next((each for each in find_browsers() if kind in (None, each.kind)), None)
    if found is None:
        raise SithsError(Failure.NO_BROWSER)
    return found


def open_in(browser: Browser, way: Way, settings: Mtls, directory: Path) -> None:
    """Start `browser` in a profile of its own in `directory`.

    On Linux a Firefox profile of our own trusts the proxy without asking, as it is for that alone. Raises
    `SithsError`: PROXY_NOT_RUNNING (it runs with other settings), NO_BROWSER, TRUST_NOT_CHANGED.
    """
    profile = profile_of(browser.kind, directory)
    if browser.kind == "firefox" and sys.platform not in ("win32", "darwin"):
        _trust_in_own_profile(settings, directory)
    start(browser, profile, way.pac_url, way.address)


def _trust_in_own_profile(settings: Mtls, directory: Path) -> None:
    found = LocalStore(directory).suitable([target.host for target in settings.for_browsers])
    if found is None:
        raise SithsError(Failure.PROXY_NOT_RUNNING, "it was started with other settings")
    (report,) = trust([own_database(profile_of("firefox", directory))], found.authority, ())
    if report.failure is not None:
        raise report.failure
