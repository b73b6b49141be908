# SPDX-License-Identifier: EUPL-1.2
"""The peer's program on macOS: this user's processes are asked for their sockets until one is the peer's end.

The system shows other users' sockets to nobody, so a match is the proof (to root it shows all, but only this user's
processes are asked). Layouts are those of bsd/sys/proc_info.h (struct socket_fdinfo).
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Final, Protocol

from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer import Address

_INET: Final = 2
_TCP: Final = 2
_IPV4: Final = 1
_STATES: Final = frozenset({4, 6, 9})  # ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2
_FAMILY, _KIND = struct.Struct("<184xi"), struct.Struct("<256xi")
_ENDS: Final = struct.Struct("<264xii16xB19x4s12x4s")
_STATE: Final = struct.Struct("<344xi")
_REMEMBERED: Final = 16


class MacApi(Protocol):
    """The questions that are put to macOS."""

    def processes(self) -> list[int]:
        """Return the ids of this user's processes. Raises `OSError`."""

    def sockets(self, pid: int) -> Iterator[bytes]:
        """Give a process's sockets (struct socket_fdinfo each); nothing if it has gone or is not to be looked at."""

    def path(self, pid: int) -> str:
        """Return a process's program, empty if it cannot be told."""


class MacPeerCheck:
    """Asks macOS. Used by several threads; what it remembers only makes it faster."""

    def __init__(self, api: MacApi) -> None:
        """Ask `api`."""
        self._api = api
        self._recent: tuple[int, ...] = ()

    def own_program(self, ours: Address, theirs: Address) -> Program | None:
        """See `PeerCheck`."""
        try:
            for pid in self._candidates():
                if any(is_end(each, local=theirs, remote=ours) for each in self._api.sockets(pid)):
                    self._recent = (pid, *(each for each in self._recent if each != pid))[:_REMEMBERED]
                    return Program(self._api.path(pid), pid)
        except (OSError, ValueError):
            return None
        return None

    def _candidates(self) -> Iterator[int]:
        """Give processes of now: those that connected lately, then the youngest, as commands are short-lived."""
        processes, recent = set(self._api.processes()), self._recent
        yield from (pid for pid in recent if pid in processes)
        yield from sorted(processes.difference(recent), reverse=True)


def is_end(info: bytes, *, local: Address, remote: Address) -> bool:
    """Tell whether a struct socket_fdinfo is the end at `local` of a TCP connection over IPv4 that is in use."""
    try:
        if _FAMILY.unpack_from(info)[0] != _INET or _KIND.unpack_from(info)[0] != _TCP:
            return False
        far_port, near_port, version, far, near = _ENDS.unpack_from(info)
        in_use = _STATE.unpack_from(info)[0] in _STATES
    except struct.error:
        return False
    found = (_address(near, near_port), _address(far, far_port))
    return in_use and version == _IPV4 and found == (local, remote)


def _address(host: bytes, port: int) -> Address:
    return socket.inet_ntoa(host), socket.ntohs(port & 0xFFFF)
