# SPDX-License-Identifier: EUPL-1.2
"""Start an order, follow it, and finish it in the browser that started it (protocol section B13)."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Final

from authservice.rp.checking import Trust, verify_completion
from authservice.rp.errors import (
    NotFinishedError,
    NotVerifiedError,
    OrderFailedError,
    OtherBrowserError,
    ServiceProblemError,
    ServiceUnreachableError,
    WrongCodeError,
)
from authservice.rp.http import ServiceClient
from authservice.rp.principal import Principal
from authservice.rp.session import LoginSession, Pending, Progress
from sithsapp.oob.protocol.encoding import b64u, equal
from sithsapp.oob.protocol.order import Binding, Context, Document, Flow, OnBehalfOf, OrderType, Text
from sithsapp.oob.protocol.problems import Hint, ProblemCode
from sithsapp.oob.protocol.rp_messages import (
    Bindings,
    Completion,
    CreateOrder,
    OrderRequirements,
    OrderState,
    OrderStatus,
    Redeem,
)

RETURN_NONCE_PARAMETER: Final = "n"
"""Name of the query parameter that carries the session's return nonce."""

_NONCE_OCTETS: Final = 32


@dataclass(frozen=True, slots=True)
class Ask:
    """What to ask the user for. `return_url` is the handler's address without a query; `life` is in seconds."""

    typ: OrderType
    text: Text
    requirements: OrderRequirements
    return_url: str
    bindings: Bindings = field(default_factory=lambda: Bindings(same=Binding.RETURN))
    on_behalf_of: OnBehalfOf | None = None
    context: Context | None = None
    docs: list[Document] | None = None
    end_user_ip: str | None = None
    keep_evidence: bool = False
    life: int = 180


class RelyingParty:
    """The relying party's side of the protocol. Blocking; safe for many threads as long as each has its session."""

    def __init__(self, service: ServiceClient, trust: Trust) -> None:
        self._service = service
        self._trust = trust

    def start(self, session: LoginSession, ask: Ask) -> Pending:
        """Make an order and remember it in `session`. Raises `RelyingPartyError`."""
        nonce = b64u(secrets.token_bytes(_NONCE_OCTETS))
        request = _request(ask, f"{ask.return_url}?{RETURN_NONCE_PARAMETER}={nonce}")
        created = self._service.create(request)
        pending = Pending(request=request, created=created, return_nonce=nonce, started=time.monotonic())
        session.begin(pending)
        return pending

    def poll(self, session: LoginSession) -> Progress:
        """Tell how far the session's order is. Raises `OtherBrowserError` when it has none."""
        pending = _pending(session)
        try:
            status = self._service.status(pending.created.order_ref, polling=True)
        except ServiceProblemError as error:
            if error.code is not ProblemCode.SLOW_DOWN:
                raise
            return session.progress
        session.progress = Progress(status.status, status.hint or session.progress.hint)
        return session.progress

    def finish(self, session: LoginSession, *, return_nonce: str, verifier: str) -> Principal:
        """Finish a log-in whose browser came back by the return address.

        Both arguments are the return address's parameters. The order is the session's own, never one that the address
        names. Raises `OtherBrowserError`, `OrderFailedError`, `NotVerifiedError` or another `RelyingPartyError`.
        """
        pending = _pending(session)
        if not equal(pending.return_nonce, return_nonce):
            raise OtherBrowserError
        session.end()
        completion = self._redeem_surely(pending, _redemption(verifier))
        return self._verified(pending, completion, Binding.RETURN, verifier)

    def finish_with_code(self, session: LoginSession, code: str) -> Principal:
        """Finish with the six digits that the app showed. Raises `WrongCodeError` while there are tries left."""
        pending = _pending(session)
        try:
            completion = self._redeem(pending, Redeem(code=code))
        except ServiceProblemError as error:
            if error.code in (ProblemCode.NOT_ALLOWED, ProblemCode.INVALID_REQUEST):
                raise WrongCodeError from None
            raise
        session.end()
        return self._verified(pending, completion, Binding.CODE, None)

    def finish_without_return(self, session: LoginSession) -> Principal:
        """Finish an order with binding `qr`, once `poll` says that it is complete."""
        pending = _pending(session)
        status = self._service.status(pending.created.order_ref)
        if status.status in (OrderState.PENDING, OrderState.AWAITING_REDEEM):
            raise NotFinishedError
        session.end()
        return self._verified(pending, _completion(status), Binding.QR, None)

    def cancel(self, session: LoginSession) -> None:
        """Give the session's order up; what is over already stays as it is."""
        pending = session.pending
        session.end()
        if pending is None:
            return
        try:
            self._service.cancel(pending.created.order_ref)
        except ServiceProblemError as error:
            if error.code not in (ProblemCode.WRONG_STATE, ProblemCode.ORDER_GONE):
                raise

    def _redeem_surely(self, pending: Pending, redeem: Redeem) -> Completion:
        try:
            return self._redeem(pending, redeem)
        except ServiceUnreachableError:
            # The answer may have been lost on its way; the same verifier again gives the same answer.
            return self._redeem(pending, redeem)

    def _redeem(self, pending: Pending, redeem: Redeem) -> Completion:
        try:
            return _completion(self._service.redeem(pending.created.order_ref, redeem))
        except ServiceProblemError as error:
            if error.code is ProblemCode.WRONG_STATE:
                status = self._service.status(pending.created.order_ref)
                raise OrderFailedError(status.hint or Hint.BINDING_FAILED) from None
            raise

    def _verified(
        self, pending: Pending, completion: Completion, binding: Binding, verifier: str | None
    ) -> Principal:
        principal = verify_completion(
            self._trust,
            pending,
            completion,
            verifier=verifier,
            keep_evidence=pending.request.keep_evidence,
        )
        if principal.binding is not binding:
            raise NotVerifiedError(11, "order was finished in another way than it was bound")
        return principal


def _pending(session: LoginSession) -> Pending:
    if session.pending is None:
        raise OtherBrowserError
    return session.pending


def _redemption(verifier: str) -> Redeem:
    if len(verifier) != len(b64u(bytes(_NONCE_OCTETS))) or not verifier.isascii():
        raise NotVerifiedError(11, "verifier is malformed")
    return Redeem(verifier=verifier)


def _completion(status: OrderStatus) -> Completion:
    if status.status is OrderState.FAILED:
        raise OrderFailedError(status.hint or Hint.CANCELLED)
    if status.status is not OrderState.COMPLETE or status.completion is None:
        raise NotFinishedError
    return status.completion


def _request(ask: Ask, return_url: str) -> CreateOrder:
    bound_flows = ((Flow.SAME, ask.bindings.same), (Flow.OTHER, ask.bindings.other))
    flows = [flow for flow, binding in bound_flows if binding is not None]
    returns = Binding.RETURN in (ask.bindings.same, ask.bindings.other)
    return CreateOrder(
        typ=ask.typ,
        flows=flows,
        binding=ask.bindings,
        nonce=b64u(secrets.token_bytes(_NONCE_OCTETS)),
        text=ask.text,
        req=ask.requirements,
        return_url=return_url if returns else None,
        end_user_ip=ask.end_user_ip,
        on_behalf_of=ask.on_behalf_of,
        context=ask.context,
        docs=ask.docs,
        keep_evidence=ask.keep_evidence,
        life=ask.life,
    )
