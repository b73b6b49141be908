# SPDX-License-Identifier: EUPL-1.2
"""What the parts of a running service share."""

from __future__ import annotations

from dataclasses import dataclass

from authservice.app_api.nonces import Nonces
from authservice.certificates import CertificateJudge
from authservice.clock import Clock
from authservice.config import ServiceConfig
from authservice.limits import Rate, RateLimiter, address_bucket
from authservice.orders.book import OrderBook
from authservice.orders.documents import Issuer
from authservice.orders.secrets import OrderSecrets
from authservice.orders.store import OrderStore
from authservice.registry import Registry
from authservice.web import RefusedError
from sithsapp.oob.protocol.problems import ProblemCode


@dataclass(frozen=True, slots=True)
class ServiceContext:
    """One service's parts; made by `server.create_app`."""

    config: ServiceConfig
    registry: Registry
    store: OrderStore
    book: OrderBook
    clock: Clock
    limiter: RateLimiter
    nonces: Nonces
    issuer: Issuer
    judge: CertificateJudge
    token_secret: bytes

    def secrets_of(self, seed: bytes) -> OrderSecrets:
        """Return the tokens of the order with this seed."""
        return OrderSecrets.derive(self.token_secret, seed)

    def limit(self, bucket: str, rate: Rate) -> None:
        """Take one token from `bucket`; raises `RefusedError` with `slowDown` when it is empty."""
        wait = self.limiter.take(bucket, rate)
        if wait:
            raise RefusedError(ProblemCode.SLOW_DOWN, "rate limit", retry_after=wait)

    def limit_address(self, address: str) -> None:
        """Count a request from a network address."""
        rate = Rate(self.config.per_address_per_minute / 60, self.config.per_address_burst)
        self.limit(address_bucket(address), rate)
