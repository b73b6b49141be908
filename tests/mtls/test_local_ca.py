# SPDX-License-Identifier: EUPL-1.2
"""The authority for one moment: what it may vouch for, by the judgement of software that we did not write."""

from __future__ import annotations

import gc
import os
import shutil
import ssl
import stat
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sithsapp.mtls import local_ca
from sithsapp.mtls.local_ca import Authority, Issued, issue_once
from sithsapp.mtls.local_store import RENEW_BEFORE_END, LocalStore

NOW = datetime.now(UTC).replace(microsecond=0)
HOSTS = ("journal.example", "portal.example")
EVIL = "evil.example"
Judge = Callable[[Path, Path, str], "subprocess.CompletedProcess[str]"]


def files(directory: Path, issued: Issued) -> tuple[Path, Path]:
    authority, leaf = directory / "authority.pem", directory / "leaf.pem"
    authority.write_text(ssl.DER_cert_to_PEM_cert(issued.authority))
    leaf.write_bytes(issued.certificate)
    return authority, leaf


def openssl(authority: Path, leaf: Path, host: str) -> subprocess.CompletedProcess[str]:
    command = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", host]
    return subprocess.run(
        [*command, "-CAfile", str(authority), str(leaf)], capture_output=True, text=True, timeout=20, check=False
    )


def gnutls(authority: Path, leaf: Path, host: str) -> subprocess.CompletedProcess[str]:
    program = shutil.which("certtool")
    if program is None:
        pytest.skip("certtool is not installed")
    command = [program, "--verify", "--load-ca-certificate", str(authority), "--verify-hostname", host]
    return subprocess.run([*command, "--infile", str(leaf)], capture_output=True, text=True, timeout=20, check=False)


def test_the_certificates_are_of_the_narrowest_form() -> None:
    issued = issue_once(HOSTS, NOW)
    authority = x509.load_der_x509_certificate(issued.authority)
    leaf = x509.load_pem_x509_certificate(issued.certificate)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert [each.value for each in constraints.value.permitted_subtrees or ()] == list(HOSTS)
    assert [str(each.value) for each in constraints.value.excluded_subtrees or ()] == ["0.0.0.0/0", "::/0"]
    basic = authority.extensions.get_extension_for_class(x509.BasicConstraints)
    assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, 0)
    usage = authority.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, False, False)
    server = [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    for each in (authority, leaf):
        assert list(each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) == server
        assert isinstance(each.public_key(), ec.EllipticCurvePublicKey)
        assert each.not_valid_after_utc - each.not_valid_before_utc <= timedelta(days=397)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == list(HOSTS)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    issuer = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
    subject = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    assert issuer.key_identifier == subject.digest
    leaf.verify_directly_issued_by(authority)


def test_no_two_authorities_have_one_name() -> None:
    made = [x509.load_der_x509_certificate(issue_once(HOSTS, NOW).authority) for _ in range(5)]
    names = {each.subject.rfc4514_string() for each in made}
    assert len(names) == 5
    assert all(local_ca.NAME_BEGINS in name for name in names)


@pytest.mark.parametrize("judge", [openssl, gnutls])
def test_the_listed_hosts_are_vouched_for(judge: Judge, tmp_path: Path) -> None:
    for host in HOSTS:
        done = judge(*files(tmp_path, issue_once(HOSTS, NOW)), host)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("judge", [openssl, gnutls])
def test_a_certificate_outside_the_constraints_is_refused(judge: Judge, tmp_path: Path) -> None:
    """Even if the authority's key had been kept, which this test does."""
    authority = Authority(HOSTS, NOW)
    assert judge(*files(tmp_path, authority.issue(HOSTS)), HOSTS[0]).returncode == 0
    done = judge(*files(tmp_path, authority.issue((EVIL,))), EVIL)
    assert done.returncode != 0
    assert "permitted subtree violation" in done.stderr + done.stdout or "constraint" in done.stdout + done.stderr


def test_python_s_own_client_refuses_it_too(tmp_path: Path) -> None:
    authority = Authority(HOSTS, NOW)
    results = []
    for host in (HOSTS[0], EVIL):
        issued = authority.issue((host,))
        pem = tmp_path / "both.pem"
        pem.write_bytes(issued.certificate + issued.key)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(pem)
        client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(issued.authority))
        results.append(shake(client, server, host))
    assert results[0] == "done"
    assert "permitted subtree violation" in results[1]


