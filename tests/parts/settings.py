# SPDX-License-Identifier: EUPL-1.2
"""A settings store without files, for tests of what follows the settings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from sithsapp.settings.sources import Authority
from sithsapp.settings.store import SettingsStore


class Values:
    """A source that keeps its values in memory. `failing` is raised by the next write."""

    def __init__(self, authority: Authority, values: Mapping[str, object]) -> None:
        self.authority, self.values = authority, dict(values)
        self.name = authority.name.lower()
        self.failing: Exception | None = None

    def read(self) -> Mapping[str, object]:
        return dict(self.values)

    def write(self, values: Mapping[str, object]) -> None:
        if self.failing is not None:
            raise self.failing
        self.values = dict(values)

    def set_aside(self) -> Path:
        raise AssertionError("values in memory are never unusable")

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        yield


def store_of(policy: Mapping[str, object] | None = None, **own: object) -> SettingsStore:
    """Return a store with what the organisation decides, and what the user chose."""
    return SettingsStore([Values(Authority.POLICY, policy or {})], Values(Authority.USER, own))
