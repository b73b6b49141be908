# SPDX-License-Identifier: EUPL-1.2
"""Exclude a window from capture on Windows 10 version 2004 and later (SetWindowDisplayAffinity)."""

from __future__ import annotations

import sys

_WDA_NONE = 0x00
_WDA_EXCLUDEFROMCAPTURE = 0x11


def exclude_from_capture(window_id: int, excluded: bool) -> bool:
    """Hide the window from capture or show it again; tell whether Windows agreed."""
    if sys.platform != "win32":
        return False
    import ctypes

    affinity = _WDA_EXCLUDEFROMCAPTURE if excluded else _WDA_NONE
    return bool(ctypes.windll.user32.SetWindowDisplayAffinity(window_id, affinity))
