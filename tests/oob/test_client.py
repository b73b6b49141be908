# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from sithsapp import __version__
from sithsapp.failures import Failure, SithsError
from sithsapp.oob.answers import PROBLEM_FAILURES, ServiceProblem
from sithsapp.oob.client import HttpOrderClient, http_clients, this_app
from sithsapp.oob.protocol.dpop import verify_proof
from sithsapp.oob.protocol.messages import SignatureRequest, decode_claim, encode
from sithsapp.oob.protocol.problems import CancelReason, ProblemCode, ProgressHint, problem
from sithsapp.oob.protocol.qr import QrFrame
from sithsapp.oob.protocol.secret import Secret
from sithsapp.oob.qt_transport import QtTransports
from sithsapp.oob.transport import RequestCancelled, Response
from tests.oob.fakes import LAUNCH, trusted_service
from tests.oob.servers import LoopbackServer, Script, Seen, answer, serving

pytestmark = pytest.mark.usefixtures("qapp")

CLAIMED = json.dumps({"order_jws": "a.b.c", "expires_in": 180, "tries_left": 3, "news": 1}).encode()
SIGNATURE = SignatureRequest(jws="h..s", x5c=["AAAA"], challenge="A" * 43, app="sithsapp/1.0.0")
ACCEPTED = json.dumps({"result": "accepted", "return_url": "https://a.example/", "code": None}).encode()
Reply = bytes | Callable[[socket.socket], None] | None


def refusal(code: ProblemCode, **headers: str) -> bytes:
    return answer(code.status, encode(problem(code)), content_type="application/problem+json", **headers)


class Service:
    """Demands a nonce, then answers from `replies` by path; a list is used up, its last entry stays."""

    def __init__(self, replies: dict[str, list[Reply]], *, nonce: str = "nonce-1") -> None:
        self.replies = replies
        self.nonce = nonce

    def __call__(self, seen: Seen) -> Reply:
        path = seen.target.removeprefix("/app/v1").partition("?")[0]
        url = f"http://{seen.headers['host']}{seen.target}"
        try:
            verify_proof(seen.headers["dpop"], method=seen.method, url=url, nonces=[self.nonce])
        except Exception:
            return refusal(ProblemCode.INVALID_DPOP, dpop_nonce=self.nonce)
        replies = self.replies[path]
        return replies.pop(0) if len(replies) > 1 else replies[0]


@contextmanager
def client_of(script: Script) -> Iterator[tuple[HttpOrderClient, LoopbackServer]]:
    with serving(script) as server:
        app = this_app("1.2.3.dev4")
        client = HttpOrderClient(server.origin, QtTransports(), app, local_http=True, jitter=lambda: 0.01)
        try:
            yield client, server
        finally:
            client.close()


def calls(server: LoopbackServer, path: str) -> list[Seen]:
    return [seen for seen in server.seen if seen.target.startswith("/app/v1" + path)]


def soon() -> float:
    return time.monotonic() + 20


def test_claim_with_the_servers_nonce() -> None:
    with client_of(Service({"/claim": [answer(200, CLAIMED)]})) as (client, server):
        claimed = client.claim(LAUNCH, "sv")
    assert (claimed.order_jws, claimed.expires_in) == ("a.b.c", 180)
    first, second = server.seen
    assert first.body == second.body
    body = decode_claim(second.body)
    assert body.lang == "sv"
    assert body.caps.alg == ["PS256", "RS256", "ES256", "ES384"]
    assert second.headers["app-client"].startswith("sithsapp/1.2.3 (")
    proof = verify_proof(
        second.headers["dpop"], method="POST", url=f"{server.origin}/app/v1/claim", nonces=["nonce-1"]
    )
    assert proof.jkt == client.jkt
    assert server.connections == 1


def test_claim_by_qr() -> None:
    with client_of(Service({"/claim": [answer(200, CLAIMED)]})) as (client, server):
        client.claim(QrFrame("demo", Secret("A" * 26), 7, Secret("B" * 26)), "en")
    body = json.loads(server.seen[-1].body)
    assert (body["kind"], body["qt"], body["t"], body["mac"], body["lang"]) == ("qr", "A" * 26, 7, "B" * 26, "en")


