# SPDX-License-Identifier: EUPL-1.2
"""Seeds: what a virtual card answers to the driver, cut out of a real dialogue."""

from __future__ import annotations

from pathlib import Path

from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.opening import open_card
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from tests.fuzz.targets import Dialogue

_CPLC = bytes.fromhex("00CA9F7F2D")


def dialogue_with(card: VirtualCard, directory: Path) -> Dialogue:
    """Read a card as the app does and return what it said; the cache file is made in `directory`."""
    readers = VirtualReaders()
    readers.insert(card)
    cache = CardCache(directory)
    session = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, cache, anew=True)
    session.read_pins()
    record = session.record
    assert record.freshness is not None
    cache.store(record.id.serial, record.id.atr, record.freshness, record.contents)
    (cache_file,) = directory.glob("*.card")
    session.close()
    return Dialogue(
        atr=card.atr,
        index=record.contents.index,
        key_map=record.contents.key_map or b"",
        certificates=tuple(content for _, content in record.contents.certificates),
        descriptions=tuple(answer for _, answer in record.contents.pins),
        cplc=card.process(_CPLC)[:-2],
        cache_file=cache_file.read_bytes(),
    )
