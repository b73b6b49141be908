# SPDX-License-Identifier: EUPL-1.2
"""Animated QR frames: `SITHS:Q/1/<SVC>/<QT>/<T>/<MAC>` (protocol section B3)."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, b32, b32_decode, equal
from sithsapp.oob.protocol.secret import Secret

SECRET_OCTETS: Final = 32
TOKEN_OCTETS: Final = 16
MAC_OCTETS: Final = 16
SHOWN_FOR: Final = 60
"""Seconds from the order's creation during which frames are shown."""

_OLDEST: Final = 5
_NEWEST: Final = 1
_MAX_FRAME: Final = 128
_FRAME: Final = re.compile(
    r"(?P<scheme>[A-Z0-9+.-]+):Q/1/(?P<svc>[A-Z0-9]{1,12})/(?P<qt>[A-Z2-7]{26})/(?P<t>0|[1-9][0-9]{0,5})/(?P<mac>[A-Z2-7]{26})"
)


@dataclass(frozen=True, slots=True)
class QrFrame:
    """One frame as read from a screen: service id (lower case), token, seconds since creation, MAC (both base32)."""

    service: str
    token: Secret
    t: int
    mac: Secret


def make_mac(secret: bytes, service: str, token: str, t: int) -> str:
    """Return the MAC of the frame at `t` seconds: 26 characters of base32.

    `secret` is the order's QR secret (32 octets), `service` the service id in either case, `token` the base32 token.
    """
    message = f"oob-qr-v1|{service.upper()}|{token}|{t}".encode("ascii")
    return b32(hmac.new(secret, message, hashlib.sha256).digest()[:MAC_OCTETS])


def format_frame(scheme: str, secret: bytes, service: str, token: str, t: int) -> str:
    """Write the frame to show at `t` seconds after the order's creation. Arguments as in `make_mac`."""
    return f"{scheme.upper()}:Q/1/{service.upper()}/{token}/{t}/{make_mac(secret, service, token, t)}"


def parse_frame(scheme: str, text: str) -> QrFrame:
    """Read a frame, taking nothing but the form of section B3.

    Raises `SithsError` with `BAD_LINK`; its detail never holds any of the frame.
    """
    frame = _FRAME.fullmatch(text) if len(text) <= _MAX_FRAME else None
    if frame is None or frame["scheme"] != scheme.upper():
        raise SithsError(Failure.BAD_LINK, "QR frame refused: form")
    try:
        b32_decode(frame["qt"], length=TOKEN_OCTETS)
        b32_decode(frame["mac"], length=MAC_OCTETS)
    except Malformed:
        raise SithsError(Failure.BAD_LINK, "QR frame refused: token or code") from None
    return QrFrame(frame["svc"].lower(), Secret(frame["qt"]), int(frame["t"]), Secret(frame["mac"]))


def verify_mac(secret: bytes, service: str, token: str, t: int, mac: str) -> bool:
    """Tell whether `mac` is the frame's own. Arguments as in `make_mac`; anything odd in them is False."""
    if not token.isascii() or not service.isascii() or t < 0:
        return False
    return equal(make_mac(secret, service, token, t), mac)


def is_fresh(t: int, now: int) -> bool:
    """Tell whether a frame of second `t` may be used at second `now`, both counted from the order's creation."""
    return now - _OLDEST <= t <= now + _NEWEST
