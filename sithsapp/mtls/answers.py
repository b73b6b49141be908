# SPDX-License-Identifier: EUPL-1.2
"""What the local proxy answers: the tunnel, the PAC file, a refusal in words, a failure as a page for people."""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.locale import language, tr
from sithsapp.mtls.pac import CONTENT_TYPE

ESTABLISHED: Final = b"HTTP/1.1 200 Connection established\r\n\r\n"
_PLAIN: Final = "text/plain; charset=utf-8"
_SLOW: Final = frozenset({Failure.TARGET_UNREACHABLE, Failure.CANCELLED_BY_USER})
_STYLE: Final = (
    ":root{color-scheme:light dark;font:1.125rem/1.5 system-ui,sans-serif}"
    "body{max-width:36rem;margin:12vh auto;padding:0 1.5rem}h1{font-size:1.5rem;line-height:1.25}small{opacity:.75}"
)
_PAGE: Final = """\
<!DOCTYPE html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title><link rel="icon" href="data:,"><style>{style}</style></head>
<body><main><h1>{title}</h1><p>{cause}</p><p>{remedy}</p><p><a href="">{again}</a></p>
<p><small>{number} · SITHS eID-app · {host}</small></p></main></body></html>
"""


def status_of(failure: Failure) -> str:
    """Return the HTTP status that fits: 403 for what is not allowed, 504 where time ran out, 502 else."""
    if failure is Failure.SERVER_NOT_LISTED:
        return "403 Forbidden"
    return "504 Gateway Timeout" if failure in _SLOW else "502 Bad Gateway"


def sentence_of(failure: Failure) -> str:
    """Return number, title and remedy in one line."""
    return f"{failure.number} {tr(failure.title)}. {tr(failure.remedy)}"


def plain(status: str, text: str) -> bytes:
    """Return an answer in plain text, after which the connection ends."""
    return _answer(status, _PLAIN, f"{text}\n".encode())


def pac(text: str) -> bytes:
    """Return the PAC file; no page may use it as a script or read it."""
    return _answer("200 OK", CONTENT_TYPE, text.encode())


def page(error: SithsError, host: str) -> bytes:
    """Return a failure as a page. It stands under the server's own name, so it holds nothing that could run."""
    failure = error.failure
    texts = {"title": tr(failure.title), "cause": tr(failure.cause), "remedy": tr(failure.remedy)}
    shown = {name: html.escape(text) for name, text in (texts | {"again": tr("Try again")}).items()}
    body = _PAGE.format(language=language(), style=_STYLE, number=failure.number, host=html.escape(host), **shown)
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    return _answer(
        status_of(failure), "text/html; charset=utf-8", body.encode(), f"Content-Security-Policy: {policy}\r\n"
    )


def _answer(status: str, content_type: str, body: bytes, more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nCross-Origin-Resource-Policy: same-origin\r\n"
        f"{more}Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
