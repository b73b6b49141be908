# SPDX-License-Identifier: EUPL-1.2
"""The peer's user and program on Linux: sock_diag(7), or /proc/net/tcp where that is not allowed.

After the peer has closed, the kernel shows its socket with user 0 and inode 0, so an entry counts only while a
process holds it, which the inode tells: else a helper that runs as root would take strangers in. A peer that has
ended its own half (FIN-WAIT) but still reads is no less known than an established one.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer import Address

_NETLINK_SOCK_DIAG: Final = 4
_SOCK_DIAG_BY_FAMILY: Final = 20
_REQUEST: Final = 1
_STATES: Final = frozenset({1, 4, 5})  # ESTABLISHED, FIN-WAIT-1, FIN-WAIT-2
_ALL_STATES: Final = 0xFFFFFFFF
_ANY_COOKIE: Final = b"\xff" * 8
_HEADER: Final = struct.Struct("=IHHII")
_MESSAGE: Final = struct.Struct("=BBBB48xIIIII")
_SECONDS: Final = 1.0
_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class _Entry:
    user: int
    inode: int


class LinuxPeerCheck:
    """Asks the kernel. Used by several threads; what it remembers only makes it faster."""

    def __init__(self) -> None:
        self._recent: list[int] = []

    def own_program(self, ours: Address, theirs: Address) -> Program | None:
        """See `PeerCheck`."""
        try:
            entry = _entry(theirs, ours)
        except (OSError, ValueError, struct.error):
            return None
        if entry is None or entry.inode == 0 or entry.user != os.getuid():
            return None
        return self._program(entry.inode)

    def _program(self, inode: int) -> Program:
        wanted = f"socket:[{inode}]"
        for pid in self._candidates():
            if _holds(pid, wanted):
                self._recent = [pid, *(each for each in self._recent if each != pid)][:_REMEMBERED]
                return Program(_link(f"/proc/{pid}/exe"), pid)
        return Program()

    def _candidates(self) -> Iterator[int]:
        """Return process ids: those that connected lately, then the youngest, as commands are short-lived."""
        recent = tuple(self._recent)
        yield from recent
        others = sorted((int(name) for name in os.listdir("/proc") if name.isdigit()), reverse=True)
        yield from (pid for pid in others if pid not in recent)


def _holds(pid: int, wanted: str) -> bool:
    directory = f"/proc/{pid}/fd"
    try:
        names = os.listdir(directory)
    except OSError:
        return False
    return any(_link(f"{directory}/{name}") == wanted for name in names)


def _link(path: str) -> str:
    """Return where a link leads; empty if it is gone by now or another's."""
    try:
        return os.readlink(path)
    except OSError:
        return ""


def _entry(local: Address, remote: Address) -> _Entry | None:
    try:
        return _from_kernel(local, remote)
    except OSError:
        return _from_proc(local, remote)


def _from_kernel(local: Address, remote: Address) -> _Entry | None:
    """Ask for the one socket whose own address is `local`."""
    ports = struct.pack(">HH", local[1], remote[1])
    addresses = b"".join(socket.inet_aton(host).ljust(16, b"\0") for host in (local[0], remote[0]))
    identity = ports + addresses + b"\0" * 4 + _ANY_COOKIE
    body = struct.pack("=BBBBI", socket.AF_INET, socket.IPPROTO_TCP, 0, 0, _ALL_STATES) + identity
    with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(_SECONDS)
        netlink.send(_HEADER.pack(_HEADER.size + len(body), _SOCK_DIAG_BY_FAMILY, _REQUEST, 0, 0) + body)
        answer = netlink.recv(4096)
    if _HEADER.unpack_from(answer)[1] != _SOCK_DIAG_BY_FAMILY:
        _raise_unless_absent(answer)
        return None
    _family, state, _timer, _retries, _expires, _received, _sent, user, inode = _MESSAGE.unpack_from(
        answer, _HEADER.size
    )
    same = answer[_HEADER.size + 4 :][: len(ports + addresses)] == ports + addresses
    return _Entry(user, inode) if same and state in _STATES else None


def _raise_unless_absent(answer: bytes) -> None:
    """Take "no such socket" for an answer; any other error leads to the other way of asking."""
    error = -struct.unpack_from("=i", answer, _HEADER.size)[0]
    if error != 2:  # ENOENT
        raise OSError(error, "sock_diag")


def _from_proc(local: Address, remote: Address) -> _Entry | None:
    wanted = [_hexadecimal(local), _hexadecimal(remote)]
    with Path("/proc/net/tcp").open(encoding="ascii") as table:
        next(table)  # headings
        for line in table:
            fields = line.split()
            if fields[1:3] == wanted and int(fields[3], 16) in _STATES:
                return _Entry(int(fields[7]), int(fields[9]))
    return None


def _hexadecimal(address: Address) -> str:
    number = int.from_bytes(socket.inet_aton(address[0]), "little" if struct.pack("=H", 1)[0] else "big")
    return f"{number:08X}:{address[1]:04X}"
