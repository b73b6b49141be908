# SPDX-License-Identifier: EUPL-1.2
"""HTTP over Qt's TLS socket: system proxy, PAC, Negotiate to the proxy, and the operating system's trust.

The socket is used below `QNetworkAccessManager`, because that one answers a 401 or 407 from the *server* with
the user's NTLM or Kerberos credentials, and a service must never get those (docs/developer/http-transport.md).

Each transport lives in the thread that made it and runs a small event loop while a request is under way. The
caller's process must have a `QCoreApplication`; no display is needed.
"""

from __future__ import annotations

import logging
import math
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult

from PySide6.QtCore import SIGNAL, SLOT, QCoreApplication, QEventLoop, QMetaObject, QObject, Qt, QTimer
from PySide6.QtNetwork import (
    QAbstractSocket,
    QNetworkProxy,
    QSsl,
    QSslCertificate,
    QSslConfiguration,
    QSslError,
    QSslSocket,
    QTcpSocket,
)

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.http1 import HttpSyntaxError, ResponseReader, write_request
from sithsapp.oob.proxy import proxies_for
from sithsapp.oob.transport import MAX_BODY, Request, RequestCancelled, Response, Timeouts, check_url

_log = logging.getLogger(__name__)

_MAX_IDLE = 4.0  # seconds; servers commonly close an idle connection after five
_READ_BUFFER = 64 * 1024
_SIGNALS = (
    "connected()",
    "encrypted()",
    "disconnected()",
    "readyRead()",
    "errorOccurred(QAbstractSocket::SocketError)",
)
_SocketError = QAbstractSocket.SocketError
_PROXY_ERRORS = {
    _SocketError.ProxyAuthenticationRequiredError,
    _SocketError.ProxyConnectionClosedError,
    _SocketError.ProxyConnectionRefusedError,
    _SocketError.ProxyConnectionTimeoutError,
    _SocketError.ProxyNotFoundError,
    _SocketError.ProxyProtocolError,
    _SocketError.SocketAccessError,  # the proxy answered 403 or 405 to CONNECT
}
_DATE_ERRORS = {QSslError.SslError.CertificateExpired, QSslError.SslError.CertificateNotYetValid}


class _TimedOut(Exception):
    """The time for this step is over."""


@dataclass(frozen=True, slots=True)
class _Server:
    tls: bool
    host: str
    port: int


class QtTransports:
    """Makes transports that share one TLS configuration. Implements `TransportFactory`.

    Making the first one loads the TLS library and, with `extra_ca`, the system's list of CAs: some 100 to 300 ms, to
    be spent in a worker thread.
    """

    def __init__(self, extra_ca: Sequence[Path] = (), proxy: str = "system") -> None:
        """Trust `extra_ca`, PEM files given by policy, beside the system's CAs; go by the setting `proxy`."""
        self._extra_ca = tuple(extra_ca)
        self._proxy = proxy
        self._lock = threading.Lock()
        self._tls: QSslConfiguration | None = None

    def __call__(self, *, local_http: bool = False) -> QtTransport:
        """Return a transport for the calling thread.

        Raises `SithsError(SETTINGS_INVALID)` if a file of `extra_ca` holds no certificate.
        """
        with self._lock:
            if self._tls is None:
                self._tls = _tls_configuration(self._extra_ca)
            return QtTransport(self._tls, local_http=local_http, proxy=self._proxy)


