# SPDX-License-Identifier: EUPL-1.2
"""Browsers on Linux: the certificate databases of NSS, which Chromium has one of and each Firefox profile its own.

Which database Chromium reads has changed over the years: `~/.pki/nssdb` if that directory exists, else the one under
the user's data directory. Making the former would hide the latter, so it is never made here.
"""

from __future__ import annotations

import configparser
import shutil
import ssl
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.contexts import private_file
from sithsapp.mtls.local_ca import NAME_BEGINS
from sithsapp.mtls.trust import Held, Run, TrustStore, run
from sithsapp.pki.certificate import read_certificate

_PROGRAMS: Final = "/usr/bin:/usr/local/bin"
CHROMIUM_FAMILY: Final = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "microsoft-edge",
    "microsoft-edge-stable",
    "brave-browser",
    "vivaldi-stable",
)
_FIREFOX_ROOTS: Final = (".mozilla/firefox", ".config/mozilla/firefox")
_FIREFOX: Final = "Firefox"
_MOST_PROFILES: Final = 64
_WEB_SERVERS_ONLY: Final = "C,,"


class NssDatabase:
    """One database, changed with NSS's own certutil. A missing one is made when trust is added."""

    def __init__(self, name: str, directory: Path, certutil: str, runner: Run = run) -> None:
        self._name, self._directory = name, directory
        self._certutil, self._run = certutil, runner

    @property
    def name(self) -> str:
        """See `TrustStore`."""
        return f"{self._name} ({self._directory})"

    def held(self, known: Iterable[bytes]) -> tuple[Held, ...]:
        """See `TrustStore`; found by the name that each of ours begins with."""
        if not self._exists():
            return ()
        listing = self._tool("-L").decode(errors="replace").splitlines()
        ours = [line.rsplit(None, 1) for line in listing if line.startswith(NAME_BEGINS)]
        return tuple(
            Held(self._tool("-L", "-n", nickname.strip(), "-r"), "C" in flags.split(",")[0])
            for nickname, flags in ours
        )

    def add(self, authority: bytes) -> None:
        """See `TrustStore`."""
        if not self._exists():
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._tool("-N", "--empty-password")
        with private_file(ssl.DER_cert_to_PEM_cert(authority).encode("ascii")) as file:
            self._tool("-A", "-n", _nickname(authority), "-t", _WEB_SERVERS_ONLY, "-a", "-i", str(file))

    def remove(self, authority: bytes) -> None:
        """See `TrustStore`."""
        self._tool("-D", "-n", _nickname(authority))

    def _exists(self) -> bool:
        return (self._directory / "cert9.db").is_file()

    def _tool(self, action: str, *rest: str) -> bytes:
        return self._run([self._certutil, action, "-d", f"sql:{self._directory}", *rest])


def find_databases(
    home: Path, environment: Mapping[str, str], own_profiles: Iterable[Path] = (), programs: str = _PROGRAMS
) -> tuple[TrustStore, ...]:
    """Return the databases of the browsers in `home`.

    Raises `SithsError(TRUST_TOOL_MISSING)` if there are some, and no certutil.
    """
    found = list(dict.fromkeys(_databases(home, environment, own_profiles, programs)))
    certutil = _certutil(programs) if found else ""
    return tuple(NssDatabase(name, directory, certutil) for name, directory in found)


def own_database(profile: Path, programs: str = _PROGRAMS) -> NssDatabase:
    """Return the database of a Firefox profile of our own; raises as `find_databases` does."""
    return NssDatabase(_FIREFOX, profile, _certutil(programs))


def _certutil(programs: str) -> str:
    found = shutil.which("certutil", path=programs)
    if found is None:
        raise SithsError(Failure.TRUST_TOOL_MISSING, "certutil")
    return found


def _databases(
    home: Path, environment: Mapping[str, str], own_profiles: Iterable[Path], programs: str
) -> Iterator[tuple[str, Path]]:
    chromium = _chromium_database(home, environment)
    if chromium.is_dir() or any(shutil.which(each, path=programs) for each in CHROMIUM_FAMILY):
        yield "Chromium, Chrome, Edge", chromium
    for root in _FIREFOX_ROOTS:
        for profile in _profiles(home / root):
            yield _FIREFOX, profile
    for profile in own_profiles:
        if profile.is_dir():
            yield _FIREFOX, profile


def _chromium_database(home: Path, environment: Mapping[str, str]) -> Path:
    old = home / ".pki" / "nssdb"
    if old.is_dir():
        return old
    given = Path(environment.get("XDG_DATA_HOME", ""))
    return (given if given.is_absolute() else home / ".local" / "share") / "pki" / "nssdb"


def _profiles(root: Path) -> Iterator[Path]:
    """Give the profiles that Firefox knows under `root`, wherever they are."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string((root / "profiles.ini").read_text("utf-8", errors="replace"))
    except (OSError, configparser.Error):
        return
    for name in [each for each in parser.sections() if each.startswith("Profile")][:_MOST_PROFILES]:
        given = parser[name].get("Path", "")
        path = root / given if parser[name].get("IsRelative", "1") == "1" else Path(given)
        if given and path.is_absolute() and path.is_dir():
            yield path


def _nickname(authority: bytes) -> str:
    name = read_certificate(authority).common_name or ""
    if not name.startswith(NAME_BEGINS):
        raise SithsError(Failure.TRUST_NOT_CHANGED, "not one of ours")
    return name
