# SPDX-License-Identifier: EUPL-1.2
"""What PC/SC said of each reader, turned into events. No I/O."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sithsapp.card.pcsc_codes import State
from sithsapp.card.transport import Presence, ReaderEvent

MAX_READERS = 9
"""Windows lets a program wait for ten, of which the notification of new readers is one."""
_EMULATED = ("Windows Hello", "Microsoft Virtual Smart Card")
_LOW = 0xFFFF


@dataclass(frozen=True, slots=True)
class _Row:
    state: int = State.UNAWARE
    insertions: int = 0
    presence: Presence = Presence.EMPTY
    atr: bytes = b""


class ReaderTable:
    """The readers in the order in which PC/SC lists them, with a counter of what came and went in each.

    PC/SC's own counter (the upper half of a state) is used where there is one; macOS has none.
    """

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def keep(self, names: Sequence[str]) -> None:
        """Bring the rows in line with a list of readers; emulated ones are left out."""
        wanted = [name for name in names if not name.startswith(_EMULATED)][:MAX_READERS]
        self._rows = {name: self._rows.get(name, _Row()) for name in wanted}

    def states(self) -> list[tuple[str, int]]:
        """Return names with the states known, to wait for others."""
        return [(name, row.state) for name, row in self._rows.items()]

    def forget_states(self) -> None:
        """Take each reader's next state for a new one: it comes from another service, or another session."""
        self._rows = {name: replace(row, state=State.UNAWARE) for name, row in self._rows.items()}

    def note(self, name: str, state: int, atr: bytes) -> None:
        """Take a reader's new state."""
        row = self._rows.get(name)
        if row is None:
            return
        presence = _presence(state)
        holds_card = presence is not Presence.EMPTY
        moved = state >> 16 != row.state >> 16 or holds_card != (row.presence is not Presence.EMPTY)
        if holds_card and atr and row.atr and atr != row.atr:
            moved = True
        self._rows[name] = replace(
            row,
            state=state & ~State.CHANGED,
            insertions=row.insertions + moved,
            presence=presence,
            atr=atr if holds_card else b"",
        )

    def events(self) -> tuple[ReaderEvent, ...]:
        """Return all readers as they are."""
        return tuple(ReaderEvent(name, row.presence, row.atr, row.insertions) for name, row in self._rows.items())


def _presence(state: int) -> Presence:
    low = state & _LOW
    if not low & State.PRESENT:
        return Presence.EMPTY
    if low & State.EXCLUSIVE:
        return Presence.IN_USE
    return Presence.MUTE if low & State.MUTE else Presence.PRESENT
