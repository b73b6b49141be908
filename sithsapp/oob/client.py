# SPDX-License-Identifier: EUPL-1.2
"""The app's calls to an authentication service, for one order (protocol sections B6 and B15).

The key that binds the order to this app is made here, lives in memory, and dies with the object.
"""

from __future__ import annotations

import platform
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol, TypeVar

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.answers import ServiceProblem
from sithsapp.oob.protocol.dpop import DpopKey
from sithsapp.oob.protocol.launch import LaunchUrl
from sithsapp.oob.protocol.messages import (
    APP_API,
    APP_CLIENT_HEADER,
    CancelRequest,
    Capabilities,
    ClaimAnswer,
    ClaimByLaunch,
    ClaimByQr,
    ExtendAnswer,
    Message,
    ProgressRequest,
    SignatureAnswer,
    SignatureRequest,
    WatchAnswer,
    decode_answer,
    encode,
)
from sithsapp.oob.protocol.problems import CancelReason, ProgressHint
from sithsapp.oob.protocol.qr import QrFrame
from sithsapp.oob.protocol.returning import DEMO
from sithsapp.oob.protocol.signature import SignatureAlgorithm
from sithsapp.oob.transport import (
    WATCH_TIMEOUTS,
    HttpTransport,
    Request,
    RequestCancelled,
    Response,
    Timeouts,
    TransportFactory,
)
from sithsapp.settings.schema import TrustedService

OrderStart = LaunchUrl | QrFrame
"""How the app was started: both name the service and hold a one-time token."""

_WATCH_PATH: Final = "/watch?wait=25"
MAX_PROGRESS: Final = 5
MAX_NONCE: Final = 128
RETRY_BASE: Final = 0.5
RETRY_CAP: Final = 8.0
_LAST_WORD_TIMEOUTS: Final = Timeouts(connect=3.0, read=3.0)
_HINT_TIMEOUTS: Final = Timeouts(connect=2.0, read=2.0)
_SHORT_WATCH: Final = 1.0  # a service that does not hold the call is asked once in this time
_USUAL: Final = Timeouts()
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class AppIdentity:
    """What the service is told of the app: `name/version`, and the operating system and processor."""

    name_version: str
    system: str
    machine: str

    @property
    def header(self) -> str:
        """The value of `App-Client`."""
        return f"{self.name_version} ({self.system}; {self.machine})"


def this_app(version: str) -> AppIdentity:
    """Return the identity of this program at `version` on this computer."""
    systems = {"Windows": "windows", "Darwin": "macos", "Linux": "linux"}
    numbers = ".".join(part for part in version.split(".") if part.isdigit())
    machine = "".join(
        sign for sign in platform.machine().lower() if sign.isascii() and (sign.isalnum() or sign == "_")
    )
    return AppIdentity(
        f"sithsapp/{numbers or '0'}", systems.get(platform.system(), "other"), machine[:16] or "unknown"
    )


class OrderClient(Protocol):
    """What the life of an order needs of the service. All calls raise `SithsError` or `RequestCancelled`."""

    @property
    def jkt(self) -> str:
        """The thumbprint of the key that the order is bound to."""

    def claim(self, start: OrderStart, language: str, *, pinpad: bool = False) -> ClaimAnswer:
        """Fetch the order and bind it to this client. Never repeated by itself."""

    def watch(self) -> Literal["cancelled", "expired"]:
        """Wait until the order ends on the service's side. Called in a thread of its own."""

    def progress(self, hint: ProgressHint) -> None:
        """Tell what the person is at; best effort, never raises, at most five times."""

    def extend(self) -> int:
        """Ask for more time, once; return the seconds left."""

    def signature(self, request: SignatureRequest, deadline: float) -> SignatureAnswer:
        """Send the signature, again if need be, until `deadline` (monotonic seconds)."""

    def cancel(self, reason: CancelReason) -> None:
        """Tell that the order is given up; best effort, never raises. Works after `interrupt` too."""

    def interrupt(self) -> None:
        """End the calls under way, `cancel` excepted; any thread."""

    def close(self) -> None:
        """Drop the connections of the calling thread."""


class _Line:
    """A transport that is made by the thread that first uses it and can be cut from any other."""

    def __init__(self, make: Callable[[], HttpTransport]) -> None:
        self._make = make
        self._transport: HttpTransport | None = None
        self._cut = False
        self._lock = threading.Lock()

    def transport(self) -> HttpTransport:
        with self._lock:
            if self._cut:
                raise RequestCancelled
            if self._transport is None:
                self._transport = self._make()
            return self._transport

    def cut(self) -> None:
        with self._lock:
            self._cut = True
            if self._transport is not None:
                self._transport.cancel()

    def close(self) -> None:
        with self._lock:
            self._cut = True
            transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()


