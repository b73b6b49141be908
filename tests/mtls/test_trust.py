# SPDX-License-Identifier: EUPL-1.2
"""The operating system's CAs: read as they are needed where the system allows it, and no other than the system's."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from sithsapp.card.virtual.keys import KeyKind
from sithsapp.mtls.contexts import ClientContext, ClientKey, Trust
from tests.mtls.parts import DEADLINE, SCHEMES, ServerFiles, SoftwareKey, TlsServer, pem_of


class System:
    """An operating system's trust store in a directory of the test, and a server that it knows or not."""

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.key = SoftwareKey(KeyKind.P_256)
        self.files = ServerFiles(directory, pem_of(self.key.certificate))
        self.hashed, self.bundle = directory / "hashed", directory / "bundle.pem"
        self.hashed.mkdir()
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
        paths = ssl.get_default_verify_paths()._replace(cafile=str(self.bundle), capath=str(self.hashed))
        monkeypatch.setattr(ssl, "get_default_verify_paths", lambda: paths)

    def rehash(self) -> None:
        """Name the certificates in the directory by their hashes, as the system's tools do."""
        openssl = shutil.which("openssl")
        if openssl is None:
            pytest.skip("openssl is not installed")
        subprocess.run([openssl, "rehash", str(self.hashed)], check=True, capture_output=True)

    def context(self) -> ClientContext:
        """Make a context that trusts the system alone."""
        return ClientContext(ClientKey((self.key.der,), SCHEMES[KeyKind.P_256], self.key.sign), Trust())

    def reaches(self, context: ClientContext) -> bool:
        """Tell whether the server is believed."""
        with TlsServer(self.files.context()) as server:
            raw = socket.create_connection(("127.0.0.1", server.port), timeout=DEADLINE)
            try:
                with raw, context.ssl.wrap_socket(raw, server_hostname="localhost"):
                    return True
            except ssl.SSLCertVerificationError:
                return False


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    return System(tmp_path, monkeypatch)


def test_a_directory_by_hashes_is_read_when_it_is_needed(system: System) -> None:
    shutil.copy(system.files.certificate, system.hashed / "server.pem")
    shutil.copy(system.files.certificate, system.bundle)
    system.rehash()
    context = system.context()
    assert context.ssl.cert_store_stats()["x509"] == 0
    assert system.reaches(context)
    context.close()


def test_what_is_not_in_the_directory_is_not_believed(system: System) -> None:
    other = SoftwareKey(KeyKind.P_256, "another")
    (system.hashed / "other.pem").write_bytes(pem_of(other.certificate))
    (system.bundle).write_bytes(pem_of(other.certificate))
    system.rehash()
    context = system.context()
    assert context.ssl.cert_store_stats()["x509"] == 0
    assert not system.reaches(context)
    assert system.key.schemes == []
    context.close()


def test_a_directory_that_holds_less_than_the_file_does_not_stand_in_for_it(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[ssl.Purpose] = []
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda _context, purpose: loaded.append(purpose))
    shutil.copy(system.files.certificate, system.bundle)
    system.context().close()  # an empty directory
    shutil.copy(system.files.certificate, system.hashed / "server.pem")
    system.context().close()  # not by hashes
    system.rehash()
    system.bundle.write_bytes(2 * system.files.certificate.read_bytes())
    system.context().close()  # incomplete
    shutil.rmtree(system.hashed)
    system.context().close()  # gone
    assert loaded == [ssl.Purpose.SERVER_AUTH] * 4


def test_a_file_in_the_environment_is_obeyed(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(system.files.certificate, system.hashed / "server.pem")
    system.rehash()
    empty = SoftwareKey(KeyKind.P_256, "another")
    system.bundle.write_bytes(pem_of(empty.certificate))
    monkeypatch.setenv("SSL_CERT_FILE", str(system.bundle))
    context = system.context()
    assert context.ssl.cert_store_stats()["x509"] >= 1
    context.close()
