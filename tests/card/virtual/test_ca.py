# SPDX-License-Identifier: EUPL-1.2
"""The test CA's certificates and revocation, with the openssl command as second opinion."""

from __future__ import annotations

import contextlib
import http.client
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.ca_status import StatusMode
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.failures import Failure, SithsError
from tests.parts.virtual_card import KeyPool

TIMEOUT = 10


def _pki(server: CaServer) -> VirtualPki:
    assert server.pki is not None
    return server.pki


def _issue(
    server: CaServer,
    pool: KeyPool,
    profile: IssuerProfile = IssuerProfile.HSA_ID_3,
    purpose: KeyPurpose = KeyPurpose.AUTH,
    variant: LeafVariant = LeafVariant.NORMAL,
) -> x509.Certificate:
    key = pool.maker("card")(KeyKind.RSA_2048).public_key()
    return _pki(server).issue(LeafRequest(profile, purpose, DEFAULT_PERSON, key, variant))


def _pem(directory: Path, name: str, *certificates: x509.Certificate) -> Path:
    path = directory / name
    path.write_bytes(b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates))
    return path


def _openssl(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["openssl", *map(str, arguments)], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )


def _verify(directory: Path, server: CaServer, leaf: x509.Certificate, *options: str | Path) -> str:
    _, issuer, root = _pki(server).chain(leaf)
    result = _openssl(
        "verify",
        "-x509_strict",
        *options,
        "-CAfile",
        _pem(directory, "root.pem", root),
        "-untrusted",
        _pem(directory, "issuer.pem", issuer),
        _pem(directory, "leaf.pem", leaf),
    )
    return result.stdout + result.stderr


def _ocsp(directory: Path, server: CaServer, leaf: x509.Certificate, slug: str = "hsa-id-3") -> str:
    _, issuer, root = _pki(server).chain(leaf)
    result = _openssl(
        "ocsp",
        "-issuer",
        _pem(directory, "issuer.pem", issuer),
        "-cert",
        _pem(directory, "leaf.pem", leaf),
        "-CAfile",
        _pem(directory, "chain.pem", issuer, root),
        "-url",
        f"{server.url}/ocsp/{slug}",
    )
    return result.stdout + result.stderr


def _ask(server: CaServer, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    """Ask the server without any proxy; return status and body."""
    link = http.client.HTTPConnection("127.0.0.1", int(server.url.rpartition(":")[2]), timeout=TIMEOUT)
    with contextlib.closing(link):
        link.request("GET" if body is None else "POST", path, body)
        response = link.getresponse()
        return response.status, response.read()


def _get(server: CaServer, path: str) -> bytes:
    status, body = _ask(server, path)
    assert status == 200
    return body


def _text(certificate: x509.Certificate, directory: Path) -> str:
    return _openssl("x509", "-noout", "-text", "-in", _pem(directory, "text.pem", certificate)).stdout


@pytest.mark.parametrize("profile", IssuerProfile)
def test_names_follow_siths(shared_ca: CaServer, key_pool: KeyPool, profile: IssuerProfile) -> None:
    leaf, issuer, root = _pki(shared_ca).chain(_issue(shared_ca, key_pool, profile))
    assert root.subject.rfc4514_string() == "CN=TEST SITHS e-id Root CA v2,O=Fiktiv Utfardare AB,C=SE"
    assert issuer.subject.rfc4514_string() == f"CN={profile.common_name},O=Fiktiv Utfardare AB,C=SE"
    number = leaf.subject.get_attributes_for_oid(NameOID.SERIAL_NUMBER)[0].value
    assert number == (DEFAULT_PERSON.hsa_id if profile.by_hsa_id else DEFAULT_PERSON.personal_number)
    policies = leaf.extensions.get_extension_for_class(x509.CertificatePolicies).value
    assert [policy.policy_identifier.dotted_string for policy in policies] == [profile.policy]


def test_log_in_certificate_as_openssl_reads_it(shared_ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    text = _text(_issue(shared_ca, key_pool), tmp_path)
    for expected in (
        "Digital Signature\n",
        "TLS Web Client Authentication, Microsoft Smartcard Login",
        f"UPN::{DEFAULT_PERSON.upn}",
        f"1.2.752.34.2.1: \n                ..{DEFAULT_PERSON.card_number}",
        f"URI:{shared_ca.url}/crl/hsa-id-3",
        f"OCSP - URI:{shared_ca.url}/ocsp/hsa-id-3",
        f"CA Issuers - URI:{shared_ca.url}/ca/hsa-id-3",
    ):
        assert expected in text


def test_signature_certificate(shared_ca: CaServer, key_pool: KeyPool) -> None:
    extensions = _issue(shared_ca, key_pool, purpose=KeyPurpose.SIGN).extensions
    usage = extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.content_commitment, usage.digital_signature) == (True, False)
    with pytest.raises(x509.ExtensionNotFound):
        extensions.get_extension_for_class(x509.ExtendedKeyUsage)


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (LeafVariant.NORMAL, "OK"),
        (LeafVariant.EXPIRED, "certificate has expired"),
        (LeafVariant.NOT_YET_VALID, "certificate is not yet valid"),
        (LeafVariant.UNKNOWN_CRITICAL_EXTENSION, "unhandled critical extension"),
    ],
)
def test_paths_as_openssl_sees_them(
    shared_ca: CaServer, key_pool: KeyPool, tmp_path: Path, variant: LeafVariant, expected: str
) -> None:
    assert expected in _verify(tmp_path, shared_ca, _issue(shared_ca, key_pool, variant=variant))


