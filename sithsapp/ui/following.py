# SPDX-License-Identifier: EUPL-1.2
"""Follow the settings while the app runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from sithsapp.failures import SithsError
from sithsapp.settings.store import Listener

log = logging.getLogger(__name__)

OF_WINDOWS = (
    "allow_show_pin",
    "allow_paste",
    "clear_code_on_focus_loss",
    "keypad",
    "keypad_shuffled",
    "refuse_easy_codes",
    "done_seconds",
    "on_top",
)
"""The settings that windows in which codes are typed follow."""


def follower(changes: Mapping[str, Callable[[], None]]) -> Listener:
    """Return a listener that does what `changes` says of each setting, each action once a change."""

    def listen(changed: frozenset[str]) -> None:
        # In the order of the mapping, whatever order a set has.
        for action in dict.fromkeys(changes[name] for name in changes if name in changed):
            action()

    return listen


def follow_autostart(wanted: bool | None) -> None:
    """Bring what starts at log-in in line with the setting. A failure is logged: nobody may be at the screen."""
    from sithsapp.desktop.autostart import autostart, follow

    try:
        follow(wanted, autostart())
    except SithsError as error:
        log.warning("%s", error)


def follow_log_level(level: str) -> None:
    """Take the new level, unless a person has switched detailed logging on for a while."""
    from sithsapp.desktop.paths import log_dir
    from sithsapp.support.detail import apply_level

    apply_level(log_dir(), level)
