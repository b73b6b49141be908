# SPDX-License-Identifier: EUPL-1.2
"""Client assertions and bearer tokens of relying parties."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authservice.rp_api.assertion import ASSERTION_TYPE, Claims, make_assertion
from sithsapp.oob.protocol import es256
from sithsapp.oob.protocol.encoding import jcs
from tests.authservice.support import (
    SERVICE_ORIGIN,
    Bench,
    problem_code,
)

TOKEN_URL = f"{SERVICE_ORIGIN}/rp/v1/token"


def post_token(bench: Bench, assertion: str, **changes: str) -> Any:
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
        **changes,
    }
    return bench.http.post(TOKEN_URL, data=form)


def test_token_for_an_assertion(bench: Bench) -> None:
    assertion = make_assertion("journal", TOKEN_URL, bench.rp_keys["journal"], int(bench.clock.now()))
    answer = post_token(bench, assertion)
    assert answer.status_code == 200
    assert answer.json()["token_type"] == "Bearer"
    assert answer.headers["cache-control"] == "no-store"


def test_assertion_is_good_once(bench: Bench) -> None:
    assertion = make_assertion("journal", TOKEN_URL, bench.rp_keys["journal"], int(bench.clock.now()))
    assert post_token(bench, assertion).status_code == 200
    again = post_token(bench, assertion)
    assert (again.status_code, problem_code(again)) == (401, "unauthorized")


def assertion_with(bench: Bench, header: dict[str, object], **changes: object) -> str:
    now = int(bench.clock.now())
    claims = Claims(iss="journal", sub="journal", aud=TOKEN_URL, exp=now + 60, iat=now, jti="12345678")
    members = {**msgspec.to_builtins(claims), **changes}
    return es256.sign(jcs(header), jcs(members), bench.rp_keys["journal"])


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example.org/rp/v1/token"},
        {"iss": "other"},
        {"sub": "other"},
        {"sub": "nobody", "iss": "nobody"},
        {"exp": 1},
        {"iat": 4_000_000_000, "exp": 4_000_000_060},
        {"exp": 4_000_000_000},
        {"jti": "short"},
        {"jti": 1},
    ],
)
def test_assertion_for_something_else(bench: Bench, changes: dict[str, object]) -> None:
    assert problem_code(post_token(bench, assertion_with(bench, {"alg": "ES256"}, **changes))) == "unauthorized"


@pytest.mark.parametrize(
    "header", [{"alg": "none"}, {"alg": "HS256"}, {"alg": "ES256", "jwk": {}}, {"alg": "ES256", "crit": ["x"]}]
)
def test_assertion_with_a_strange_header(bench: Bench, header: dict[str, object]) -> None:
    assert problem_code(post_token(bench, assertion_with(bench, header))) == "unauthorized"


def test_assertion_by_a_stranger(bench: Bench) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    assertion = make_assertion("journal", TOKEN_URL, key, int(bench.clock.now()))
    assert problem_code(post_token(bench, assertion)) == "unauthorized"
    assert problem_code(post_token(bench, "a.b.c")) == "unauthorized"
    assert problem_code(post_token(bench, assertion, grant_type="password")) == "invalidRequest"


def test_calls_need_a_token_that_lives(bench: Bench) -> None:
    for headers in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        answer = bench.http.get(f"{SERVICE_ORIGIN}/rp/v1/orders/{'x' * 22}", headers=headers)
        assert (answer.status_code, problem_code(answer)) == (401, "unauthorized")
        assert answer.headers["www-authenticate"] == "Bearer"
    bearer = bench.bearer()
    bench.clock.pass_(300)
    answer = bench.http.get(f"{SERVICE_ORIGIN}/rp/v1/orders/{'x' * 22}", headers=bearer)
    assert problem_code(answer) == "unauthorized"
