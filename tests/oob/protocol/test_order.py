# SPDX-License-Identifier: EUPL-1.2
"""The order's schema against that of protocol section B7, and the checks beyond it."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]  # has no types
import msgspec
import pytest

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.checks import Situation, check_order, text_faults
from sithsapp.oob.protocol.encoding import parse_json
from sithsapp.oob.protocol.order import Binding, Context, Document, Flow, OnBehalfOf, Order, OrderType
from tests.oob.protocol.vectors import TV3_PAYLOAD, sign_order_order, tv3_order

SCHEMA = json.loads((Path(__file__).parent / "order.schema.json").read_text("utf-8"))
HERE = Situation("https://auth.example.org", "test", Flow.SAME)
DIGEST = "A" * 43


def _is_valid_by_schema(payload: object) -> bool:
    return bool(jsonschema.Draft202012Validator(SCHEMA).is_valid(payload))


def _is_accepted(payload: dict[str, object]) -> bool:
    try:
        order = msgspec.convert(payload, Order)
        check_order(order, Situation(order.svc, "test", order.flow))
    except (msgspec.ValidationError, SithsError):
        return False
    return True


def _with(path: str, value: object) -> dict[str, object]:
    payload: dict[str, object] = json.loads(TV3_PAYLOAD)
    *parents, last = path.split(".")
    inner = payload
    for parent in parents:
        inner = inner[parent]  # type: ignore[assignment]  # objects within objects
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return payload


DOCUMENT = {"name": "avtal.pdf", "size": 1, "alg": "sha-256", "digest": DIGEST}

VARIANTS: list[tuple[str, object]] = [
    *((name, ...) for name in ("v", "typ", "svc", "order", "rp", "nonce_rp", "nonce_svc", "flow", "binding")),
    *((name, ...) for name in ("text", "req", "iat", "exp", "ret_s256", "rp.id", "rp.origin", "text.fmt", "req.key")),
    ("v", 2),
    ("v", True),
    ("v", "1"),
    ("typ", "login"),
    ("typ", "sign"),
    ("svc", "http://auth.example.org"),
    ("svc", "https://AUTH.example.org"),
    ("svc", "https://auth.example.org/"),
    ("order", "short"),
    ("order", "x" * 33),
    ("order", "ord 01"),
    ("rp.name", ""),
    ("rp.name", "x" * 65),
    ("rp.extra", 1),
    ("extra", 1),
    ("nonce_rp", "A" * 42),
    ("nonce_svc", "A" * 44),
    ("nonce_svc", "A" * 42 + "="),
    ("flow", "third"),
    ("binding", "none"),
    ("binding", "code"),
    ("binding", "push"),
    ("ret_s256", "x"),
    ("text.fmt", "markdown"),
    ("text.body", ""),
    ("text.body", "x" * 40_001),
    ("text.lang", "sv"),
    ("text.lang", "x" * 13),
    ("hidden_s256", DIGEST),
    ("docs", []),
    ("docs", [DOCUMENT]),
    ("ades", "MII"),
    ("context", {"browser": "Firefox"}),
    ("context", {"browser": "x" * 41}),
    ("context", {"screen": "x"}),
    ("req.key", "sign"),
    ("req.key", "tls"),
    ("req.policies", []),
    ("req.policies", ["a.b"]),
    ("req.cert_id", "pnr"),
    ("req.cert_id", "email"),
    ("req.reader", "pinpad"),
    ("req.pin", "always"),
    ("req.pin", "once"),
    ("on_behalf_of", {"id": "a", "name": "B"}),
    ("on_behalf_of", {"id": "a"}),
    ("iat", "1"),
    ("iat", 1.5),
]


@pytest.mark.parametrize(("path", "value"), VARIANTS)
def test_structs_and_checks_decide_as_the_schema(path: str, value: object) -> None:
    payload = _with(path, value)
    assert _is_accepted(payload) == _is_valid_by_schema(payload)


def test_the_vector_fits_both() -> None:
    assert _is_valid_by_schema(json.loads(TV3_PAYLOAD))
    assert _is_accepted(json.loads(TV3_PAYLOAD))


def test_members_and_required_members_are_the_schemas() -> None:
    generated = msgspec.json.schema(Order)["$defs"]
    for name, schema in {
        "Order": SCHEMA,
        "RelyingParty": SCHEMA["properties"]["rp"],
        "OnBehalfOf": SCHEMA["properties"]["on_behalf_of"],
        "Text": SCHEMA["properties"]["text"],
        "Document": SCHEMA["properties"]["docs"]["items"],
        "Context": SCHEMA["properties"]["context"],
        "Requirements": SCHEMA["properties"]["req"],
    }.items():
        assert set(generated[name]["properties"]) == set(schema["properties"]), name
        assert set(generated[name].get("required", [])) == set(schema.get("required", [])), name
        assert generated[name]["additionalProperties"] is False


def _refusal(order: Order, situation: Situation = HERE) -> str:
    with pytest.raises(SithsError) as caught:
        check_order(order, situation)
    assert caught.value.failure is Failure.ORDER_REFUSED
    return caught.value.detail


def test_a_good_order_passes() -> None:
    check_order(tv3_order(), HERE)
    check_order(sign_order_order(docs=[msgspec.convert(DOCUMENT, Document)], hidden_s256=DIGEST), HERE)


def test_the_service_must_be_the_one_that_was_asked() -> None:
    assert "svc" in _refusal(tv3_order(), Situation("https://other.example.org", "test", Flow.SAME))


def test_the_flow_must_be_how_the_app_was_started() -> None:
    assert "flow" in _refusal(tv3_order(), Situation("https://auth.example.org", "test", Flow.OTHER))


def _changed(**changes: object) -> Order:
    return msgspec.structs.replace(tv3_order(), **changes)


def test_return_needs_its_digest() -> None:
    assert "ret_s256" in _refusal(_changed(ret_s256=None))


def test_binding_none_is_for_tests_alone() -> None:
    order = _changed(binding=Binding.NONE)
    check_order(order, HERE)
    assert "binding" in _refusal(order, Situation("https://auth.example.org", "production", Flow.SAME))


@pytest.mark.parametrize(("flow", "binding"), [(Flow.SAME, Binding.QR), (Flow.OTHER, Binding.RETURN)])
def test_bindings_do_not_cross_flows(flow: Flow, binding: Binding) -> None:
    order = _changed(flow=flow, binding=binding)
    assert "binding" in _refusal(order, Situation("https://auth.example.org", "test", flow))


@pytest.mark.parametrize(
    "changes",
    [{"docs": []}, {"docs": [msgspec.convert(DOCUMENT, Document)]}, {"ades": "x"}, {"hidden_s256": DIGEST}],
)
def test_log_in_carries_no_data(changes: dict[str, object]) -> None:
    assert "no data" in _refusal(_changed(**changes))


def test_the_key_fits_the_type() -> None:
    assert "key" in _refusal(_changed(typ=OrderType.SIGN))
    assert "key" in _refusal(sign_order_order(typ=OrderType.AUTH))


@pytest.mark.parametrize(
    ("origin", "environment", "passes"),
    [
        ("http://localhost:8080", "demo", True),
        ("http://localhost:8080", "test", False),
        ("http://localhost:8080", "production", False),
        ("http://example.org", "demo", False),
        ("http://localhost.example.org", "demo", False),
        ("https://idp.example.org", "production", True),
        ("https://idp.example.org:443", "production", False),
        ("https://idp.example.org:99999", "production", False),
        ("https://-idp.example.org", "production", False),
    ],
)
def test_origins(origin: str, environment: str, passes: bool) -> None:
    order = _changed(rp=msgspec.structs.replace(tv3_order().rp, origin=origin))
    situation = Situation("https://auth.example.org", environment, Flow.SAME)
    if passes:
        check_order(order, situation)
    else:
        assert "origins" in _refusal(order, situation)


def test_nonces_are_whole() -> None:
    assert "32 octets" in _refusal(_changed(nonce_rp="A" * 42 + "B"))


BAD = "Region\u202eX"


@pytest.mark.parametrize(
    ("order", "what"),
    [
        (_changed(rp=msgspec.structs.replace(tv3_order().rp, name=BAD)), "name of relying party"),
        (_changed(rp=msgspec.structs.replace(tv3_order().rp, name="B\u0430nk")), "name of relying party"),
        (_changed(on_behalf_of=OnBehalfOf(id="x", name="Exempel\u200b")), "name of service behind"),
        (_changed(text=msgspec.structs.replace(tv3_order().text, body=BAD)), "text body"),
        (_changed(text=msgspec.structs.replace(tv3_order().text, body="a" * 1501)), "text body"),
        (_changed(context=Context(browser=BAD)), "context"),
        (_changed(context=Context(os="")), "context"),
        (sign_order_order(docs=[msgspec.convert(DOCUMENT | {"name": "a\u202efdp.exe"}, Document)]), "document name"),
        (sign_order_order(docs=[msgspec.convert(DOCUMENT | {"type": "a\nb"}, Document)]), "document type"),
    ],
)
def test_texts_and_names(order: Order, what: str) -> None:
    detail = _refusal(order)
    assert what in detail
    assert "Region" not in detail
    assert [found for found, _ in text_faults(order)] == [what]


def test_a_signature_text_may_be_long() -> None:
    text = msgspec.structs.replace(tv3_order().text, body="a" * 40_000)
    check_order(sign_order_order(text=text), HERE)


def test_repr_shows_no_contents() -> None:
    order = tv3_order()
    assert repr(order) == "<Order>"
    assert "Exempel" not in f"{order.rp!r}{order.text!r}"
    assert isinstance(parse_json(TV3_PAYLOAD.encode()), dict)
