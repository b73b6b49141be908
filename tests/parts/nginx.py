# SPDX-License-Identifier: EUPL-1.2
"""A real nginx that asks for client certificates, started by a test and stopped by it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from threading import Event

import pytest

_CONFIGURATION = """
daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; client_body_temp_path {directory}/t1; proxy_temp_path {directory}/t2;
  fastcgi_temp_path {directory}/t3; uwsgi_temp_path {directory}/t4; scgi_temp_path {directory}/t5;
  server {{
    listen 127.0.0.1:{port} ssl; server_name localhost;
    ssl_certificate {certificate}; ssl_certificate_key {key}; ssl_protocols {protocols};
    ssl_client_certificate {client_cas}; ssl_verify_client on; ssl_verify_depth 3;
    ssl_session_cache shared:clients:1m;
    default_type text/plain;
    location / {{ return 200 "$ssl_client_s_dn|$ssl_protocol|$ssl_session_reused|$host\\n"; }}
    location /files/ {{ alias {directory}/files/; }}
    {more}
  }}
}}
"""
_DEADLINE = 10.0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Nginx:
    """One nginx on loopback. `protocols` in nginx's words, e.g. `TLSv1.3`; `more` are further lines of its server."""

    def __init__(
        self, directory: Path, certificate: Path, key: Path, client_cas: Path, protocols: str, more: str = ""
    ) -> None:
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/opt/homebrew/bin")
        if program is None:
            pytest.skip("nginx is not installed")
        self.directory = directory
        (directory / "files").mkdir(parents=True)
        self.port = _free_port()
        configuration = directory / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                directory=directory,
                port=self.port,
                certificate=certificate,
                key=key,
                client_cas=client_cas,
                protocols=protocols,
                more=more,
            )
        )
        self._process = subprocess.Popen(
            [program, "-p", str(directory), "-c", str(configuration)], stderr=subprocess.DEVNULL
        )

    def __enter__(self) -> Nginx:
        deadline = time.monotonic() + _DEADLINE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except ConnectionRefusedError:
                assert self._process.poll() is None, (self.directory / "error.log").read_text()
                assert time.monotonic() < deadline
                Event().wait(0.01)

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(_DEADLINE)
