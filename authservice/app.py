# SPDX-License-Identifier: EUPL-1.2
"""The authentication service as one ASGI application."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from authservice.app_api.nonces import Nonces
from authservice.app_api.routes import AppApi
from authservice.certificates import CertificateJudge
from authservice.clock import Clock, SteadyClock
from authservice.config import ServiceConfig
from authservice.context import ServiceContext
from authservice.keys import load_or_create_key, load_or_create_secret
from authservice.limits import RateLimiter
from authservice.openapi import openapi_document
from authservice.orders.book import OrderBook
from authservice.orders.documents import Issuer
from authservice.orders.store import MemoryStore, OrderStore
from authservice.registry import Registry
from authservice.rp_api.authentication import BearerTokens
from authservice.rp_api.routes import RpApi
from authservice.web import EXCEPTION_HANDLERS, json_response
from sithsapp.oob.protocol.messages import RP_API, WELL_KNOWN_PATH, Metadata, MinimumVersions
from sithsapp.oob.protocol.returning import is_origin

PURGE_EVERY: Final = 1.0
"""Seconds between two clean-ups of the store."""

ORDER_KEY_FILE: Final = "order-key.pem"
TOKEN_SECRET_FILE: Final = "token-secret"  # noqa: S105 - the name of a file


def make_context(
    config: ServiceConfig,
    judge: CertificateJudge,
    *,
    clock: Clock | None = None,
    store: OrderStore | None = None,
) -> ServiceContext:
    """Build the service's parts; makes its keys at the first start.

    Raises ValueError for a configuration that is not allowed in its environment.
    """
    if not is_origin(config.origin, environment=config.environment.value):
        raise ValueError("origin is not allowed in this environment")
    clock = clock or SteadyClock()
    store = store or MemoryStore(clock)
    secret = load_or_create_secret(config.state_directory / TOKEN_SECRET_FILE)
    key = load_or_create_key(config.state_directory / ORDER_KEY_FILE)
    return ServiceContext(
        config=config,
        registry=Registry(config.relying_parties, config.environment),
        store=store,
        book=OrderBook(store, clock),
        clock=clock,
        limiter=RateLimiter(clock),
        nonces=Nonces(secret, clock),
        issuer=Issuer(config.origin, config.environment.value, key),
        judge=judge,
        token_secret=secret,
    )


def create_app(service: ServiceContext) -> Starlette:
    """Return the ASGI application of a service."""
    tokens = BearerTokens(service.registry, service.store, service.clock, f"{service.config.origin}{RP_API}/token")
    app = Starlette(
        routes=[
            Route(WELL_KNOWN_PATH, _metadata_endpoint(service.config), methods=["GET"]),
            Route("/openapi.json", _openapi, methods=["GET"]),
            *RpApi(service, tokens, tokens).routes,
            *AppApi(service).routes,
        ],
        exception_handlers=EXCEPTION_HANDLERS,
        lifespan=lambda _app: _purging(service.store),
    )
    app.router.redirect_slashes = False
    return app


def metadata(config: ServiceConfig) -> Metadata:
    """Return the well-known document."""
    return Metadata(
        id=config.id,
        origin=config.origin,
        versions=[1],
        min_app=MinimumVersions(**config.min_app),
    )


def _metadata_endpoint(config: ServiceConfig) -> Callable[[Request], Awaitable[Response]]:
    document = metadata(config)

    async def endpoint(_request: Request) -> Response:
        return json_response(document, headers={"Cache-Control": f"public, max-age={document.max_age_s}"})

    return endpoint


async def _openapi(_request: Request) -> Response:
    return json_response(openapi_document())


@contextlib.asynccontextmanager
async def _purging(store: OrderStore) -> AsyncIterator[None]:
    async def purge() -> None:
        while True:
            await asyncio.sleep(PURGE_EVERY)
            await store.purge()

    task = asyncio.create_task(purge())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
