# SPDX-License-Identifier: EUPL-1.2
"""The relying party's calls to the service (protocol section B5)."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

from authservice.rp.errors import ServiceProblemError, ServiceUnreachableError
from authservice.rp_api.assertion import ASSERTION_TYPE, make_assertion
from sithsapp.failures import SithsError
from sithsapp.oob.protocol.encoding import MAX_BODY
from sithsapp.oob.protocol.messages import RP_API, decode_answer, encode
from sithsapp.oob.protocol.problems import Problem, ProblemCode
from sithsapp.oob.protocol.rp_messages import CreateOrder, OrderCreated, OrderStatus, Redeem

# httpx logs the address of every call, and ours hold the order's secret reference.
logging.getLogger("httpx").setLevel(logging.WARNING)

_RENEW_BEFORE: Final = 30.0
_AnswerT = TypeVar("_AnswerT")


class _Token(Struct, frozen=True):
    access_token: str
    expires_in: int


class ServiceClient:
    """Calls the service with a bearer token that it renews by itself. Safe for many threads.

    `http` decides about TLS, proxies and time-outs. Raises `ServiceProblemError` and `ServiceUnreachableError`.
    """

    def __init__(
        self,
        origin: str,
        client_id: str,
        key: ec.EllipticCurvePrivateKey,
        http: httpx.Client,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._base = origin + RP_API
        self._client_id = client_id
        self._key = key
        self._http = http
        self._now = now
        self._lock = threading.Lock()
        self._token = ""
        self._renew_at = 0.0

    def create(self, request: CreateOrder) -> OrderCreated:
        """Make an order."""
        headers = {"Idempotency-Key": secrets.token_urlsafe(16)}
        return self._call("POST", "/orders", OrderCreated, body=encode(request), headers=headers)

    def status(self, order_ref: str, *, polling: bool = False) -> OrderStatus:
        """Read an order's state. The service limits `polling`; a single question that must be answered is a wait."""
        query = "" if polling else "?wait=1"
        return self._call("GET", f"/orders/{order_ref}{query}", OrderStatus)

    def redeem(self, order_ref: str, redeem: Redeem) -> OrderStatus:
        """Complete a signed order."""
        return self._call("POST", f"/orders/{order_ref}/redeem", OrderStatus, body=encode(redeem))

    def cancel(self, order_ref: str) -> None:
        """End an order."""
        _raise_for_problem(self._send("DELETE", f"/orders/{order_ref}", None, {}))

    def _call(
        self,
        method: str,
        path: str,
        kind: type[_AnswerT],
        *,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> _AnswerT:
        response = self._send(method, path, body, headers or {})
        if response.status_code == httpx.codes.UNAUTHORIZED:
            self._renew_at = 0.0
            response = self._send(method, path, body, headers or {})
        return _read(response, kind)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> httpx.Response:
        headers = {**headers, "Authorization": f"Bearer {self._bearer()}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._http.request(method, self._base + path, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise ServiceUnreachableError(type(error).__name__) from None

    def _bearer(self) -> str:
        with self._lock:
            if time.monotonic() >= self._renew_at:
                token = self._new_token()
                self._token = token.access_token
                self._renew_at = time.monotonic() + token.expires_in - _RENEW_BEFORE
            return self._token

    def _new_token(self) -> _Token:
        endpoint = f"{self._base}/token"
        assertion = make_assertion(self._client_id, endpoint, self._key, int(self._now()))
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        try:
            return _read(self._http.post(endpoint, data=form), _Token)
        except httpx.HTTPError as error:
            raise ServiceUnreachableError(type(error).__name__) from None


def _read(response: httpx.Response, kind: type[_AnswerT]) -> _AnswerT:
    _raise_for_problem(response)
    try:
        return decode_answer(response.content, kind)
    except SithsError:
        raise ServiceProblemError(None) from None


def _raise_for_problem(response: httpx.Response) -> None:
    if response.is_success and len(response.content) <= 4 * MAX_BODY:
        return
    code, retry_after = _problem(response)
    raise ServiceProblemError(code, retry_after)


def _problem(response: httpx.Response) -> tuple[ProblemCode | None, int | None]:
    try:
        problem = decode_answer(response.content, Problem)
    except SithsError:
        return None, None
    return problem.code, problem.retry_after
