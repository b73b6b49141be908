# SPDX-License-Identifier: EUPL-1.2
"""Which servers are believed, and what a target may ask of TLS. The system's CAs are read as they are needed."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from sithsapp.card.virtual.keys import KeyKind
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.contexts import ClientContext, ClientKey, Trust
from sithsapp.settings.schema import MtlsTarget
from tests.mtls.desk import Desk, fetch, http_answer, say
from tests.mtls.parts import (
    DEADLINE,
    PKCS1_SCHEMES,
    SCHEMES,
    ServerFiles,
    SoftwareKey,
    TlsServer,
    key_of,
    make_certificate,
    pem_of,
)


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


class TestOptions:
    """What a target may ask of TLS."""

    def test_an_older_version_is_refused_before_the_card_is_asked(self, desk: Desk) -> None:
        with TlsServer(desk.files.context(ssl.TLSVersion.TLSv1_2), http_answer) as server:
            assert fetch(desk.helper(server.port, oldest_tls="1.3"))[1].startswith("N402")
            assert desk.person.requests == []
            assert fetch(desk.helper(server.port))[0] == 200

    def test_a_chain_that_neglects_the_rules_is_refused_where_that_is_wanted(self, desk: Desk) -> None:
        """A CA without key usage and key identifiers, as there are many."""
        authority, key = key_of(KeyKind.P_256, "authority"), key_of(KeyKind.P_256, "server")
        issuer = make_certificate(authority, "An old CA")
        template = make_certificate(key, "localhost", content_commitment=False)
        builder = x509.CertificateBuilder(
            issuer.subject,
            template.subject,
            key.public_key(),
            2,
            issuer.not_valid_before_utc,
            issuer.not_valid_after_utc,
        )
        for extension in template.extensions:
            builder = builder.add_extension(extension.value, extension.critical)
        leaf = builder.sign(authority, hashes.SHA256())
        desk.files.key.write_bytes(pem_of(leaf, key))
        desk.files.certificate.write_bytes(pem_of(issuer))
        with TlsServer(desk.files.context(), http_answer) as server:
            assert fetch(desk.helper(server.port, strict=True))[1].startswith("N402")
            assert desk.person.requests == []
            assert fetch(desk.helper(server.port, strict=False))[0] == 200

    def test_protocols_are_offered_as_the_target_says(self, desk: Desk) -> None:
        seen: list[str | None] = []

        def handle(connection: ssl.SSLSocket) -> None:
            seen.append(connection.selected_alpn_protocol())
            http_answer(connection)

        context = desk.files.context()
        context.set_alpn_protocols(["h2", "postgresql", "http/1.1"])
        with TlsServer(context, handle) as server:
            fetch(desk.helper(server.port))
            say(desk.helper(server.port, mode="raw"))
            say(desk.helper(server.port, mode="raw", alpn=("postgresql",)))
        assert seen == ["http/1.1", None, "postgresql"]

    def test_a_card_without_pss_cannot_be_kept_to_tls_1_3(self) -> None:
        key = SoftwareKey(KeyKind.RSA_2048)
        with pytest.raises(SithsError, match="RSA-PSS") as caught:
            ClientContext(
                ClientKey((key.der,), PKCS1_SCHEMES, key.sign), Trust(system=False), oldest=ssl.TLSVersion.TLSv1_3
            )
        assert caught.value.failure is Failure.ALGORITHM_NOT_SUPPORTED

    def test_no_version_left_is_refused_in_the_settings(self) -> None:
        with pytest.raises(ValueError, match="no version"):
            MtlsTarget(name="a", listen=9443, host="a.example", oldest_tls="1.3", newest_tls="1.2")
