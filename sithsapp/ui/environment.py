# SPDX-License-Identifier: EUPL-1.2
"""The name of an environment, shown wherever it is not production."""

from __future__ import annotations

from sithsapp.locale import tr


def environment_name(environment: str) -> str:
    """Return what the badge says: empty in production, the name as it is for an unknown one."""
    names = {"production": "", "qa": tr("QA"), "test": tr("Test"), "demo": tr("Demo")}
    return names.get(environment, environment[:12])
