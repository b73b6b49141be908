# SPDX-License-Identifier: EUPL-1.2
"""What the app shows of the browser on the other device: a guess from `User-Agent`, in words from a fixed list."""

from __future__ import annotations

from typing import Final

from sithsapp.oob.protocol.order import Context

_BROWSERS: Final = (("Edg/", "Edge"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS: Final = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)


def context_of(user_agent: str) -> Context:
    """Return the context for an order; what is not recognised is left out."""
    return Context(browser=_first(_BROWSERS, user_agent), os=_first(_SYSTEMS, user_agent))


def _first(table: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for sign, name in table if sign in text), None)
