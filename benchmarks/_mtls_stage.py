# SPDX-License-Identifier: EUPL-1.2
"""Certificates, one nginx that asks for a client certificate, and the programs in front of it, for `benchmarks.mtls`.

Every program is a process of its own on loopback, ended by its id.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from threading import Event

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

BULK_BYTES = 100_000_000
_SYSTEM_PATH = "/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin"
_SOFTHSM = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so")
_PIN = "123456"
_START_SECONDS = 15.0
_TICK = os.sysconf("SC_CLK_TCK")
_NGINX = """
daemon off; master_process off; pid {0}/pid; error_log {0}/error.log crit;
events {{ worker_connections 2048; }}
http {{
  access_log off; client_body_temp_path {0}/t1; proxy_temp_path {0}/t2; tcp_nodelay on; sendfile on;
  fastcgi_temp_path {0}/t3; uwsgi_temp_path {0}/t4; scgi_temp_path {0}/t5;
  keepalive_requests 100000000; keepalive_timeout 3600s;
  ssl_certificate {0}/server.pem; ssl_certificate_key {0}/server-key.pem; ssl_protocols TLSv1.3;
  ssl_client_certificate {0}/client.pem; ssl_verify_client on;
  server {{ listen 127.0.0.1:{1} ssl; ssl_session_cache shared:s:4m; {3} }}
  server {{ listen 127.0.0.1:{2} ssl; ssl_session_cache off; ssl_session_tickets off; {3} }}
}}
"""
_LOCATIONS = 'location / {{ return 200 "ok\\n"; }} location /bulk {{ alias {0}/bulk; }}'
_STUNNEL = """
foreground = yes
pid =
debug = 3
{engine}
socket = l:TCP_NODELAY=1
socket = r:TCP_NODELAY=1
"""
_SERVICE = """
[{name}]
client = yes
accept = 127.0.0.1:{accept}
connect = 127.0.0.1:{connect}
cert = {directory}/client.pem
{key}
CAfile = {directory}/server.pem
verifyChain = yes
"""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A program under test: what it is called, its process, and its ports on loopback.

    `port` leads to the server that keeps sessions, `fresh` to the one where each connection is signed for.
    """

    name: str
    pid: int
    port: int
    fresh: int

    def cpu_seconds(self) -> float:
        """Return the processor time that it has used."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICK

    def resident(self) -> float:
        """Return its resident memory in MiB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def missing() -> str | None:
    """Say what has to be installed, if anything."""
    programs = [name for name in ("nginx", "stunnel", "wrk") if shutil.which(name, path=_SYSTEM_PATH) is None]
    if not sys.platform.startswith("linux"):
        return "needs Linux"
    return f"not installed: {', '.join(programs)}" if programs else None


@contextmanager
def stage(directory: Path) -> Iterator[tuple[int, list[Proxy]]]:
    """Run nginx, and before it stunnel with either kind of key and the helper; return the server's port and those."""
    _make_files(directory)
    server, fresh = free_port(), free_port()
    with ExitStack() as stack:
        configuration = directory / "nginx.conf"
        locations = _LOCATIONS.format(directory)
        configuration.write_text(_NGINX.format(directory, server, fresh, locations))
        nginx = [_program("nginx"), "-p", str(directory), "-c", str(configuration)]
        stack.enter_context(_running(nginx, server, {}))
        proxies = [stack.enter_context(_stunnel(directory, server, fresh, "key file"))]
        with_engine = _engine(directory)
        if with_engine is not None:
            proxies.append(stack.enter_context(_stunnel(directory, server, fresh, "pkcs11 engine", with_engine)))
        pid, raw, http, without = stack.enter_context(helper(directory, server, fresh))
        proxies += [Proxy("helper, raw", pid, raw, without), Proxy("helper, http", pid, http, 0)]
        yield server, proxies


