# SPDX-License-Identifier: EUPL-1.2
"""Register the app for its URL scheme on Linux, and see who owns it.

A desktop file in the user's data directory announces the handler; xdg-mime makes it the default. Another
product's registration is never replaced unless the caller says so.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from sithsapp.desktop import paths
from sithsapp.desktop.desktop_entry import quote
from sithsapp.failures import Failure, SithsError

DESKTOP_FILE = "sithsapp.desktop"
_XDG_MIME = Path("/usr/bin/xdg-mime")
_TIMEOUT = 10.0


class Owner(Enum):
    """Whose the scheme is."""

    NOBODY = "nobody"
    US = "us"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Registration:
    """Who opens links of the scheme; `desktop_file` is the handler's file name, empty for nobody."""

    owner: Owner
    desktop_file: str


def registration(scheme: str) -> Registration:
    """Return who opens `scheme` links now."""
    found = _xdg_mime("query", "default", _mime_type(scheme)).strip()
    if not found:
        return Registration(Owner.NOBODY, "")
    return Registration(Owner.US if found == DESKTOP_FILE else Owner.OTHER, found)


def register(scheme: str, command: Sequence[str], *, replace_other: bool = False) -> Registration:
    """Make `command` (program and arguments, absolute) open `scheme` links, and return who owns them then.

    With another owner nothing is changed unless `replace_other`.
    """
    before = registration(scheme)
    if before.owner is Owner.OTHER and not replace_other:
        return before
    directory = paths.data_dir() / "applications"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / DESKTOP_FILE).write_text(desktop_entry(scheme, command), encoding="utf-8")
    _xdg_mime("default", DESKTOP_FILE, _mime_type(scheme))
    return registration(scheme)


def desktop_entry(scheme: str, command: Sequence[str]) -> str:
    """Return the desktop file. The link is the value of a fixed option, so that it can never be an option."""
    program = " ".join(map(quote, command))
    lines = (
        "[Desktop Entry]",
        "Type=Application",
        "Name=SITHS eID-app",
        "Comment=Log in and sign with a smart card",
        "Comment[sv]=Logga in och skriv under med smartkort",
        f"Exec={program} --url %u",
        "Terminal=false",
        "StartupNotify=true",
        "Categories=Utility;Security;",
        f"MimeType={_mime_type(scheme)};",
    )
    return "\n".join(lines) + "\n"


def _mime_type(scheme: str) -> str:
    return f"x-scheme-handler/{scheme}"


def _xdg_mime(*arguments: str) -> str:
    try:
        result = subprocess.run(  # noqa: S603 # absolute program, arguments of our own, no shell
            [str(_XDG_MIME), *arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise SithsError(Failure.UNKNOWN, f"xdg-mime {arguments[0]}: {type(error).__name__}") from error
    return result.stdout
