# SPDX-License-Identifier: EUPL-1.2
"""Posted signatures: what is accepted, replays, wrong cards, wrong certificates, malformed bodies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import OTHER_PERSON, IssuerProfile
from sithsapp.card.virtual.keys import KeyKind, generate_key
from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.problems import ProblemCode, ProtocolViolation
from sithsapp.pki.rules import subject_hash
from tests.authservice.support import (
    POLICY,
    RETURN_URL,
    Bench,
    Holder,
    make_bench,
    order_body,
    problem_code,
)


def test_same_signature_same_answer(bench: Bench, holder: Holder) -> None:
    app = bench.app()
    app.claim(bench.create())
    body = app.signature_body(holder)
    first, again = (app.call("POST", "/signature", body) for _ in range(2))
    assert first.json()["return_url"] == RETURN_URL + "?n=abc"
    assert first.content == again.content
    other = app.sign(Holder(holder.key, holder.chain))
    assert (other.status_code, problem_code(other)) == (409, "alreadySigned")


def test_rsa_and_p384_cards(bench: Bench, pki: VirtualPki) -> None:
    app = bench.app()
    app.claim(bench.create())
    rsa = Holder.issue(pki, key=generate_key(KeyKind.RSA_2048))
    assert app.sign(rsa).status_code == 200


def test_wrong_card_may_be_changed_twice(bench: Bench, pki: VirtualPki, holder: Holder) -> None:
    by_number = Holder.issue(pki, profile=IssuerProfile.PERSON_ID_3)
    created, app = bench.create(), bench.app()
    app.claim(created)
    for _ in range(2):
        answer = app.sign(by_number)
        assert (answer.status_code, problem_code(answer)) == (422, "wrongCertificate")
    assert app.sign(holder).status_code == 200
    created, app = bench.create(), bench.app()
    app.claim(created)
    for _ in range(3):
        assert problem_code(app.sign(by_number)) == "wrongCertificate"
    assert bench.status(created)["hint"] == "certificateErr"
    assert problem_code(app.sign(holder)) == "wrongState"


def test_order_for_one_person(bench: Bench, pki: VirtualPki, holder: Holder) -> None:
    req = {"key": "auth", "policies": [POLICY], "subject_hash": subject_hash(OTHER_PERSON.hsa_id)}
    app = bench.app()
    app.claim(bench.create(order_body(req=req)))
    assert problem_code(app.sign(holder)) == "wrongCertificate"
    assert app.sign(Holder.issue(pki, person=OTHER_PERSON)).status_code == 200


@pytest.mark.parametrize(
    ("code", "status", "hint"),
    [
        (ProblemCode.CERTIFICATE_ERR, 422, "certificateErr"),
        (ProblemCode.STATUS_UNAVAILABLE, 503, "statusUnavailable"),
    ],
)
def test_bad_certificates_end_the_order(
    bench: Bench, holder: Holder, code: ProblemCode, status: int, hint: str
) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    bench.judge.error = ProtocolViolation(code, "for the test", rule=10)
    answer = app.sign(holder)
    assert (answer.status_code, problem_code(answer)) == (status, code.value)
    assert bench.status(created)["hint"] == hint
    bench.judge.error = None
    assert problem_code(app.sign(holder)) == "wrongState"


def test_swapped_certificate(bench: Bench, pki: VirtualPki) -> None:
    """P9: another certificate over the same key is refused."""
    key = generate_key(KeyKind.P_256)
    first, second = Holder.issue(pki, key=key), Holder.issue(pki, key=key, person=OTHER_PERSON)
    created, app = bench.create(), bench.app()
    app.claim(created)
    body = app.signature_body(first, x5c=second.x5c)
    assert problem_code(app.call("POST", "/signature", body)) == "invalidSignature"
    assert bench.status(created)["hint"] == "certificateErr"


def test_auth_signature_is_no_sign_signature(bench: Bench, holder: Holder, signer: Holder) -> None:
    """P8."""
    sign = order_body(typ="sign", req={"key": "sign", "policies": [POLICY]})
    for body, typ, who, code in (
        (order_body(), OrderType.SIGN, holder, "invalidSignature"),
        (sign, OrderType.AUTH, signer, "invalidSignature"),
        (sign, OrderType.SIGN, holder, "wrongCertificate"),
        (order_body(), OrderType.AUTH, signer, "wrongCertificate"),
    ):
        app = bench.app()
        app.claim(bench.create(body))
        assert problem_code(app.sign(who, typ)) == code


def test_signature_replay(bench: Bench, holder: Holder, tmp_path: Path) -> None:
    """P10: a signature fits one order of one relying party at one service, and one app key."""
    source = bench.app()
    source.claim(bench.create())
    body = source.signature_body(holder)
    other_service = make_bench(tmp_path / "other")
    targets = [(bench, bench.create()), (bench, bench.create(party="other"))]
    with other_service.http:
        for place, created in [*targets, (other_service, other_service.create())]:
            thief = place.app()
            assert thief.claim(created).status_code == 200
            assert problem_code(thief.call("POST", "/signature", body)) == "invalidSignature"
    assert problem_code(bench.app().call("POST", "/signature", body)) == "noSuchOrder"


@pytest.mark.parametrize(
    ("member", "value", "code"),
    [
        ("jws", "a.b.c", "invalidSignature"),
        ("jws", "a..c", "invalidSignature"),
        ("jws", "x" * 5000, "invalidRequest"),
        ("x5c", [], "invalidRequest"),
        ("x5c", ["AA=="] * 4, "invalidRequest"),
        ("x5c", ["%%"], "invalidSignature"),
        ("challenge", "short", "invalidRequest"),
        ("app", "Bad App", "invalidRequest"),
        ("extra", 1, "invalidRequest"),
    ],
)
def test_malformed_signatures(bench: Bench, holder: Holder, member: str, value: object, code: str) -> None:
    app = bench.app()
    app.claim(bench.create())
    body = {**app.signature_body(holder), member: value}
    assert problem_code(app.call("POST", "/signature", body)) == code


@pytest.mark.parametrize("change", ["order_jws", "flow", "jkt"])
def test_signature_over_something_else(bench: Bench, holder: Holder, change: str) -> None:
    app = bench.app()
    app.claim(bench.create())
    other: Any = {"order_jws": app.order_jws + "A", "flow": Flow.OTHER, "jkt": b64u(bytes(32))}[change]
    body = app.signature_body(holder, OrderType.AUTH, **{change: other})
    assert problem_code(app.call("POST", "/signature", body)) == "invalidSignature"


def test_changed_challenge(bench: Bench, holder: Holder) -> None:
    app = bench.app()
    app.claim(bench.create())
    body = app.signature_body(holder)
    body["challenge"] = b64u(bytes(32))
    assert problem_code(app.call("POST", "/signature", body)) == "invalidSignature"


def test_unsupported_algorithm(bench: Bench, holder: Holder) -> None:
    from sithsapp.oob.protocol.encoding import b64u_decode, jcs, parse_json

    app = bench.app()
    app.claim(bench.create())
    body = app.signature_body(holder)
    header, _, signature = body["jws"].split(".")
    members = parse_json(b64u_decode(header))
    assert isinstance(members, dict)
    body["jws"] = f"{b64u(jcs({**members, 'alg': 'ES512'}))}..{signature}"
    assert problem_code(app.call("POST", "/signature", body)) == "unsupportedAlg"


def test_two_orders_of_one_person_do_not_disturb_each_other(bench: Bench, holder: Holder) -> None:
    """P21."""
    first, second = bench.app(), bench.app()
    first.claim(bench.create())
    second.claim(bench.create(party="other"))
    assert first.sign(holder).status_code == 200
    assert second.sign(holder).status_code == 200
