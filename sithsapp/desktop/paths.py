# SPDX-License-Identifier: EUPL-1.2
"""Where the app keeps its files, by the rules of each platform."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_NAME = "sithsapp"


def config_dir() -> Path:
    """Return the directory of the user's own settings."""
    if sys.platform == "win32":
        return _windows("APPDATA")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    return _xdg("XDG_CONFIG_HOME", ".config")


def cache_dir() -> Path:
    """Return the directory of what may be lost, such as public card data."""
    if sys.platform == "win32":
        return _windows("LOCALAPPDATA") / "cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / _NAME
    return _xdg("XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """Return the directory of what the app remembers from one run to the next, such as the active reader."""
    if sys.platform == "win32":
        return _windows("LOCALAPPDATA") / "state"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME / "state"
    return _xdg("XDG_STATE_HOME", ".local/state")


def log_dir() -> Path:
    """Return the directory of the logs."""
    if sys.platform == "win32":
        return _windows("LOCALAPPDATA") / "log"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Logs" / _NAME
    return _xdg("XDG_STATE_HOME", ".local/state") / "log"


def data_dir() -> Path:
    """Return the directory of per-user data that other programs read, such as `applications` on Linux."""
    if sys.platform == "win32":
        return _windows("LOCALAPPDATA")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / _NAME
    return _xdg_base("XDG_DATA_HOME", ".local/share")


def mtls_dir() -> Path:
    """Return the directory of the local proxy's certificate, which is this user's on this computer alone."""
    base = data_dir() / _NAME if sys.platform not in ("win32", "darwin") else data_dir()
    return base / "mtls"


def _xdg(variable: str, default: str) -> Path:
    return _xdg_base(variable, default) / _NAME


def _xdg_base(variable: str, default: str) -> Path:
    # The base directory specification: a relative path is to be ignored.
    given = Path(os.environ.get(variable, ""))
    return given if given.is_absolute() else Path.home() / default


def _windows(variable: str) -> Path:
    return Path(os.environ.get(variable) or Path.home() / "AppData" / "Local") / _NAME
