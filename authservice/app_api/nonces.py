# SPDX-License-Identifier: EUPL-1.2
"""DPoP nonces of the service (RFC 9449 section 8): made from the server's time, so that none need be stored."""

from __future__ import annotations

import hmac
from typing import Final

from authservice.clock import Clock
from sithsapp.oob.protocol.encoding import b64u

WINDOW: Final = 150
"""Seconds for which one nonce is issued; it is good for that long again."""

REMEMBER_PROOFS: Final = 2 * WINDOW
"""Seconds for which a proof's `jti` must be remembered; after that its nonce is too old anyway."""


class Nonces:
    """Makes and recognises nonces."""

    def __init__(self, secret: bytes, clock: Clock) -> None:
        self._secret = secret
        self._clock = clock

    def current(self) -> str:
        """Return the nonce to hand out now."""
        return self._nonce(self._window())

    def good(self) -> tuple[str, str]:
        """Return the nonces that are accepted now."""
        window = self._window()
        return self._nonce(window), self._nonce(window - 1)

    def _window(self) -> int:
        return int(self._clock.now()) // WINDOW

    def _nonce(self, window: int) -> str:
        return b64u(hmac.digest(self._secret, b"dpop-nonce|" + window.to_bytes(8), "sha256")[:18])
