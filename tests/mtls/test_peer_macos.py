# SPDX-License-Identifier: EUPL-1.2
"""The peer on macOS, against stand-ins for the system's functions. Nothing here has run on macOS."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest

from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer_macos import MacPeerCheck, is_end
from sithsapp.mtls.peer_macos_api import SystemApi

OURS, THEIRS = ("127.0.0.1", 9440), ("127.0.0.1", 50_123)
SIZE = 792
ESTABLISHED, CLOSE_WAIT, FIN_WAIT_2, TIME_WAIT = 4, 5, 9, 10
BROWSER = "/Applications/Browser.app/Contents/MacOS/Browser"


class InSockInfo(ctypes.Structure):
    """struct in_sockinfo, laid out by the compiler's rules rather than by our offsets."""

    _fields_ = (
        ("fport", ctypes.c_int),
        ("lport", ctypes.c_int),
        ("gencnt", ctypes.c_uint64),
        ("flags", ctypes.c_uint32),
        ("flow", ctypes.c_uint32),
        ("vflag", ctypes.c_uint8),
        ("ttl", ctypes.c_uint8),
        ("rfu", ctypes.c_uint32),
        ("faddr", ctypes.c_uint8 * 16),
        ("laddr", ctypes.c_uint8 * 16),
        ("tos", ctypes.c_uint8),
        ("v6", ctypes.c_uint32 * 3),
    )


class SocketInfo(ctypes.Structure):
    """struct socket_fdinfo as far as the state of TCP."""

    _fields_ = (
        ("file", ctypes.c_uint64 * 3),
        ("stat", ctypes.c_uint64 * 17),
        ("so", ctypes.c_uint64),
        ("pcb", ctypes.c_uint64),
        ("type", ctypes.c_int),
        ("protocol", ctypes.c_int),
        ("family", ctypes.c_int),
        ("shorts", ctypes.c_short * 8),
        ("oobmark", ctypes.c_uint32),
        ("rcv", ctypes.c_uint32 * 6),
        ("snd", ctypes.c_uint32 * 6),
        ("kind", ctypes.c_int),
        ("rfu", ctypes.c_uint32),
        ("ends", InSockInfo),
        ("state", ctypes.c_int),
    )


def info(
    state: int = ESTABLISHED,
    local: tuple[str, int] = THEIRS,
    remote: tuple[str, int] = OURS,
    *,
    family: int = 2,
    kind: int = 2,
    version: int = 1,
) -> bytes:
    found = SocketInfo(family=family, kind=kind, state=state)
    found.ends.vflag = version
    for (host, port), address, name in ((local, found.ends.laddr, "lport"), (remote, found.ends.faddr, "fport")):
        address[12:16] = list(socket.inet_aton(host))
        setattr(found.ends, name, socket.htons(port))
    return bytes(found).ljust(SIZE, b"\0")


class FakeMac:
    """This user's processes and their sockets."""

    def __init__(self, **processes: list[bytes]) -> None:
        self.held = {int(name[1:]): sockets for name, sockets in processes.items()}
        self.asked: list[int] = []

    def processes(self) -> list[int]:
        return list(self.held)

    def sockets(self, pid: int) -> Iterator[bytes]:
        self.asked.append(pid)
        yield from self.held.get(pid, [])

    def path(self, pid: int) -> str:
        return BROWSER


@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT_2])
def test_an_own_program_is_known(state: int) -> None:
    fake = FakeMac(p70=[info(local=("127.0.0.1", 1))], p77=[b"", info(state)], p78=[])
    assert MacPeerCheck(fake).own_program(OURS, THEIRS) == Program(BROWSER, 77)


def test_who_connected_lately_is_asked_first_while_it_lives() -> None:
    fake = FakeMac(p7=[info()], p500=[], p600=[])
    check = MacPeerCheck(fake)
    check.own_program(OURS, THEIRS)
    assert fake.asked == [600, 500, 7]
    check.own_program(OURS, THEIRS)
    assert fake.asked[3:] == [7]
    del fake.held[7]
    assert check.own_program(OURS, THEIRS) is None
    assert fake.asked[4:] == [600, 500]


@pytest.mark.parametrize(
    "other",
    [
        info(local=OURS, remote=THEIRS),  # our own end of it
        info(remote=("127.0.0.2", 9440)),
        info(CLOSE_WAIT),
        info(TIME_WAIT),
        info(family=30),
        info(kind=1),
        info(version=2),
        info()[:340],
        b"",
    ],
)
def test_all_else_is_a_stranger(other: bytes) -> None:
    assert not is_end(other, local=THEIRS, remote=OURS)
    assert MacPeerCheck(FakeMac(p77=[other])).own_program(OURS, THEIRS) is None


class FakeLibproc:
    """Fills buffers as libproc does: descriptors 3 (a file), 4 and 5 (sockets) of process 77."""

    def __init__(self, *sockets: bytes) -> None:
        self.found = dict(enumerate(sockets, 4))

    def proc_listpids(self, kind: int, user: int, room: Any, length: int) -> int:
        assert (kind, user) == (4, os.getuid())
        room[0], room[1] = 77, 0
        assert length == ctypes.sizeof(room)
        return 8

    def proc_pidinfo(self, pid: int, flavour: int, _argument: Any, room: Any, _length: int) -> int:
        assert flavour == 1
        if pid != 77:
            return 0
        listed = b"".join(struct.pack("<iI", n, kind) for n, kind in ((3, 1), *((n, 2) for n in self.found)))
        ctypes.memmove(room, listed, len(listed))
        return len(listed)

    def proc_pidfdinfo(self, pid: int, number: int, flavour: int, room: Any, length: int) -> int:
        assert (pid, flavour) == (77, 3)
        assert length >= SIZE
        ctypes.memmove(room, self.found[number], len(self.found[number]))
        return len(self.found[number])

    def proc_pidpath(self, pid: int, room: Any, _length: int) -> int:
        if pid != 77:
            return 0
        room.value = BROWSER.encode()
        return len(BROWSER)


def test_the_system_s_functions_are_asked() -> None:
    api = SystemApi(FakeLibproc(info(local=("127.0.0.1", 1)), info()))
    assert api.processes() == [77]
    assert [len(each) for each in api.sockets(77)] == [1024, 1024]
    assert MacPeerCheck(api).own_program(OURS, THEIRS) == Program(BROWSER, 77)


def test_what_the_system_does_not_tell_makes_a_stranger() -> None:
    api = SystemApi(FakeLibproc(b"\0" * 100))  # a socket that went while it was looked at
    assert list(api.sockets(77)) == []
    assert list(api.sockets(78)) == []
    assert api.path(78) == ""

    class Mute(FakeLibproc):
        def proc_listpids(self, kind: int, user: int, room: Any, length: int) -> int:
            return 0

    assert MacPeerCheck(SystemApi(Mute())).own_program(OURS, THEIRS) is None
