# SPDX-License-Identifier: EUPL-1.2
"""Which PKCS#11 modules may be loaded: those in their vendors' known places, or those that the settings name.

A module is code. It is found by an absolute path alone, never by a search through the working directory, PATH or the
environment, and only where nobody but the system and the person themselves can have put it.
"""

from __future__ import annotations

import logging
import os
import stat
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Final

from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

_LINUX_LIBRARIES: Final = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/lib")
_LINUX: Final = (
    *(f"{place}/{name}" for name in ("libIDPrimePKCS11.so", "libeTPkcs11.so") for place in _LINUX_LIBRARIES),
    *(f"{place}/libiidp11.so" for place in _LINUX_LIBRARIES),
    *(f"{place}/opensc-pkcs11.so" for place in _LINUX_LIBRARIES),
    *(f"{place}/softhsm/libsofthsm2.so" for place in _LINUX_LIBRARIES),
)
_MAC: Final = (
    "/usr/local/lib/libIDPrimePKCS11.dylib",
    "/usr/local/lib/libeTPkcs11.dylib",
    "/usr/local/lib/libiidp11.dylib",
    "/Library/OpenSC/lib/opensc-pkcs11.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
)
_WINDOWS: Final = (
    r"C:\Program Files\SafeNet\Authentication\SAC\x64\IDPrimePKCS1164.dll",
    r"C:\Windows\System32\eTPKCS11.dll",
    r"C:\Program Files\SafeNet\Authentication\SAC\x64\eTPKCS11.dll",
    r"C:\Program Files\Net iD\iidp11.dll",
    r"C:\Program Files\OpenSC Project\OpenSC\pkcs11\opensc-pkcs11.dll",
    r"C:\Program Files\SoftHSM2\lib\softhsm2-x64.dll",
)
_WINDOWS_PROTECTED: Final = (r"C:\Program Files", r"C:\Program Files (x86)", r"C:\Windows\System32")
_ROOT: Final = 0
_MAC_ADMINISTRATORS: Final = 80
_READERS_ONLY: Final = ("etpkcs11", "idprimepkcs11", "iidp11", "opensc-pkcs11")


@dataclass(frozen=True, slots=True)
class Module:
    """A module's file. `readers_only`: all of its tokens are cards in readers that PC/SC knows too."""

    path: Path
    readers_only: bool


def known_places(platform: str = sys.platform) -> tuple[str, ...]:
    """Return where SafeNet Authentication Client, Net iD, OpenSC and SoftHSM put their modules, in that order."""
    if platform == "win32":
        return _WINDOWS
    return _MAC if platform == "darwin" else _LINUX


def find_modules(configured: Iterable[str] = ()) -> tuple[Module, ...]:
    """Return the modules that are there and may be loaded: those in `configured`, or without it in the known places.

    A module that the settings name but that cannot be loaded is told to the log.
    """
    wanted = tuple(configured)
    found: dict[Path, Module] = {}
    for place in wanted or known_places():
        try:
            path = check_module(place)
        except SithsError as error:
            _log.log(logging.WARNING if wanted or os.path.lexists(place) else logging.DEBUG, "%s", error)
            continue
        found.setdefault(path, Module(path, path.name.lower().removeprefix("lib").startswith(_READERS_ONLY)))
    return tuple(found.values())


def check_module(place: str | Path) -> Path:
    """Return the real path of a module after a look at who may have written it and the directories above it.

    Raises `SithsError(SETTINGS_INVALID)` for a path that is not absolute, no regular file, or open to others.
    """
    path = Path(place)
    if not path.is_absolute():
        raise _refused(place, "the path is not absolute")
    try:
        real = path.resolve(strict=True)
        if not stat.S_ISREG(real.stat().st_mode):
            raise _refused(place, "no regular file")
        if sys.platform == "win32":
            _check_windows(real)
        else:
            for part in (real, *real.parents):
                _check_posix(part)
    except OSError as error:
        raise _refused(place, error.strerror or "cannot be looked at") from None
    return real


def _check_windows(real: Path) -> None:
    """Take what lies where only administrators can write; access lists elsewhere are not judged."""
    if not any(PureWindowsPath(real).is_relative_to(place) for place in _WINDOWS_PROTECTED):
        raise _refused(real, "not in a directory that only administrators can write to")


def _check_posix(part: Path) -> None:
    status = part.stat()
    if status.st_uid not in (_ROOT, os.getuid()):
        raise _refused(part, "it belongs to another user")
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return  # in such a directory nobody can replace what is another's
    trusted_groups = {_ROOT, _MAC_ADMINISTRATORS} if sys.platform == "darwin" else {_ROOT}
    by_group = status.st_mode & stat.S_IWGRP and status.st_gid not in trusted_groups
    if status.st_mode & stat.S_IWOTH or by_group:
        raise _refused(part, "others may write to it")


def _refused(place: str | Path, why: str) -> SithsError:
    return SithsError(Failure.SETTINGS_INVALID, f"PKCS#11 module {place}: {why}")
