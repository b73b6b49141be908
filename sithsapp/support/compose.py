# SPDX-License-Identifier: EUPL-1.2
"""Wires self-tests and reports to this computer: once, for the windows and the command line alike."""

from __future__ import annotations

import os
from collections.abc import Callable

from sithsapp.card.model import CardsState
from sithsapp.desktop.paths import log_dir
from sithsapp.support.checks.check import Context, SettingsView
from sithsapp.support.system.this import this_system


def make_context(settings: SettingsView, cards: Callable[[], CardsState]) -> Context:
    """Return what one run of self-tests looks at; call from the main thread. `cards` may be called from any."""
    from sithsapp.oob.compose import late_transports

    return Context(settings, cards, this_system(), late_transports(settings.settings), log_dir(), dict(os.environ))