def test_every_order_has_a_key_of_its_own() -> None:
    app = this_app("1")
    keys = {HttpOrderClient("http://localhost:1", QtTransports(), app).jkt for _ in range(3)}
    assert len(keys) == 3


def test_a_server_that_always_wants_another_nonce_is_asked_twice() -> None:
    nonces = iter(f"n{number}" for number in range(100))
    with client_of(lambda seen: refusal(ProblemCode.INVALID_DPOP, dpop_nonce=next(nonces))) as (client, server):
        with pytest.raises(SithsError, match="SERVICE_ERROR"):
            client.claim(LAUNCH, "sv")
        assert len(server.seen) == 2


@pytest.mark.parametrize("nonce", ["", "x" * 129])
def test_an_unusable_nonce_is_not_tried(nonce: str) -> None:
    headers = {"dpop_nonce": nonce} if nonce else {}
    with client_of(lambda seen: refusal(ProblemCode.INVALID_DPOP, **headers)) as (client, server):
        with pytest.raises(SithsError):
            client.claim(LAUNCH, "sv")
        assert len(server.seen) == 1


def test_a_new_nonce_of_any_answer_is_used() -> None:
    service = Service(
        {"/claim": [answer(200, CLAIMED, dpop_nonce="nonce-2")], "/extend": [answer(200, b'{"expires_in":9}')]}
    )

    def script(seen: Seen) -> Reply:
        if seen.target.endswith("/extend"):
            service.nonce = "nonce-2"
        return service(seen)

    with client_of(script) as (client, server):
        client.claim(LAUNCH, "sv")
        assert client.extend() == 9
        assert len(server.seen) == 3


@pytest.mark.parametrize(
    "reply", [None, refusal(ProblemCode.MAINTENANCE), refusal(ProblemCode.SLOW_DOWN), answer(502)]
)
def test_a_claim_is_never_repeated(reply: bytes | None) -> None:
    with client_of(Service({"/claim": [reply]})) as (client, server):
        with pytest.raises(SithsError):
            client.claim(LAUNCH, "sv")
        assert len(calls(server, "/claim")) == 2


@pytest.mark.parametrize(
    "first", [None, refusal(ProblemCode.MAINTENANCE), refusal(ProblemCode.SLOW_DOWN), answer(502), answer(504)]
)
def test_a_signature_is_repeated_as_it_was(first: bytes | None) -> None:
    with client_of(Service({"/signature": [first, first, answer(200, ACCEPTED)]})) as (client, server):
        assert client.signature(SIGNATURE, soon()).result == "accepted"
        assert len({seen.body for seen in calls(server, "/signature")}) == 1
        assert len({seen.headers["dpop"] for seen in server.seen}) == len(server.seen)


def test_retry_after_is_honoured() -> None:
    slow = refusal(ProblemCode.SLOW_DOWN, retry_after="1")
    with client_of(Service({"/signature": [slow, answer(200, ACCEPTED)]})) as (client, _):
        began = time.monotonic()
        client.signature(SIGNATURE, soon())
        assert time.monotonic() - began >= 1


def test_retries_end_before_the_order_does() -> None:
    slow = refusal(ProblemCode.SLOW_DOWN, retry_after="60")
    with client_of(Service({"/signature": [slow]})) as (client, server):
        with pytest.raises(SithsError, match="SERVICE_ERROR"):
            client.signature(SIGNATURE, soon())
        assert len(calls(server, "/signature")) == 2


@pytest.mark.parametrize(
    "code", [code for code in ProblemCode if code not in (ProblemCode.SLOW_DOWN, ProblemCode.MAINTENANCE)]
)
def test_a_final_refusal_is_not_repeated(code: ProblemCode) -> None:
    with client_of(Service({"/signature": [refusal(code)]})) as (client, server):
        with pytest.raises(ServiceProblem) as caught:
            client.signature(SIGNATURE, soon())
        assert caught.value.failure is PROBLEM_FAILURES[code]
        assert len(calls(server, "/signature")) == 2


def test_every_problem_has_a_failure() -> None:
    assert PROBLEM_FAILURES.keys() == set(ProblemCode)


