# SPDX-License-Identifier: EUPL-1.2
"""The OpenAPI document: every route, and schemas that say what the protocol says."""

from __future__ import annotations

from typing import Any

import jsonschema  # type: ignore[import-untyped] # its stubs are not among the requirements
import pytest
from starlette.routing import Route

from authservice.app import create_app
from authservice.openapi import openapi_document
from sithsapp.oob.protocol.encoding import b64u_decode, parse_json
from sithsapp.oob.protocol.problems import ProblemCode
from tests.authservice.support import SERVICE_ORIGIN, Bench, order_body


@pytest.fixture
def document(bench: Bench) -> Any:
    return bench.http.get(f"{SERVICE_ORIGIN}/openapi.json").json()


def test_all_routes_are_described(bench: Bench, document: Any) -> None:
    served = set()
    for route in create_app(bench.context).routes:
        assert isinstance(route, Route)
        served |= {(route.path, method.lower()) for method in (route.methods or set()) - {"HEAD"}}
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    assert served - {("/openapi.json", "get")} == described


def test_document_is_the_generated_one(document: Any) -> None:
    assert document["openapi"] == "3.1.0"
    assert document["paths"].keys() == openapi_document()["paths"].keys()  # type: ignore[attr-defined] # a JSON object
    for code in ProblemCode:
        assert code.value in document["info"]["description"]


def validator(document: Any, name: str) -> jsonschema.Draft202012Validator:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(value: Any) -> set[str]:
        if isinstance(value, dict):
            own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
            return own.union(*(references(item) for item in value.values()))
        return set().union(*(references(item) for item in value)) if isinstance(value, list) else set()

    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names <= document["components"]["schemas"].keys()


def test_order_schema_is_that_of_the_protocol(bench: Bench, document: Any) -> None:
    """Section B7: these members are required, no others are allowed, and a real order fits."""
    schema = document["components"]["schemas"]["Order"]
    assert set(schema["required"]) == {
        *("v", "typ", "svc", "order", "rp", "nonce_rp", "nonce_svc"),
        *("flow", "binding", "text", "req", "iat", "exp"),
    }
    assert set(schema["properties"]) - set(schema["required"]) == {
        *("on_behalf_of", "ret_s256", "hidden_s256", "docs", "ades", "context"),
    }
    assert schema["additionalProperties"] is False
    app = bench.app()
    app.claim(bench.create())
    order = parse_json(b64u_decode(app.order_jws.split(".")[1]))
    assert isinstance(order, dict)
    check = validator(document, "Order")
    check.validate(order)
    for broken in ({**order, "extra": 1}, {**order, "v": 2}, {**order, "nonce_rp": "x"}, {**order, "flow": "any"}):
        assert not check.is_valid(broken)


def test_bodies_fit_their_schemas(bench: Bench, document: Any) -> None:
    validator(document, "CreateOrder").validate(order_body())
    answer = bench.rp_call("POST", "/orders", order_body(), Idempotency_Key="k").json()
    validator(document, "OrderCreated").validate(answer)
    problem = bench.rp_call("GET", f"/orders/{'x' * 22}").json()
    validator(document, "Problem").validate(problem)
    metadata = bench.http.get(f"{SERVICE_ORIGIN}/.well-known/oob-eid")
    validator(document, "Metadata").validate(metadata.json())
    assert metadata.json()["id"] == "demo"
    assert metadata.headers["cache-control"] == "public, max-age=3600"
