# SPDX-License-Identifier: EUPL-1.2
"""What settings say of the entry of codes."""

from __future__ import annotations

from sithsapp.settings.schema import Settings
from sithsapp.ui.elements import EntryPolicy


def entry_policy(settings: Settings) -> EntryPolicy:
    """Return what a person may do where a code is typed."""
    return EntryPolicy(
        allow_show=settings.allow_show_pin,
        allow_paste=settings.allow_paste,
        wipe_when_left=settings.clear_code_on_focus_loss,
        keypad=settings.keypad,
        shuffled=settings.keypad_shuffled,
    )
