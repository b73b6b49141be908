# SPDX-License-Identifier: EUPL-1.2
"""Other programs that live in the notification area, from Debian's packages, hidden at start as ours is."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class _Peer:
    """A program and the settings, below the directory of configurations, that keep its window away."""

    name: str
    program: str
    file: str
    settings: str


_PEERS = (
    _Peer(
        "KeePassXC",
        "keepassxc",
        "keepassxc/keepassxc.ini",
        "[General]\nUpdateCheckMessageShown=true\n"
        "[GUI]\nShowTrayIcon=true\nMinimizeOnStartup=true\nMinimizeToTray=true\nCheckForUpdates=false\n",
    ),
    _Peer(
        "AusweisApp2",
        "AusweisApp2",
        "Unknown Organization/AusweisApp2.conf",
        "[General]\nuiStartupModule=DEFAULT\nautoUpdateCheck=false\n",
    ),
)


def peers(configuration: Path) -> dict[str, tuple[str, ...]]:
    """Return the command lines of those that are installed, by name, having written their settings."""
    found: dict[str, tuple[str, ...]] = {}
    for peer in _PEERS:
        if shutil.which(peer.program):
            path = configuration / peer.file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(peer.settings)
            found[peer.name] = (peer.program,)
    return found
