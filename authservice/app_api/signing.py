# SPDX-License-Identifier: EUPL-1.2
"""Taking the user's signature: the ten rules of protocol section B8, in order, and what each failure does."""

from __future__ import annotations

import logging
import secrets
from typing import Final

from anyio import to_thread

from authservice.app_api.evidence import make_completion
from authservice.certificates import JudgedCertificate
from authservice.context import ServiceContext
from authservice.orders import machine
from authservice.orders.book import Change
from authservice.orders.record import Claim, OrderRecord, Signature, State
from authservice.orders.secrets import token_hash
from authservice.web import RefusedError
from sithsapp.oob.protocol.messages import SignatureAnswer, SignatureRequest
from sithsapp.oob.protocol.order import Binding
from sithsapp.oob.protocol.problems import Hint, ProblemCode, ProtocolViolation
from sithsapp.oob.protocol.verification import Expected, VerifiedSignature, parse_signature, verify_signature

logger = logging.getLogger(__name__)

_TAKEN: Final = (State.SIGNED, State.COMPLETE)


async def take_signature(
    service: ServiceContext, record: OrderRecord, posted: SignatureRequest, body: bytes
) -> SignatureAnswer:
    """Verify a posted signature for the order that the caller's key is bound to (rule 3), and accept it once.

    The same body again gets the same answer. Raises `ProtocolViolation` with the number of the rule that failed.
    """
    body_s256 = token_hash(body.decode("utf-8", "surrogateescape"))
    if record.state in _TAKEN:
        return _same_answer(record, body_s256)
    claim = _require_claimed(record)
    try:
        verified, judged = await to_thread.run_sync(_verify, service, record, claim, posted)
    except ProtocolViolation as violation:
        logger.info("order %s: signature refused by rule %d", record.order_id, violation.rule)
        await service.book.change(record.key, _refusal_of(violation.code))
        raise
    signature = Signature(
        body_s256=body_s256,
        challenge=posted.challenge,
        completion=make_completion(record, claim, posted, verified, judged, service.clock.now()),
        code=_new_code() if record.binding is Binding.CODE else None,
    )

    def accept(current: OrderRecord, now: float) -> OrderRecord:
        if current.state in _TAKEN:
            return current
        return machine.sign(current, signature, now)

    return _same_answer(await service.book.change(record.key, accept), body_s256)


def _require_claimed(record: OrderRecord) -> Claim:
    """Apply rule 4."""
    if record.state is not State.CLAIMED or record.claim is None:
        raise RefusedError(ProblemCode.WRONG_STATE, "rule 4: order is not claimed", order=record.order_id)
    return record.claim


def _verify(
    service: ServiceContext, record: OrderRecord, claim: Claim, posted: SignatureRequest
) -> tuple[VerifiedSignature, JudgedCertificate]:
    parsed = parse_signature(posted.jws, posted.x5c)
    expected = Expected(claim.order_jws, record.request.typ, claim.flow, claim.jkt)
    verified = verify_signature(parsed, expected, challenge=posted.challenge, app=posted.app)
    return verified, service.judge.judge(verified.certificates, record.request.req.for_order())


def _refusal_of(code: ProblemCode) -> Change:
    def change(record: OrderRecord, now: float) -> OrderRecord:
        if record.state is not State.CLAIMED:
            return record
        if code is ProblemCode.WRONG_CERTIFICATE:
            return machine.wrong_certificate(record, now)
        unavailable = code is ProblemCode.STATUS_UNAVAILABLE
        return machine.fail(record, Hint.STATUS_UNAVAILABLE if unavailable else Hint.CERTIFICATE_ERR, now)

    return change


def _same_answer(record: OrderRecord, body_s256: str) -> SignatureAnswer:
    signature = record.signature
    if signature is None or signature.body_s256 != body_s256:
        raise RefusedError(ProblemCode.ALREADY_SIGNED, "another signature was accepted", order=record.order_id)
    returning = record.request.return_url if record.binding is Binding.RETURN else None
    return SignatureAnswer(result="accepted", return_url=returning, code=signature.code)


def _new_code() -> str:
    return f"{secrets.randbelow(1_000_000):06d}"
