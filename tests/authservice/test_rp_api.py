# SPDX-License-Identifier: EUPL-1.2
"""The RP API: authentication, creation, idempotency, polling, redemption, cancellation, other parties' orders."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.rp_messages import OrderCreated
from tests.authservice.support import (
    RETURN_URL,
    RP_ORIGIN,
    SERVICE_ORIGIN,
    Bench,
    Holder,
    make_bench,
    order_body,
    problem_code,
    registration,
)


def test_created_order(bench: Bench) -> None:
    created = bench.create()
    assert created.launch_url is not None
    assert created.launch_url.startswith("siths:start?v=1&s=demo&t=")
    assert created.qr is not None
    assert created.qr.start_ms == int(bench.clock.now() * 1000)
    assert (created.claim_within, created.expires_in) == (60, 240)
    assert bench.status(created) == {
        "status": "pending",
        "hint": "outstanding",
        "expires_in": 59,
    }


def test_only_what_is_asked_for_is_given(bench: Bench) -> None:
    same = bench.create(order_body(flows=["same"], binding={"same": "return"}))
    assert same.launch_url is not None
    assert same.qr is None
    other = bench.create(order_body(flows=["other"], binding={"other": "qr"}, return_url=None))
    assert other.launch_url is None
    assert other.qr is not None


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"flows": []}, "invalidRequest"),
        ({"flows": ["same", "same"]}, "invalidRequest"),
        ({"flows": ["same", "other"], "binding": {"same": "return"}}, "invalidRequest"),
        ({"binding": {"same": "qr", "other": "qr"}}, "invalidRequest"),
        ({"binding": {"same": "return", "other": "return"}}, "invalidRequest"),
        ({"binding": {"same": "none", "other": "qr"}}, "notAllowed"),
        ({"return_url": None}, "invalidRequest"),
        ({"nonce": "short"}, "invalidRequest"),
        ({"nonce": "A" * 42 + "B"}, "invalidRequest"),
        ({"life": 59}, "invalidRequest"),
        ({"life": 601}, "invalidRequest"),
        ({"unknown": 1}, "invalidRequest"),
        ({"end_user_ip": "nowhere"}, "invalidRequest"),
        ({"typ": "sign"}, "invalidRequest"),
        ({"req": {"key": "sign", "policies": ["1.2.3"]}}, "invalidRequest"),
        ({"req": {"key": "auth", "policies": []}}, "invalidRequest"),
        ({"docs": [{"name": "a", "size": 1, "alg": "sha-256", "digest": "A" * 43}]}, "invalidRequest"),
        ({"ades": "MAA"}, "notAllowed"),
        ({"text": {"fmt": "plain", "body": "x" * 1501}}, "badText"),
        ({"text": {"fmt": "plain", "body": "a\u202eb"}}, "badText"),
        ({"text": {"fmt": "plain", "body": "a\n\n\n\n\nb"}}, "badText"),
        ({"text": {"fmt": "html", "body": "a"}}, "invalidRequest"),
        ({"context": {"browser": "\u200bFirefox"}}, "badText"),
        ({"on_behalf_of": {"id": "lab", "name": "Another Name"}}, "notAllowed"),
        ({"on_behalf_of": {"id": "bank", "name": "Labbsvar Exempel"}}, "notAllowed"),
    ],
)
def test_requests_that_are_refused(bench: Bench, changes: dict[str, object], code: str) -> None:
    answer = bench.rp_call("POST", "/orders", order_body(**changes), Idempotency_Key="k")
    assert problem_code(answer) == code
    assert "202e" not in answer.text


def test_registered_other_party_is_named(bench: Bench) -> None:
    bench.create(order_body(on_behalf_of={"id": "lab", "name": "Labbsvar Exempel"}))


@pytest.mark.parametrize(
    "url",
    [
        "http://journal.example.org/r",
        "https://journal.example.org.evil.example/r",
        "https://evil.example/r",
        "https://journal.example.org@evil.example/r",
        "https://user@journal.example.org/r",
        "https://journal.example.org\\@evil.example/r",
        "https://journal.example.org:8443/r",
        "https://journal.example.org/r#fragment",
        "https://journal.example.org/r?oob_verifier=x",
        "https://journ\u0430l.example.org/r",
        "https://xn--journl-3ve.example.org/r",
        "https://JOURNAL.example.org/r",
        "//journal.example.org/r",
        "javascript:alert(1)//https://journal.example.org",
        "https://journal.example.org/\r\nx",
        "https://journal.example.org/" + "a" * 1100,
        "http://localhost/r",
    ],
)
def test_return_address_is_under_a_registered_origin(bench: Bench, url: str) -> None:
    """P26."""
    answer = bench.rp_call("POST", "/orders", order_body(return_url=url), Idempotency_Key="k")
    assert answer.status_code in (400, 403)
    assert problem_code(answer) in ("notAllowed", "invalidRequest")


@pytest.mark.parametrize("url", [RETURN_URL, f"{RP_ORIGIN}/a?b=c&d=%20", f"{RP_ORIGIN}:443/r"])
def test_return_address_that_is_allowed(bench: Bench, url: str) -> None:
    bench.create(order_body(return_url=url))


def test_flow_key_and_level_must_be_registered(tmp_path: Path) -> None:
    keys = {"journal": ec.generate_private_key(ec.SECP256R1())}
    limited = registration("journal", keys["journal"], flows=["same"], keys=["auth"], loa_ceiling=2)
    bench = make_bench(tmp_path, relying_parties=[msgspec.convert(msgspec.to_builtins(limited), type(limited))])
    bench.rp_keys = keys
    sign = {"typ": "sign", "req": {"key": "sign", "policies": ["1.2.3"]}}
    loa3 = {"req": {"key": "auth", "policies": ["1.2.752.74.8.512"]}}
    same = {"flows": ["same"], "binding": {"same": "return"}}
    with bench.http:
        for changes in ({}, {**same, **sign}, {**same, **loa3}):
            answer = bench.rp_call("POST", "/orders", order_body(**changes), Idempotency_Key="k")
            assert problem_code(answer) == "notAllowed"
        bench.create(order_body(**same))


def test_same_key_same_body_same_order(bench: Bench) -> None:
    first = bench.rp_call("POST", "/orders", order_body(), Idempotency_Key="key-1")
    again = bench.rp_call("POST", "/orders", order_body(), Idempotency_Key="key-1")
    assert first.json() == again.json()
    other = bench.rp_call("POST", "/orders", order_body(life=61), Idempotency_Key="key-1")
    assert (other.status_code, problem_code(other)) == (422, "idempotencyMismatch")
    third = bench.rp_call("POST", "/orders", order_body(), party="other", Idempotency_Key="key-1")
    assert third.json()["order_ref"] != first.json()["order_ref"]
    bench.clock.pass_(601)
    later = bench.rp_call("POST", "/orders", order_body(), Idempotency_Key="key-1")
    assert later.json()["order_ref"] != first.json()["order_ref"]


def test_idempotency_key_is_required(bench: Bench) -> None:
    assert problem_code(bench.rp_call("POST", "/orders", order_body())) == "invalidRequest"
    assert problem_code(bench.rp_call("POST", "/orders", order_body(), Idempotency_Key="k" * 129)) == "invalidRequest"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"typ":"auth","typ":"sign"}',
        b"[" * 10_000,
        b"\xff\xfe",
        b'{"typ":' + b" " * (256 * 1024) + b'"auth"}',
    ],
)
def test_bodies_that_are_not_strict_json(bench: Bench, body: bytes) -> None:
    assert problem_code(bench.rp_call("POST", "/orders", body, Idempotency_Key="k")) == "invalidRequest"


def test_content_type_is_json(bench: Bench) -> None:
    body = json.dumps(order_body()).encode()
    answer = bench.rp_call("POST", "/orders", body, Idempotency_Key="k", Content_Type="text/plain")
    assert problem_code(answer) == "invalidRequest"


def test_unchanged_is_304(bench: Bench) -> None:
    created = bench.create()
    first = bench.rp_call("GET", f"/orders/{created.order_ref}")
    assert first.headers["cache-control"] == "no-store"
    again = bench.rp_call("GET", f"/orders/{created.order_ref}", If_None_Match=first.headers["etag"])
    assert (again.status_code, again.headers["etag"], again.content) == (304, first.headers["etag"], b"")


def test_polling_too_often(bench: Bench) -> None:
    created = bench.create()
    codes = [bench.rp_call("GET", f"/orders/{created.order_ref}").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    answer = bench.rp_call("GET", f"/orders/{created.order_ref}")
    assert problem_code(answer) == "slowDown"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["order"] == created.order
    bench.clock.pass_(1)
    assert bench.rp_call("GET", f"/orders/{created.order_ref}").status_code == 200


@pytest.mark.parametrize("query", ["wait=-1", "wait=x", "wait=1e3", "until=never", "wait=9999"])
def test_strange_waits(bench: Bench, query: str) -> None:
    created = bench.create()
    assert problem_code(bench.rp_call("GET", f"/orders/{created.order_ref}?{query}")) == "invalidRequest"


def test_long_poll_ends_with_the_change(bench: Bench) -> None:
    created = bench.create()
    etag = bench.rp_call("GET", f"/orders/{created.order_ref}").headers["etag"]
    answers: list[Any] = []
    waiter = threading.Thread(
        target=lambda: answers.append(
            bench.rp_call("GET", f"/orders/{created.order_ref}?wait=20", If_None_Match=etag)
        )
    )
    begin = time.monotonic()
    waiter.start()
    wait_for_waiter(bench)
    assert bench.app().claim(created).status_code == 200
    waiter.join(15)
    assert answers[0].json()["hint"] == "started"
    assert time.monotonic() - begin < 10


def test_long_poll_until_the_end_passes_over_hints(bench: Bench) -> None:
    created = bench.create()
    answers: list[Any] = []
    waiter = threading.Thread(
        target=lambda: answers.append(bench.rp_call("GET", f"/orders/{created.order_ref}?wait=20&until=terminal"))
    )
    waiter.start()
    wait_for_waiter(bench)
    app = bench.app()
    app.claim(created)
    app.call("POST", "/cancel", {"reason": "user"})
    waiter.join(15)
    assert (answers[0].json()["status"], answers[0].json()["hint"]) == ("failed", "userCancel")


def wait_for_waiter(bench: Bench) -> None:
    deadline = time.monotonic() + 10
    while not bench.context.store._waiters:  # type: ignore[attr-defined] # the store in memory
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


def test_another_partys_order_does_not_exist(bench: Bench) -> None:
    """P23."""
    created = bench.create()
    unknown = bench.rp_call("GET", f"/orders/{'x' * 22}", party="other")
    for method, path, body in (
        ("GET", "", None),
        ("DELETE", "", None),
        ("POST", "/redeem", {"verifier": "v" * 43}),
    ):
        answer = bench.rp_call(method, f"/orders/{created.order_ref}{path}", body, party="other")
        assert (answer.status_code, answer.json()) == (404, unknown.json())
    assert bench.status(created)["hint"] == "outstanding"


def test_cancel(bench: Bench, holder: Holder) -> None:
    created = bench.create()
    for _ in range(2):
        assert bench.rp_call("DELETE", f"/orders/{created.order_ref}").status_code == 204
    assert bench.status(created)["hint"] == "cancelled"
    complete, _ = complete_order(bench, holder)
    answer = bench.rp_call("DELETE", f"/orders/{complete.order_ref}")
    assert (answer.status_code, problem_code(answer)) == (409, "wrongState")


def complete_order(bench: Bench, holder: Holder) -> tuple[OrderCreated, dict[str, Any]]:
    created, app = bench.create(), bench.app()
    app.claim(created)
    assert app.sign(holder).status_code == 200
    answer = bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"verifier": app.verifier.reveal()})
    assert answer.status_code == 200
    return created, answer.json()


def test_identity_only_after_redemption(bench: Bench, holder: Holder) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    app.sign(holder)
    waiting = bench.status(created)
    assert (waiting["status"], waiting["hint"]) == ("awaiting_redeem", "return_pending")
    assert "completion" not in waiting
    answer = bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"verifier": app.verifier.reveal()})
    completion = answer.json()["completion"]
    assert completion["subject"]["hsaid"] == "TSTNMT2321000156-1A2B"
    assert completion["signals"] == {"ip_match": True, "app": "oobeid/1.2.3", "pinpad": False, "extended": False}
    assert bench.status(created)["completion"] == completion
    bench.clock.pass_(180)
    gone = bench.rp_call("GET", f"/orders/{created.order_ref}")
    assert (gone.status_code, problem_code(gone)) == (410, "orderGone")


def test_wrong_verifier_ends_the_order(bench: Bench, holder: Holder) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    app.sign(holder)
    wrong = bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"verifier": b64u(bytes(32))})
    assert (wrong.status_code, problem_code(wrong)) == (409, "wrongState")
    right = bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"verifier": app.verifier.reveal()})
    assert problem_code(right) == "wrongState"
    assert bench.status(created)["hint"] == "bindingFailed"


def test_code_has_three_tries(bench: Bench, holder: Holder) -> None:
    body = order_body(flows=["same"], binding={"same": "code"}, return_url=None)
    created, app = bench.create(body), bench.app()
    app.claim(created)
    code = app.sign(holder).json()["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    answers = [
        bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"code": wrong}).status_code for _ in range(3)
    ]
    assert answers == [403, 403, 409]
    assert bench.status(created)["hint"] == "bindingFailed"


def test_code_needs_the_same_place(bench: Bench, holder: Holder) -> None:
    body = order_body(flows=["same"], binding={"same": "code"}, return_url=None, end_user_ip="198.51.100.1")
    created = bench.create(body)
    assert problem_code(bench.app().claim(created)) == "claimRefused"
    assert bench.status(created)["hint"] == "bindingFailed"


@pytest.mark.parametrize("body", [{}, {"verifier": "v" * 43, "code": "123456"}, {"code": "12345"}, {"verifier": "x"}])
def test_redeem_takes_one_of_two(bench: Bench, body: dict[str, str]) -> None:
    created = bench.create()
    answer = bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", body)
    assert problem_code(answer) == "invalidRequest"


def test_creation_is_limited_per_party(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    bench = make_bench(tmp_path, relying_parties=[registration("journal", key, per_minute=30, burst=2)])
    bench.rp_keys = {"journal": key}
    with bench.http:
        codes = [
            bench.rp_call("POST", "/orders", order_body(), Idempotency_Key=str(number)).status_code
            for number in range(3)
        ]
        assert codes == [201, 201, 429]
        bench.clock.pass_(2)
        assert bench.rp_call("POST", "/orders", order_body(), Idempotency_Key="x").status_code == 201


def test_unknown_addresses_are_problems(bench: Bench) -> None:
    for method, path, status in (("GET", "/nothing", 404), ("PUT", "/rp/v1/orders", 405)):
        answer = bench.http.request(method, SERVICE_ORIGIN + path)
        assert answer.status_code == status
        assert problem_code(answer) == "invalidRequest"
