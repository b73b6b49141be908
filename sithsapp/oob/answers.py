# SPDX-License-Identifier: EUPL-1.2
"""What an answer of the service means: a result, a failure that a person meets, or a reason to try again."""

from __future__ import annotations

from typing import Final

import msgspec

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import Malformed, parse_json
from sithsapp.oob.protocol.problems import PROBLEM_MEDIA_TYPE, Problem, ProblemCode
from sithsapp.oob.transport import Response

PROBLEM_FAILURES: Final = {
    ProblemCode.INVALID_REQUEST: Failure.SERVICE_ERROR,
    ProblemCode.INVALID_SIGNATURE: Failure.SIGNATURE_REFUSED,
    ProblemCode.UNSUPPORTED_ALG: Failure.ALGORITHM_NOT_SUPPORTED,
    ProblemCode.BAD_TEXT: Failure.SERVICE_ERROR,
    ProblemCode.UNAUTHORIZED: Failure.SERVICE_ERROR,
    ProblemCode.INVALID_DPOP: Failure.SERVICE_ERROR,
    ProblemCode.NOT_ALLOWED: Failure.SERVICE_ERROR,
    ProblemCode.CLAIM_REFUSED: Failure.CLAIM_REFUSED,
    ProblemCode.NO_SUCH_ORDER: Failure.ORDER_EXPIRED,
    ProblemCode.WRONG_STATE: Failure.ORDER_CANCELLED,
    ProblemCode.ALREADY_SIGNED: Failure.ORDER_USED_TWICE,
    ProblemCode.ORDER_GONE: Failure.ORDER_EXPIRED,
    ProblemCode.WRONG_CERTIFICATE: Failure.CERTIFICATE_NOT_ACCEPTED,
    ProblemCode.IDEMPOTENCY_MISMATCH: Failure.SERVICE_ERROR,
    ProblemCode.CLIENT_TOO_OLD: Failure.CLIENT_TOO_OLD,
    ProblemCode.SLOW_DOWN: Failure.SERVICE_ERROR,
    ProblemCode.MAINTENANCE: Failure.SERVICE_ERROR,
    ProblemCode.STATUS_UNAVAILABLE: Failure.STATUS_UNAVAILABLE,
    ProblemCode.CERTIFICATE_ERR: Failure.CERTIFICATE_INVALID,
}
"""The failure for each problem code; a test keeps it total."""

_TRANSIENT_STATUS: Final = frozenset({429, 500, 502, 503, 504})
_MAX_RETRY_AFTER: Final = 3600


class ServiceProblem(SithsError):
    """The service answered with an error. `code` is None for an answer that names no known problem.

    `transient` tells that the same call may succeed later; `retry_after` is in seconds.
    """

    def __init__(self, response: Response) -> None:
        self.code = _problem_code(response)
        self.status = response.status
        failure = Failure.SERVICE_ERROR if self.code is None else PROBLEM_FAILURES[self.code]
        super().__init__(failure, f"{response.status} {self.code.value if self.code else 'without a known problem'}")
        self.transient = response.status in _TRANSIENT_STATUS and failure is Failure.SERVICE_ERROR
        self.retry_after = _retry_after(response)


def _problem_code(response: Response) -> ProblemCode | None:
    if response.headers.get("content-type", "").partition(";")[0].strip().lower() != PROBLEM_MEDIA_TYPE:
        return None
    try:
        return msgspec.convert(parse_json(response.body), Problem).code
    except (Malformed, msgspec.ValidationError):
        return None


def _retry_after(response: Response) -> float:
    value = response.headers.get("retry-after", "")
    if not (value.isascii() and value.isdigit() and len(value) <= 6):
        return 0.0
    return float(min(int(value), _MAX_RETRY_AFTER))
