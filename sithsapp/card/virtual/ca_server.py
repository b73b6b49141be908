# SPDX-License-Identifier: EUPL-1.2
"""A small HTTP server on the loopback address for the test CA's CRLs, OCSP answers and CA certificates."""

from __future__ import annotations

import base64
import binascii
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual import ca_status
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import Authority
from sithsapp.card.virtual.ca_status import StatusMode

_MAX_REQUEST = 8192
_READ_TIMEOUT = 10


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: CaServer


class CaServer:
    """Serves one PKI in a thread. `ocsp_mode` and `crl_mode` may be switched at any time; `requests` counts.

    Begin it before the PKI to learn the address, then set `pki` to one with `base_url=server.url`.
    """

    def __init__(self, port: int = 0) -> None:
        """Bind to the loopback address; port 0 lets the system choose. Raises `OSError` if the port is taken."""
        self.pki: VirtualPki | None = None
        self.ocsp_mode = StatusMode.NORMAL
        self.crl_mode = StatusMode.NORMAL
        self.requests = 0
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="test CA", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """The base address, without a slash at the end."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop serving and free the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> CaServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _READ_TIMEOUT

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent: addresses hold serial numbers of certificates."""

    def do_GET(self) -> None:
        kind, _, rest = self.path.lstrip("/").partition("/")
        slug, _, tail = rest.partition("/")
        if kind == "ocsp":
            self._ocsp(slug, _decode_base64(unquote(tail)))
        elif kind == "crl":
            self._crl(slug)
        elif kind == "ca":
            self._ca(slug)
        else:
            self._missing()

    def do_POST(self) -> None:
        kind, _, slug = self.path.lstrip("/").partition("/")
        length = self.headers.get("Content-Length", "")
        if kind != "ocsp" or not length.isascii() or not length.isdigit() or int(length) > _MAX_REQUEST:
            self._missing()
            return
        self._ocsp(slug, self.rfile.read(int(length)))

    def _authority(self, slug: str) -> tuple[VirtualPki, Authority] | None:
        self.server.owner.requests += 1
        pki = self.server.owner.pki
        authority = pki.authority(slug) if pki is not None else None
        return (pki, authority) if pki is not None and authority is not None else None

    def _ocsp(self, slug: str, request: bytes) -> None:
        found, mode = self._authority(slug), self.server.owner.ocsp_mode
        if self._refused(mode):
            return
        if found is None:
            self._missing()
            return
        self._send("application/ocsp-response", ca_status.ocsp_response(*found, request, mode))

    def _crl(self, slug: str) -> None:
        found, mode = self._authority(slug), self.server.owner.crl_mode
        if self._refused(mode):
            return
        if found is None or mode is StatusMode.UNKNOWN:
            self._missing()
            return
        self._send("application/pkix-crl", ca_status.crl(*found, mode))

    def _ca(self, slug: str) -> None:
        found = self._authority(slug)
        if found is None:
            self._missing()
            return
        self._send("application/pkix-cert", found[1].certificate.public_bytes(Encoding.DER))

    def _refused(self, mode: StatusMode) -> bool:
        if mode is StatusMode.DOWN:
            self.close_connection = True
        elif mode is StatusMode.GARBAGE:
            self._send("application/octet-stream", b"garbage")
        return mode in (StatusMode.DOWN, StatusMode.GARBAGE)

    def _send(self, content_type: str, body: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _missing(self) -> None:
        self._send("text/plain", b"not found", 404)


def _decode_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
