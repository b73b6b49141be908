# SPDX-License-Identifier: EUPL-1.2
"""What both APIs share: strict bodies in, JSON and problem documents out (protocol sections B12 and B15)."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Mapping
from typing import Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from authservice.orders.book import NoSuchOrderError, OrderGoneError
from authservice.orders.machine import TransitionRefusedError
from sithsapp.oob.protocol.encoding import MAX_BODY
from sithsapp.oob.protocol.problems import (
    PROBLEM_MEDIA_TYPE,
    Problem,
    ProblemCode,
    ProtocolViolation,
    problem,
)

logger = logging.getLogger(__name__)

BODY_WITHIN: Final = 10.0
"""Seconds in which a body must have come; slower clients are cut off (threat P19)."""


class RefusedError(ProtocolViolation):
    """A refusal with what the answer needs besides the code.

    `order` is the public id, `retry_after` is in seconds, `headers` go with the answer.
    """

    def __init__(
        self,
        code: ProblemCode,
        detail: str,
        *,
        order: str | None = None,
        retry_after: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail)
        self.order = order
        self.retry_after = retry_after
        self.headers = dict(headers or {})


async def read_body(request: Request) -> bytes:
    """Return the body; raises `RefusedError` when it is larger than 256 KiB, slow or not JSON by its type."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(ProblemCode.INVALID_REQUEST, "content type is not application/json")
    return await read_raw_body(request)


async def read_raw_body(request: Request) -> bytes:
    """Return the body of whatever type, with the same limits as `read_body`."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_WITHIN):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY:
                    raise RefusedError(ProblemCode.INVALID_REQUEST, "body is too large")
    except (TimeoutError, ClientDisconnect):
        raise RefusedError(ProblemCode.INVALID_REQUEST, "body did not arrive in time") from None
    return bytes(body)


def json_response(message: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a message that no cache keeps."""
    return Response(
        msgspec.json.encode(message),
        status,
        {"Cache-Control": "no-store", **(headers or {})},
        media_type="application/json",
    )


def empty_response(status: int = 204, headers: Mapping[str, str] | None = None) -> Response:
    """Answer without a body."""
    return Response(None, status, {"Cache-Control": "no-store", **(headers or {})})


async def refused(_request: Request, error: Exception) -> Response:
    """Answer a `ProtocolViolation` with its problem document."""
    assert isinstance(error, ProtocolViolation)  # noqa: S101 - Starlette calls this for that type alone
    logger.info("refused: %s", error)
    order, retry_after, headers = None, None, dict[str, str]()
    if isinstance(error, RefusedError):
        order, headers = error.order, error.headers
        retry_after = None if error.retry_after is None else math.ceil(error.retry_after)
    return problem_response(problem(error.code, order=order, retry_after=retry_after), headers)


def client_address(request: Request) -> str:
    """Return the network address of the caller. A reverse proxy must pass it on as the peer's address."""
    return request.client.host if request.client else "unknown"


async def transition_refused(_request: Request, error: Exception) -> Response:
    """Answer an event that does not fit the order's state."""
    logger.info("refused: event does not fit state %s", error)
    return problem_response(problem(ProblemCode.WRONG_STATE))


async def no_such_order(_request: Request, _error: Exception) -> Response:
    """Answer for an order that is not there, or is another party's."""
    return problem_response(problem(ProblemCode.NO_SUCH_ORDER))


async def order_gone(_request: Request, _error: Exception) -> Response:
    """Answer for an order whose time is over."""
    return problem_response(problem(ProblemCode.ORDER_GONE))


async def not_found(_request: Request, error: Exception) -> Response:
    """Answer an unknown path or method."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    answer = problem(ProblemCode.INVALID_REQUEST)
    return problem_response(Problem(type=answer.type, status=status, title=answer.title))


async def failed(_request: Request, _error: Exception) -> Response:
    """Answer when the service itself has failed; the server logs the exception."""
    return problem_response(problem(ProblemCode.MAINTENANCE))


def problem_response(body: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Make the answer of RFC 9457."""
    all_headers = {"Cache-Control": "no-store", **(headers or {})}
    if body.retry_after is not None:
        all_headers["Retry-After"] = str(body.retry_after)
    return Response(msgspec.json.encode(body), body.status, all_headers, media_type=PROBLEM_MEDIA_TYPE)


EXCEPTION_HANDLERS = {
    ProtocolViolation: refused,
    TransitionRefusedError: transition_refused,
    NoSuchOrderError: no_such_order,
    OrderGoneError: order_gone,
    HTTPException: not_found,
    Exception: failed,
}
