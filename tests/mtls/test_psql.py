# SPDX-License-Identifier: EUPL-1.2
"""psql by a raw forward, at a server that begins with TLS as PostgreSQL 17 does.

The server is a stand-in that speaks enough of PostgreSQL's protocol for one question; psql is real.
"""

from __future__ import annotations

import os
import shutil
import ssl
import struct
import subprocess

import pytest

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from tests.mtls.desk import Desk, port_of
from tests.mtls.parts import TlsServer

_TEXT_TYPE = 25


def message(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def row(text: bytes) -> bytes:
    """The answer to a question with one column and one row."""
    column = b"who\0" + struct.pack("!IHIhih", 0, 0, _TEXT_TYPE, -1, -1, 0)
    described = message(b"T", struct.pack("!h", 1) + column)
    data = message(b"D", struct.pack("!hI", 1, len(text)) + text)
    return described + data + message(b"C", b"SELECT 1\0") + message(b"Z", b"I")


def answer_as_postgres(connection: ssl.SSLSocket) -> None:
    """Let whoever has a certificate in, and tell that name for every question."""
    subject = dict(pair[0] for pair in connection.getpeercert()["subject"])  # type: ignore[index,misc] # verified
    stream = connection.makefile("rb")
    length, version = struct.unpack("!II", stream.read(8))
    assert version == 3 << 16  # no request for encryption in clear text first
    stream.read(length - 8)
    parameter = message(b"S", b"server_version\x0017.0\0") + message(b"S", b"client_encoding\0UTF8\0")
    connection.sendall(message(b"R", struct.pack("!I", 0)) + parameter + message(b"Z", b"I"))
    while stream.read(1) == b"Q":
        stream.read(struct.unpack("!I", stream.read(4))[0] - 4)
        connection.sendall(row(subject["serialNumber"].encode()))


def test_psql_reaches_a_server_that_knows_the_holder(desk: Desk) -> None:
    psql = shutil.which("psql")
    if psql is None:
        pytest.skip("psql is not installed")
    context = desk.files.context()
    context.set_alpn_protocols(["postgresql"])
    with TlsServer(context, answer_as_postgres) as server:
        helper = desk.helper(server.port, mode="raw", alpn=("postgresql",))
        place = f"host=127.0.0.1 port={port_of(helper)} sslmode=disable gssencmode=disable user=anna dbname=journal"
        done = subprocess.run(
            [psql, "--no-psqlrc", "--tuples-only", "--no-align", "--command", "select current_user", place],
            env={"PATH": os.environ["PATH"], "HOME": str(desk.directory.parent)},
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.stdout.strip() == DEFAULT_PERSON.hsa_id, done.stderr
    assert "psql" in desk.person.requests[0].purpose.program.path
