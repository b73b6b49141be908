# SPDX-License-Identifier: EUPL-1.2
"""For what the present thread may use a card's key, and how it lets others go on before it waits for it.

The TLS library signs in the middle of its calls, so the thread that makes the call is the one thing that tells for
whom it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from sithsapp.mtls.interaction import Purpose


class _Here(threading.local):
    purpose: Purpose | None = None
    step_aside: Callable[[], None] | None = None


here = _Here()
"""The present thread's. `purpose`: what it may sign for, None for nothing. `step_aside`: if others need it."""


def about_to_wait() -> None:
    """Say that this thread is about to wait for a person, a card or the system, however long that takes.

    Raises `RuntimeError` if others depend on it and no thread can be had in its place: it must not wait then.
    """
    if here.step_aside is not None:
        here.step_aside()
