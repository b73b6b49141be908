# SPDX-License-Identifier: EUPL-1.2
"""Keep a window out of screenshots and screen sharing, where the platform can."""

from __future__ import annotations

import sys


def exclude_from_capture(window_id: int, excluded: bool) -> bool:
    """Hide the window with that native id from capture, or show it again; tell whether that was possible.

    X11 and Wayland have no such thing: on Wayland the compositor asks the user before anything is captured.
    """
    if sys.platform == "win32":
        from sithsapp.desktop import capture_windows

        return capture_windows.exclude_from_capture(window_id, excluded)
    return False
