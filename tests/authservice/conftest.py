# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: one test CA for all, a fresh service for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import KeyPurpose
from sithsapp.card.virtual.keys import KeyKind, generate_key
from tests.authservice.demo_site import Site
from tests.authservice.support import Bench, Holder, make_bench


@pytest.fixture(scope="session")
def pki(tmp_path_factory: pytest.TempPathFactory) -> VirtualPki:
    """A test CA with fast keys."""
    return VirtualPki(
        tmp_path_factory.mktemp("pki"),
        base_url="http://127.0.0.1:9",
        environment="test",
        make_key=lambda _kind: generate_key(KeyKind.P_256),
    )


@pytest.fixture(scope="session")
def holder(pki: VirtualPki) -> Holder:
    """A person with an authentication certificate."""
    return Holder.issue(pki)


@pytest.fixture(scope="session")
def signer(pki: VirtualPki) -> Holder:
    """The same person with a signature certificate."""
    return Holder.issue(pki, purpose=KeyPurpose.SIGN)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """A service with two relying parties."""
    made = make_bench(tmp_path)
    with made.http:
        yield made


@pytest.fixture
def site(bench: Bench, tmp_path: Path) -> Site:
    """The demonstration relying party."""
    return Site(bench, tmp_path)


@pytest.fixture
def browser(site: Site) -> Iterator[httpx.Client]:
    """One browser at the demonstration."""
    with site.browser() as made:
        yield made
