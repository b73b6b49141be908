# SPDX-License-Identifier: EUPL-1.2
"""Which versions of what are in use: the first thing that support asks for."""

from __future__ import annotations

import platform
import ssl
import sys
from importlib import metadata

from sithsapp import __version__
from sithsapp.settings import profile
from sithsapp.support.system.facts import System

_PACKAGES = (("PySide6_Essentials", "Qt"), ("cryptography", "cryptography"), ("pyscard", "pyscard"))


def app_versions() -> tuple[tuple[str, str], ...]:
    """Return labels and versions of the app and what it is made of. Asks nobody."""
    packages = ((label, _package(name)) for name, label in _PACKAGES)
    return (
        ("SITHS eID-app", __version__),
        ("variant", variant()),
        ("package", _package_kind()),
        ("Python", platform.python_version()),
        *((label, version) for label, version in packages if version),
        ("OpenSSL", ssl.OPENSSL_VERSION.removeprefix("OpenSSL ")),
    )


def all_versions(system: System) -> tuple[tuple[str, str], ...]:
    """Return what `app_versions` does, and those of the system and the smart card parts. May take some seconds."""
    session = system.session()
    shown = " ".join(filter(None, (session.kind.value, session.version)))
    drivers = tuple(("smart cards", version) for version in system.driver().versions)
    return (*app_versions(), *system.describe(), ("session", shown), *drivers)


def versions_text(versions: tuple[tuple[str, str], ...]) -> str:
    """Return versions as lines for a letter to support."""
    return "".join(f"{label}: {value}\n" for label, value in versions if value)


def variant() -> str:
    """Return which of the packages this is, by what it may be switched to."""
    named = getattr(profile, "VARIANT", None)
    if isinstance(named, str):
        return named
    return "standard" if len(profile.ENVIRONMENTS) == 1 else "ENV"


def _package_kind() -> str:
    if getattr(sys, "frozen", False):
        return "installed program"
    return "Python package" if _package("sithsapp") else "source"


def _package(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
