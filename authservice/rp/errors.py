# SPDX-License-Identifier: EUPL-1.2
"""Why a relying party has no principal. None of these tells anything about the user."""

from __future__ import annotations

from sithsapp.oob.protocol.problems import Hint, ProblemCode


class RelyingPartyError(Exception):
    """Base of the library's exceptions."""


class OtherBrowserError(RelyingPartyError):
    """This browser session started nothing, or something else: the log-in was started in another browser."""


class OrderFailedError(RelyingPartyError):
    """The order ended without a result; `hint` says why (protocol section B12)."""

    def __init__(self, hint: Hint) -> None:
        super().__init__(hint.value)
        self.hint = hint


class NotFinishedError(RelyingPartyError):
    """The order has no result yet."""


class WrongCodeError(RelyingPartyError):
    """The typed code is not the one that the app showed; the user may try again."""


class NotVerifiedError(RelyingPartyError):
    """The service's result does not hold what it must; `rule` is the rule's number in protocol section B8."""

    def __init__(self, rule: int, detail: str) -> None:
        super().__init__(f"rule {rule}: {detail}")
        self.rule = rule


class ServiceProblemError(RelyingPartyError):
    """The service refused a call; `code` is its problem code, or None for an answer that is no problem document."""

    def __init__(self, code: ProblemCode | None, retry_after: int | None = None) -> None:
        super().__init__("no problem document" if code is None else code.value)
        self.code = code
        self.retry_after = retry_after


class ServiceUnreachableError(RelyingPartyError):
    """The service does not answer."""
