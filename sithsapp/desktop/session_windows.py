# SPDX-License-Identifier: EUPL-1.2
"""What Windows says of the session: lock, unlock, disconnect, reconnect, remote control, sleep.

Windows sends WM_WTSSESSION_CHANGE to windows that asked for it, and WM_POWERBROADCAST to all.
"""

from __future__ import annotations

import ctypes
import sys

from sithsapp.desktop.presence import Presence

WM_WTSSESSION_CHANGE = 0x02B1
WM_POWERBROADCAST = 0x0218
_THIS_SESSION = 0

_LEFT, _RETURNED = Presence.LEFT, Presence.RETURNED
_SESSION_CHANGES = {
    1: _RETURNED,  # WTS_CONSOLE_CONNECT
    2: _LEFT,  # WTS_CONSOLE_DISCONNECT
    3: _RETURNED,  # WTS_REMOTE_CONNECT
    4: _LEFT,  # WTS_REMOTE_DISCONNECT
    6: _LEFT,  # WTS_SESSION_LOGOFF
    7: _LEFT,  # WTS_SESSION_LOCK
    8: _RETURNED,  # WTS_SESSION_UNLOCK
    9: _LEFT,  # WTS_SESSION_REMOTE_CONTROL: somebody else begins or ends to look on
}
_POWER_CHANGES = {4: _LEFT, 7: _RETURNED, 18: _RETURNED}  # PBT_APMSUSPEND, _RESUMESUSPEND, _RESUMEAUTOMATIC


class WindowMessage(ctypes.Structure):
    """The beginning of Windows' MSG structure."""

    _fields_ = (
        ("window", ctypes.c_void_p),
        ("message", ctypes.c_uint),
        ("first", ctypes.c_size_t),
        ("second", ctypes.c_ssize_t),
    )


def read_message(address: int) -> tuple[int, int]:
    """Return number and first parameter of the MSG structure that Qt hands a native event filter."""
    found = WindowMessage.from_address(address)
    return found.message, found.first


def meaning(message: int, parameter: int) -> Presence | None:
    """Return what a window message says of the person at the screen, None for nothing."""
    if message == WM_WTSSESSION_CHANGE:
        return _SESSION_CHANGES.get(parameter)
    return _POWER_CHANGES.get(parameter) if message == WM_POWERBROADCAST else None


class SessionMessages:
    """Asks Windows for the session's messages (wtsapi32)."""

    def register(self, window: int) -> bool:
        """Have them sent to the window with that native id; tell whether Windows agreed."""
        if sys.platform != "win32":
            return False
        return bool(ctypes.windll.wtsapi32.WTSRegisterSessionNotification(window, _THIS_SESSION))

    def unregister(self, window: int) -> None:
        """Have them sent no more."""
        if sys.platform == "win32":
            ctypes.windll.wtsapi32.WTSUnRegisterSessionNotification(window)
