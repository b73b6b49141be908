# SPDX-License-Identifier: EUPL-1.2
"""macOS' own functions behind `MacApi`: libproc. Numbers are those of bsd/sys/proc_info.h."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from typing import Any, Final

_LIBRARY: Final = "/usr/lib/libproc.dylib"
_PROCESSES_OF_USER: Final = 4
_LIST_DESCRIPTORS: Final = 1
_SOCKET_INFO: Final = 3
_IS_SOCKET: Final = 2
_INFO_ROOM: Final = 1024
_SHORTEST_INFO: Final = 348
_LONGEST_PATH: Final = 4096
_MOST: Final = 16_384
_DESCRIPTOR: Final = struct.Struct("<iI")


class SystemApi:
    """`MacApi` by ctypes. The library is given where it is not macOS' own."""

    def __init__(self, libproc: Any = None) -> None:
        self._proc = libproc or ctypes.CDLL(_LIBRARY)

    def processes(self) -> list[int]:
        """See `MacApi`."""
        numbers = (ctypes.c_int32 * _MOST)()
        length = self._proc.proc_listpids(_PROCESSES_OF_USER, os.getuid(), numbers, ctypes.sizeof(numbers))
        if length <= 0:
            raise OSError("proc_listpids")
        return [pid for pid in numbers[: min(length // 4, _MOST)] if pid > 0]

    def sockets(self, pid: int) -> Iterator[bytes]:
        """See `MacApi`."""
        listed = ctypes.create_string_buffer(_MOST * _DESCRIPTOR.size)
        length = self._proc.proc_pidinfo(pid, _LIST_DESCRIPTORS, ctypes.c_uint64(0), listed, len(listed))
        for at in range(0, min(length, len(listed)) - _DESCRIPTOR.size + 1, _DESCRIPTOR.size):
            number, kind = _DESCRIPTOR.unpack_from(listed, at)
            if kind == _IS_SOCKET:
                info = ctypes.create_string_buffer(_INFO_ROOM)
                if self._proc.proc_pidfdinfo(pid, number, _SOCKET_INFO, info, _INFO_ROOM) >= _SHORTEST_INFO:
                    yield info.raw

    def path(self, pid: int) -> str:
        """See `MacApi`."""
        path = ctypes.create_string_buffer(_LONGEST_PATH)
        length = self._proc.proc_pidpath(pid, path, _LONGEST_PATH)
        return os.fsdecode(path.raw[:length]) if 0 < length <= _LONGEST_PATH else ""
