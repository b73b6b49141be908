# SPDX-License-Identifier: EUPL-1.2
"""The secrets of an order, made from the service's own secret and the order's seed.

The store holds only seeds and hashes, so that whoever reads it learns no token; and a creation that is repeated
with the same idempotency key gets the same tokens.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Final

from sithsapp.oob.protocol.encoding import b32, b64u

SEED_LENGTH: Final = 32


def new_seed() -> bytes:
    """Return 32 fresh random bytes."""
    return secrets.token_bytes(SEED_LENGTH)


def token_hash(token: str) -> str:
    """Return the SHA-256, in hex, by which a token or reference is stored and looked up."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True, repr=False)
class OrderSecrets:
    """The tokens of one order, in the forms of protocol sections B2, B3 and B5."""

    order_ref: str
    order_id: str
    launch_token: str
    qr_token: str
    qr_secret: bytes
    nonce_svc: str

    @classmethod
    def derive(cls, service_secret: bytes, seed: bytes) -> OrderSecrets:
        """Make the order's tokens; each is an independent HMAC-SHA-256 output."""

        def part(label: bytes, length: int) -> bytes:
            return hmac.digest(service_secret, label + b"|" + seed, "sha256")[:length]

        return cls(
            order_ref=b64u(part(b"order-ref", 16)),
            order_id=b64u(part(b"order-id", 12)),
            launch_token=b64u(part(b"launch", 32)),
            qr_token=b32(part(b"qr-token", 16)),
            qr_secret=part(b"qr-secret", 32),
            nonce_svc=b64u(part(b"nonce", 32)),
        )
