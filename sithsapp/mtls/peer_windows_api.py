# SPDX-License-Identifier: EUPL-1.2
"""Windows' own functions behind `WindowsApi`: iphlpapi for connections, kernel32 and advapi32 for processes."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from sithsapp.mtls.peer_windows import Process

_INET: Final = 2
_OWNER_MODULE_CONNECTIONS: Final = 7
_TOO_SMALL: Final = 122
_TRIES: Final = 8
_LARGEST_TABLE: Final = 64 * 1024 * 1024
_QUERY_LIMITED_INFORMATION: Final = 0x1000
_TOKEN_QUERY: Final = 0x0008
_TOKEN_USER: Final = 1
_LONGEST_PATH: Final = 32_768
_USER_ROOM: Final = 256


class SystemApi:
    """`WindowsApi` by ctypes. The libraries are given where they are not Windows' own."""

    def __init__(self, iphlpapi: Any = None, kernel32: Any = None, advapi32: Any = None) -> None:
        self._ip = iphlpapi or _library("iphlpapi")
        self._kernel = kernel32 or _library("kernel32")
        self._security = advapi32 or _library("advapi32")
        self._kernel.OpenProcess.restype = ctypes.c_void_p

    def connections(self) -> bytes:
        """See `WindowsApi`; the table may grow between two calls, so more room is tried a few times."""
        size = ctypes.c_uint32(64 * 1024)
        for _ in range(_TRIES):
            table = ctypes.create_string_buffer(min(size.value, _LARGEST_TABLE))
            result = self._ip.GetExtendedTcpTable(
                table, ctypes.byref(size), False, _INET, _OWNER_MODULE_CONNECTIONS, 0
            )
            if result == 0:
                return table.raw
            if result != _TOO_SMALL:
                raise OSError(result, "GetExtendedTcpTable")
        raise OSError(_TOO_SMALL, "GetExtendedTcpTable")

    def process(self, pid: int) -> Process | None:
        """See `WindowsApi`."""
        handle = self._kernel.OpenProcess(_QUERY_LIMITED_INFORMATION, False, pid)
        if not handle:
            return None
        with self._closing(handle):
            user, created, session = self._user(handle), self._created(handle), self._session(pid)
            if user is None or created is None or session is None:
                return None
            return Process(user, session, created, self._path(handle))

    @contextmanager
    def _closing(self, handle: int) -> Iterator[None]:
        try:
            yield
        finally:
            self._kernel.CloseHandle(ctypes.c_void_p(handle))

    def _user(self, handle: int) -> bytes | None:
        """Return the SID that the process's token names (TOKEN_USER begins with a pointer to it)."""
        token = ctypes.c_void_p()
        if not self._security.OpenProcessToken(ctypes.c_void_p(handle), _TOKEN_QUERY, ctypes.byref(token)):
            return None
        with self._closing(token.value or 0):
            room, needed = ctypes.create_string_buffer(_USER_ROOM), ctypes.c_uint32()
            if not self._security.GetTokenInformation(token, _TOKEN_USER, room, _USER_ROOM, ctypes.byref(needed)):
                return None
            pointer = ctypes.c_void_p.from_buffer(room).value
            return None if pointer is None else _sid_at(pointer)

    def _created(self, handle: int) -> int | None:
        times = [ctypes.c_uint64() for _ in range(4)]
        done = self._kernel.GetProcessTimes(ctypes.c_void_p(handle), *(ctypes.byref(each) for each in times))
        return int(times[0].value) if done else None

    def _session(self, pid: int) -> int | None:
        session = ctypes.c_uint32()
        return session.value if self._kernel.ProcessIdToSessionId(pid, ctypes.byref(session)) else None

    def _path(self, handle: int) -> str:
        """Return the program's path, empty if it cannot be told: then it shares no session with any other."""
        path, length = ctypes.create_unicode_buffer(_LONGEST_PATH), ctypes.c_uint32(_LONGEST_PATH)
        done = self._kernel.QueryFullProcessImageNameW(ctypes.c_void_p(handle), 0, path, ctypes.byref(length))
        return path.value if done else ""


def _sid_at(pointer: int) -> bytes:
    """Return a SID: revision, number of parts, six octets of authority, four octets for each part."""
    return ctypes.string_at(pointer, 8 + 4 * ctypes.string_at(pointer, 2)[1])


def _library(name: str) -> Any:
    return ctypes.WinDLL(name)  # type: ignore[attr-defined] # Windows alone has it
