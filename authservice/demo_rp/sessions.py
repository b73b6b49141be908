# SPDX-License-Identifier: EUPL-1.2
"""Browser sessions of the demonstration, kept on the server; the cookie holds a random id and nothing else."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from enum import Enum
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from authservice.rp.principal import Principal
from authservice.rp.session import LoginSession
from sithsapp.oob.protocol.order import Flow, OrderType
from sithsapp.oob.protocol.problems import Hint

IDLE_LIFE: Final = 30 * 60.0
"""Seconds after which an unused session is forgotten."""

_MAX_SESSIONS: Final = 10_000


class Session:
    """One browser. `ended` tells why its last order came to nothing; `signed` is its last signature."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.login = LoginSession()
        self.flow = Flow.SAME
        self.typ = OrderType.AUTH
        self.principal: Principal | None = None
        self.signed: Principal | None = None
        self.ended: Hint | Outcome | None = None
        self.used_at = time.monotonic()


class Outcome(Enum):
    """Ends that are not the protocol's: the service cannot be reached, its result or the text was refused."""

    UNREACHABLE = "unreachable"
    NOT_VERIFIED = "not verified"
    TEXT_REFUSED = "text refused"


class Sessions:
    """All sessions, found by cookie.

    `secure` tells whether the site is on https. Then the cookie has the `__Host-` prefix, which browsers accept only
    together with `Secure`; on http://localhost, in the demonstration, that is not to be had, so the name is plain.
    `SameSite=Lax`, as the way back from the app is a top-level navigation from outside (protocol section B13).
    """

    def __init__(self, *, secure: bool) -> None:
        self._secure = secure
        self._lock = threading.Lock()
        self._sessions: OrderedDict[str, Session] = OrderedDict()

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return "__Host-session" if self._secure else "session"

    def find(self, request: Request) -> Session | None:
        """Return the session of the browser that sent `request`, or None."""
        session_id = request.cookies.get(self.cookie, "")
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None or time.monotonic() - session.used_at > IDLE_LIFE:
                self._sessions.pop(session_id, None)
                return None
            session.used_at = time.monotonic()
            self._sessions.move_to_end(session_id)
            return session

    def begin(self, response: Response, session: Session, request: Request) -> None:
        """Give `session` a new id and `response` its cookie; the id that the browser had is worthless from now on."""
        session_id = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions.pop(request.cookies.get(self.cookie, ""), None)
            self._sessions[session_id] = session
            if len(self._sessions) > _MAX_SESSIONS:
                self._sessions.popitem(last=False)
        response.set_cookie(self.cookie, session_id, path="/", secure=self._secure, httponly=True, samesite="lax")

    def end(self, response: Response, request: Request) -> None:
        """Forget the browser's session."""
        with self._lock:
            self._sessions.pop(request.cookies.get(self.cookie, ""), None)
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="lax")
