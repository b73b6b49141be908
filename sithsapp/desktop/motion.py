# SPDX-License-Identifier: EUPL-1.2
"""Whether the person wants no animations, where one call to the system tells. On Linux the desktop's bus does."""

from __future__ import annotations

import sys
from collections.abc import Callable

_SPI_GETCLIENTAREAANIMATION = 0x1042
_UTF8 = 0x08000100

Ask = Callable[[int], int | None]
"""Asks Windows for one of its parameters; None where it does not answer."""


def wants_stillness() -> bool:
    """Tell what Windows or macOS says now; False elsewhere, and where it does not say."""
    if sys.platform == "win32":
        return windows_wants_stillness(_system_parameter)
    return sys.platform == "darwin" and _mac_wants_stillness()


def windows_wants_stillness(ask: Ask) -> bool:
    """Tell whether Windows animates nothing inside windows (Settings, Accessibility, Visual effects)."""
    return ask(_SPI_GETCLIENTAREAANIMATION) == 0


def _system_parameter(number: int) -> int | None:
    if sys.platform != "win32":
        return None
    import ctypes  # the first window of an app that does not need it should not wait for it

    value = ctypes.c_int()
    answered = ctypes.windll.user32.SystemParametersInfoW(number, 0, ctypes.byref(value), 0)
    return value.value if answered else None


def _mac_wants_stillness() -> bool:
    """Read Accessibility, Display, Reduce motion."""
    import ctypes.util

    library = ctypes.CDLL(ctypes.util.find_library("CoreFoundation"))
    library.CFStringCreateWithCString.restype = ctypes.c_void_p
    library.CFStringCreateWithCString.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint32]
    library.CFPreferencesGetAppBooleanValue.argtypes = [ctypes.c_void_p] * 3
    library.CFPreferencesGetAppBooleanValue.restype = ctypes.c_bool
    key, domain = (
        library.CFStringCreateWithCString(None, text, _UTF8)
        for text in (b"reduceMotion", b"com.apple.universalaccess")
    )
    return bool(library.CFPreferencesGetAppBooleanValue(key, domain, None))
