# SPDX-License-Identifier: EUPL-1.2
"""Starting threads with a small stack: there may be hundreds."""

from __future__ import annotations

import threading
from typing import Final

_STACK: Final = 512 * 1024
_lock = threading.Lock()


def start_thread(thread: threading.Thread) -> None:
    """Start `thread`; raises `RuntimeError` if the system has no thread left."""
    with _lock:  # the size of stacks is the process's
        before = threading.stack_size(_STACK)
        try:
            thread.start()
        finally:
            threading.stack_size(before)
