# SPDX-License-Identifier: EUPL-1.2
"""The peer on Windows, against stand-ins for Windows' tables and functions. Nothing here has run on Windows."""

from __future__ import annotations

import ctypes
import os
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.interaction import Program
from sithsapp.mtls.peer_windows import Process, WindowsPeerCheck, read_table
from sithsapp.mtls.peer_windows_api import SystemApi

OURS, THEIRS = ("127.0.0.1", 9440), ("127.0.0.1", 50_123)
ANNA, BO = b"\x01\x01\0\0\0\0\0\x05\x01\0\0\0", b"\x01\x01\0\0\0\0\0\x05\x02\0\0\0"
ESTABLISHED, FIN_WAIT_2, CLOSE_WAIT, TIME_WAIT = 5, 7, 8, 11
BROWSER = Process(ANNA, 3, 1_000, r"C:\Program Files\Browser\browser.exe")
OWN = Process(ANNA, 3, 500, r"C:\Program Files\SITHS\siths.exe")


def row(
    state: int = ESTABLISHED,
    local: tuple[str, int] = THEIRS,
    remote: tuple[str, int] = OURS,
    pid: int = 77,
    created: int = 2_000,
) -> bytes:
    def field(address: tuple[str, int]) -> bytes:
        host, port = address
        return socket.inet_aton(host) + struct.pack(">H", port) + b"\xca\xfe"  # the upper half is not ours

    head = struct.pack("<I", state) + field(local) + field(remote)
    return head + struct.pack("<IQ", pid, created) + bytes(128)


def table(*rows: bytes) -> bytes:
    return struct.pack("<II", len(rows), 0xDEADBEEF) + b"".join(rows)


class FakeWindows:
    """Tables one after the other, the last for ever; processes by number."""

    def __init__(self, *tables: bytes, **processes: Process) -> None:
        self.tables = list(tables)
        self.processes = {int(name[1:]): process for name, process in processes.items()}
        self.processes.setdefault(os.getpid(), OWN)

    def connections(self) -> bytes:
        return self.tables.pop(0) if len(self.tables) > 1 else self.tables[0]

    def process(self, pid: int) -> Process | None:
        return self.processes.get(pid)


def program(*tables: bytes, **processes: Process) -> Program | None:
    return WindowsPeerCheck(FakeWindows(*tables, **processes)).own_program(OURS, THEIRS)


@pytest.mark.parametrize("state", [ESTABLISHED, FIN_WAIT_2])
def test_an_own_program_is_known(state: int) -> None:
    other = row(local=("127.0.0.1", 50_124), pid=78)
    assert program(table(other, row(state)), p77=BROWSER) == Program(BROWSER.path, 77)


@pytest.mark.parametrize(
    ("rows", "process"),
    [
        ((), BROWSER),
        ((row(local=OURS, remote=THEIRS),), BROWSER),  # our own end of it
        ((row(remote=("127.0.0.2", 9440)),), BROWSER),
        ((row(CLOSE_WAIT),), BROWSER),
        ((row(TIME_WAIT, pid=0),), BROWSER),
        ((row(), row(pid=78)), BROWSER),
        ((row(),), replace(BROWSER, user=BO)),
        ((row(),), replace(BROWSER, session=4)),  # the same user at another screen
        ((row(),), replace(BROWSER, created=2_001)),  # younger than the connection: the number went to another
        ((row(),), None),  # another user's cannot be opened
    ],
)
def test_all_else_is_a_stranger(rows: tuple[bytes, ...], process: Process | None) -> None:
    assert program(table(*rows), **({} if process is None else {"p77": process})) is None


def test_a_connection_that_changes_while_it_is_looked_at_is_a_stranger_s() -> None:
    for after in ((), (row(pid=78),), (row(created=3_000),)):
        assert program(table(row()), table(*after), p77=BROWSER, p78=BROWSER) is None


@pytest.mark.parametrize("damaged", [b"", b"\1", table(row())[:-130], struct.pack("<II", 9, 0)])
def test_a_table_that_is_cut_makes_a_stranger(damaged: bytes) -> None:
    assert program(damaged, p77=BROWSER) is None


def test_without_word_of_itself_the_feature_is_off() -> None:
    fake = FakeWindows(table())
    fake.processes.clear()
    with pytest.raises(SithsError) as caught:
        WindowsPeerCheck(fake)
    assert caught.value.failure is Failure.MTLS_UNAVAILABLE