class QtTransport:
    """One connection at most, for one thread. Implements `HttpTransport`."""

    def __init__(self, tls: QSslConfiguration, *, local_http: bool, proxy: str = "system") -> None:
        """Belong to the calling thread. Raises `RuntimeError` without a `QCoreApplication`."""
        if QCoreApplication.instance() is None:
            raise RuntimeError("the HTTP transport needs a QCoreApplication")
        self._tls = tls
        self._local_http = local_http
        self._proxy = proxy
        self._cancelled = threading.Event()
        self._guard = threading.Lock()
        self._loop: QEventLoop | None = QEventLoop()
        self._timer: QTimer | None = QTimer()
        self._timer.setSingleShot(True)
        QObject.connect(self._timer, SIGNAL("timeout()"), self._loop, SLOT("quit()"))
        self._socket: QTcpSocket | None = None
        self._server: _Server | None = None
        self._idle_since = 0.0

    def request(self, request: Request, timeouts: Timeouts = Timeouts()) -> Response:  # noqa: B008  (frozen)
        """Send `request` and return the answer; see `HttpTransport.request`."""
        parts = check_url(request.url, local_http=self._local_http)
        message = _message(request, parts)
        if self._cancelled.is_set():
            raise RequestCancelled
        tls = parts.scheme == "https"
        server = _Server(tls, parts.hostname or "", parts.port or (443 if tls else 80))
        socket = self._connection(server, timeouts.connect)
        try:
            response = self._exchange(socket, message, timeouts.read)
        except BaseException:
            self._drop()
            raise
        if 300 <= response.status < 400 and response.status != 304:
            raise SithsError(Failure.SERVICE_ERROR, f"redirect {response.status} refused")
        return response

    def cancel(self) -> None:
        """End the request under way, and refuse later ones; any thread."""
        self._cancelled.set()
        with self._guard:
            if self._loop is not None:
                QMetaObject.invokeMethod(self._loop, "quit", Qt.ConnectionType.QueuedConnection)

    def close(self) -> None:
        """Drop the connection and what belongs to this thread."""
        self._cancelled.set()
        self._drop()
        with self._guard:
            self._timer = None
            self._loop = None

    def _connection(self, server: _Server, timeout: float) -> QTcpSocket:
        if self._socket is not None and self._server == server and self._still_open(self._socket):
            return self._socket
        self._drop()
        deadline = time.monotonic() + timeout
        if not server.tls:
            return self._connect(server, QNetworkProxy(QNetworkProxy.ProxyType.NoProxy), deadline)
        *others, last = proxies_for(server.host, server.port, os.environ, self._proxy)
        for proxy in others:
            try:
                return self._connect(server, proxy, deadline)
            except SithsError as error:
                if error.failure is not Failure.PROXY_FAILED:
                    raise
                _log.info("a proxy failed, trying the next one")
        return self._connect(server, last, deadline)

    def _still_open(self, socket: QTcpSocket) -> bool:
        if time.monotonic() - self._idle_since > _MAX_IDLE or self._loop is None:
            return False
        self._loop.processEvents()
        return socket.state() is QAbstractSocket.SocketState.ConnectedState and socket.bytesAvailable() == 0

    def _connect(self, server: _Server, proxy: QNetworkProxy, deadline: float) -> QTcpSocket:
        socket = self._new_socket(server, proxy)
        proxied = proxy.type() is not QNetworkProxy.ProxyType.NoProxy
        try:
            self._wait(lambda: _is_ready(socket) or _is_closed(socket), deadline)
        except _TimedOut:
            self._drop()
            raise SithsError(Failure.SERVICE_UNREACHABLE, "no connection in time") from None
        except RequestCancelled:
            self._drop()
            raise
        if _is_closed(socket):
            failure = _connect_failure(socket, proxied=proxied)
            self._drop()
            raise failure
        self._server = server
        return socket

    def _new_socket(self, server: _Server, proxy: QNetworkProxy) -> QTcpSocket:
        """Begin to connect; the socket is kept from the start, so that `_drop` always finds it."""
        loop = self._loop
        if loop is None:
            raise RequestCancelled
        socket = QSslSocket() if server.tls else QTcpSocket()
        socket.setProxy(proxy)
        socket.setReadBufferSize(_READ_BUFFER)
        for signal in (*_SIGNALS, "encrypted()") if server.tls else _SIGNALS:
            QObject.connect(socket, SIGNAL(signal), loop, SLOT("quit()"))
        self._socket = socket
        if isinstance(socket, QSslSocket):
            socket.setSslConfiguration(self._tls)
            socket.connectToHostEncrypted(server.host, server.port)
        else:
            socket.connectToHost(server.host, server.port)
        return socket

    def _exchange(self, socket: QTcpSocket, message: bytes, timeout: float) -> Response:
        reader = ResponseReader()
        deadline = time.monotonic() + timeout
        try:
            socket.write(message)
            while reader.response is None:
                self._wait(lambda: socket.bytesAvailable() > 0 or _is_closed(socket), deadline)
                if socket.bytesAvailable():
                    reader.feed(bytes(socket.readAll().data()))
                else:
                    reader.end()
        except _TimedOut:
            raise SithsError(Failure.SERVICE_UNREACHABLE, "no answer in time") from None
        except HttpSyntaxError as error:
            broken = Failure.SERVICE_UNREACHABLE if _is_closed(socket) else Failure.SERVICE_ERROR
            raise SithsError(broken, str(error)) from None
        self._idle_since = time.monotonic()
        if not reader.keep_alive:
            self._drop()
        return reader.response

    def _wait(self, ready: Callable[[], bool], deadline: float) -> None:
        """Run the event loop until `ready`. Raises `_TimedOut` or `RequestCancelled`."""
        while not ready():
            remaining = deadline - time.monotonic()
            if self._cancelled.is_set() or self._loop is None or self._timer is None:
                raise RequestCancelled
            if remaining <= 0:
                raise _TimedOut
            self._timer.start(math.ceil(remaining * 1000))
            self._loop.exec()

    def _drop(self) -> None:
        if self._socket is not None:
            self._socket.abort()
        self._socket = None
        self._server = None


