# SPDX-License-Identifier: EUPL-1.2
"""Finds the libcrypto that this process has loaded on Windows, where a look-up does not search dependencies."""

from __future__ import annotations

import ctypes
import ssl
from ctypes import wintypes
from pathlib import PureWindowsPath
from typing import Any

from sithsapp.failures import Failure, SithsError

_MOST_MODULES = 1024


def loaded_libcrypto() -> str:
    """Return the path of the loaded libcrypto; raises `SithsError(MTLS_UNAVAILABLE)` if there is none, or two."""
    prefix = f"libcrypto-{ssl.OPENSSL_VERSION_INFO[0]}"
    found = [path for path in _modules() if PureWindowsPath(path).name.lower().startswith(prefix)]
    if len(found) != 1:
        raise SithsError(Failure.MTLS_UNAVAILABLE, f"{len(found)} loaded libraries are called {prefix}")
    return found[0]


def _modules() -> list[str]:
    kernel: Any = ctypes.CDLL("kernel32")
    handles = (wintypes.HMODULE * _MOST_MODULES)()
    needed = wintypes.DWORD()
    kernel.GetCurrentProcess.restype = wintypes.HANDLE
    process = wintypes.HANDLE(kernel.GetCurrentProcess())
    if not kernel.K32EnumProcessModules(process, handles, ctypes.sizeof(handles), ctypes.byref(needed)):
        return []
    count = min(_MOST_MODULES, needed.value // ctypes.sizeof(wintypes.HMODULE))
    name = ctypes.create_unicode_buffer(32768)
    paths = []
    for handle in handles[:count]:
        if kernel.K32GetModuleFileNameExW(process, wintypes.HMODULE(handle), name, len(name)):
            paths.append(name.value)
    return paths
