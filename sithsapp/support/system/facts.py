# SPDX-License-Identifier: EUPL-1.2
"""The interface to the operating system's own knowledge. Nothing here changes anything."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol

_SECONDS = 8.0
_MAX_OUTPUT = 64 * 1024
Run = Callable[[Sequence[str]], str]
"""Runs a program by its absolute path and returns its standard output; empty when it cannot be run."""


class SessionKind(Enum):
    """Where the desktop is shown."""

    LOCAL = "local"
    RDP = "Remote Desktop"
    CITRIX = "Citrix"
    HORIZON = "Horizon"
    SSH = "SSH"


@dataclass(frozen=True, slots=True)
class Session:
    """The kind of session, and the version of what shows it where that is known."""

    kind: SessionKind
    version: str = ""


@dataclass(frozen=True, slots=True)
class Driver:
    """The parts between a reader and the app.

    `versions` are lines such as `pcsc-lite 1.9.9`. `attached` counts smart card readers that the computer itself
    sees, None where it cannot be told. `installed` says whether there is a driver for ordinary readers, or None.
    """

    versions: tuple[str, ...] = ()
    attached: int | None = None
    installed: bool | None = None


class Propagation(Enum):
    """Who copies certificates from cards to the user's certificate store (Windows)."""

    NONE = "none"
    SYSTEM = "system"
    OTHER = "other"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class BlockedLinks:
    """A browser's policy that keeps it from opening links of the app's scheme."""

    browser: str
    policy: str


class System(Protocol):
    """What one operating system knows. Methods may block for some seconds and never raise."""

    def describe(self) -> tuple[tuple[str, str], ...]:
        """Return labels and values for a report: system, version, architecture, desktop."""

    def session(self) -> Session:
        """Return where the desktop is shown."""

    def driver(self) -> Driver:
        """Return the parts between a reader and the app."""

    def other_card_software(self) -> tuple[str, ...]:
        """Return the names of other products for cards that run or have registered a module."""

    def propagation(self) -> Propagation | None:
        """Return who copies certificates, None where nobody does by the system's nature."""

    def blocked_links(self, scheme: str) -> tuple[BlockedLinks, ...]:
        """Return the browser policies that refuse links of `scheme`."""

    def public_roots(self) -> tuple[Path, ...]:
        """Return files with the CAs that the system's maker ships; none where added ones cannot be told apart."""


def run_program(command: Sequence[str]) -> str:
    """Run a program of the system without a shell and without input; see `Run`."""
    try:
        result = subprocess.run(  # noqa: S603 # absolute programs and arguments of our own, no shell
            list(command), stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return result.stdout[:_MAX_OUTPUT].decode("utf-8", "replace")


def first_match(pattern: str, text: str) -> str:
    """Return the first group of `pattern` in `text`, or nothing."""
    match = re.search(pattern, text)
    return match[1].strip()[:120] if match else ""
