# SPDX-License-Identifier: EUPL-1.2
"""The relying party's library: attacks on the way back, and results of a service that cannot be trusted."""

from __future__ import annotations

import base64
import inspect
from collections.abc import Callable
from typing import Any

import httpx
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authservice.rp import checking, relying_party
from authservice.rp.errors import (
    NotVerifiedError,
    OrderFailedError,
    OtherBrowserError,
    RelyingPartyError,
    ServiceProblemError,
    ServiceUnreachableError,
    WrongCodeError,
)
from authservice.rp.http import ServiceClient
from authservice.rp.principal import Principal
from authservice.rp.relying_party import RelyingParty
from authservice.rp.session import LoginSession, Pending, Progress
from sithsapp.oob.protocol.encoding import b64u, b64u_decode, jcs, parse_json
from sithsapp.oob.protocol.jws import sign_order, verify_order
from sithsapp.oob.protocol.order import (
    Binding,
    Context,
    Document,
    Flow,
    KeyUse,
    OnBehalfOf,
    Order,
    OrderType,
    Requirements,
    Text,
)
from sithsapp.oob.protocol.order import (
    RelyingParty as Party,
)
from sithsapp.oob.protocol.problems import Hint, ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.rp_messages import Bindings, Completion, OrderState, Redeem
from tests.authservice.support import RP_ORIGIN, SERVICE_ORIGIN, Bench, Holder, ask


def return_parameters(bench: Bench, pending: Pending, holder: Holder) -> dict[str, str]:
    """Let an app claim and sign, and return what comes back through its browser."""
    app = bench.app()
    assert app.claim(pending.created).status_code == 200
    assert app.sign(holder).status_code == 200
    return {"return_nonce": pending.return_nonce, "verifier": app.verifier.reveal()}


def test_victim_signs_the_attackers_order(bench: Bench, holder: Holder) -> None:
    """P1: the attacker's browser starts, the victim signs and comes back in a browser of her own."""
    rp, attacker, victim = bench.relying_party(), LoginSession(), LoginSession()
    pending = rp.start(attacker, ask())
    parameters = return_parameters(bench, pending, holder)
    with pytest.raises(OtherBrowserError):
        rp.finish(victim, **parameters)
    with pytest.raises(RelyingPartyError):
        rp.finish_without_return(attacker)
    assert rp.poll(attacker) == Progress(OrderState.AWAITING_REDEEM, Hint.RETURN_PENDING)
    bench.clock.pass_(121)
    assert rp.poll(attacker) == Progress(OrderState.FAILED, Hint.NOT_RETURNED)


def test_attacker_guesses_the_verifier(bench: Bench, holder: Holder) -> None:
    rp, attacker = bench.relying_party(), LoginSession()
    pending = rp.start(attacker, ask())
    return_parameters(bench, pending, holder)
    for _ in range(5):
        rp.poll(attacker)
    with pytest.raises(OrderFailedError) as caught:
        rp.finish(attacker, return_nonce=pending.return_nonce, verifier=b64u(bytes(32)))
    assert caught.value.hint is Hint.BINDING_FAILED


def test_victim_follows_the_attackers_return_link(bench: Bench, holder: Holder) -> None:
    """P4: nobody is logged in as somebody else by a link, and the victim's own log-in goes on."""
    rp, attacker, victim = bench.relying_party(), LoginSession(), LoginSession()
    attackers = rp.start(attacker, ask())
    own = rp.start(victim, ask())
    with pytest.raises(OtherBrowserError):
        rp.finish(victim, **return_parameters(bench, attackers, holder))
    assert rp.finish(victim, **return_parameters(bench, own, holder)).bound


def test_return_works_once(bench: Bench, holder: Holder) -> None:
    rp, session = bench.relying_party(), LoginSession()
    parameters = return_parameters(bench, rp.start(session, ask()), holder)
    rp.finish(session, **parameters)
    with pytest.raises(OtherBrowserError):
        rp.finish(session, **parameters)


