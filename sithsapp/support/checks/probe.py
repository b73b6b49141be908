# SPDX-License-Identifier: EUPL-1.2
"""Ask each service once, by the transport that orders use, and share the answer among the network's self-tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from urllib.parse import urlsplit

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.transport import HttpTransport, Request, RequestCancelled, Timeouts
from sithsapp.settings.schema import TrustedService
from sithsapp.support.checks.check import Context
from sithsapp.support.checks.running import side_by_side

MAX_SERVICES = 8
"""How many services are asked; a self-test is no flood."""

_PATH = "/"
_TIMEOUTS = Timeouts(connect=8.0, read=8.0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of asking one service.

    `failure` is None when the service answered, whatever its status. `ahead` is how far this computer's clock is
    ahead of the service's, None where the service did not tell.
    """

    service: TrustedService
    failure: Failure | None = None
    detail: str = ""
    status: int = 0
    ahead: timedelta | None = None
    milliseconds: int = 0

    @property
    def host(self) -> str:
        """The service's host name."""
        return urlsplit(self.service.origin).hostname or ""


class Probes:
    """The services' answers, asked for at the first call and shared by all later ones. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._answers: tuple[Answer, ...] | None = None

    def all(self, context: Context) -> tuple[Answer, ...]:
        """Return an answer for each service of the chosen environment, eight at most."""
        with self._lock:
            if self._answers is None:
                settings = context.settings.settings
                services = [each for each in settings.services if each.environment == settings.environment]
                work = [partial(ask, service, context) for service in services[:MAX_SERVICES]]
                self._answers = tuple(side_by_side(work))
            return self._answers


def ask(service: TrustedService, context: Context) -> Answer:
    """Ask one service for its front page. Never raises."""
    if context.cancelled.is_set():
        return Answer(service, Failure.SERVICE_UNREACHABLE, "cancelled")
    try:
        transport = context.transports(local_http=service.environment == "demo")
    except (SithsError, RuntimeError) as error:
        return _failed(service, error)
    ended = threading.Event()
    watcher = threading.Thread(target=_cancel_when_told, args=(context, transport, ended), daemon=True)
    watcher.start()
    try:
        return _exchange(service, transport, context)
    except (SithsError, RequestCancelled, ValueError) as error:
        return _failed(service, error)
    finally:
        ended.set()
        watcher.join()
        transport.close()


def _cancel_when_told(context: Context, transport: HttpTransport, ended: threading.Event) -> None:
    while not ended.wait(0.1):
        if context.cancelled.is_set():
            transport.cancel()
            return


def _exchange(service: TrustedService, transport: HttpTransport, context: Context) -> Answer:
    before = context.clock()
    response = transport.request(Request("GET", service.origin + _PATH), _TIMEOUTS)
    after = context.clock()
    told = _date(response.headers.get("date", ""))
    # Half of the way there and back; the header has whole seconds, so half of one is the best guess.
    ahead = before + (after - before) / 2 - told - timedelta(seconds=0.5) if told is not None else None
    return Answer(service, status=response.status, ahead=ahead, milliseconds=_milliseconds(after - before))


def _failed(service: TrustedService, error: Exception) -> Answer:
    if not isinstance(error, SithsError):
        return Answer(service, Failure.SERVICE_UNREACHABLE, type(error).__name__)
    if error.failure is Failure.SERVICE_ERROR:  # it answered, though not as the app's own interface would
        return Answer(service, detail=error.detail)
    return Answer(service, error.failure, error.detail)


def _date(header: str) -> datetime | None:
    try:
        told = parsedate_to_datetime(header[:64])
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
    return told.replace(tzinfo=UTC) if told.tzinfo is None else told


def _milliseconds(taken: timedelta) -> int:
    return max(0, int(taken.total_seconds() * 1000))
