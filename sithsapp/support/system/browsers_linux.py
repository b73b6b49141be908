# SPDX-License-Identifier: EUPL-1.2
"""Browsers' policies on Linux that decide whether a page may open the app (facts: platforms section 7)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from sithsapp.support.safe_file import read_small
from sithsapp.support.system.facts import BlockedLinks

_MAX_FILE = 256 * 1024
_MAX_FILES = 50
_CHROMIUM_LIKE = {
    "Chromium": "etc/chromium/policies/managed",
    "Chrome": "etc/opt/chrome/policies/managed",
    "Edge": "etc/opt/edge/policies/managed",
    "Brave": "etc/brave/policies/managed",
}
_FIREFOX = "etc/firefox/policies/policies.json"


def blocked_links(root: Path, scheme: str) -> tuple[BlockedLinks, ...]:
    """Return the policies below `root` that keep a browser from opening links of `scheme`."""
    return tuple(_chromium_like(root, scheme)) + tuple(_firefox(root, scheme))


def _chromium_like(root: Path, scheme: str) -> Iterator[BlockedLinks]:
    for browser, place in _CHROMIUM_LIKE.items():
        merged: dict[str, object] = {}
        for path in sorted((root / place).glob("*.json"))[:_MAX_FILES]:
            merged.update(_members(path))
        blocked = _covers(merged.get("URLBlocklist"), scheme)
        if blocked and not _covers(merged.get("URLAllowlist"), scheme, only_named=True):
            yield BlockedLinks(browser, "URLBlocklist")


def _firefox(root: Path, scheme: str) -> Iterator[BlockedLinks]:
    policies = _members(root / _FIREFOX).get("policies")
    if not isinstance(policies, Mapping):
        return
    handlers = policies.get("Handlers")
    schemes = handlers.get("schemes") if isinstance(handlers, Mapping) else None
    ours = schemes.get(scheme) if isinstance(schemes, Mapping) else None
    # With `handleInternally` nothing outside of the browser is started.
    if isinstance(ours, Mapping) and ours.get("action") == "handleInternally":
        yield BlockedLinks("Firefox", "Handlers")


def _covers(patterns: object, scheme: str, *, only_named: bool = False) -> bool:
    """Tell whether a list of URL patterns has all links of `scheme` in it; `*` covers every scheme."""
    if not isinstance(patterns, list):
        return False
    wanted = {f"{scheme}:*", f"{scheme}://*", f"{scheme}:", scheme}
    named = any(isinstance(pattern, str) and pattern.strip().lower() in wanted for pattern in patterns)
    return named or (not only_named and "*" in patterns)


def _members(path: Path) -> Mapping[str, object]:
    try:
        members = json.loads(read_small(path, _MAX_FILE))
    except (OSError, ValueError, RecursionError):
        return {}
    return members if isinstance(members, dict) else {}