def _message(request: Request, parts: SplitResult) -> bytes:
    if len(request.body) > MAX_BODY:
        raise ValueError("the body is too long")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return write_request(request.method, target, parts.netloc, request.headers, request.body)


def _is_ready(socket: QTcpSocket) -> bool:
    if isinstance(socket, QSslSocket):
        return socket.isEncrypted()
    return socket.state() is QAbstractSocket.SocketState.ConnectedState


def _is_closed(socket: QTcpSocket) -> bool:
    return socket.state() is QAbstractSocket.SocketState.UnconnectedState


def _connect_failure(socket: QTcpSocket, *, proxied: bool) -> SithsError:
    error = socket.error()
    if isinstance(socket, QSslSocket) and socket.sslHandshakeErrors():
        return _tls_failure([found.error() for found in socket.sslHandshakeErrors()])
    if error in (_SocketError.SslHandshakeFailedError, _SocketError.SslInternalError):
        return SithsError(Failure.TLS_FAILED, error.name)
    if proxied and error in _PROXY_ERRORS:
        return SithsError(Failure.PROXY_FAILED, error.name)
    return SithsError(Failure.SERVICE_UNREACHABLE, error.name)


def _tls_failure(errors: Sequence[QSslError.SslError]) -> SithsError:
    """Blame the clock only when dates are all that is wrong with the certificates."""
    failure = Failure.CLOCK_WRONG if set(errors) <= _DATE_ERRORS else Failure.TLS_FAILED
    return SithsError(failure, ", ".join(sorted({error.name for error in errors})))


def _tls_configuration(extra_ca: Sequence[Path]) -> QSslConfiguration:
    tls = QSslConfiguration.defaultConfiguration()
    tls.setProtocol(QSsl.SslProtocol.TlsV1_2OrLater)
    tls.setPeerVerifyMode(QSslSocket.PeerVerifyMode.VerifyPeer)
    if extra_ca:
        # A list of one's own turns off loading on demand, so the system's CAs must be named with it.
        extra = [certificate for path in extra_ca for certificate in _load_ca(path)]
        tls.setCaCertificates([*QSslConfiguration.systemCaCertificates(), *extra])
    return tls


def _load_ca(path: Path) -> list[QSslCertificate]:
    try:
        found = list(QSslCertificate.fromData(path.read_bytes(), QSsl.EncodingFormat.Pem))
    except OSError as error:
        raise SithsError(Failure.SETTINGS_INVALID, f"extra CA file: {error.strerror}") from None
    if not found:
        raise SithsError(Failure.SETTINGS_INVALID, "extra CA file without a certificate")
    return found
