# SPDX-License-Identifier: EUPL-1.2
"""The routes of the RP API (protocol section B5)."""

from __future__ import annotations

from typing import Final
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from authservice.context import ServiceContext
from authservice.limits import Rate
from authservice.orders import machine
from authservice.orders.record import OrderRecord, State
from authservice.orders.secrets import token_hash
from authservice.registry import RegisteredParty
from authservice.rp_api.assertion import ASSERTION_TYPE
from authservice.rp_api.authentication import BearerTokens, ClientAuthenticator
from authservice.rp_api.creation import create_order
from authservice.web import RefusedError, client_address, empty_response, json_response, read_body, read_raw_body
from sithsapp.oob.protocol.messages import RP_API, decode_request
from sithsapp.oob.protocol.problems import ProblemCode
from sithsapp.oob.protocol.rp_messages import OrderState, OrderStatus, Redeem

LONGEST_WAIT: Final = 25
"""Seconds for which a long poll may wait."""

POLL_RATE: Final = Rate(per_second=1.0, burst=2)
"""How often one order may be polled without waiting."""


class RpApi:
    """The relying party's side of the service."""

    def __init__(self, service: ServiceContext, clients: ClientAuthenticator, tokens: BearerTokens) -> None:
        self._service = service
        self._clients = clients
        self._tokens = tokens

    @property
    def routes(self) -> list[Route]:
        """All routes."""
        return [
            Route(RP_API + "/token", self.token, methods=["POST"]),
            Route(RP_API + "/orders", self.create, methods=["POST"]),
            Route(RP_API + "/orders/{order_ref}", self.status, methods=["GET"]),
            Route(RP_API + "/orders/{order_ref}", self.cancel, methods=["DELETE"]),
            Route(RP_API + "/orders/{order_ref}/redeem", self.redeem, methods=["POST"]),
        ]

    async def token(self, request: Request) -> Response:
        """Trade a client assertion for a bearer token (RFC 7523 section 2.2)."""
        self._service.limit_address(client_address(request))
        form = parse_qs((await read_raw_body(request)).decode("ascii", "replace"), max_num_fields=8)
        if form.get("grant_type") != ["client_credentials"] or form.get("client_assertion_type") != [ASSERTION_TYPE]:
            raise RefusedError(ProblemCode.INVALID_REQUEST, "not a client_credentials request with an assertion")
        return json_response(await self._tokens.issue(form.get("client_assertion", [""])[0]))

    async def create(self, request: Request) -> Response:
        """Make an order."""
        party = await self._clients.authenticate(request)
        self._service.limit(f"rp:{party.id}", party.rate)
        key = request.headers.get("idempotency-key", "")
        return json_response(await create_order(self._service, party, await read_body(request), key), 201)

    async def status(self, request: Request) -> Response:
        """Tell the order's state at once, or wait for it to change."""
        key, party = await self._caller(request)
        wait, terminal = _wait_parameters(request)
        known = request.headers.get("if-none-match", "").strip('"')
        record = await self._read(key, party)
        if not wait:
            self._limit_polling(record)
        end = self._service.clock.now() + wait
        while _waits_on(record, known, terminal) and (left := end - self._service.clock.now()) > 0:
            record = await self._changed(record, left)
        if str(record.version) == known:
            return empty_response(304, {"ETag": _etag(record)})
        return self._answer(record)

    async def redeem(self, request: Request) -> Response:
        """Complete a signed order with what came back through the browser that started it."""
        key, party = await self._caller(request)
        redeem = decode_request(await read_body(request), Redeem)
        await self._read(key, party)

        def change(record: OrderRecord, now: float) -> OrderRecord:
            if redeem.verifier is not None:
                return machine.redeem_verifier(record, redeem.verifier, now)
            return machine.redeem_code(record, redeem.code or "", now)

        record = await self._service.book.change(key, change)
        if record.state is State.COMPLETE:
            return self._answer(record)
        # A wrong code leaves tries; everything else that was wrong has ended the order.
        code = ProblemCode.NOT_ALLOWED if record.state is State.SIGNED else ProblemCode.WRONG_STATE
        raise RefusedError(code, "redemption refused", order=record.order_id)

    async def cancel(self, request: Request) -> Response:
        """End a pending order."""
        key, party = await self._caller(request)
        await self._read(key, party)
        await self._service.book.change(key, machine.cancel_by_relying_party)
        return empty_response()

    async def _caller(self, request: Request) -> tuple[str, RegisteredParty]:
        party = await self._clients.authenticate(request)
        return token_hash(request.path_params["order_ref"]), party

    async def _read(self, key: str, party: RegisteredParty) -> OrderRecord:
        return await self._service.book.read_own(key, party.id)

    async def _changed(self, record: OrderRecord, timeout: float) -> OrderRecord:
        return await self._service.book.wait(record.key, record.version, timeout)

    def _limit_polling(self, record: OrderRecord) -> None:
        wait = self._service.limiter.take(f"poll:{record.key}", POLL_RATE)
        if wait:
            raise RefusedError(ProblemCode.SLOW_DOWN, "polls too often", order=record.order_id, retry_after=wait)

    def _answer(self, record: OrderRecord) -> Response:
        return json_response(order_status(record, self._service.clock.now()), headers={"ETag": _etag(record)})


def order_status(record: OrderRecord, now: float) -> OrderStatus:
    """Return what the relying party may know of an order: the identity only when it is complete."""
    flow = None if record.claim is None else record.claim.flow
    if record.state is State.COMPLETE and record.signature is not None:
        return OrderStatus(status=OrderState.COMPLETE, completion=record.signature.completion)
    if record.state is State.FAILED:
        return OrderStatus(status=OrderState.FAILED, hint=record.hint, flow=flow)
    status = OrderState.AWAITING_REDEEM if record.state is State.SIGNED else OrderState.PENDING
    return OrderStatus(status=status, hint=record.hint, flow=flow, expires_in=max(0, int(record.deadline - now)))


def _etag(record: OrderRecord) -> str:
    return f'"{record.version}"'


def _waits_on(record: OrderRecord, known: str, terminal: bool) -> bool:
    if terminal:
        return record.state.pending
    return str(record.version) == known


def _wait_parameters(request: Request) -> tuple[int, bool]:
    wait, until = request.query_params.get("wait", "0"), request.query_params.get("until", "any")
    if not (wait.isascii() and wait.isdigit() and len(wait) < 4) or until not in ("any", "terminal"):
        raise RefusedError(ProblemCode.INVALID_REQUEST, "wait or until")
    return min(int(wait), LONGEST_WAIT), until == "terminal"
