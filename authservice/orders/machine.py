# SPDX-License-Identifier: EUPL-1.2
"""The life of an order: every transition of protocol section B4, as functions from record to record.

Nothing here reads a clock, a store or a socket. Each function takes the record with its timers already applied
(`settle`) and returns the record to store, or raises `TransitionRefusedError`.
"""

from __future__ import annotations

import hmac
from typing import Final

from msgspec.structs import replace

from authservice.orders.record import COMPLETE_KEPT, FAILED_KEPT, Claim, OrderRecord, Signature, State
from sithsapp.oob.protocol.encoding import sha256_b64u
from sithsapp.oob.protocol.order import Binding
from sithsapp.oob.protocol.problems import Hint

CLAIM_WITHIN: Final = 60
"""Seconds from creation to claim."""

REDEEM_WITHIN: Final = 120.0
"""Seconds from signature to redemption."""

MORE_TIME: Final = 180.0
"""Seconds that the user may add once."""

MAX_PROGRESS_REPORTS: Final = 5
MAX_WRONG_CERTIFICATES: Final = 3
MAX_WRONG_CODES: Final = 3

_TIMED_OUT: Final = {
    State.OUTSTANDING: Hint.START_FAILED,
    State.CLAIMED: Hint.EXPIRED_TRANSACTION,
    State.SIGNED: Hint.NOT_RETURNED,
}


class TransitionRefusedError(Exception):
    """The event is not allowed in the order's state."""

    def __init__(self, state: State) -> None:
        super().__init__(state.value)
        self.state = state


def settle(record: OrderRecord, now: float) -> OrderRecord:
    """Apply the timers that have run out by `now`, as of the moments at which they ran out."""
    while record.state is not State.GONE and now >= record.deadline:
        if record.state.pending:
            record = fail(record, _TIMED_OUT[record.state], record.deadline)
        else:
            record = _next(replace(record, state=State.GONE, signature=None))
    return record


def fail(record: OrderRecord, hint: Hint, now: float) -> OrderRecord:
    """End a pending order without a result; a signature that it held is forgotten."""
    _require(record, State.OUTSTANDING, State.CLAIMED, State.SIGNED)
    return _next(replace(record, state=State.FAILED, hint=hint, deadline=now + FAILED_KEPT, signature=None))


def claim(record: OrderRecord, claimed: Claim, key_hash: str, now: float) -> OrderRecord:
    """Bind an outstanding order to an app's key; a second valid claim ends the order.

    `key_hash` is what the app's later calls find the order by.
    """
    if record.state is State.CLAIMED:
        return fail(record, Hint.DOUBLE_CLAIM, now)
    _require(record, State.OUTSTANDING)
    return _next(
        replace(
            record,
            state=State.CLAIMED,
            hint=Hint.STARTED,
            claim=claimed,
            token_hashes=(*record.token_hashes, key_hash),
            deadline=now + record.request.life,
        )
    )


def progress(record: OrderRecord, hint: Hint) -> OrderRecord:
    """Show another hint; the order never goes back, and reports beyond the fifth change nothing."""
    claimed = _claimed(record)
    if claimed.progress_reports >= MAX_PROGRESS_REPORTS:
        return record
    claimed = replace(claimed, progress_reports=claimed.progress_reports + 1)
    return _next(replace(record, hint=hint, claim=claimed))


def extend(record: OrderRecord) -> OrderRecord:
    """Give the user more time, once."""
    claimed = _claimed(record)
    if claimed.extended:
        raise TransitionRefusedError(record.state)
    return _next(replace(record, claim=replace(claimed, extended=True), deadline=record.deadline + MORE_TIME))


def wrong_certificate(record: OrderRecord, now: float) -> OrderRecord:
    """Count a certificate that another card can put right; the third ends the order."""
    claimed = _claimed(record)
    claimed = replace(claimed, wrong_certificates=claimed.wrong_certificates + 1)
    record = replace(record, claim=claimed)
    if claimed.wrong_certificates >= MAX_WRONG_CERTIFICATES:
        return fail(record, Hint.CERTIFICATE_ERR, now)
    return _next(record)


def sign(record: OrderRecord, signature: Signature, now: float) -> OrderRecord:
    """Take an accepted signature; with the bindings `qr` and `none` that completes the order."""
    _claimed(record)
    if record.binding in (Binding.RETURN, Binding.CODE):
        return _next(
            replace(
                record,
                state=State.SIGNED,
                hint=Hint.RETURN_PENDING,
                signature=signature,
                deadline=now + REDEEM_WITHIN,
            )
        )
    return _complete(replace(record, signature=signature), now)


def redeem_verifier(record: OrderRecord, verifier: str, now: float) -> OrderRecord:
    """Complete the order in the browser that started it, or end it: a wrong verifier gets no second try.

    The same right verifier again changes nothing.
    """
    signature = _redeemable(record, Binding.RETURN)
    right = hmac.compare_digest(sha256_b64u(verifier.encode("ascii")), signature.challenge)
    if record.state is State.COMPLETE and right:
        return record
    _require(record, State.SIGNED)
    return _complete(record, now) if right else fail(record, Hint.BINDING_FAILED, now)


def redeem_code(record: OrderRecord, code: str, now: float) -> OrderRecord:
    """Complete the order with the code that the app showed; the third wrong code ends it."""
    signature = _redeemable(record, Binding.CODE)
    right = hmac.compare_digest(code.encode(), (signature.code or "").encode())
    if record.state is State.COMPLETE and right:
        return record
    _require(record, State.SIGNED)
    if right:
        return _complete(record, now)
    signature = replace(signature, wrong_codes=signature.wrong_codes + 1)
    record = replace(record, signature=signature)
    if signature.wrong_codes >= MAX_WRONG_CODES:
        return fail(record, Hint.BINDING_FAILED, now)
    return _next(record)


def cancel_by_relying_party(record: OrderRecord, now: float) -> OrderRecord:
    """End a pending order; on a failed one nothing changes."""
    if record.state is State.FAILED:
        return record
    return fail(record, Hint.CANCELLED, now)


def cancel_by_app(record: OrderRecord, hint: Hint, now: float) -> OrderRecord:
    """End a claimed order for the user's reason; on a failed one nothing changes."""
    if record.state is State.FAILED:
        return record
    _claimed(record)
    return fail(record, hint, now)


def _complete(record: OrderRecord, now: float) -> OrderRecord:
    return _next(replace(record, state=State.COMPLETE, hint=Hint.RETURN_PENDING, deadline=now + COMPLETE_KEPT))


def _claimed(record: OrderRecord) -> Claim:
    _require(record, State.CLAIMED)
    if record.claim is None:
        raise TransitionRefusedError(record.state)
    return record.claim


def _redeemable(record: OrderRecord, binding: Binding) -> Signature:
    _require(record, State.SIGNED, State.COMPLETE)
    if record.binding is not binding or record.signature is None:
        raise TransitionRefusedError(record.state)
    return record.signature


def _require(record: OrderRecord, *states: State) -> None:
    if record.state not in states:
        raise TransitionRefusedError(record.state)


def _next(record: OrderRecord) -> OrderRecord:
    return replace(record, version=record.version + 1)
