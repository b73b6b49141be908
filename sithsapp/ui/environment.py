# SPDX-License-Identifier: EUPL-1.2
"""The name of an environment, shown wherever it is not production."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sithsapp.locale import tr
from sithsapp.settings import profile

if TYPE_CHECKING:
    from sithsapp.settings.store import SettingsStore

_NAME_LIMIT = 12


def environment_name(environment: str) -> str:
    """Return what the badge says: empty in production, the name as it is for an unknown one."""
    return "" if environment == "production" else environment_title(environment)


def environment_title(environment: str) -> str:
    """Return what the environment is called where one is chosen."""
    names = {"production": tr("Production"), "qa": tr("QA"), "test": tr("Test"), "demo": tr("Demo")}
    return names.get(environment, environment[:_NAME_LIMIT])


def choosable_environments(store: SettingsStore) -> tuple[str, ...]:
    """Return the environments that the person may switch between; empty where there is nothing to choose."""
    choosable = len(profile.ENVIRONMENTS) > 1 and not store.locked("environment")
    return profile.ENVIRONMENTS if choosable else ()