def test_server_auth_only_is_no_client(shared_ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    leaf = _issue(shared_ca, key_pool, variant=LeafVariant.SERVER_AUTH_ONLY)
    usages = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usages) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert "unsuitable certificate purpose" in _verify(tmp_path, shared_ca, leaf, "-purpose", "sslclient")


def test_ocsp_good_and_revoked(ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    leaf = _issue(ca, key_pool)
    answer = _ocsp(tmp_path, ca, leaf)
    assert "Response verify OK" in answer
    assert "leaf.pem: good" in answer
    _pki(ca).revoke(leaf)
    assert "leaf.pem: revoked" in _ocsp(tmp_path, ca, leaf)
    _pki(ca).reinstate(leaf)
    assert "leaf.pem: good" in _ocsp(tmp_path, ca, leaf)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (StatusMode.WRONG_SIGNER, "Response Verify Failure"),
        (StatusMode.STALE, "Status times invalid"),
        (StatusMode.UNKNOWN, "leaf.pem: unknown"),
        (StatusMode.DOWN, "Error querying OCSP responder"),
        (StatusMode.GARBAGE, "Error querying OCSP responder"),
    ],
)
def test_ocsp_faults(ca: CaServer, key_pool: KeyPool, tmp_path: Path, mode: StatusMode, expected: str) -> None:
    leaf = _issue(ca, key_pool)
    ca.ocsp_mode = mode
    assert expected in _ocsp(tmp_path, ca, leaf)


