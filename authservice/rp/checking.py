# SPDX-License-Identifier: EUPL-1.2
"""What the relying party checks by itself before there is a principal (protocol section B8, rules 1-12)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, NoReturn

import msgspec
from msgspec import Struct

from authservice.certificates import CertificateJudge, JudgedCertificate
from authservice.orders.machine import MORE_TIME
from authservice.rp.errors import NotVerifiedError
from authservice.rp.principal import Principal
from authservice.rp.session import Pending
from sithsapp.failures import SithsError
from sithsapp.oob.protocol.encoding import Malformed, b64u, b64u_decode, equal, jcs, parse_json, sha256_b64u
from sithsapp.oob.protocol.jwk import EcJwk
from sithsapp.oob.protocol.jws import verify_order
from sithsapp.oob.protocol.order import B64u32, Binding, Flow, Order, OrderType, RelyingParty
from sithsapp.oob.protocol.problems import ProtocolViolation
from sithsapp.oob.protocol.rp_messages import Completion, Evidence
from sithsapp.oob.protocol.verification import Expected, parse_signature, verify_signature


@dataclass(frozen=True, slots=True)
class Trust:
    """What the relying party trusts: the service's origin and pinned order keys, and its own registration."""

    service_origin: str
    order_keys: Sequence[EcJwk]
    party: RelyingParty
    judge: CertificateJudge


class _Tbs(Struct, frozen=True, forbid_unknown_fields=True):
    app: str
    challenge: B64u32
    flow: Flow
    jkt: B64u32
    order_s256: B64u32
    v: Literal[1]


def verify_completion(
    trust: Trust, pending: Pending, completion: Completion, *, verifier: str | None, keep_evidence: bool
) -> Principal:
    """Return the principal of a completed order; raises `NotVerifiedError`.

    `pending` is the session's own record: nothing that the completion says about itself is believed.
    """
    evidence = completion.evidence
    order = _verified_order(trust, pending, evidence.order_jws)
    tbs = _signed_members(evidence.tbs)
    if order.binding is Binding.RETURN and (verifier is None or not equal(sha256_b64u(verifier), tbs.challenge)):
        _refuse(11, "verifier does not match the signed challenge")
    judged = _judged_signature(trust, order, evidence, tbs)
    return _principal(order, judged, evidence if keep_evidence or order.typ is OrderType.SIGN else None)


def _verified_order(trust: Trust, pending: Pending, order_jws: str) -> Order:
    try:
        order = verify_order(order_jws, trust.order_keys)
    except SithsError as error:
        _refuse(11, error.detail)
    binding = _asked_binding(pending, order.flow)
    if binding is None:
        _refuse(11, "order was not asked for this way of start")
    expected = _expected_order(trust, pending, order, binding)
    if not equal(jcs(msgspec.to_builtins(order)), jcs(msgspec.to_builtins(expected))):
        _refuse(11, "order is not what was asked for")
    return order


def _asked_binding(pending: Pending, flow: Flow) -> Binding | None:
    if flow not in pending.request.flows:
        return None
    bindings = pending.request.binding
    return bindings.same if flow is Flow.SAME else bindings.other


def _expected_order(trust: Trust, pending: Pending, order: Order, binding: Binding) -> Order:
    """Rebuild the order from the own request; only the service's nonce and times are taken from it."""
    request = pending.request
    returning = request.return_url if binding is Binding.RETURN else None
    return Order(
        v=1,
        typ=request.typ,
        svc=trust.service_origin,
        order=pending.created.order,
        rp=trust.party,
        on_behalf_of=request.on_behalf_of,
        nonce_rp=request.nonce,
        nonce_svc=order.nonce_svc,
        flow=order.flow,
        binding=binding,
        ret_s256=None if returning is None else sha256_b64u(returning),
        text=request.text,
        hidden_s256=request.hidden_s256,
        docs=request.docs,
        ades=request.ades,
        context=request.context,
        req=request.req.for_order(),
        iat=order.iat,
        exp=order.exp,
    )


def _signed_members(tbs: str) -> _Tbs:
    try:
        return msgspec.convert(parse_json(b64u_decode(tbs)), _Tbs)
    except (Malformed, msgspec.ValidationError):
        _refuse(5, "signed object is not the expected one")


def _judged_signature(trust: Trust, order: Order, evidence: Evidence, tbs: _Tbs) -> JudgedCertificate:
    expected = Expected(evidence.order_jws, order.typ, order.flow, tbs.jkt)
    try:
        posted = parse_signature(evidence.jws, evidence.x5c)
        verified = verify_signature(posted, expected, challenge=tbs.challenge, app=tbs.app)
        if not equal(b64u(verified.tbs), evidence.tbs):
            _refuse(5, "signed object is not the rebuilt one")
        return trust.judge.judge_again(
            verified.certificates, order.req, evidence.revocation, _verified_at(order, evidence)
        )
    except Malformed as error:
        _refuse(10, str(error))
    except ProtocolViolation as violation:
        _refuse(violation.rule, violation.detail)


def _verified_at(order: Order, evidence: Evidence) -> datetime:
    """Return the time of the service's judgement; only one that lies within the order's own life is believed."""
    try:
        at = datetime.strptime(evidence.verified_at, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        _refuse(8, "time of verification is malformed")
    if not order.iat - 1 <= at.timestamp() <= order.exp + MORE_TIME + 1:
        _refuse(8, "time of verification is not within the order's life")
    return at


def _principal(order: Order, judged: JudgedCertificate, evidence: Evidence | None) -> Principal:
    subject = judged.subject
    return Principal(
        hsaid=subject.hsaid,
        personal_number=subject.pnr,
        given_name=subject.given_name,
        surname=subject.surname,
        organisation=subject.org,
        loa=subject.loa,
        policies=tuple(subject.policies),
        certificate_sha256=subject.cert_sha256,
        issuer=subject.issuer,
        order=order.order,
        typ=order.typ,
        flow=order.flow,
        binding=order.binding,
        text=order.text.body,
        evidence=evidence,
    )


def _refuse(rule: int, detail: str) -> NoReturn:
    raise NotVerifiedError(rule, detail) from None
