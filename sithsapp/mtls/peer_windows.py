# SPDX-License-Identifier: EUPL-1.2
"""The peer's user, session and program on Windows: the table of connections names a process, the process a user.

A process's number alone proves nothing. It may have gone to another process by now, and a connection that was handed
on still shows the number of whoever made it. So the process must be older than the connection, and the connection
must still be there, with that number, once the process has been looked at.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer import Address

_ROW: Final = struct.Struct("<I4sI4sIIQ128x")
_ROWS_BEGIN: Final = 8
_STATES: Final = frozenset({5, 6, 7})  # ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2
_MOST_ROWS: Final = 100_000


@dataclass(frozen=True, slots=True)
class Process:
    """What Windows says of a process. `created` counts units of 100 ns; `user` is a security identifier (SID)."""

    user: bytes
    session: int
    created: int
    path: str


@dataclass(frozen=True, slots=True)
class Row:
    """A TCP connection. `created` is when its socket was bound, in the same units."""

    state: int
    local: Address
    remote: Address
    pid: int
    created: int


class WindowsApi(Protocol):
    """The two questions that are put to Windows."""

    def connections(self) -> bytes:
        """Return the table of TCP connections over IPv4 (MIB_TCPTABLE_OWNER_MODULE). Raises `OSError`."""

    def process(self, pid: int) -> Process | None:
        """Return a process that this one may look at, else None: those of other users are not shown."""


class WindowsPeerCheck:
    """Asks Windows. Whoever is not of this user and this session is a stranger, and so is all that is unclear."""

    def __init__(self, api: WindowsApi) -> None:
        """Learn who this process is; raises `SithsError(MTLS_UNAVAILABLE)` if Windows does not even tell that."""
        self._api = api
        own = api.process(os.getpid())
        if own is None or not own.user:
            raise SithsError(Failure.MTLS_UNAVAILABLE, "Windows does not tell who runs this program")
        self._own = (own.user, own.session)

    def own_program(self, ours: Address, theirs: Address) -> Program | None:
        """See `PeerCheck`."""
        try:
            before = self._row(theirs, ours)
            if before is None or before.pid == 0:
                return None
            process = self._api.process(before.pid)
            if process is None or (process.user, process.session) != self._own or process.created > before.created:
                return None
            return Program(process.path, before.pid) if self._row(theirs, ours) == before else None
        except (OSError, ValueError, struct.error):
            return None

    def _row(self, local: Address, remote: Address) -> Row | None:
        found = [row for row in read_table(self._api.connections()) if (row.local, row.remote) == (local, remote)]
        return found[0] if len(found) == 1 and found[0].state in _STATES else None


def read_table(table: bytes) -> Iterator[Row]:
    """Give the rows of MIB_TCPTABLE_OWNER_MODULE. Raises `struct.error` if it is shorter than it says."""
    (count,) = struct.unpack_from("<I", table)
    for number in range(min(count, _MOST_ROWS)):
        state, local, local_port, remote, remote_port, pid, created = _ROW.unpack_from(
            table, _ROWS_BEGIN + number * _ROW.size
        )
        yield Row(state, _address(local, local_port), _address(remote, remote_port), pid, created)


def _address(host: bytes, port: int) -> Address:
    """Ports stand in network order in the lower half of their field; the upper half may hold anything."""
    return socket.inet_ntoa(host), socket.ntohs(port & 0xFFFF)
