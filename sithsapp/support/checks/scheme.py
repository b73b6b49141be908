# SPDX-License-Identifier: EUPL-1.2
"""Who opens links of the app's scheme, and how the app takes them over when a person says so."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from sithsapp.failures import Failure, SithsError


@dataclass(frozen=True, slots=True)
class SchemeOwner:
    """Whether links come to this app, and the name of who has them; an empty name for nobody."""

    is_us: bool
    name: str


def scheme_owner(scheme: str) -> SchemeOwner | None:
    """Return who opens links of `scheme`, None where the system cannot be asked.

    Raises `SithsError` when asking fails.
    """
    if not sys.platform.startswith("linux"):
        return None
    from sithsapp.desktop.scheme_linux import Owner, registration

    found = registration(scheme)
    return SchemeOwner(found.owner is Owner.US, found.desktop_file.removesuffix(".desktop")[:64])


def take_scheme(scheme: str) -> None:
    """Let this app open links of `scheme`, in place of whoever did; raises `SithsError(SCHEME_NOT_TAKEN)`."""
    if not sys.platform.startswith("linux"):
        raise SithsError(Failure.SCHEME_NOT_TAKEN, "not possible on this system")
    from sithsapp.desktop.scheme_linux import Owner, register

    try:
        after = register(scheme, app_command(), replace_other=True)
    except (OSError, SithsError) as error:
        raise SithsError(Failure.SCHEME_NOT_TAKEN, type(error).__name__) from error
    if after.owner is not Owner.US:
        raise SithsError(Failure.SCHEME_NOT_TAKEN, "the desktop goes on as before")


def app_command() -> tuple[str, ...]:
    """Return the program, absolute, that starts this app: the one beside the interpreter if there is one."""
    if getattr(sys, "frozen", False):
        return (sys.executable,)
    beside = Path(sys.executable).with_name("sithsapp")
    return (str(beside),) if beside.is_file() else (sys.executable, "-m", "sithsapp")
