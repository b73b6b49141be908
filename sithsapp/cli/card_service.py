# SPDX-License-Identifier: EUPL-1.2
"""A card service for the length of one command."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sithsapp.card.model import CardsState, SlotStatus
from sithsapp.settings.schema import Settings

if TYPE_CHECKING:
    from sithsapp.card.service import CardService

_SETTLE_SECONDS = 15.0
_OCCUPIED = (SlotStatus.READY, SlotStatus.FAILED)


@contextmanager
def running_card_service(settings: Settings) -> Iterator[CardService]:
    """Start the card service over the readers that the settings allow; close it at the end."""
    from sithsapp.card.backends import reader_backends, token_source
    from sithsapp.card.service import CardService
    from sithsapp.desktop.paths import cache_dir, state_dir

    service = CardService(
        reader_backends(settings), cache_dir=cache_dir(), tokens=token_source(settings), state_dir=state_dir()
    )
    service.start()
    try:
        yield service
    finally:
        service.close()


def settled(service: CardService) -> CardsState:
    """Wait until every card is read, 15 s at most, and return the state."""
    changed = threading.Event()
    unsubscribe = service.subscribe(lambda _state: changed.set())
    try:
        return _wait(service, changed)
    finally:
        unsubscribe()


def read_again(service: CardService, readers: Sequence[str]) -> CardsState:
    """Have the cards in `readers` read past the cache, 15 s at most, and return the state."""
    begun, left = set[str](), threading.Event()
    waiting = {slot.reader for slot in service.state.slots if slot.reader in readers and slot.status in _OCCUPIED}

    def note(state: CardsState) -> None:
        reading = {slot.reader for slot in state.slots if slot.status is SlotStatus.READING}
        begun.update(reading)
        waiting.difference_update((begun - reading) | ({*readers} - {slot.reader for slot in state.slots}))
        if not waiting:
            left.set()

    unsubscribe = service.subscribe(note)
    try:
        for reader in tuple(waiting):
            service.reread(reader)
        if waiting:
            left.wait(_SETTLE_SECONDS)
    finally:
        unsubscribe()
    return service.state


def _wait(service: CardService, changed: threading.Event) -> CardsState:
    from time import monotonic

    deadline = monotonic() + _SETTLE_SECONDS
    service.wait_until_known(_SETTLE_SECONDS)
    while True:
        changed.clear()
        state = service.state
        reading = any(slot.status is SlotStatus.READING for slot in state.slots)
        if not reading or not changed.wait(max(0.0, deadline - monotonic())):
            return state
