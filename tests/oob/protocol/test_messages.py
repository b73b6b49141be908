# SPDX-License-Identifier: EUPL-1.2
"""Bodies of both APIs (protocol sections B5, B6, B9) and problems (B12)."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol import messages, rp_messages
from sithsapp.oob.protocol.order import KeyUse, Order, Requirements
from sithsapp.oob.protocol.problems import (
    CANCEL_HINTS,
    CancelReason,
    Problem,
    ProblemCode,
    ProtocolViolation,
    problem,
)

CAPS = '"caps":{"alg":["PS256","RS256"],"text":["plain"],"pinpad":false},"lang":"sv"'
LAUNCH_CLAIM = f'{{"kind":"launch","token":"{"A" * 43}",{CAPS}}}'
QR_CLAIM = f'{{"kind":"qr","qt":"{"A" * 26}","t":17,"mac":"{"B" * 26}",{CAPS}}}'
CREATE = (
    '{"typ":"auth","flows":["same","other"],"binding":{"same":"return","other":"qr"},"nonce":"' + "A" * 43 + '",'
    '"return_url":"https://idp.example.org/oob/return?n=9f","end_user_ip":"192.0.2.7",'
    '"on_behalf_of":{"id":"journal","name":"Journalsystem Exempel"},'
    '"text":{"fmt":"plain","body":"Logga in i Journalsystem Exempel","lang":"sv"},'
    '"req":{"key":"auth","policies":["1.2.752.74.8.503"],"cert_id":"hsaid","reader":"any","min_app":"1.0.0"},'
    '"context":{"browser":"Firefox","os":"Windows","network":"Region Exempel"},"life":180}'
)
COMPLETION = (
    '{"order":"ord_01","typ":"auth","flow":"same","binding":"return","bound":true,"subject":{"cert_sha256":"'
    + "A" * 43
    + '","issuer":"CA","hsaid":"SE1","pnr":null,"given_name":"A","surname":"B","org":"C","policies":["1.2"],'
    '"loa":"x"},'
    '"signals":{"ip_match":true,"app":"oobeid/1.0.0","pinpad":false,"extended":false},'
    '"evidence":{"order_jws":"..","tbs":"x","jws":"h..s","x5c":["x"],"revocation":[{"type":"ocsp","der":"x"}],'
    '"verified_at":"2026-01-01T00:00:12Z"}}'
)


def test_claims_of_the_specification() -> None:
    launch = messages.decode_claim(LAUNCH_CLAIM.encode())
    assert isinstance(launch, messages.ClaimByLaunch)
    qr = messages.decode_claim(QR_CLAIM.encode())
    assert isinstance(qr, messages.ClaimByQr)
    assert (qr.t, qr.caps.alg) == (17, ["PS256", "RS256"])
    assert messages.decode_claim(messages.encode(qr)) == qr


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        LAUNCH_CLAIM.replace("launch", "push"),
        LAUNCH_CLAIM.replace('"lang"', '"extra":1,"lang"'),
        LAUNCH_CLAIM.replace("A" * 43, "A" * 42),
        LAUNCH_CLAIM.replace("A" * 43, "A" * 43 + "\\n"),
        LAUNCH_CLAIM.replace('"pinpad":false', '"pinpad":"no"'),
        LAUNCH_CLAIM.replace('"kind":"launch"', '"kind":"launch","kind":"launch"'),
        QR_CLAIM.replace('"t":17', '"t":-1'),
        QR_CLAIM.replace('"t":17', '"t":1.0'),
        QR_CLAIM.replace("A" * 26, "a" * 26),
        QR_CLAIM.replace('"qt"', '"token"'),
    ],
)
def test_other_claims_are_invalid_requests(body: str) -> None:
    with pytest.raises(ProtocolViolation) as caught:
        messages.decode_claim(body.encode())
    assert caught.value.code is ProblemCode.INVALID_REQUEST


REQUESTS: list[tuple[type[messages.Request], str]] = [
    (messages.ProgressRequest, '{"hint":"card_wait"}'),
    (messages.CancelRequest, '{"reason":"suspicious"}'),
    (
        messages.SignatureRequest,
        f'{{"jws":"h..s","x5c":["AA=="],"challenge":"{"A" * 43}","app":"oobeid/1.2.3"}}',
    ),
    (rp_messages.CreateOrder, CREATE),
    (rp_messages.Redeem, '{"code":"123456"}'),
    (rp_messages.Redeem, f'{{"verifier":"{"A" * 43}"}}'),
]


@pytest.mark.parametrize(("kind", "body"), REQUESTS)
def test_requests_round_trip_and_refuse_unknown_members(kind: type[messages.Request], body: str) -> None:
    request = messages.decode_request(body.encode(), kind)
    assert messages.decode_request(messages.encode(request), kind) == request
    with pytest.raises(ProtocolViolation):
        messages.decode_request((body[:-1] + ',"extra":1}').encode(), kind)


ANSWERS: list[tuple[type[messages.Message], str]] = [
    (messages.ClaimAnswer, '{"order_jws":"a.b.c","expires_in":180,"tries_left":3}'),
    (messages.WatchAnswer, '{"status":"cancelled"}'),
    (messages.ExtendAnswer, '{"expires_in":180}'),
    (messages.SignatureAnswer, '{"result":"accepted","return_url":"https://a/","code":null}'),
    (messages.SignatureAnswer, '{"result":"accepted","return_url":null,"code":"123456"}'),
    (messages.Metadata, '{"id":"demo","origin":"https://a.example","versions":[1],"min_app":{"windows":"1.0.0"}}'),
    (rp_messages.OrderStatus, '{"status":"pending","hint":"user_sign","flow":"same","expires_in":122}'),
    (rp_messages.OrderStatus, '{"status":"failed","hint":"userCancel"}'),
    (rp_messages.OrderStatus, f'{{"status":"complete","completion":{COMPLETION}}}'),
]


@pytest.mark.parametrize(("kind", "body"), ANSWERS)
def test_answers_round_trip_and_ignore_unknown_members(kind: type[messages.Message], body: str) -> None:
    answer = messages.decode_answer(body.encode(), kind)
    assert messages.decode_answer((body[:-1] + ',"extra":1}').encode(), kind) == answer
    assert messages.decode_answer(messages.encode(answer), kind) == answer


@pytest.mark.parametrize(
    "body", ["", "[]", '{"order_jws":"a","expires_in":-1,"tries_left":3}', '{"expires_in":1}', "<html>", "\u00ff"]
)
def test_other_answers_are_a_service_error(body: str) -> None:
    with pytest.raises(SithsError) as caught:
        messages.decode_answer(body.encode("latin-1"), messages.ClaimAnswer)
    assert caught.value.failure is Failure.SERVICE_ERROR


@pytest.mark.parametrize(
    "body", ["{}", f'{{"verifier":"{"A" * 43}","code":"123456"}}', '{"code":"12345"}', '{"code":"12345\u0661"}']
)
def test_redeem_takes_exactly_one(body: str) -> None:
    with pytest.raises(ProtocolViolation):
        messages.decode_request(body.encode(), rp_messages.Redeem)


def test_a_completion_writes_what_is_null() -> None:
    completion = messages.decode_answer(COMPLETION.encode(), rp_messages.Completion)
    assert json.loads(messages.encode(completion)) == json.loads(COMPLETION)


def test_requirements_lose_what_is_not_for_the_order() -> None:
    request = messages.decode_request(CREATE.encode(), rp_messages.CreateOrder)
    kept = request.req.for_order()
    assert type(kept) is Requirements
    assert kept.key is KeyUse.AUTH
    assert msgspec.to_builtins(kept) == {
        "key": "auth",
        "policies": ["1.2.752.74.8.503"],
        "cert_id": "hsaid",
        "reader": "any",
    }


def test_no_repr_shows_contents() -> None:
    shown = repr(messages.decode_claim(LAUNCH_CLAIM.encode()))
    assert shown == "<ClaimByLaunch>"
    assert repr(messages.decode_answer(COMPLETION.encode(), rp_messages.Completion).subject) == "<Subject>"


@given(st.binary(max_size=80) | st.text('{}[]":,kind01launch', max_size=60).map(str.encode))
def test_nothing_but_the_two_exceptions_escape(data: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        messages.decode_claim(data)
    with pytest.raises(SithsError):
        messages.decode_answer(data, messages.ClaimAnswer)


def test_every_problem_has_a_status_and_a_type() -> None:
    for code in ProblemCode:
        body = problem(code, order="ord_01", retry_after=3)
        assert 400 <= body.status <= 503
        assert body.type == f"urn:oob-eid:error:{code.value}"
        assert messages.decode_answer(messages.encode(body), Problem).code is code


def test_an_unknown_problem_has_no_code() -> None:
    assert Problem(type="urn:oob-eid:error:brandNew", status=400).code is None
    assert Problem(type="about:blank", status=400).code is None


def test_every_reason_has_a_hint() -> None:
    assert CANCEL_HINTS.keys() == set(CancelReason)


def test_violations_name_code_and_rule() -> None:
    assert str(ProtocolViolation(ProblemCode.INVALID_SIGNATURE, "x", rule=7)) == "invalidSignature (rule 7): x"
    assert str(ProtocolViolation(ProblemCode.INVALID_REQUEST, "x")) == "invalidRequest: x"


def _patterns(schema: object) -> list[str]:
    if isinstance(schema, dict):
        own = [schema["pattern"]] if isinstance(schema.get("pattern"), str) else []
        return own + [pattern for inner in schema.values() for pattern in _patterns(inner)]
    return [pattern for inner in schema for pattern in _patterns(inner)] if isinstance(schema, list) else []


def test_no_pattern_lets_a_final_line_feed_through() -> None:
    kinds = [messages.ClaimByLaunch, messages.ClaimByQr, *(kind for kind, _ in REQUESTS + ANSWERS), Order]
    patterns = {pattern for kind in kinds for pattern in _patterns(msgspec.json.schema(kind))}
    assert len(patterns) > 5
    assert not [pattern for pattern in patterns if not pattern.endswith("$(?!\\n)")]
