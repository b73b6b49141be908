# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: a test PKI with its server, and virtual cards. Keys are made once in a session and drawn from a pool."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import Latency, VirtualCard
from sithsapp.card.virtual.keys import KeyKind, KeyMaker, PrivateKey, generate_key
from sithsapp.card.virtual.personalise import CardOrder, new_card


class KeyPool:
    """Keys that are made once. Each maker walks from the first, so the keys of one card or PKI differ."""

    def __init__(self) -> None:
        self._keys: dict[tuple[str, KeyKind], list[PrivateKey]] = {}

    def maker(self, owner: str) -> KeyMaker:
        """Return a new walk through the keys of one kind of owner, such as "ca" or "card"."""
        taken: dict[KeyKind, int] = {}

        def make(kind: KeyKind) -> PrivateKey:
            keys = self._keys.setdefault((owner, kind), [])
            position = taken.get(kind, 0)
            taken[kind] = position + 1
            if position == len(keys):
                keys.append(generate_key(kind))
            return keys[position]

        return make


class CardFactory:
    """Makes virtual cards in a test's own directory."""

    def __init__(self, directory: Path, pki: VirtualPki, pool: KeyPool) -> None:
        self._directory = directory
        self._pool = pool
        self.pki = pki
        self.count = 0

    def __call__(
        self, order: CardOrder | None = None, *, latency: Latency | None = None, **changes: Any
    ) -> VirtualCard:
        """Make a card after `order`, with `changes` to its fields."""
        self.count += 1
        wanted = dataclasses.replace(order or CardOrder(), **changes)
        maker = self._pool.maker("card" if self.count == 1 else f"card {self.count}")
        directory = self.directory(self.count)
        return new_card(directory, self.pki, wanted, environment="test", make_key=maker, latency=latency)

    def directory(self, number: int = 1) -> Path:
        """Return the directory of the card that was made as the `number`th."""
        return self._directory / f"card-{number}"


@pytest.fixture(scope="session")
def key_pool() -> KeyPool:
    """The session's keys."""
    return KeyPool()


@pytest.fixture(scope="session")
def shared_ca(tmp_path_factory: pytest.TempPathFactory, key_pool: KeyPool) -> Iterator[CaServer]:
    """A PKI and its server for tests that only issue. Do not revoke or switch modes here: use `ca`."""
    with CaServer() as server:
        directory = tmp_path_factory.mktemp("ca")
        server.pki = VirtualPki(directory, base_url=server.url, environment="test", make_key=key_pool.maker("ca"))
        yield server


@pytest.fixture
def ca(tmp_path: Path, key_pool: KeyPool) -> Iterator[CaServer]:
    """A PKI and its server of a test's own, to revoke and to switch."""
    with CaServer() as server:
        directory = tmp_path / "ca"
        server.pki = VirtualPki(directory, base_url=server.url, environment="test", make_key=key_pool.maker("ca"))
        yield server


@pytest.fixture
def make_card(tmp_path: Path, shared_ca: CaServer, key_pool: KeyPool) -> CardFactory:
    """Makes virtual cards whose certificates the shared PKI issues."""
    assert shared_ca.pki is not None
    return CardFactory(tmp_path, shared_ca.pki, key_pool)


@pytest.fixture
def card(make_card: CardFactory) -> VirtualCard:
    """A default card: T=0, RSA 2048, HSA-id certificates for log-in and signature."""
    return make_card()
