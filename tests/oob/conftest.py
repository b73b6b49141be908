# SPDX-License-Identifier: EUPL-1.2
"""Fixtures for the client's tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.oob.servers import TlsCa

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True)
def _no_proxy_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def tls_ca(tmp_path_factory: pytest.TempPathFactory) -> TlsCa:
    return TlsCa(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def cleanup() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Register functions to be called at the end of the test, last first."""
    steps: list[Callable[[], None]] = []
    yield steps.append
    for step in reversed(steps):
        step()


def open_files() -> int:
    """The number of file descriptors of this process (Linux)."""
    return len(list(Path("/proc/self/fd").iterdir()))
