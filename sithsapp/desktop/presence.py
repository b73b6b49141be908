# SPDX-License-Identifier: EUPL-1.2
"""Whether somebody is at the screen, as the platforms' parts say it."""

from __future__ import annotations

from enum import Enum


class Presence(Enum):
    """What became of the person at the screen."""

    LEFT = "left"
    RETURNED = "returned"
