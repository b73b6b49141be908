# SPDX-License-Identifier: EUPL-1.2
"""A real Apache that asks for a client certificate for one path alone, started by a test and stopped by it."""

from __future__ import annotations

import base64
import hashlib
import shutil
import socket
import subprocess
import time
from pathlib import Path
from threading import Event

import pytest

_MODULES = Path("/usr/lib/apache2/modules")
_WANTED = (
    "mpm_event",
    *("authn_core", "authn_file", "authz_core", "authz_user", "auth_basic"),
    *("ssl", "headers", "proxy", "proxy_connect", "socache_shmcb"),
)
_CONFIGURATION = """
ServerRoot {directory}
ServerName localhost
PidFile {directory}/pid
ErrorLog {directory}/error.log
DefaultRuntimeDir {directory}
Mutex file:{directory} default
{modules}
StartServers 1
ThreadsPerChild 16
MinSpareThreads 1
MaxSpareThreads 16
MaxRequestWorkers 16
Listen 127.0.0.1:{port}
DocumentRoot {directory}/files
{rest}
"""
_TLS = """
SSLSessionCache shmcb:{directory}/sessions(512000)
<VirtualHost *:{port}>
  SSLEngine on
  SSLProtocol {protocol}
  SSLCertificateFile {certificate}
  SSLCertificateKeyFile {key}
  SSLCACertificateFile {client_cas}
  SSLVerifyClient none
  Header always set X-Protocol "%{{SSL_PROTOCOL}}s"
  <Location /secret>
    SSLVerifyClient require
    SSLVerifyDepth 5
    SSLOptions +OptRenegotiate
    Header always set X-Client "%{{SSL_CLIENT_S_DN}}s"
  </Location>
</VirtualHost>
"""
_PROXY = """
ProxyRequests On
AllowCONNECT {allowed}
<Proxy "*">
  {who}
</Proxy>
"""
_LOG_IN = """
  AuthType Basic
  AuthName "proxy"
  AuthUserFile {directory}/users
  Require valid-user
"""
_DEADLINE = 10.0


class Apache:
    """One Apache on loopback, with `rest` of a configuration; `{port}` and `{directory}` in it are filled in."""

    def __init__(self, directory: Path, rest: str) -> None:
        program = shutil.which("apache2", path="/usr/sbin:/usr/bin")
        if program is None or not _MODULES.exists():
            pytest.skip("apache2 is not installed")
        self.directory = directory
        (directory / "files" / "secret").mkdir(parents=True)
        for name in ("files/open.txt", "files/secret/page.txt"):
            (directory / name).write_text(f"{name}\n")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = int(probe.getsockname()[1])
        modules = "\n".join(f"LoadModule {name}_module {_MODULES}/mod_{name}.so" for name in _WANTED)
        filled = rest.format(directory=directory, port=self.port)
        text = _CONFIGURATION.format(directory=directory, modules=modules, port=self.port, rest=filled)
        (directory / "apache.conf").write_text(text)
        self._command = [program, "-X", "-f", str(directory / "apache.conf")]

    def __enter__(self) -> Apache:
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + _DEADLINE
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except ConnectionRefusedError:
                assert self._process.poll() is None, self.log()
                assert time.monotonic() < deadline, self.log()
                Event().wait(0.01)

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # one process; asked to end, it waits for those who still use its tunnels
        self._process.wait(_DEADLINE)

    def log(self) -> str:
        """Return what it has complained of."""
        file = self.directory / "error.log"
        return file.read_text() if file.exists() else ""


def with_secrets(directory: Path, certificate: Path, key: Path, client_cas: Path, protocol: str) -> Apache:
    """Make one that knows everybody for all but `/secret`. `protocol` in Apache's words, e.g. `TLSv1.3`."""
    rest = _TLS.replace("{protocol}", protocol).replace("{certificate}", str(certificate))
    return Apache(directory, rest.replace("{key}", str(key)).replace("{client_cas}", str(client_cas)))


def as_proxy(directory: Path, allowed: int, log_in: str = "") -> Apache:
    """Make a proxy that lets CONNECT through to one port; `log_in` is `user:password` if it wants one."""
    rest = _PROXY.replace("{allowed}", str(allowed)).replace("{who}", _LOG_IN if log_in else "Require all granted")
    apache = Apache(directory, rest)
    user, _, password = log_in.partition(":")
    digest = base64.b64encode(hashlib.sha1(password.encode(), usedforsecurity=False).digest()).decode("ascii")
    (directory / "users").write_text(f"{user}:{{SHA}}{digest}\n")
    return apache