@pytest.mark.parametrize("verifier", ["", "x", "å" * 43, "v" * 44])
def test_malformed_verifiers(bench: Bench, holder: Holder, verifier: str) -> None:
    rp, session = bench.relying_party(), LoginSession()
    pending = rp.start(session, ask())
    with pytest.raises(NotVerifiedError):
        rp.finish(session, return_nonce=pending.return_nonce, verifier=verifier)


def test_wrong_code(bench: Bench, holder: Holder) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask(bindings=Bindings(same=Binding.CODE)))
    app.claim(pending.created)
    code = app.sign(holder).json()["code"]
    for wrong in ("nonsense", f"{(int(code) + 1) % 1_000_000:06d}"):
        with pytest.raises(WrongCodeError):
            rp.finish_with_code(session, wrong)
    assert rp.finish_with_code(session, code).binding is Binding.CODE


def test_bound_order_is_not_finished_without_its_binding(bench: Bench, holder: Holder) -> None:
    rp, session, app = bench.relying_party(), LoginSession(), bench.app()
    pending = rp.start(session, ask(bindings=Bindings(same=Binding.CODE)))
    app.claim(pending.created)
    code = app.sign(holder).json()["code"]
    assert bench.rp_call("POST", f"/orders/{pending.created.order_ref}/redeem", {"code": code}).status_code == 200
    with pytest.raises(NotVerifiedError):
        rp.finish_without_return(session)


def test_no_session_no_result(bench: Bench) -> None:
    rp, session = bench.relying_party(), LoginSession()
    calls: list[Callable[[], object]] = [
        lambda: rp.poll(session),
        lambda: rp.finish(session, return_nonce="", verifier=""),
        lambda: rp.finish_with_code(session, "123456"),
        lambda: rp.finish_without_return(session),
    ]
    for call in calls:
        with pytest.raises(OtherBrowserError):
            call()
    rp.cancel(session)


def test_cancel(bench: Bench, holder: Holder) -> None:
    rp, session = bench.relying_party(), LoginSession()
    pending = rp.start(session, ask())
    rp.cancel(session)
    assert bench.status(pending.created)["hint"] == "cancelled"
    assert session.pending is None


def test_polling_too_often_repeats_what_is_known(bench: Bench) -> None:
    rp, session = bench.relying_party(), LoginSession()
    rp.start(session, ask())
    assert {rp.poll(session) for _ in range(5)} == {Progress(OrderState.PENDING, Hint.OUTSTANDING)}


# A service, or somebody between, that gives another result than it should.


class Forger:
    """Gives the library a completion that was changed on the way."""

    def __init__(self, bench: Bench, holder: Holder, typ_ask: Any = None) -> None:
        self.bench = bench
        self.rp = bench.relying_party()
        self.session = LoginSession()
        self.pending = self.rp.start(self.session, typ_ask or ask())
        self.app = bench.app()
        self.app.claim(self.pending.created)
        assert self.app.sign(holder).status_code == 200
        answer = bench.rp_call(
            "POST", f"/orders/{self.pending.created.order_ref}/redeem", {"verifier": self.app.verifier.reveal()}
        )
        self.completion = msgspec.convert(answer.json()["completion"], Completion)

    def verify(self, verifier: str | None = None, **evidence: Any) -> Principal:
        changed = msgspec.structs.replace(self.completion.evidence, **evidence)
        completion = msgspec.structs.replace(self.completion, evidence=changed)
        return checking.verify_completion(
            self.rp._trust,
            self.pending,
            completion,
            verifier=verifier or self.app.verifier.reveal(),
            keep_evidence=False,
        )

    def resigned(self, **changes: Any) -> str:
        """Return the order with other members, signed with the service's own key."""
        order = verify_order(self.app.order_jws, (self.bench.context.issuer.jwk,))
        issuer = self.bench.context.issuer
        return sign_order(msgspec.structs.replace(order, **changes), issuer.key, issuer.jwk.kid or "")


def test_untouched_result_is_accepted(bench: Bench, holder: Holder) -> None:
    assert Forger(bench, holder).verify().name == "Anna Andersson"


