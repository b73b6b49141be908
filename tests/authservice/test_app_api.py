# SPDX-License-Identifier: EUPL-1.2
"""The app API: proofs, claims, equal answers, progress, more time, signatures, cancellation."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from authservice.app_api.nonces import WINDOW
from authservice.orders.machine import MAX_WRONG_CERTIFICATES
from sithsapp.oob.protocol.encoding import b64u
from sithsapp.oob.protocol.jws import verify_order
from sithsapp.oob.protocol.launch import parse_launch_url
from sithsapp.oob.protocol.order import Binding, Flow
from tests.authservice.support import (
    CAPS,
    POLICY,
    RETURN_URL,
    RP_NAME,
    SERVICE_ORIGIN,
    App,
    Bench,
    Holder,
    make_bench,
    order_body,
    problem_code,
)


def test_claim_gives_the_signed_document(bench: Bench) -> None:
    created, app = bench.create(), bench.app()
    answer = app.claim(created)
    assert answer.json()["expires_in"] == 180
    assert answer.json()["tries_left"] == MAX_WRONG_CERTIFICATES
    order = verify_order(app.order_jws, (bench.context.issuer.jwk,))
    assert (order.svc, order.order, order.rp.name) == (SERVICE_ORIGIN, created.order, RP_NAME)
    assert (order.flow, order.binding) == (Flow.SAME, Binding.RETURN)
    assert order.exp - order.iat == 180
    assert bench.status(created)["hint"] == "started"


def test_first_call_learns_the_nonce(bench: Bench) -> None:
    created, app = bench.create(), bench.app()
    url = f"{SERVICE_ORIGIN}/app/v1/claim"
    token = parse_launch_url("siths", created.launch_url or "").token.reveal()
    body = {"kind": "launch", "token": token, "caps": CAPS}
    first = app._send("POST", url, body, None)
    assert (first.status_code, problem_code(first)) == (401, "invalidDpop")
    app.nonce = first.headers["dpop-nonce"]
    assert app._send("POST", url, body, None).status_code == 200


def test_nonce_grows_old(bench: Bench) -> None:
    bench.clock.time = (bench.clock.time // WINDOW + 1) * WINDOW
    app, url = bench.app(), f"{SERVICE_ORIGIN}/app/v1/watch"
    app.claim(bench.create(order_body(life=600)))
    bench.clock.pass_(2 * WINDOW - 1)
    assert app._send("GET", url, None, None).status_code == 304
    bench.clock.pass_(1)
    answer = app._send("GET", url, None, None)
    assert problem_code(answer) == "invalidDpop"
    assert answer.headers["dpop-nonce"] != app.nonce


def test_captured_proof_is_worthless(bench: Bench) -> None:
    """P25."""
    app = bench.app()
    app.claim(bench.create())
    assert app.call("POST", "/progress", {"hint": "card_wait"}).status_code == 204
    captured = app.last_proof
    for method, path in (("POST", "/progress"), ("POST", "/cancel"), ("GET", "/watch")):
        body = {"hint": "card_wait"} if path == "/progress" else {"reason": "user"} if path == "/cancel" else None
        answer = app.call(method, path, body, proof=captured)
        assert (answer.status_code, problem_code(answer)) == (401, "invalidDpop")


def test_proof_names_the_configured_origin(bench: Bench) -> None:
    app = bench.app()
    app.claim(bench.create())
    proof = app.key.proof("POST", "https://evil.example/app/v1/progress", nonce=app.nonce)
    headers = {"DPoP": proof, "App-Client": app.client, "Host": "evil.example", "Content-Type": "application/json"}
    answer = bench.http.post(f"{SERVICE_ORIGIN}/app/v1/progress", headers=headers, content=b'{"hint":"card_wait"}')
    assert problem_code(answer) == "invalidDpop"


def test_another_key_finds_no_order(bench: Bench) -> None:
    first, stranger = bench.app(), bench.app()
    first.claim(bench.create())
    for path, body in (("/progress", {"hint": "card_wait"}), ("/cancel", {"reason": "user"}), ("/extend", None)):
        assert problem_code(stranger.call("POST", path, body)) == "noSuchOrder"


def test_clock_of_the_app_does_not_matter(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """P24."""
    for years in (-10, 10):
        monkeypatch.setattr(
            "sithsapp.oob.protocol.dpop.time.time", lambda years=years: bench.clock.now() + years * 31_557_600
        )
        assert bench.app().claim(bench.create()).status_code == 200


@pytest.mark.parametrize(
    "client", ["", "oobeid", "oobeid/1 windows", "OOBEID/1 (windows; amd64)", "oobeid/1.2.3 (windows; amd64) x"]
)
def test_app_says_what_it_is(bench: Bench, client: str) -> None:
    assert problem_code(bench.app(client=client).claim(bench.create())) == "invalidRequest"


def refused_claims(bench: Bench) -> dict[str, Any]:
    expired, used, cancelled, unclaimable = (bench.create() for _ in range(4))
    bench.app().claim(used)
    bench.rp_call("DELETE", f"/orders/{cancelled.order_ref}")
    qr_as_launch = unclaimable.qr
    assert qr_as_launch is not None
    answers = {
        "unknown": bench.app().claim_token(b64u(bytes(32))),
        "used": bench.app().claim(used),
        "cancelled": bench.app().claim(cancelled),
    }
    bench.clock.pass_(61)
    answers["expired"] = bench.app().claim(expired)
    return answers


def test_refusals_of_claims_are_equal(bench: Bench) -> None:
    """P17."""
    answers = refused_claims(bench)
    assert {answer.status_code for answer in answers.values()} == {404}
    assert {problem_code(answer) for answer in answers.values()} == {"claimRefused"}
    assert len({answer.content for answer in answers.values()}) == 1
    assert len({tuple(sorted(answer.headers)) for answer in answers.values()}) == 1


def test_tokens_are_random_and_stored_hashed(bench: Bench) -> None:
    """P17."""
    orders = [bench.create() for _ in range(50)]
    tokens = {parse_launch_url("siths", order.launch_url or "").token.reveal() for order in orders}
    assert len(tokens) == 50
    stored = repr(vars(bench.context.store))
    for order in orders:
        assert order.order_ref not in stored
        assert order.qr is not None
        assert order.qr.secret not in stored
        assert order.qr.token not in stored
    assert not any(token in stored for token in tokens)


def test_second_claim_stops_the_order(bench: Bench, holder: Holder, caplog: pytest.LogCaptureFixture) -> None:
    """P6: whoever took over the link and claimed first gains nothing, and the relying party learns of it."""
    created, hijacker, app = bench.create(), bench.app(), bench.app()
    assert hijacker.claim(created).status_code == 200
    assert problem_code(app.claim(created)) == "claimRefused"
    assert bench.status(created)["hint"] == "doubleClaim"
    assert "claimed twice" in caplog.text
    assert problem_code(hijacker.sign(holder)) == "wrongState"


def test_second_claim_by_qr_stops_the_order_too(bench: Bench) -> None:
    created = bench.create()
    assert bench.app().claim(created).status_code == 200
    assert problem_code(bench.app().claim_qr(created, 0)) == "claimRefused"
    assert bench.status(created)["hint"] == "doubleClaim"


def test_one_key_holds_one_order(bench: Bench) -> None:
    app, second = bench.app(), bench.create()
    app.claim(bench.create())
    assert problem_code(app.claim(second)) == "claimRefused"
    assert bench.status(second)["hint"] == "outstanding"


@pytest.mark.parametrize(
    ("passed", "t", "accepted"),
    [(0, 0, True), (10, 5, True), (10, 4, False), (10, 11, True), (10, 12, False), (6, 0, False), (59, 59, True)],
)
def test_freshness_of_frames(bench: Bench, passed: int, t: int, accepted: bool) -> None:
    """P3: a frame aged six seconds is refused, and so is one from the future."""
    created = bench.create()
    bench.clock.pass_(passed)
    answer = bench.app().claim_qr(created, t)
    assert (answer.status_code == 200) is accepted
    if not accepted:
        assert problem_code(answer) == "claimRefused"
        assert bench.status(created)["hint"] == "outstanding"


def test_frame_with_a_wrong_code_changes_nothing(bench: Bench) -> None:
    created = bench.create()
    assert problem_code(bench.app().claim_qr(created, 0, mac="A" * 26)) == "claimRefused"
    assert bench.app().claim_qr(created, 0).status_code == 200


def test_launch_token_is_no_frame_and_the_other_way(bench: Bench) -> None:
    created = bench.create(order_body(flows=["same"], binding={"same": "return"}))
    with_qr = bench.create(order_body(flows=["other"], binding={"other": "qr"}, return_url=None))
    secrets = bench.context.secrets_of(next(iter(bench.context.store._orders.values())).seed)  # type: ignore[attr-defined] # the store in memory
    assert created.qr is None
    body = {"kind": "qr", "qt": secrets.qr_token, "t": 0, "mac": "A" * 26, "caps": CAPS}
    assert problem_code(bench.app().call("POST", "/claim", body)) == "claimRefused"
    assert with_qr.launch_url is None


def test_old_apps_are_turned_away(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, min_app={"linux": "1.3"})
    with bench.http:
        created = bench.create()
        answer = bench.app().claim(created)
        assert (answer.status_code, problem_code(answer)) == (426, "clientTooOld")
        assert bench.status(created)["hint"] == "clientTooOld"
        assert problem_code(bench.app().claim_token(b64u(bytes(32)))) == "clientTooOld"
        assert bench.app(client="oobeid/1.3.0 (linux; amd64)").claim(bench.create()).status_code == 200
        assert bench.app(client="oobeid/1.0 (windows; amd64)").claim(bench.create()).status_code == 200


def test_apps_are_advised_of_a_newer_version_and_let_in(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, min_app={"linux": "1.0"}, advised_app={"linux": "1.3"})
    with bench.http:
        answer = bench.app(client="oobeid/1.2 (linux; amd64)").claim(bench.create())
        assert (answer.status_code, answer.json()["update_advised"]) == (200, True)
        for client in ("oobeid/1.3 (linux; amd64)", "oobeid/1.0 (windows; amd64)"):
            answer = bench.app(client=client).claim(bench.create())
            assert answer.status_code == 200
            assert "update_advised" not in answer.json()


def test_orders_may_want_newer_apps(bench: Bench) -> None:
    req = {"key": "auth", "policies": [POLICY], "min_app": "2.0"}
    assert problem_code(bench.app().claim(bench.create(order_body(req=req)))) == "clientTooOld"
    client = "oobeid/2.0 (linux; amd64)"
    assert bench.app(client=client).claim(bench.create(order_body(req=req))).status_code == 200


def test_progress_reaches_the_relying_party(bench: Bench) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    for hint in ("card_wait", "user_sign"):
        assert app.call("POST", "/progress", {"hint": hint}).status_code == 204
        assert bench.status(created)["hint"] == hint
    assert problem_code(app.call("POST", "/progress", {"hint": "complete"})) == "invalidRequest"


def test_more_time(bench: Bench, holder: Holder) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    bench.clock.pass_(100)
    assert app.call("POST", "/extend").json() == {"expires_in": 260}
    assert problem_code(app.call("POST", "/extend")) == "wrongState"
    bench.clock.pass_(200)
    assert app.sign(holder).status_code == 200
    answer = bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"verifier": app.verifier.reveal()})
    assert answer.json()["completion"]["signals"]["extended"] is True


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("user", "userCancel"),
        ("suspicious", "userSuspicious"),
        ("blocked", "cardBlocked"),
        ("no_card", "noCard"),
    ],
)
def test_cancel(bench: Bench, reason: str, hint: str) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    for _ in range(2):
        assert app.call("POST", "/cancel", {"reason": reason}).status_code == 204
    assert bench.status(created)["hint"] == hint


def test_watch_tells_who_ended_the_order(bench: Bench) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    assert app.call("GET", "/watch").status_code == 304
    bench.rp_call("DELETE", f"/orders/{created.order_ref}")
    assert app.call("GET", "/watch?wait=25").json() == {"status": "cancelled"}
    late = bench.app()
    late.claim(bench.create())
    bench.clock.pass_(181)
    assert late.call("GET", "/watch").json() == {"status": "expired"}
    bench.clock.pass_(301)
    assert problem_code(late.call("GET", "/watch")) == "orderGone"


def test_watch_wakes_up(bench: Bench) -> None:
    created, app = bench.create(), bench.app()
    app.claim(created)
    answers: list[Any] = []
    watcher = threading.Thread(target=lambda: answers.append(app.call("GET", "/watch?wait=20")))
    watcher.start()
    bench.rp_call("DELETE", f"/orders/{created.order_ref}")
    watcher.join(15)
    assert answers[0].json() == {"status": "cancelled"}


def test_addresses_are_limited(tmp_path: Path) -> None:
    bench = make_bench(tmp_path, per_address_per_minute=60, per_address_burst=5)
    with bench.http:
        codes = [bench.app().claim_token(b64u(bytes(32))).status_code for _ in range(4)]
        assert codes[-1] == 429
        assert "dpop-nonce" in bench.app().claim_token(b64u(bytes(32))).headers


def test_nothing_personal_in_the_log(bench: Bench, holder: Holder, caplog: pytest.LogCaptureFixture) -> None:
    """P18."""
    caplog.set_level("DEBUG")
    created, app = bench.create(), bench.app()
    app.claim(created)
    app.sign(holder)
    bench.rp_call("POST", f"/orders/{created.order_ref}/redeem", {"verifier": app.verifier.reveal()})
    canaries = (
        "Anna",
        "Andersson",
        "TSTNMT",
        app.verifier.reveal(),
        created.order_ref,
        parse_launch_url("siths", created.launch_url or "").token.reveal(),
        "Logga in i",
        RETURN_URL,
    )
    logged = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert any("signed to complete" in line for line in logged)
    assert not [(canary, line) for canary in canaries for line in logged if canary in line]
    assert App(bench.http).verifier.reveal() not in repr(app)
