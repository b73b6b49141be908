# SPDX-License-Identifier: EUPL-1.2
"""The demonstration relying party as an ASGI application."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware, RequestResponseEndpoint
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from authservice.demo_rp.events import EventLog
from authservice.demo_rp.following import Site
from authservice.demo_rp.handlers import Handlers
from authservice.demo_rp.sessions import Sessions
from authservice.rp.relying_party import RelyingParty

_STATIC: Final = Path(__file__).parent / "static"

SECURITY_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """What the demonstration needs to know. `policies` are the certificate policies that it accepts."""

    name: str
    origin: str
    service_id: str
    policies: Sequence[str]
    scheme: str = "siths"
    offers_other_device: bool = True
    events: Path | None = None


def create_demo_rp(settings: DemoSettings, relying_party: RelyingParty) -> Starlette:
    """Return the ASGI application."""
    site = Site(
        name=settings.name,
        origin=settings.origin,
        service_id=settings.service_id,
        scheme=settings.scheme,
        policies=tuple(settings.policies),
        offers_other_device=settings.offers_other_device,
    )
    sessions = Sessions(secure=settings.origin.startswith("https://"))
    handlers = Handlers(site, relying_party, sessions, EventLog(settings.events))
    app = Starlette(
        routes=[*handlers.routes, Mount("/static", StaticFiles(directory=_STATIC))],
        middleware=[
            Middleware(BaseHTTPMiddleware, dispatch=_security_headers),
            Middleware(BaseHTTPMiddleware, dispatch=_same_site_posts_only),
        ],
    )
    app.router.redirect_slashes = False
    return app


async def _security_headers(request: Request, call_next: RequestResponseEndpoint) -> Response:
    response = await call_next(request)
    for name, value in SECURITY_HEADERS.items():
        response.headers[name] = value
    if not request.url.path.startswith("/static/"):
        response.headers["Cache-Control"] = "no-store"
    return response


async def _same_site_posts_only(request: Request, call_next: RequestResponseEndpoint) -> Response:
    """Refuse forms that another site posts: SameSite=Lax keeps the cookie away, this keeps the request away."""
    if request.method == "POST" and request.headers.get("sec-fetch-site", "same-origin") not in (
        "same-origin",
        "none",
    ):
        return PlainTextResponse("cross-site", 403)
    return await call_next(request)