DOCUMENT = Document(name="a", size=1, alg="sha-256", digest=b64u(bytes(32)))
CHANGES: dict[str, Any] = {
    "svc": "https://evil.example",
    "order": "another1",
    "rp": Party(id="journal", name="Bank Exempel", origin=RP_ORIGIN),
    "nonce_rp": b64u(bytes([1] * 32)),
    "flow": Flow.OTHER,
    "binding": Binding.CODE,
    "ret_s256": b64u(bytes(32)),
    "text": Text(fmt="plain", body="Något annat", lang="sv"),
    "req": Requirements(key=KeyUse.AUTH, policies=["1.2.3"]),
    "docs": [DOCUMENT],
    "hidden_s256": b64u(bytes(32)),
    "on_behalf_of": OnBehalfOf(id="lab", name="Labbsvar Exempel"),
    "context": Context(browser="Firefox"),
    "typ": OrderType.SIGN,
    "ades": "MAA",
}


@pytest.mark.parametrize("member", list(CHANGES))
def test_altered_order_is_refused(bench: Bench, holder: Holder, member: str) -> None:
    """P7 and P16: even with the service's own signature, the order must be the one that was asked for."""
    forger = Forger(bench, holder)
    with pytest.raises(NotVerifiedError) as caught:
        forger.verify(order_jws=forger.resigned(**{member: CHANGES[member]}))
    assert caught.value.rule == 11


def test_every_member_of_the_order_is_covered() -> None:
    free = {"v", "nonce_svc", "iat", "exp"}
    assert set(CHANGES) | free == {field.name for field in msgspec.structs.fields(Order)}


def test_order_by_another_key_is_refused(bench: Bench, holder: Holder) -> None:
    forger = Forger(bench, holder)
    order = verify_order(forger.app.order_jws, (bench.context.issuer.jwk,))
    forged = sign_order(order, ec.generate_private_key(ec.SECP256R1()), bench.context.issuer.jwk.kid or "")
    with pytest.raises(NotVerifiedError):
        forger.verify(order_jws=forged)


@pytest.mark.parametrize("member", ["nonce_svc", "iat", "exp"])
def test_order_with_other_free_members_has_another_signature(bench: Bench, holder: Holder, member: str) -> None:
    forger = Forger(bench, holder)
    order = verify_order(forger.app.order_jws, (bench.context.issuer.jwk,))
    other = b64u(bytes(32)) if member == "nonce_svc" else getattr(order, member) + 1
    with pytest.raises(NotVerifiedError) as caught:
        forger.verify(order_jws=forger.resigned(**{member: other}))
    assert caught.value.rule == 7


def test_result_of_another_order(bench: Bench, holder: Holder) -> None:
    first, second = Forger(bench, holder), Forger(bench, holder)
    with pytest.raises(NotVerifiedError):
        first.verify(**msgspec.to_builtins(second.completion.evidence))


def test_verifier_of_another_browser(bench: Bench, holder: Holder) -> None:
    with pytest.raises(NotVerifiedError):
        Forger(bench, holder).verify(verifier=b64u(bytes(32)))


@pytest.mark.parametrize("member", ["app", "challenge", "flow", "jkt", "order_s256"])
def test_altered_signed_object(bench: Bench, holder: Holder, member: str) -> None:
    forger = Forger(bench, holder)
    tbs = parse_json(b64u_decode(forger.completion.evidence.tbs))
    assert isinstance(tbs, dict)
    other = {"app": "evil/1", "flow": "other"}.get(member, b64u(bytes(32)))
    changed = b64u(jcs({**tbs, member: other}))
    with pytest.raises(NotVerifiedError):
        forger.verify(tbs=changed)


@pytest.mark.parametrize("tbs", ["", "%", b64u(b"[]"), b64u(b"{}"), b64u(b'{"v":2}')])
def test_malformed_signed_object(bench: Bench, holder: Holder, tbs: str) -> None:
    with pytest.raises(NotVerifiedError):
        Forger(bench, holder).verify(tbs=tbs)


def test_certificate_of_somebody_else(bench: Bench, holder: Holder, signer: Holder) -> None:
    with pytest.raises(NotVerifiedError):
        Forger(bench, holder).verify(x5c=[base64.b64encode(signer.chain[0]).decode()])