def test_rows_are_read_whatever_their_number() -> None:
    assert [each.pid for each in read_table(table(*(row(pid=n) for n in range(300))))] == list(range(300))


class FakeLibraries:
    """Stand-ins for the three libraries: what they are asked goes to `calls`."""

    def __init__(self, content: bytes, *, user: bytes = ANNA, refused: str = "") -> None:
        self.content, self.refused = content, refused
        self.sid = ctypes.create_string_buffer(user, len(user))
        self.open: list[int] = []
        self.kernel = SimpleNamespace(
            OpenProcess=self._function("OpenProcess", self._open),
            CloseHandle=self._function("CloseHandle", lambda handle: self.open.remove(handle.value)),
            GetProcessTimes=self._function("GetProcessTimes", self._times),
            ProcessIdToSessionId=self._function("ProcessIdToSessionId", self._session),
            QueryFullProcessImageNameW=self._function("QueryFullProcessImageNameW", self._path),
        )
        self.security = SimpleNamespace(
            OpenProcessToken=self._function("OpenProcessToken", self._token),
            GetTokenInformation=self._function("GetTokenInformation", self._information),
        )
        self.ip = SimpleNamespace(GetExtendedTcpTable=self._table)

    def api(self) -> SystemApi:
        return SystemApi(self.ip, self.kernel, self.security)

    def _function(self, name: str, work: Callable[..., Any]) -> Callable[..., int]:
        def call(*arguments: Any) -> int:
            if name == self.refused:
                return 0
            return int(work(*arguments) or 1)

        return call

    def _open(self, access: int, inherit: bool, pid: int) -> int:
        assert (access, inherit) == (0x1000, False)
        self.open.append(1_000 + pid)
        return 1_000 + pid

    def _token(self, _process: Any, access: int, token: Any) -> None:
        assert access == 8
        token._obj.value = 5_000
        self.open.append(5_000)

    def _information(self, _token: Any, kind: int, room: Any, length: int, _needed: Any) -> None:
        assert (kind, length) == (1, 256)
        ctypes.c_void_p.from_buffer(room).value = ctypes.addressof(self.sid)

    def _times(self, _process: Any, created: Any, *_others: Any) -> None:
        created._obj.value = 1_000

    def _session(self, _pid: int, session: Any) -> None:
        session._obj.value = 3

    def _path(self, _process: Any, _flags: int, path: Any, _length: Any) -> None:
        path.value = BROWSER.path

    def _table(self, room: Any, size: Any, _sorted: bool, family: int, kind: int, _reserved: int) -> int:
        assert (family, kind) == (2, 7)
        if len(room) < len(self.content):
            size._obj.value = len(self.content)
            return 122
        ctypes.memmove(room, self.content, len(self.content))
        return 0


def test_the_system_s_functions_are_asked_and_every_handle_is_closed() -> None:
    libraries = FakeLibraries(table(row()))
    api = libraries.api()
    assert api.process(77) == BROWSER
    assert libraries.open == []
    assert next(iter(read_table(api.connections()))).pid == 77
    assert WindowsPeerCheck(api).own_program(OURS, THEIRS) == Program(BROWSER.path, 77)


def test_a_long_table_gets_the_room_that_it_needs() -> None:
    rows = [row(pid=n + 1) for n in range(2_000)]
    assert len(list(read_table(FakeLibraries(table(*rows)).api().connections()))) == 2_000


@pytest.mark.parametrize(
    "refused",
    ["OpenProcess", "OpenProcessToken", "GetTokenInformation", "GetProcessTimes", "ProcessIdToSessionId"],
)
def test_whatever_windows_refuses_makes_a_stranger_and_leaves_no_handle(refused: str) -> None:
    libraries = FakeLibraries(table(row()), refused=refused)
    assert libraries.api().process(77) is None
    assert libraries.open == []


def test_a_program_without_a_path_is_still_this_user_s() -> None:
    assert FakeLibraries(table(), refused="QueryFullProcessImageNameW").api().process(77) == replace(BROWSER, path="")


def test_an_error_of_the_table_is_told() -> None:
    libraries = FakeLibraries(table())
    libraries.ip = SimpleNamespace(GetExtendedTcpTable=lambda *_: 50)
    with pytest.raises(OSError, match="GetExtendedTcpTable"):
        libraries.api().connections()