def test_ocsp_of_a_foreign_issuer_is_refused(ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    answer = _ocsp(tmp_path, ca, _issue(ca, key_pool), slug="root")
    assert "unauthorized" in answer


def test_ocsp_of_a_certificate_that_was_never_issued(ca: CaServer, key_pool: KeyPool) -> None:
    issuer = _pki(ca).chain(_issue(ca, key_pool))[1]
    name, key = (
        hashes.Hash(hashes.SHA256()),
        ocsp.OCSPRequestBuilder().add_certificate(issuer, issuer, hashes.SHA256()),
    )
    name.update(issuer.subject.public_bytes())
    builder = ocsp.OCSPRequestBuilder().add_certificate_by_hash(
        name.finalize(), key.build().issuer_key_hash, 42, hashes.SHA256()
    )
    request = builder.build().public_bytes(Encoding.DER)
    answer = ocsp.load_der_ocsp_response(_ask(ca, "/ocsp/hsa-id-3", request)[1])
    assert answer.certificate_status is ocsp.OCSPCertStatus.UNKNOWN


@pytest.mark.parametrize("body", [b"", b"\x30\x00", b"x" * 100])
def test_ocsp_of_nonsense(shared_ca: CaServer, body: bytes) -> None:
    answer = ocsp.load_der_ocsp_response(_ask(shared_ca, "/ocsp/hsa-id-3", body)[1])
    assert answer.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST


def test_crl_good_and_revoked(ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    leaf = _issue(ca, key_pool)
    path = tmp_path / "crl.pem"

    def check() -> str:
        crl = x509.load_der_x509_crl(_get(ca, "/crl/hsa-id-3"))
        path.write_bytes(crl.public_bytes(Encoding.PEM))
        return _verify(tmp_path, ca, leaf, "-crl_check", "-CRLfile", path)

    assert "OK" in check()
    _pki(ca).revoke(leaf)
    assert "certificate revoked" in check()
    _pki(ca).reinstate(leaf)
    ca.crl_mode = StatusMode.STALE
    assert "CRL has expired" in check()
    ca.crl_mode = StatusMode.WRONG_SIGNER
    assert "CRL signature failure" in check()


def test_a_revoked_issuer_shows_at_the_root(ca: CaServer, key_pool: KeyPool, tmp_path: Path) -> None:
    _, issuer, root = _pki(ca).chain(_issue(ca, key_pool))
    _pki(ca).revoke(issuer)
    crl = x509.load_der_x509_crl(_get(ca, "/crl/root"))
    assert crl.get_revoked_certificate_by_serial_number(issuer.serial_number) is not None
    key = root.public_key()
    assert crl.is_signature_valid(key)  # type: ignore[arg-type]  # an RSA key, as every CA key here


def test_crl_numbers_rise(ca: CaServer) -> None:
    def number() -> int:
        crl = x509.load_der_x509_crl(_get(ca, "/crl/root"))
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number

    assert number() < number()


def test_switches_of_the_crl_server(ca: CaServer) -> None:
    ca.crl_mode = StatusMode.UNKNOWN
    assert _ask(ca, "/crl/root")[0] == 404
    ca.crl_mode = StatusMode.DOWN
    with pytest.raises(http.client.RemoteDisconnected):
        _get(ca, "/crl/root")
    ca.crl_mode = StatusMode.GARBAGE
    assert _get(ca, "/crl/root") == b"garbage"


@pytest.mark.parametrize("path", ["/", "/ca/nobody", "/crl/nobody", "/ocsp/nobody", "/else/root"])
def test_unknown_addresses(shared_ca: CaServer, path: str) -> None:
    assert _ask(shared_ca, path)[0] == 404


@pytest.mark.parametrize("length", ["", "-1", "9999999", "x"])
def test_a_body_is_bounded(shared_ca: CaServer, length: str) -> None:
    link = http.client.HTTPConnection("127.0.0.1", int(shared_ca.url.rpartition(":")[2]), timeout=TIMEOUT)
    with contextlib.closing(link):
        link.putrequest("POST", "/ocsp/root")
        link.putheader("Content-Length", length)
        link.endheaders()
        assert link.getresponse().status == 404


def test_ca_certificates_are_served(shared_ca: CaServer) -> None:
    served = x509.load_der_x509_certificate(_get(shared_ca, "/ca/root"))
    assert served == _pki(shared_ca).root.certificate


def test_everything_persists(tmp_path: Path, key_pool: KeyPool) -> None:
    def opened() -> VirtualPki:
        make = key_pool.maker("ca")
        return VirtualPki(tmp_path / "pki", base_url="http://127.0.0.1:9", environment="test", make_key=make)

    first = opened()
    key = key_pool.maker("card")(KeyKind.RSA_2048).public_key()
    leaf = first.issue(LeafRequest(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, DEFAULT_PERSON, key))
    first.revoke(leaf)
    second = opened()
    assert second.root.certificate == first.root.certificate
    assert second.chain(leaf) == first.chain(leaf)
    assert second.revocations("hsa-id-3") == first.revocations("hsa-id-3") != []


def test_a_foreign_certificate_is_not_ours(ca: CaServer, shared_ca: CaServer, key_pool: KeyPool) -> None:
    with pytest.raises(KeyError):
        _pki(ca).revoke(_issue(shared_ca, key_pool))


def test_refused_in_production(tmp_path: Path) -> None:
    with pytest.raises(SithsError) as caught:
        VirtualPki(tmp_path / "pki", base_url="http://127.0.0.1:9", environment="production")
    assert caught.value.failure is Failure.VIRTUAL_CARD_REFUSED
    assert not (tmp_path / "pki").exists()