class HttpOrderClient:
    """Implements `OrderClient` over HTTP."""

    def __init__(
        self,
        origin: str,
        transports: TransportFactory,
        app: AppIdentity,
        *,
        local_http: bool = False,
        jitter: Callable[[], float] | None = None,
    ) -> None:
        """Talk to the service at `origin`. `jitter` gives numbers from 0 up to 1."""
        self._origin = origin
        self._app = app
        self._key = DpopKey()
        self._nonce: str | None = None
        self._jitter = jitter or (lambda: secrets.randbelow(1000) / 1000)
        self._make = lambda: transports(local_http=local_http)
        self._calls = _Line(self._make)
        self._watch = _Line(self._make)
        self._stopped = threading.Event()
        self._hints_left = MAX_PROGRESS

    @property
    def jkt(self) -> str:
        """See `OrderClient`."""
        return self._key.jkt

    def claim(self, start: OrderStart, language: str, *, pinpad: bool = False) -> ClaimAnswer:
        """See `OrderClient`."""
        caps = Capabilities(alg=[algorithm.value for algorithm in SignatureAlgorithm], text=["plain"], pinpad=pinpad)
        body: Message
        if isinstance(start, LaunchUrl):
            body = ClaimByLaunch(token=start.token.reveal(), caps=caps, lang=language)
        else:
            body = ClaimByQr(qt=start.token.reveal(), t=start.t, mac=start.mac.reveal(), caps=caps, lang=language)
        return _read(self._send(self._calls, "POST", "/claim", body), ClaimAnswer)

    def watch(self) -> Literal["cancelled", "expired"]:
        """See `OrderClient`."""
        try:
            while True:
                began = time.monotonic()
                response = self._persist(lambda: self._send(self._watch, "GET", _WATCH_PATH, None, WATCH_TIMEOUTS))
                if response.status != 304:
                    return _read(response, WatchAnswer).status
                if time.monotonic() - began < _SHORT_WATCH and self._stopped.wait(_SHORT_WATCH):
                    raise RequestCancelled
        finally:
            self._watch.close()

    def progress(self, hint: ProgressHint) -> None:
        """See `OrderClient`."""
        if self._hints_left <= 0:
            return
        self._hints_left -= 1
        try:
            self._send(self._calls, "POST", "/progress", ProgressRequest(hint=hint), _HINT_TIMEOUTS)
        except (SithsError, RequestCancelled):
            return

    def extend(self) -> int:
        """See `OrderClient`."""
        return _read(self._send(self._calls, "POST", "/extend", None), ExtendAnswer).expires_in

    def signature(self, request: SignatureRequest, deadline: float) -> SignatureAnswer:
        """See `OrderClient`."""
        response = self._persist(lambda: self._send(self._calls, "POST", "/signature", request), deadline)
        return _read(response, SignatureAnswer)

    def cancel(self, reason: CancelReason) -> None:
        """See `OrderClient`."""
        self._calls.close()
        line = _Line(self._make)
        try:
            self._send(line, "POST", "/cancel", CancelRequest(reason=reason), _LAST_WORD_TIMEOUTS)
        except (SithsError, RequestCancelled):
            return
        finally:
            line.close()

    def interrupt(self) -> None:
        """See `OrderClient`."""
        self._stopped.set()
        self._calls.cut()
        self._watch.cut()

    def close(self) -> None:
        """See `OrderClient`."""
        self.interrupt()
        self._calls.close()

    def _persist(self, call: Callable[[], Response], deadline: float | None = None) -> Response:
        """Repeat an idempotent call with full jitter while trying again can help and time is left."""
        attempt = 0
        while True:
            try:
                return call()
            except SithsError as error:
                ceiling = min(RETRY_CAP, RETRY_BASE * 2**attempt)
                delay = max(self._jitter() * ceiling, getattr(error, "retry_after", 0.0))
                too_late = deadline is not None and time.monotonic() + delay >= deadline
                if not _may_pass(error) or too_late:
                    raise
            attempt = min(attempt + 1, 10)
            if self._stopped.wait(delay):
                raise RequestCancelled

    def _send(
        self, line: _Line, method: str, path: str, body: Message | None, timeouts: Timeouts = _USUAL
    ) -> Response:
        """Make one call, once more if the service wants its nonce in the proof."""
        response = self._send_once(line, method, path, body, timeouts)
        if response.status == 401 and self._learn_nonce(response):
            response = self._send_once(line, method, path, body, timeouts)
        self._learn_nonce(response)
        if response.status >= 400:
            raise ServiceProblem(response)
        return response

    def _send_once(self, line: _Line, method: str, path: str, body: Message | None, timeouts: Timeouts) -> Response:
        url = f"{self._origin}{APP_API}{path}"
        headers = {
            "DPoP": self._key.proof(method, url, nonce=self._nonce),
            APP_CLIENT_HEADER: self._app.header,
            "Accept": "application/json",
        }
        if body is not None:
            headers["Content-Type"] = "application/json"
        data = b"" if body is None else encode(body)
        return line.transport().request(Request(method, url, headers, data), timeouts)

    def _learn_nonce(self, response: Response) -> bool:
        nonce = response.headers.get("dpop-nonce", "")
        if not 0 < len(nonce) <= MAX_NONCE or nonce == self._nonce:
            return False
        self._nonce = nonce
        return True


def http_clients(transports: TransportFactory, app: AppIdentity) -> Callable[[TrustedService], OrderClient]:
    """Return what makes the client of each order; only demo services may be plain http on this computer."""

    def make(service: TrustedService) -> OrderClient:
        return HttpOrderClient(service.origin, transports, app, local_http=service.environment == DEMO)

    return make


def _read(response: Response, kind: type[_Answer]) -> _Answer:
    if response.status != 200:
        raise SithsError(Failure.SERVICE_ERROR, f"unexpected status {response.status}")
    return decode_answer(response.body, kind)


def _may_pass(error: SithsError) -> bool:
    """Tell whether the same call may succeed later."""
    if isinstance(error, ServiceProblem):
        return error.transient
    return error.failure in (Failure.SERVICE_UNREACHABLE, Failure.PROXY_FAILED)
