# SPDX-License-Identifier: EUPL-1.2
"""The orders of browser sessions: begin one, follow it, and note how it ended."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from authservice.demo_rp.browser import context_of
from authservice.demo_rp.events import Event, EventLog, event_of
from authservice.demo_rp.sessions import Outcome, Session
from authservice.rp.errors import (
    NotVerifiedError,
    OrderFailedError,
    OtherBrowserError,
    RelyingPartyError,
    ServiceProblemError,
    ServiceUnreachableError,
)
from authservice.rp.principal import Principal
from authservice.rp.relying_party import Ask, RelyingParty
from sithsapp.oob.protocol.order import Binding, CertIdentity, Flow, KeyUse, OrderType, Text
from sithsapp.oob.protocol.problems import Hint, ProblemCode
from sithsapp.oob.protocol.rp_messages import Bindings, OrderRequirements, OrderState
from sithsapp.pki.rules import subject_hash

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Site:
    """The site's own facts."""

    name: str
    origin: str
    service_id: str
    scheme: str
    policies: tuple[str, ...]
    offers_other_device: bool


@dataclass(frozen=True, slots=True, repr=False)
class Asking:
    """What a page asks for: the text to show, and what the request tells of the browser."""

    typ: OrderType
    flow: Flow
    body: str
    language: str
    user_agent: str
    address: str


class SessionOrders:
    """Keeps sessions and their orders in step. Blocking."""

    def __init__(self, site: Site, relying_party: RelyingParty, events: EventLog) -> None:
        self._site = site
        self._rp = relying_party
        self._events = events

    def begin(self, session: Session, asking: Asking) -> None:
        """Start an order; a failure is noted in the session."""
        session.flow, session.typ, session.ended = asking.flow, asking.typ, None
        try:
            pending = self._rp.start(session.login, self._ask(session, asking))
        except RelyingPartyError as error:
            self._note_end(session, error)
            return
        self._events.write(Event(event="started", order=pending.created.order))

    def drop(self, session: Session | None) -> None:
        """Cancel the session's order, if it has one."""
        if session is None:
            return
        with session.lock:
            try:
                self._rp.cancel(session.login)
            except RelyingPartyError as error:
                logger.info("an order could not be cancelled: %s", type(error).__name__)

    def follow(self, session: Session) -> None:
        """Ask the service how far the order is; a log-in by QR code that is complete is finished here."""
        if session.login.pending is None:
            return
        try:
            progress = self._rp.poll(session.login)
            if progress.state is OrderState.FAILED:
                session.login.end()
                raise OrderFailedError(progress.hint)
            if progress.state is OrderState.COMPLETE and session.flow is Flow.OTHER:
                self._accept(session, self._rp.finish_without_return(session.login))
        except RelyingPartyError as error:
            self._note_end(session, error)

    def finish(self, session: Session, *, return_nonce: str, verifier: str) -> bool:
        """Finish the session's own order; False means that the return address belongs to another browser."""
        with session.lock:
            try:
                principal = self._rp.finish(session.login, return_nonce=return_nonce, verifier=verifier)
            except OtherBrowserError:
                return False
            except RelyingPartyError as error:
                self._note_end(session, error)
                return True
            self._accept(session, principal)
            return True

    def _ask(self, session: Session, asking: Asking) -> Ask:
        same = asking.flow is Flow.SAME
        return Ask(
            typ=asking.typ,
            text=Text(fmt="plain", body=asking.body, lang=asking.language),
            requirements=OrderRequirements(
                key=KeyUse.SIGN if asking.typ is OrderType.SIGN else KeyUse.AUTH,
                policies=list(self._site.policies),
                cert_id=CertIdentity.ANY,
                subject_hash=_who_must_sign(session, asking.typ),
            ),
            return_url=f"{self._site.origin}/oob/return",
            bindings=Bindings(same=Binding.RETURN) if same else Bindings(other=Binding.QR),
            context=None if same else context_of(asking.user_agent),
            end_user_ip=asking.address,
        )

    def _accept(self, session: Session, principal: Principal) -> None:
        session.ended = None
        if principal.typ is OrderType.SIGN:
            session.signed = principal
            self._events.write(event_of("signature", principal))
        else:
            session.principal = principal
            self._events.write(event_of("principal", principal))

    def _note_end(self, session: Session, error: RelyingPartyError) -> None:
        if isinstance(error, ServiceProblemError) and error.code in (
            ProblemCode.ORDER_GONE,
            ProblemCode.NO_SUCH_ORDER,
        ):
            session.login.end()
        if session.login.pending is not None:
            # The network may be away for a moment; the next poll tells.
            return
        session.ended = _end_of(error)
        self._events.write(Event(event="failed", hint=session.ended.value))


def _who_must_sign(session: Session, typ: OrderType) -> str | None:
    if typ is not OrderType.SIGN or session.principal is None:
        return None
    identity = session.principal.hsaid or session.principal.personal_number
    return None if identity is None else subject_hash(identity)


def _end_of(error: RelyingPartyError) -> Hint | Outcome:
    if isinstance(error, OrderFailedError):
        return error.hint
    if isinstance(error, NotVerifiedError):
        logger.error("a completed order was refused by rule %d", error.rule)
        return Outcome.NOT_VERIFIED
    if isinstance(error, ServiceProblemError) and error.code is ProblemCode.ORDER_GONE:
        return Hint.EXPIRED_TRANSACTION
    if isinstance(error, (ServiceUnreachableError, ServiceProblemError)):
        return Outcome.UNREACHABLE
    return Outcome.NOT_VERIFIED
