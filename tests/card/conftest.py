# SPDX-License-Identifier: EUPL-1.2
"""A running card service over readers in process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp.card.service import CardService
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import VirtualReaders
from tests.card.helpers import Watcher


@pytest.fixture
def empty_readers() -> VirtualReaders:
    """One reader without a card."""
    return VirtualReaders()


@pytest.fixture
def service(empty_readers: VirtualReaders, tmp_path: Path) -> Iterator[CardService]:
    """A started service with a cache directory."""
    service = CardService([empty_readers], cache_dir=tmp_path / "cache")
    service.start()
    yield service
    service.close()


@pytest.fixture
def watcher(service: CardService) -> Watcher:
    """Sees every snapshot of the service."""
    return Watcher(service)


@pytest.fixture
def ready(card: VirtualCard, empty_readers: VirtualReaders, watcher: Watcher) -> VirtualCard:
    """The default card, in the reader, read and kept for the next time."""
    empty_readers.insert(card)
    watcher.kept()
    return card
