# SPDX-License-Identifier: EUPL-1.2
"""`siths mtls` as a process of its own, with a real web server behind it."""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, DEMO_CODES, IssuerProfile
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.failures import Failure
from tests.mtls.parts import DEADLINE, ServerFiles
from tests.parts.nginx import Nginx
from tests.parts.siths import Siths
from tests.parts.virtual_card import CardFactory

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="who is at the other end"),
]


@pytest.fixture
def files(tmp_path: Path, shared_ca: CaServer) -> ServerFiles:
    assert shared_ca.pki is not None
    issuers = [shared_ca.pki.issuer(each).certificate.public_bytes(Encoding.PEM) for each in IssuerProfile]
    (tmp_path / "issuers.pem").write_bytes(b"".join(issuers))
    return ServerFiles(tmp_path, shared_ca.pki.root.certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def siths(card: VirtualCard, make_card: CardFactory, tmp_path: Path) -> Siths:
    return Siths(make_card.directory(), tmp_path / "home")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def configure(siths: Siths, files: ServerFiles, listen: int, port: int) -> None:
    path = Path(siths.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
    settings = json.loads(path.read_text())
    target = {"name": "web", "listen": listen, "host": "localhost", "port": port, "ca": [str(files.certificate)]}
    settings["mtls"] = {"targets": [target], "issuers": [str(files.certificate.parent / "issuers.pem")]}
    path.write_text(json.dumps(settings))


@contextmanager
def serving(siths: Siths, code: str) -> Iterator[subprocess.Popen[bytes]]:
    read, write = os.pipe()
    os.write(write, code.encode() + b"\n")
    command = [sys.executable, "-m", "sithsapp.cli.main", "mtls", "serve", "--json", "--pin-fd", str(read)]
    child = subprocess.Popen(
        command, env=siths.environment, pass_fds=[read], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert child.stderr is not None
        assert select.select([child.stderr], [], [], DEADLINE)[0]
        assert b"open" in child.stderr.readline()
        yield child
    finally:
        child.kill()
        child.communicate(timeout=DEADLINE)
        os.close(read)
        os.close(write)


def test_serve_lends_the_card_until_it_is_told_to_end(siths: Siths, files: ServerFiles, tmp_path: Path) -> None:
    listen = free_port()
    with Nginx(tmp_path / "nginx", files.certificate, files.key, files.client_cas, "TLSv1.3") as nginx:
        configure(siths, files, listen, nginx.port)
        with serving(siths, DEMO_CODES.pin1) as child:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            for _ in range(2):  # the second needs no code, and the pipe has no second one
                with opener.open(f"http://127.0.0.1:{listen}/", timeout=DEADLINE) as answer:
                    assert DEFAULT_PERSON.hsa_id in answer.read().decode()
            told = siths.run("mtls", "status", "--json").data
            assert told["targets"][0]["open"] is True
            assert "Anna Andersson" in told["certificate"]
            child.terminate()
            out, err = child.communicate(timeout=DEADLINE)
    assert child.returncode == 130
    assert json.loads(out)["targets"][0]["listen"] == f"127.0.0.1:{listen}"
    assert f"localhost:{nginx.port} with your card" in err.decode()
    assert DEMO_CODES.pin1 not in out.decode() + err.decode()


def test_status_says_why_the_card_will_not_do(siths: Siths, files: ServerFiles) -> None:
    configure(siths, files, free_port(), 443)
    ready = siths.run("mtls", "status")
    assert ready.exit_code == 0
    assert "not open" in ready.out
    (files.certificate.parent / "issuers.pem").write_text("none")
    broken = siths.run("mtls", "status", "--json")
    assert (broken.exit_code, broken.number) == (Failure.SETTINGS_INVALID.exit_code, "A904")


def test_serve_tells_of_a_port_that_is_taken(siths: Siths, files: ServerFiles) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        configure(siths, files, taken.getsockname()[1], 443)
        result = siths.run("mtls", "serve", "--json")
    assert (result.exit_code, result.number) == (Failure.PORT_IN_USE.exit_code, "A913")


def test_the_last_try_is_not_used_unasked(siths: Siths, files: ServerFiles, tmp_path: Path) -> None:
    for _ in range(2):
        siths.run("pin", "change", codes={"--pin-fd": "606182", "--new-pin-fd": "275904"})
    with Nginx(tmp_path / "nginx", files.certificate, files.key, files.client_cas, "TLSv1.3") as nginx:
        listen = free_port()
        configure(siths, files, listen, nginx.port)
        with serving(siths, DEMO_CODES.pin1), socket.create_connection(("127.0.0.1", listen), DEADLINE) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % listen)
            answer = b"".join(iter(lambda: client.recv(4096), b""))
    assert b" 504 " in answer
    assert siths.card().tries_left(0x11) == 1
