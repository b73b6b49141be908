# SPDX-License-Identifier: EUPL-1.2
"""The routes of the app API (protocol section B6)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from authservice.app_api.caller import AppCaller, identify
from authservice.app_api.claiming import claim_order
from authservice.app_api.signing import take_signature
from authservice.context import ServiceContext
from authservice.orders import machine
from authservice.orders.book import NoSuchOrderError
from authservice.orders.record import OrderRecord, State
from authservice.web import empty_response, json_response, read_body, refused
from sithsapp.oob.protocol.messages import (
    APP_API,
    CancelRequest,
    ExtendAnswer,
    ProgressRequest,
    SignatureRequest,
    WatchAnswer,
    decode_claim,
    decode_request,
)
from sithsapp.oob.protocol.problems import CANCEL_HINTS, Hint, ProtocolViolation

LONGEST_WAIT: Final = 25
"""Seconds for which a watch may wait."""

Handler = Callable[[AppCaller, Request], Awaitable[Response]]


class AppApi:
    """The app's side of the service."""

    def __init__(self, service: ServiceContext) -> None:
        self._service = service

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route(APP_API + "/claim", self._identified(self.claim), methods=["POST"]),
            Route(APP_API + "/watch", self._identified(self.watch), methods=["GET"]),
            Route(APP_API + "/progress", self._identified(self.progress), methods=["POST"]),
            Route(APP_API + "/extend", self._identified(self.extend), methods=["POST"]),
            Route(APP_API + "/signature", self._identified(self.signature), methods=["POST"]),
            Route(APP_API + "/cancel", self._identified(self.cancel), methods=["POST"]),
        ]

    async def claim(self, caller: AppCaller, request: Request) -> Response:
        """Bind an order to the app and give it the signed document."""
        return json_response(await claim_order(self._service, caller, decode_claim(await read_body(request))))

    async def watch(self, caller: AppCaller, request: Request) -> Response:
        """Wait for the order to be ended by others."""
        wait = request.query_params.get("wait", "0")
        seconds = min(int(wait), LONGEST_WAIT) if wait.isascii() and wait.isdigit() and len(wait) < 4 else 0
        record = await self._own(caller)
        end = self._service.clock.now() + seconds
        while record.state is State.CLAIMED and (left := end - self._service.clock.now()) > 0:
            record = await self._service.book.wait(record.key, record.version, left)
        if record.state is not State.FAILED:
            return empty_response(304)
        expired = record.hint is Hint.EXPIRED_TRANSACTION
        return json_response(WatchAnswer(status="expired" if expired else "cancelled"))

    async def progress(self, caller: AppCaller, request: Request) -> Response:
        """Show the relying party what the app is at."""
        hint = Hint(decode_request(await read_body(request), ProgressRequest).hint.value)
        record = await self._own(caller)
        await self._service.book.change(record.key, lambda current, _now: machine.progress(current, hint))
        return empty_response()

    async def extend(self, caller: AppCaller, _request: Request) -> Response:
        """Give the user more time, once."""
        record = await self._own(caller)
        record = await self._service.book.change(record.key, lambda current, _now: machine.extend(current))
        return json_response(ExtendAnswer(expires_in=int(record.deadline - self._service.clock.now())))

    async def signature(self, caller: AppCaller, request: Request) -> Response:
        """Verify and accept the user's signature."""
        body = await read_body(request)
        posted = decode_request(body, SignatureRequest)
        record = await self._own(caller)
        return json_response(await take_signature(self._service, record, posted, body))

    async def cancel(self, caller: AppCaller, request: Request) -> Response:
        """End the order for the user's reason."""
        hint = CANCEL_HINTS[decode_request(await read_body(request), CancelRequest).reason]
        record = await self._own(caller)
        await self._service.book.change(record.key, lambda current, now: machine.cancel_by_app(current, hint, now))
        return empty_response()

    async def _own(self, caller: AppCaller) -> OrderRecord:
        found = await self._service.book.find_by_token(caller.key_hash)
        if found is None:
            raise NoSuchOrderError
        return await self._service.book.read(found.key)

    def _identified(self, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                caller = await identify(self._service, request)
                response = await handler(caller, request)
            except ProtocolViolation as violation:
                response = await refused(request, violation)
            response.headers["DPoP-Nonce"] = self._service.nonces.current()
            return response

        return endpoint
