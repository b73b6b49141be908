# SPDX-License-Identifier: EUPL-1.2
"""The places of the main window, which every page may name."""

from __future__ import annotations

from enum import Enum


class Place(Enum):
    """Where a person can go in the main window."""

    OVERVIEW = "overview"
    CERTIFICATES = "certificates"
    SETTINGS = "settings"
    HELP = "help"
    PROGRAMS = "programs"
