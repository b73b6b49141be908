# SPDX-License-Identifier: EUPL-1.2
"""What can go wrong between the parties: problem codes, hints, reasons (protocol sections B4, B6 and B12)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Final

from msgspec import Meta, Struct

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
PROBLEM_TYPE_PREFIX: Final = "urn:oob-eid:error:"


class ProblemCode(Enum):
    """Problem codes of section B12; `status` is the HTTP status that goes with each."""

    INVALID_REQUEST = "invalidRequest"
    INVALID_SIGNATURE = "invalidSignature"
    UNSUPPORTED_ALG = "unsupportedAlg"
    BAD_TEXT = "badText"
    UNAUTHORIZED = "unauthorized"
    INVALID_DPOP = "invalidDpop"
    NOT_ALLOWED = "notAllowed"
    CLAIM_REFUSED = "claimRefused"
    NO_SUCH_ORDER = "noSuchOrder"
    WRONG_STATE = "wrongState"
    ALREADY_SIGNED = "alreadySigned"
    ORDER_GONE = "orderGone"
    WRONG_CERTIFICATE = "wrongCertificate"
    IDEMPOTENCY_MISMATCH = "idempotencyMismatch"
    CLIENT_TOO_OLD = "clientTooOld"
    SLOW_DOWN = "slowDown"
    MAINTENANCE = "maintenance"
    STATUS_UNAVAILABLE = "statusUnavailable"
    CERTIFICATE_ERR = "certificateErr"

    @property
    def status(self) -> int:
        """The HTTP status."""
        return _STATUS[self]


_STATUS: Final = {
    ProblemCode.INVALID_REQUEST: 400,
    ProblemCode.INVALID_SIGNATURE: 400,
    ProblemCode.UNSUPPORTED_ALG: 400,
    ProblemCode.BAD_TEXT: 400,
    ProblemCode.UNAUTHORIZED: 401,
    ProblemCode.INVALID_DPOP: 401,
    ProblemCode.NOT_ALLOWED: 403,
    ProblemCode.CLAIM_REFUSED: 404,
    ProblemCode.NO_SUCH_ORDER: 404,
    ProblemCode.WRONG_STATE: 409,
    ProblemCode.ALREADY_SIGNED: 409,
    ProblemCode.ORDER_GONE: 410,
    ProblemCode.WRONG_CERTIFICATE: 422,
    ProblemCode.CERTIFICATE_ERR: 422,
    ProblemCode.IDEMPOTENCY_MISMATCH: 422,
    ProblemCode.CLIENT_TOO_OLD: 426,
    ProblemCode.SLOW_DOWN: 429,
    ProblemCode.MAINTENANCE: 503,
    ProblemCode.STATUS_UNAVAILABLE: 503,
}


class Hint(Enum):
    """Why an order is pending or has failed (section B12), as the relying party sees it."""

    OUTSTANDING = "outstanding"
    STARTED = "started"
    CARD_WAIT = "card_wait"
    USER_SIGN = "user_sign"
    RETURN_PENDING = "return_pending"
    START_FAILED = "startFailed"
    EXPIRED_TRANSACTION = "expiredTransaction"
    USER_CANCEL = "userCancel"
    USER_SUSPICIOUS = "userSuspicious"
    CANCELLED = "cancelled"
    CERTIFICATE_ERR = "certificateErr"
    CARD_BLOCKED = "cardBlocked"
    NO_CARD = "noCard"
    STATUS_UNAVAILABLE = "statusUnavailable"
    DOUBLE_CLAIM = "doubleClaim"
    BINDING_FAILED = "bindingFailed"
    NOT_RETURNED = "notReturned"
    CLIENT_TOO_OLD = "clientTooOld"
    SLOW_DOWN = "slowDown"


class ProgressHint(Enum):
    """What the app may report while it works."""

    CARD_WAIT = "card_wait"
    USER_SIGN = "user_sign"


class CancelReason(Enum):
    """Why the app gives an order up. `SUSPICIOUS`: the person said "I did not start this"."""

    USER = "user"
    SUSPICIOUS = "suspicious"
    BLOCKED = "blocked"
    NO_CARD = "no_card"


CANCEL_HINTS: Final = {
    CancelReason.USER: Hint.USER_CANCEL,
    CancelReason.SUSPICIOUS: Hint.USER_SUSPICIOUS,
    CancelReason.BLOCKED: Hint.CARD_BLOCKED,
    CancelReason.NO_CARD: Hint.NO_CARD,
}
"""Which hint the relying party gets for each reason (section B4)."""


class Problem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of an error answer (RFC 9457). It never echoes input. `retry_after` is in seconds."""

    type: Annotated[str, Meta(max_length=100)]
    status: int
    title: Annotated[str, Meta(max_length=200)] = ""
    order: Annotated[str, Meta(max_length=32)] | None = None
    retry_after: int | None = None

    @property
    def code(self) -> ProblemCode | None:
        """The code in `type`, or None for one that this version does not know."""
        try:
            return ProblemCode(self.type.removeprefix(PROBLEM_TYPE_PREFIX))
        except ValueError:
            return None


def problem(code: ProblemCode, *, order: str | None = None, retry_after: int | None = None) -> Problem:
    """Make the error body for `code`; `order` is the public id."""
    return Problem(
        type=PROBLEM_TYPE_PREFIX + code.value,
        status=code.status,
        title=code.name.replace("_", " ").capitalize(),
        order=order,
        retry_after=retry_after,
    )


class ProtocolViolation(Exception):
    """The other side broke a rule: for the service, which answers with `code` and logs `rule`.

    `rule` is the number of the rule in section B8, or 0 outside it. `detail` is fixed text, never input.
    """

    def __init__(self, code: ProblemCode, detail: str, *, rule: int = 0) -> None:
        super().__init__(f"{code.value} (rule {rule}): {detail}" if rule else f"{code.value}: {detail}")
        self.code = code
        self.detail = detail
        self.rule = rule
