# SPDX-License-Identifier: EUPL-1.2
"""The link that starts the app on the same device (protocol section B2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NoReturn

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, b64u_decode
from sithsapp.oob.protocol.secret import Secret

MAX_LENGTH: Final = 512
"""Longest link, in octets."""

TOKEN_OCTETS: Final = 32

# Browsers and shells rewrite `scheme:start?` to one of these, or put one slash after `start` or at the very end.
_FORM: Final = re.compile(r":(?://|///)?start(?P<inner>/?)\?(?P<query>[a-z0-9A-Z=&_-]*)(?P<end>/?)")
_SERVICE: Final = re.compile(r"[a-z0-9]{1,12}")
_NAMES: Final = frozenset({"v", "s", "t"})


@dataclass(frozen=True, slots=True)
class LaunchUrl:
    """Which service to ask, and the one-time token (43 characters) that claims the order."""

    service: str
    token: Secret


def format_launch_url(scheme: str, launch: LaunchUrl) -> str:
    """Write the link in its normal form, `scheme:start?v=1&s=..&t=..`."""
    return f"{scheme}:start?v=1&s={launch.service}&t={launch.token.reveal()}"


def parse_launch_url(scheme: str, text: str) -> LaunchUrl:
    """Read a link, taking nothing but the grammar of section B2.

    Raises `SithsError` with `BAD_LINK`; its detail names the rule and never holds any of the link.
    """
    if len(text) > MAX_LENGTH or not text.isascii():
        _refuse("length or signs")
    form = _FORM.fullmatch(text, len(scheme)) if text.startswith(scheme) else None
    if form is None or (form["inner"] and form["end"]):
        _refuse("form")
    members = _members(form["query"])
    if members["v"] != "1":
        _refuse("version")
    if not _SERVICE.fullmatch(members["s"]):
        _refuse("service")
    try:
        b64u_decode(members["t"], length=TOKEN_OCTETS)
    except Malformed:
        _refuse("token")
    return LaunchUrl(members["s"], Secret(members["t"]))


def _members(query: str) -> dict[str, str]:
    pairs = [pair.partition("=") for pair in query.split("&")]
    members = {name: value for name, _, value in pairs}
    if len(pairs) != len(_NAMES) or members.keys() != _NAMES:
        _refuse("parameters")
    return members


def _refuse(rule: str) -> NoReturn:
    raise SithsError(Failure.BAD_LINK, f"launch link refused: {rule}") from None