@pytest.mark.parametrize(
    "reply",
    [
        answer(200, b"[]"),
        answer(200, b"{"),
        answer(200, b'{"order_jws":"a","order_jws":"b","expires_in":1,"tries_left":1}'),
        answer(200, b'{"order_jws":"a","expires_in":999999,"tries_left":1}'),
        answer(204),
        answer(404, b"<html>", content_type="text/html"),
        answer(418, b'{"type":"urn:oob-eid:error:teapot","status":418}', content_type="application/problem+json"),
        answer(400, b"not json", content_type="application/problem+json"),
    ],
)
def test_an_answer_out_of_form_is_the_services_error(reply: bytes) -> None:
    with client_of(Service({"/claim": [reply]})) as (client, _), pytest.raises(SithsError) as caught:
        client.claim(LAUNCH, "sv")
    assert caught.value.failure is Failure.SERVICE_ERROR


def test_progress_is_best_effort_and_bounded() -> None:
    with client_of(Service({"/progress": [answer(204), None, answer(500)]})) as (client, server):
        for _ in range(9):
            client.progress(ProgressHint.CARD_WAIT)
        assert 5 <= len(calls(server, "/progress")) <= 6
        assert json.loads(server.seen[-1].body) == {"hint": "card_wait"}


def test_watch_goes_on_until_the_order_ends() -> None:
    ended = answer(200, b'{"status":"cancelled"}')
    with client_of(Service({"/watch": [answer(304), None, answer(503), ended]})) as (client, server):
        assert client.watch() == "cancelled"
        assert all(seen.method == "GET" and seen.target.endswith("?wait=25") for seen in server.seen)


def test_interrupt_ends_a_watch_and_cancel_still_works(cleanup: Callable[[Callable[[], None]], None]) -> None:
    asked, release = threading.Event(), threading.Event()
    cleanup(release.set)

    def hold(peer: socket.socket) -> None:
        asked.set()
        release.wait(10)

    with client_of(Service({"/watch": [hold], "/cancel": [answer(204)]})) as (client, server):
        with ThreadPoolExecutor(1) as pool:
            watching = pool.submit(client.watch)
            assert asked.wait(5)
            client.interrupt()
            with pytest.raises(RequestCancelled):
                watching.result(2)
        with pytest.raises(RequestCancelled):
            client.claim(LAUNCH, "sv")
        client.cancel(CancelReason.SUSPICIOUS)
        assert json.loads(calls(server, "/cancel")[-1].body) == {"reason": "suspicious"}
        release.set()


def test_interrupt_ends_the_pause_before_a_retry() -> None:
    slow = refusal(ProblemCode.SLOW_DOWN, retry_after="15")
    with client_of(Service({"/signature": [slow]})) as (client, server), ThreadPoolExecutor(1) as pool:

        def sign() -> None:
            try:
                client.signature(SIGNATURE, soon())
            finally:
                client.close()

        signing = pool.submit(sign)
        while len(calls(server, "/signature")) < 2:
            threading.Event().wait(0.005)
        client.interrupt()
        with pytest.raises(RequestCancelled):
            signing.result(2)


def test_cancel_never_raises() -> None:
    with client_of(lambda seen: None) as (client, _):
        client.cancel(CancelReason.USER)


def test_plain_http_is_for_demo_services() -> None:
    with serving(lambda seen: answer(200, CLAIMED)) as server:
        make = http_clients(QtTransports(), this_app(__version__))
        demo = make(trusted_service(origin=server.origin, environment="demo"))
        assert demo.claim(LAUNCH, "sv").tries_left == 3
        demo.close()
        real = make(trusted_service(origin=server.origin))
        with pytest.raises(ValueError, match="not https"):
            real.claim(LAUNCH, "sv")
        real.close()
    assert len(server.seen) == 1


def test_the_app_says_what_it_is() -> None:
    app = this_app("1.2.3rc1")
    assert app.name_version == "sithsapp/1.2"
    assert app.header == f"sithsapp/1.2 ({app.system}; {app.machine})"


def test_problem_details_never_reach_the_text() -> None:
    body = b'{"type":"urn:oob-eid:error:wrongState","status":409,"title":"secret"}'
    error = ServiceProblem(Response(409, {"content-type": "application/problem+json"}, body))
    assert (error.failure, error.transient) == (Failure.ORDER_CANCELLED, False)
    assert "secret" not in str(error)
    assert "secret" not in repr(error)
