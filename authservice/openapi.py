# SPDX-License-Identifier: EUPL-1.2
"""The OpenAPI 3.1 document of both APIs, made from the same structs that the code reads and writes."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from authservice.rp_api.authentication import TokenAnswer
from sithsapp.oob.protocol import messages, rp_messages
from sithsapp.oob.protocol.messages import APP_API, RP_API, WELL_KNOWN_PATH
from sithsapp.oob.protocol.order import Order
from sithsapp.oob.protocol.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemCode

_REFERENCE: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Operation:
    """One route: what goes in, what comes out, which other statuses a caller must expect."""

    method: str
    path: str
    summary: str
    request: tuple[object, ...] = ()
    answer: object | None = None
    status: int = 200
    others: Sequence[int] = ()
    parameters: Sequence[str] = ()


OPERATIONS: Final = (
    Operation("get", WELL_KNOWN_PATH, "Metadata of the service; never a source of trust", answer=messages.Metadata),
    Operation("post", f"{RP_API}/token", "Trade a client assertion for a bearer token", answer=TokenAnswer),
    Operation(
        "post",
        f"{RP_API}/orders",
        "Make an order",
        request=(rp_messages.CreateOrder,),
        answer=rp_messages.OrderCreated,
        status=201,
        parameters=("Idempotency-Key",),
    ),
    Operation(
        "get",
        f"{RP_API}/orders/{{order_ref}}",
        "Read an order's state, or wait for it to change",
        answer=rp_messages.OrderStatus,
        others=(304,),
        parameters=("order_ref", "wait", "until", "If-None-Match"),
    ),
    Operation("delete", f"{RP_API}/orders/{{order_ref}}", "Cancel an order", status=204, parameters=("order_ref",)),
    Operation(
        "post",
        f"{RP_API}/orders/{{order_ref}}/redeem",
        "Complete a signed order in the browser that started it",
        request=(rp_messages.Redeem,),
        answer=rp_messages.OrderStatus,
        parameters=("order_ref",),
    ),
    Operation(
        "post",
        f"{APP_API}/claim",
        "Bind an order to the app",
        request=(messages.ClaimByLaunch, messages.ClaimByQr),
        answer=messages.ClaimAnswer,
    ),
    Operation(
        "get",
        f"{APP_API}/watch",
        "Wait for the order to be ended by others",
        answer=messages.WatchAnswer,
        others=(304,),
        parameters=("wait",),
    ),
    Operation("post", f"{APP_API}/progress", "Tell progress", request=(messages.ProgressRequest,), status=204),
    Operation("post", f"{APP_API}/extend", "Get more time, once", answer=messages.ExtendAnswer),
    Operation(
        "post",
        f"{APP_API}/signature",
        "Post the user's signature",
        request=(messages.SignatureRequest,),
        answer=messages.SignatureAnswer,
    ),
    Operation("post", f"{APP_API}/cancel", "Give the order up", request=(messages.CancelRequest,), status=204),
)
"""Every route of the service besides this document's own."""

_PARAMETERS: Final[dict[str, dict[str, object]]] = {
    "order_ref": {"in": "path", "required": True, "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{22}$"}},
    "wait": {"in": "query", "schema": {"type": "integer", "minimum": 0, "maximum": 25}},
    "until": {"in": "query", "schema": {"enum": ["any", "terminal"]}},
    "If-None-Match": {"in": "header", "schema": {"type": "string"}},
    "Idempotency-Key": {"in": "header", "required": True, "schema": {"type": "string", "maxLength": 128}},
    "App-Client": {"in": "header", "required": True, "schema": {"type": "string"}},
}


@functools.cache
def openapi_document() -> dict[str, object]:
    """Return the document; do not change it."""
    types = [kind for operation in OPERATIONS for kind in (*operation.request, operation.answer) if kind is not None]
    _, schemas = msgspec.json.schema_components([*types, Order, Problem], ref_template=_REFERENCE)
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "OOB-eID authentication service",
            "version": "1",
            "description": "Problem codes: " + ", ".join(code.value for code in ProblemCode),
        },
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "dpop": {"type": "apiKey", "in": "header", "name": "DPoP"},
            },
        },
    }


def _operation(operation: Operation) -> dict[str, object]:
    is_app_call = operation.path.startswith(APP_API)
    described: dict[str, object] = {"summary": operation.summary, "responses": _responses(operation)}
    names = [*operation.parameters, *(["App-Client"] if is_app_call else [])]
    if names:
        described["parameters"] = [{"name": name, **_PARAMETERS[name]} for name in names]
    if operation.path.startswith(f"{RP_API}/orders"):
        described["security"] = [{"bearer": []}]
    if is_app_call:
        described["security"] = [{"dpop": []}]
    body = _body(operation)
    if body is not None:
        described["requestBody"] = {"required": True, "content": body}
    return described


def _body(operation: Operation) -> dict[str, object] | None:
    if operation.path.endswith("/token"):
        names = ("grant_type", "client_assertion_type", "client_assertion")
        form = {"type": "object", "required": names, "properties": {name: {"type": "string"} for name in names}}
        return {_FORM: {"schema": form}}
    if not operation.request:
        return None
    references = [_reference(kind) for kind in operation.request]
    return {_JSON: {"schema": references[0] if len(references) == 1 else {"oneOf": references}}}


def _responses(operation: Operation) -> dict[str, object]:
    success: dict[str, object] = {"description": "Done"}
    if operation.answer is not None:
        success["content"] = {_JSON: {"schema": _reference(operation.answer)}}
    responses: dict[str, object] = {str(operation.status): success}
    for status in operation.others:
        responses[str(status)] = {"description": "Not changed"}
    problem = {PROBLEM_MEDIA_TYPE: {"schema": _reference(Problem)}}
    responses["default"] = {"description": "A problem (RFC 9457)", "content": problem}
    return responses


def _reference(kind: object) -> dict[str, object]:
    return {"$ref": _REFERENCE.format(name=getattr(kind, "__name__", ""))}
