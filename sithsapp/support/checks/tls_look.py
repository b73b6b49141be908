# SPDX-License-Identifier: EUPL-1.2
"""Look at who issued a server's certificate, to tell inspected traffic. Nothing is sent over these connections.

The verdict on whether a connection is safe is the transport's alone. Here a connection is made without trusting it,
only to read the name of the issuer, and one that trusts nothing but the CAs that the system's maker ships.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sithsapp.failures import SithsError
from sithsapp.oob.proxy_route import Route

_SECONDS = 6.0
_MAX_HEAD = 8 * 1024
_MAX_ROOTS = 512


@dataclass(frozen=True, slots=True)
class Look:
    """What a certificate shows.

    `issuer` is a name, empty when it could not be read. `public` says whether it was issued by a CA that the system's
    maker ships or that the settings name; None when that cannot be told.
    """

    issuer: str = ""
    public: bool | None = None


def look(host: str, port: int, route: Route, roots: Iterable[Path], extra: Iterable[Path]) -> Look:
    """Return what the certificate of `host` shows, reached by `route`. Never raises."""
    files = list(roots)[:_MAX_ROOTS]
    try:
        issuer = _issuer(host, port, route)
        public = _verifies(host, port, route, [*files, *extra]) if files else None
    except (OSError, ValueError):
        return Look()
    return Look(issuer, public)


def _issuer(host: str, port: int, route: Route) -> str:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # only to read a name; nothing is sent
    with closing(_connect(host, port, route)) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
        certificate = secure.getpeercert(binary_form=True)
    return _issuer_name(certificate or b"")


def _issuer_name(der: bytes) -> str:
    from sithsapp.pki.certificate import read_certificate
    from sithsapp.pki.names import ORGANISATION

    try:
        certificate = read_certificate(der)
    except SithsError:
        return ""
    organisation = certificate.issuer_name.get(ORGANISATION)
    return ", ".join(filter(None, (certificate.issuer, organisation)))[:160]


def _verifies(host: str, port: int, route: Route, files: Iterable[Path]) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for path in files:
        context.load_verify_locations(path)
    with closing(_connect(host, port, route)) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host):
                return True
        except ssl.SSLCertVerificationError:
            return False


def _connect(host: str, port: int, route: Route) -> socket.socket:
    if route.host is None:
        return socket.create_connection((host, port), _SECONDS)
    plain = socket.create_connection((route.host, route.port), _SECONDS)
    try:
        plain.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode("ascii"))
        if _status(plain) != 200:
            raise OSError("the proxy refused")
    except BaseException:
        plain.close()
        raise
    return plain


def _status(plain: socket.socket) -> int:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
        more = plain.recv(1)  # no more than the head: what follows is TLS
        if not more:
            break
        head += more
    words = head.split(b" ", 2)
    return int(words[1]) if len(words) > 1 and words[1][:3].isdigit() and len(words[1]) == 3 else 0