def shake(client: ssl.SSLContext, server: ssl.SSLContext, host: str) -> str:
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    one = client.wrap_bio(down, up, server_hostname=host)
    other = server.wrap_bio(up, down, server_side=True)
    try:
        for _ in range(4):
            for side in (one, other):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    return "done"


def test_nothing_on_disk_or_left_over_can_sign_for_another_site(tmp_path: Path) -> None:
    kept = LocalStore(tmp_path / "proxy").ensure(HOSTS)
    keys = [each for each in (tmp_path / "proxy").rglob("*") if each.is_file() and b"PRIVATE" in each.read_bytes()]
    assert keys == [kept.file]
    key = load_pem_private_key(kept.file.read_bytes(), None)
    authority = x509.load_der_x509_certificate(kept.authority)
    assert key.public_key() != authority.public_key()
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, Authority)] == []


class TestStore:
    def test_only_the_user_can_read_what_is_kept(self, tmp_path: Path) -> None:
        before = os.umask(0)
        try:
            store = LocalStore(tmp_path / "new" / "proxy")
            kept = store.ensure(HOSTS)
            store.note_port(9440)
        finally:
            os.umask(before)
        modes = {stat.S_IMODE(path.stat().st_mode) for path in store.directory.rglob("*") if path.is_file()}
        assert modes == {0o600}
        assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
        assert kept.hosts == HOSTS

    def test_what_fits_is_kept(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        kept = store.ensure(HOSTS)
        assert store.ensure(tuple(reversed(HOSTS))) == kept
        assert not kept.ends_soon(datetime.now(UTC))
        assert kept.ends_soon(kept.until - RENEW_BEFORE_END + timedelta(seconds=1))

    def test_other_hosts_or_the_end_of_its_time_lead_to_a_new_authority(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        first = store.ensure(HOSTS)
        second = store.ensure(HOSTS[:1])
        third = store.ensure(HOSTS[:1], second.until + timedelta(seconds=1))
        assert len({each.authority for each in (first, second, third)}) == 3
        assert set(store.authorities()) == {first.authority, second.authority, third.authority}
        store.forget(first.authority)
        assert set(store.authorities()) == {second.authority, third.authority}

    @pytest.mark.parametrize("damage", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n"])
    def test_what_is_damaged_is_replaced(self, damage: bytes, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        first = store.ensure(HOSTS)
        first.file.write_bytes(damage)
        assert store.ensure(HOSTS).authority != first.authority

    def test_a_key_that_others_could_read_is_not_used_again(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        first = store.ensure(HOSTS)
        first.file.chmod(0o640)
        second = store.ensure(HOSTS)
        assert second.authority != first.authority
        assert stat.S_IMODE(second.file.stat().st_mode) == 0o600

    def test_a_certificate_of_another_authority_is_not_used(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        first = store.ensure(HOSTS)
        content = first.file.read_bytes()
        other = ssl.DER_cert_to_PEM_cert(issue_once(HOSTS, NOW).authority).encode()
        own = ssl.DER_cert_to_PEM_cert(first.authority).encode()
        first.file.write_bytes(content.replace(own, other))
        assert store.present() is None

    def test_a_port_is_noted_and_taken_back(self, tmp_path: Path) -> None:
        store = LocalStore(tmp_path)
        assert store.noted_port() is None
        store.note_port(9440)
        assert store.noted_port() == 9440
        (tmp_path / "port").write_text("99999999999")
        assert store.noted_port() is None
        store.note_port(None)
        assert not (tmp_path / "port").exists()