@contextmanager
def helper(
    directory: Path, server: int, fresh: int, card_seconds: float = 0.0
) -> Iterator[tuple[int, int, int, int]]:
    """Run the helper; return its process and its ports: raw, http, raw without sessions."""
    command = [sys.executable, "-m", "benchmarks._mtls_helper", str(directory), str(server), str(fresh)]
    # Debian's trust store is a directory that is read where it is needed; a file would be read whole at first use.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SSL_CERT_")}
    environment["SITHS_BENCH_CARD_SECONDS"] = str(card_seconds)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True) as run:
        if run.stdin is None or run.stdout is None:
            raise SystemExit("no pipes")
        raw, http, without = map(int, run.stdout.readline().split())
        try:
            yield run.pid, raw, http, without
        finally:
            run.stdin.close()


def free_port() -> int:
    """Return a port that nobody listened on a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _stunnel(
    directory: Path, server: int, fresh: int, name: str, engine: tuple[str, Mapping[str, str]] | None = None
) -> Iterator[Proxy]:
    key = f"key = {directory}/client-key.pem" if engine is None else "engineId = pkcs11\nkey = pkcs11:object=client"
    ports = free_port(), free_port()
    text = _STUNNEL.format(engine="" if engine is None else engine[0])
    for service, accept, connect in (("kept", ports[0], server), ("fresh", ports[1], fresh)):
        text += _SERVICE.format(name=service, accept=accept, connect=connect, directory=directory, key=key)
    configuration = directory / f"stunnel-{ports[0]}.conf"
    configuration.write_text(text)
    environment = {} if engine is None else engine[1]
    with _running([_program("stunnel"), str(configuration)], ports[0], environment) as pid:
        yield Proxy(f"stunnel, {name}", pid, *ports)


def _engine(directory: Path) -> tuple[str, Mapping[str, str]] | None:
    """Put the key into SoftHSM; return stunnel's lines and the environment, None where the parts are missing."""
    module = next((path for path in _SOFTHSM if Path(path).exists()), None)
    engines = list(Path("/usr/lib").glob("*/engines-3/pkcs11.so"))
    if module is None or not engines or shutil.which("softhsm2-util") is None:
        return None
    (directory / "tokens").mkdir()
    settings = directory / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {directory}/tokens\nobjectstore.backend = file\nlog.level = ERROR\n")
    environment = {"SOFTHSM2_CONF": str(settings)}
    codes = ["--pin", _PIN, "--so-pin", _PIN]
    for command in (
        ["--init-token", "--free", "--label", "bench", *codes],
        [
            "--import",
            f"{directory}/client-key.pem",
            "--token",
            "bench",
            "--label",
            "client",
            "--id",
            "01",
            *codes[:2],
        ],
    ):
        subprocess.run(
            ["softhsm2-util", *command], env={**os.environ, **environment}, check=True, capture_output=True
        )
    lines = f"engine = pkcs11\nengineCtrl = MODULE_PATH:{module}\nengineCtrl = PIN:{_PIN}"
    return lines, environment


@contextmanager
def _running(command: list[str], port: int, environment: Mapping[str, str]) -> Iterator[int]:
    """Run a server as long as the block lasts."""
    process = subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"does not start: {' '.join(command)}")
            Event().wait(0.02)
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(_START_SECONDS)


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _program(name: str) -> str:
    found = shutil.which(name, path=_SYSTEM_PATH)
    if found is None:
        raise SystemExit(f"not installed: {name}")
    return found


def _make_files(directory: Path) -> None:
    (directory / "bulk").write_bytes(os.urandom(1_000_000) * (BULK_BYTES // 1_000_000))
    for owner, name in (("server", "localhost"), ("client", "A Person")):
        key = rsa.generate_private_key(65537, 2048)
        certificate = _self_signed(key, name, authority=owner == "server")
        pem = certificate.public_bytes(Encoding.PEM)
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (directory / f"{owner}.pem").write_bytes(pem)
        (directory / f"{owner}-key.pem").write_bytes(private)
        (directory / f"{owner}-key.pem").chmod(0o600)


def _self_signed(key: rsa.RSAPrivateKey, common_name: str, *, authority: bool) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    usage = x509.KeyUsage(True, False, False, False, False, authority, False, False, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(names, critical=False)
    )
    return builder.sign(key, hashes.SHA256())
