# SPDX-License-Identifier: EUPL-1.2
"""What the demonstration does for each address. Handlers are blocking and run in Starlette's threads."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from authservice.demo_rp import pages, waiting
from authservice.demo_rp.events import Event, EventLog
from authservice.demo_rp.following import Asking, SessionOrders, Site
from authservice.demo_rp.frames import frame_svg
from authservice.demo_rp.markup import NOTHING, Markup
from authservice.demo_rp.pages import PageFrame
from authservice.demo_rp.sessions import Outcome, Session, Sessions
from authservice.demo_rp.texts import DEFAULT_LANGUAGE, LANGUAGES, Texts
from authservice.rp.relying_party import RETURN_NONCE_PARAMETER, RelyingParty
from authservice.web import client_address, read_raw_body
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.problems import Hint
from sithsapp.oob.protocol.returning import VERIFIER_PARAMETER
from sithsapp.oob.protocol.rp_messages import OrderState
from sithsapp.oob.protocol.text import body_fault

logger = logging.getLogger(__name__)

LANGUAGE_COOKIE: Final = "language"
_LONGEST_TEXT: Final = 1000
_SEE_OTHER: Final = 303

Form = dict[str, str]


class Handlers:
    """One method per address."""

    def __init__(self, site: Site, relying_party: RelyingParty, sessions: Sessions, events: EventLog) -> None:
        self._site = site
        self._orders = SessionOrders(site, relying_party, events)
        self._sessions = sessions
        self._events = events

    @property
    def routes(self) -> list[Route]:
        """All addresses."""
        return [
            Route("/", self.start, methods=["GET"]),
            Route("/login", _form(self.log_in), methods=["POST"]),
            Route("/login", self.waiting, methods=["GET"]),
            Route("/login/state", self.state, methods=["GET"]),
            Route("/login/qr.svg", self.frame, methods=["GET"]),
            Route("/oob/return", self.returned, methods=["GET"]),
            Route("/me", self.me, methods=["GET"]),
            Route("/sign", _form(self.sign), methods=["POST"]),
            Route("/signed", self.signed, methods=["GET"]),
            Route("/cancel", _form(self.cancel), methods=["POST"]),
            Route("/report", _form(self.report), methods=["POST"]),
            Route("/logout", _form(self.log_out), methods=["POST"]),
            Route("/language", _form(self.language), methods=["POST"]),
        ]

    def start(self, request: Request) -> Response:
        """Offer the ways to log in."""
        session = self._sessions.find(request)
        if session is not None and session.principal is not None:
            return _see("/me")
        t = _texts(request)
        content = pages.start_page(t, self._site.name, offers_other=self._site.offers_other_device)
        return self._page(request, t("Log in"), content)

    def log_in(self, request: Request, form: Form) -> Response:
        """Start a log-in in a session of its own."""
        flow = Flow.OTHER if form.get("how") == "other" and self._site.offers_other_device else Flow.SAME
        t = _texts(request)
        body = t("Log in to {name}", name=self._site.name)
        self._orders.drop(self._sessions.find(request))
        session = Session()
        self._orders.begin(session, self._asking(request, OrderType.AUTH, flow, body))
        response = _see("/login")
        self._sessions.begin(response, session, request)
        return response

    def sign(self, request: Request, form: Form) -> Response:
        """Start a signature by the person who is logged in."""
        session = self._sessions.find(request)
        if session is None or session.principal is None:
            return _see("/")
        body = form.get("text", "").replace("\r\n", "\n").strip()[:_LONGEST_TEXT]
        self._orders.drop(session)
        if body_fault(body) is None:
            self._orders.begin(session, self._asking(request, OrderType.SIGN, Flow.SAME, body))
        else:
            session.typ, session.ended = OrderType.SIGN, Outcome.TEXT_REFUSED
        return _see("/login")

    def waiting(self, request: Request) -> Response:
        """Show how far the session's order is, or where it led."""
        session = self._sessions.find(request)
        if session is None:
            return _see("/")
        with session.lock:
            self._orders.follow(session)
            return self._waiting_answer(request, session)

    def state(self, request: Request) -> Response:
        """Tell the waiting page's script how far the order is."""
        session = self._sessions.find(request)
        if session is None:
            return JSONResponse({"reload": True})
        with session.lock:
            self._orders.follow(session)
            pending = session.login.pending
            hint = session.login.progress.hint
            if pending is None or session.login.progress.state is OrderState.COMPLETE:
                return JSONResponse({"reload": True})
            message = waiting.hint_text(_texts(request), hint, session.typ, session.flow)
            return JSONResponse({"reload": False, "message": message, "step": waiting.step_of(hint)})

    def frame(self, request: Request) -> Response:
        """Draw the QR frame of this second."""
        session = self._sessions.find(request)
        pending = None if session is None else session.login.pending
        if pending is None or pending.created.qr is None:
            return Response(status_code=404)
        elapsed = time.monotonic() - pending.started
        svg = frame_svg(pending.created.qr, self._site.scheme, self._site.service_id, elapsed)
        return Response(svg, media_type="image/svg+xml") if svg else Response(status_code=404)

    def returned(self, request: Request) -> Response:
        """Finish the order of this browser's own session, and drop the query from the address."""
        session = self._sessions.find(request)
        nonce = request.query_params.get(RETURN_NONCE_PARAMETER, "")
        verifier = request.query_params.get(VERIFIER_PARAMETER, "")
        if session is None or not self._orders.finish(session, return_nonce=nonce, verifier=verifier):
            self._events.write(Event(event="other_browser"))
            t = _texts(request)
            return self._page(request, t("Another browser"), waiting.other_browser_page(t), 403)
        response = _see("/login" if session.ended else _target(session))
        self._sessions.begin(response, session, request)
        return response

    def me(self, request: Request) -> Response:
        """Say who is logged in."""
        session = self._sessions.find(request)
        if session is None or session.principal is None:
            return _see("/")
        t = _texts(request)
        return self._page(request, t("My page"), pages.me_page(t, session.principal))

    def signed(self, request: Request) -> Response:
        """Show the last signature."""
        session = self._sessions.find(request)
        if session is None or session.signed is None:
            return _see("/")
        t = _texts(request)
        return self._page(request, t("You have signed"), pages.signed_page(t, session.signed))

    def cancel(self, request: Request, _form_fields: Form) -> Response:
        """Give the order up."""
        session = self._sessions.find(request)
        if session is None:
            return _see("/")
        self._orders.drop(session)
        session.ended = Hint.CANCELLED
        return _see("/login")

    def report(self, request: Request, _form_fields: Form) -> Response:
        """Take a report of a log-in that the user did not start."""
        logger.warning("a user reports a log-in that was started in another browser")
        t = _texts(request)
        home = pages.link_button("/", t("To the start page"))
        text = t("Nobody was logged in. If it happens again, contact your IT support.")
        return self._page(request, t("Thank you"), pages.message_page("ok", t("Thank you"), text, home))

    def log_out(self, request: Request, _form_fields: Form) -> Response:
        """Forget the session."""
        self._orders.drop(self._sessions.find(request))
        response = _see("/")
        self._sessions.end(response, request)
        return response

    def language(self, request: Request, form: Form) -> Response:
        """Remember the language. The cookie says nothing about the person."""
        response = _see("/")
        language = form.get("to", "")
        if language in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, language, httponly=True, samesite="lax", secure=self._site.origin.startswith("https")
            )
        return response

    def _asking(self, request: Request, typ: OrderType, flow: Flow, body: str) -> Asking:
        return Asking(
            typ=typ,
            flow=flow,
            body=body,
            language=_texts(request).language,
            user_agent=request.headers.get("user-agent", ""),
            address=client_address(request),
        )

    def _waiting_answer(self, request: Request, session: Session) -> Response:
        t = _texts(request)
        pending, hint = session.login.pending, session.login.progress.hint
        if pending is not None:
            content = waiting.waiting_page(t, pending, session.flow, hint)
            return self._page(request, t("Log in"), content, head=waiting.refresh_head(session.flow, hint))
        if session.ended is not None:
            content = waiting.ended_page(t, session.ended, session.typ)
            return self._page(request, t("Not done"), content)
        target = _target(session)
        if session.flow is Flow.OTHER or target == "/":
            response = _see(target)
            self._sessions.begin(response, session, request)
            return response
        return self._page(request, t("Done"), waiting.elsewhere_page(t, target))

    def _page(
        self,
        request: Request,
        title: str,
        content: Markup,
        status: int = 200,
        head: Markup = NOTHING,
    ) -> Response:
        session = self._sessions.find(request)
        frame = PageFrame(
            _texts(request), self._site.name, logged_in=session is not None and session.principal is not None
        )
        return HTMLResponse(frame.render(title, content, head), status)


def _texts(request: Request) -> Texts:
    return Texts(request.cookies.get(LANGUAGE_COOKIE, DEFAULT_LANGUAGE))


def _see(path: str) -> Response:
    return RedirectResponse(path, _SEE_OTHER)


def _target(session: Session) -> str:
    if session.typ is OrderType.SIGN and session.signed is not None:
        return "/signed"
    return "/me" if session.principal is not None else "/"


def _form(handler: Callable[[Request, Form], Response]) -> Callable[[Request], object]:
    async def endpoint(request: Request) -> Response:
        body = (await read_raw_body(request)).decode("utf-8", "replace")
        fields = {name: values[0] for name, values in parse_qs(body, max_num_fields=16).items()}
        return await run_in_threadpool(handler, request, fields)

    return endpoint
