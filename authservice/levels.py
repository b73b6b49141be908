# SPDX-License-Identifier: EUPL-1.2
"""Levels of assurance as numbers, for the ceiling that a relying party is registered with."""

from __future__ import annotations

import re
from typing import Final

from sithsapp.pki.loa import DEFAULT_LEVELS

_NUMBER: Final = re.compile(r"loa([1-4])$")


def level_number(uri: str) -> int:
    """Return the level, 1-4, that a URI ends with; 0 for one that names none."""
    found = _NUMBER.search(uri)
    return int(found[1]) if found else 0


def policy_level(policy: str) -> int:
    """Return the level of a certificate policy, or 0 where the policy alone decides none."""
    return max((level_number(row.uri) for row in DEFAULT_LEVELS if row.policy == policy), default=0)
