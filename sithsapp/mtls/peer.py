# SPDX-License-Identifier: EUPL-1.2
"""Who is at the other end of a loopback connection. Every user of the host can reach a loopback port."""

from __future__ import annotations

import socket
import sys
from typing import Final, Protocol

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.interaction import Program

Address = tuple[str, int]
LOOPBACK: Final = "127.0.0.1"
_BACKLOG: Final = 128


def listen_on(name: str, port: int) -> socket.socket:
    """Listen on loopback, and nowhere else. Raises `SithsError(PORT_IN_USE)`."""
    try:
        listener = socket.create_server((LOOPBACK, port), backlog=_BACKLOG)
    except OSError as error:
        raise SithsError(Failure.PORT_IN_USE, f"{name}: {LOOPBACK}:{port}") from error
    listener.setblocking(False)
    return listener


class PeerCheck(Protocol):
    """Looks a connection up in the system's tables."""

    def own_program(self, ours: Address, theirs: Address) -> Program | None:
        """Return the program that holds the peer's end, None unless it is known to run as this process's user.

        Never raises: what cannot be told is a stranger.
        """


def system_peer_check() -> PeerCheck:
    """Return the check for this operating system; raises `SithsError(MTLS_UNAVAILABLE)` where there is none."""
    if sys.platform.startswith("linux"):
        from sithsapp.mtls.peer_linux import LinuxPeerCheck

        return LinuxPeerCheck()
    if sys.platform == "win32":
        from sithsapp.mtls.peer_windows import WindowsPeerCheck
        from sithsapp.mtls.peer_windows_api import SystemApi

        return WindowsPeerCheck(SystemApi())
    if sys.platform == "darwin":
        from sithsapp.mtls.peer_macos import MacPeerCheck
        from sithsapp.mtls.peer_macos_api import SystemApi as MacSystemApi

        return MacPeerCheck(MacSystemApi())
    raise SithsError(Failure.MTLS_UNAVAILABLE, "other users of this computer cannot be told apart here")