@pytest.mark.parametrize("when", ["", "2020-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "yesterday"])
def test_time_of_verification_lies_within_the_order(bench: Bench, holder: Holder, when: str) -> None:
    with pytest.raises(NotVerifiedError):
        Forger(bench, holder).verify(verified_at=when)


def test_own_judgement_of_the_certificate(bench: Bench, holder: Holder) -> None:
    forger = Forger(bench, holder)
    bench.judge.error = ProtocolViolation(ProblemCode.CERTIFICATE_ERR, "for the test", rule=8)
    with pytest.raises(NotVerifiedError) as caught:
        forger.verify()
    assert caught.value.rule == 8


def test_claims_of_the_completion_are_not_believed(bench: Bench, holder: Holder) -> None:
    """P11: the subject that the service names has no way into the principal."""
    forger = Forger(bench, holder)
    subject = msgspec.structs.replace(forger.completion.subject, given_name="Bo", hsaid="SE0000000000-EVIL")
    forger.completion = msgspec.structs.replace(forger.completion, subject=subject)
    assert forger.verify().name == "Anna Andersson"


def test_public_methods_return_nothing_unverified() -> None:
    """P11: whatever comes out is a principal, or says nothing about the user."""
    harmless = {"Pending", "Progress", "None"}
    methods = inspect.getmembers(relying_party.RelyingParty, inspect.isfunction)
    returned = {method.__annotations__["return"] for name, method in methods if not name.startswith("_")}
    assert returned == {"Principal"} | harmless
    assert set(Progress.__dataclass_fields__) == {"state", "hint"}


def test_nothing_shows_in_reprs(bench: Bench, holder: Holder) -> None:
    rp, session = bench.relying_party(), LoginSession()
    pending = rp.start(session, ask())
    principal = rp.finish(session, **return_parameters(bench, pending, holder))
    shown = repr(pending) + repr(principal) + repr(session)
    for secret in (pending.created.order_ref, pending.return_nonce, "Anna", "TSTNMT"):
        assert secret not in shown


def failing_client(handler: Callable[[httpx.Request], httpx.Response]) -> RelyingParty:
    http = httpx.Client(transport=httpx.MockTransport(handler))
    client = ServiceClient(SERVICE_ORIGIN, "journal", ec.generate_private_key(ec.SECP256R1()), http)
    return RelyingParty(client, None)  # type: ignore[arg-type] # never reached


def test_service_away() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away")

    with pytest.raises(ServiceUnreachableError):
        failing_client(handler).start(LoginSession(), ask())


@pytest.mark.parametrize("status", [200, 301, 500])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"type":1}'])
def test_answers_that_are_none(status: int, body: bytes) -> None:
    client = failing_client(lambda _request: httpx.Response(status, content=body))
    with pytest.raises(ServiceProblemError):
        client.start(LoginSession(), ask())


def test_lost_answer_to_the_redemption(bench: Bench, holder: Holder, monkeypatch: pytest.MonkeyPatch) -> None:
    rp, session = bench.relying_party(), LoginSession()
    parameters = return_parameters(bench, rp.start(session, ask()), holder)
    genuine = ServiceClient.redeem
    lost: list[object] = []

    def lossy(self: ServiceClient, order_ref: str, redeem: Redeem) -> Any:
        answer = genuine(self, order_ref, redeem)
        if not lost:
            lost.append(answer)
            raise ServiceUnreachableError
        return answer

    monkeypatch.setattr(ServiceClient, "redeem", lossy)
    assert rp.finish(session, **parameters).bound
    assert lost


def test_problem_is_passed_on(bench: Bench) -> None:
    with pytest.raises(ServiceProblemError) as caught:
        bench.relying_party().start(LoginSession(), ask(return_url="https://evil.example/r"))
    assert caught.value.code is ProblemCode.NOT_ALLOWED


def test_token_is_renewed_after_a_refusal(bench: Bench) -> None:
    client = bench.service_client()
    client._bearer()
    bench.clock.pass_(301)
    rp = RelyingParty(client, bench.relying_party()._trust)
    assert rp.start(LoginSession(), ask()).created.order
