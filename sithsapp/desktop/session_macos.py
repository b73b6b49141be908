# SPDX-License-Identifier: EUPL-1.2
"""What macOS says of the session, by CoreFoundation's distributed notification centre."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Callable
from typing import Any

from sithsapp.desktop.presence import Presence

NAMES = {
    "com.apple.screenIsLocked": Presence.LEFT,
    "com.apple.screenIsUnlocked": Presence.RETURNED,
    "com.apple.screensaver.didstart": Presence.LEFT,
    "com.apple.screensaver.didstop": Presence.RETURNED,
    "com.apple.sessionDidMoveOffConsole": Presence.LEFT,
    "com.apple.sessionDidMoveOnConsole": Presence.RETURNED,
}
_UTF8 = 0x08000100
_DELIVER_AT_ONCE = 4
_CALLBACK = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * 5)


class DistributedCentre:
    """Calls back, from the main thread's run loop, when a named notification is posted."""

    def __init__(self) -> None:
        self._callbacks: list[Any] = []  # CoreFoundation keeps addresses only

    def observe(self, name: str, callback: Callable[[], None]) -> bool:
        """Have `callback` called for that name; tell whether the system has such a centre."""
        if sys.platform != "darwin":
            return False
        library = ctypes.CDLL(ctypes.util.find_library("CoreFoundation"))
        library.CFNotificationCenterGetDistributedCenter.restype = ctypes.c_void_p
        library.CFStringCreateWithCString.restype = ctypes.c_void_p
        library.CFStringCreateWithCString.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
        library.CFNotificationCenterAddObserver.argtypes = [
            *[ctypes.c_void_p] * 2,
            _CALLBACK,
            *[ctypes.c_void_p] * 2,
            ctypes.c_long,
        ]
        called = _CALLBACK(lambda *_: callback())
        self._callbacks.append(called)
        centre = library.CFNotificationCenterGetDistributedCenter()
        text = library.CFStringCreateWithCString(None, name.encode(), _UTF8)
        observer = ctypes.cast(called, ctypes.c_void_p)
        library.CFNotificationCenterAddObserver(centre, observer, called, text, None, _DELIVER_AT_ONCE)
        return True
