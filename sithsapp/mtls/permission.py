# SPDX-License-Identifier: EUPL-1.2
"""For what the present thread may use a card's key, and how it lets others go on before it waits for it.

The TLS library signs in the middle of its calls, so the thread that makes the call is the one thing that tells for
whom it is, and to whom a failure belongs.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sithsapp.mtls.interaction import Purpose


class Turn:
    """What one thread is doing now.

    `purpose` is what it may sign for, None for nothing at all. `step_aside` is set while others depend on the thread.
    `error` is what signing led to, until the TLS call around it has returned.
    """

    __slots__ = ("error", "purpose", "step_aside")

    def __init__(self) -> None:
        self.purpose: Purpose | None = None
        self.step_aside: Callable[[], None] | None = None
        self.error: BaseException | None = None


class _Here(threading.local):
    def __init__(self) -> None:
        self.turn = Turn()


here = _Here()
"""`here.turn` is the present thread's."""


def about_to_wait() -> None:
    """Say that this thread is about to wait for a person, a card or the system, however long that takes.

    Raises `RuntimeError` if others depend on it and no thread can be had in its place: it must not wait then.
    """
    step_aside = here.turn.step_aside
    if step_aside is not None:
        step_aside()
