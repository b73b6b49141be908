# SPDX-License-Identifier: EUPL-1.2
"""A person looks into a certificate: chain and revocation from a real server of the test CA."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.ca_server import CaServer
from sithsapp.card.virtual.ca_status import StatusMode
from sithsapp.card.virtual.keys import KeyKind, generate_key
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.pki import wording
from sithsapp.pki.client_fetching import client_fetch, fetch_by, system_proxy
from sithsapp.pki.fetching import FetchError, Proxy
from sithsapp.pki.findings import Inspection, Known, Origin, Revocation, Status
from sithsapp.pki.inspection import inspect
from sithsapp.pki.issuers import build_chain
from sithsapp.pki.known_certificates import known_certificates
from sithsapp.settings.schema import Settings
from tests.pki.conftest import People

GOOD, NOT_CHECKED = Status(Revocation.GOOD), Status(Revocation.NOT_CHECKED)


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    set_language("en")
    yield
    set_language("system")


def _pki(ca: CaServer) -> VirtualPki:
    assert ca.pki is not None
    return ca.pki


def _issue(ca: CaServer, variant: LeafVariant = LeafVariant.NORMAL) -> x509.Certificate:
    key = generate_key(KeyKind.P_256).public_key()
    return _pki(ca).issue(LeafRequest(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, DEFAULT_PERSON, key, variant))


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def _root(ca: CaServer) -> Known:
    return Known(_der(_pki(ca).root.certificate), Origin.SETTINGS)


def _inspect(ca: CaServer, certificate: x509.Certificate, *known: Known) -> Inspection:
    return inspect(_der(certificate), known or (_root(ca),), client_fetch(allow_local=True))


def test_good_with_issuers_from_the_network(ca: CaServer) -> None:
    result = _inspect(ca, _issue(ca))
    assert [member.origin for member in result.chain.members] == [Origin.CARD, Origin.FETCHED, Origin.SETTINGS]
    assert (result.failure, result.anchored, result.statuses) == (None, True, (GOOD, GOOD))
    assert wording.result_title(result) == "The certificate is valid and not revoked"
    assert wording.result_text(result).startswith(f"Checked {result.at.astimezone():%Y-%m-%d}")


def test_revoked_says_since_when(ca: CaServer) -> None:
    leaf = _issue(ca)
    _pki(ca).revoke(leaf)
    for ca.ocsp_mode in (StatusMode.NORMAL, StatusMode.DOWN):  # by OCSP, then by the list
        result = _inspect(ca, leaf)
        assert result.failure is Failure.CERTIFICATE_REVOKED
        (since,) = [each.since for each in result.statuses if each.since]
        assert abs(since - datetime.now(UTC)) < timedelta(minutes=2)
        assert wording.result_title(result) == f"Revoked since {since.astimezone():%Y-%m-%d %H:%M}"


def test_a_revoked_issuer_makes_the_leaf_worthless(ca: CaServer) -> None:
    leaf = _issue(ca)
    _pki(ca).revoke(_pki(ca).issuer(IssuerProfile.HSA_ID_3).certificate)
    result = _inspect(ca, leaf)
    assert result.failure is Failure.CERTIFICATE_REVOKED
    assert [each.revocation for each in result.statuses] == [Revocation.NOT_CHECKED, Revocation.REVOKED]


@pytest.mark.parametrize("mode", [StatusMode.DOWN, StatusMode.STALE, StatusMode.GARBAGE, StatusMode.WRONG_SIGNER])
def test_without_a_good_answer_nothing_is_said(ca: CaServer, mode: StatusMode) -> None:
    leaf = _issue(ca)
    ca.ocsp_mode = ca.crl_mode = mode
    result = _inspect(ca, leaf)
    assert (result.failure, result.statuses) == (Failure.REVOCATION_NOT_CHECKED, (NOT_CHECKED, NOT_CHECKED))
    assert wording.status_text(result.statuses[0]) == "Could not be checked"


def test_a_certificate_that_the_issuer_does_not_know(ca: CaServer) -> None:
    leaf = _issue(ca)
    ca.ocsp_mode = StatusMode.UNKNOWN
    result = _inspect(ca, leaf)
    assert result.failure is Failure.CERTIFICATE_NOT_KNOWN
    assert result.statuses[0] == Status(Revocation.NOT_KNOWN)


@pytest.mark.parametrize("variant", [LeafVariant.EXPIRED, LeafVariant.NOT_YET_VALID])
def test_out_of_date_but_not_revoked(ca: CaServer, variant: LeafVariant) -> None:
    result = _inspect(ca, _issue(ca, variant))
    assert (result.failure, result.statuses[0], result.anchored) == (Failure.CERTIFICATE_EXPIRED, GOOD, False)


def test_a_root_from_the_card_or_the_network_is_no_anchor(ca: CaServer) -> None:
    root = Known(_der(_pki(ca).root.certificate), Origin.CARD)
    result = _inspect(ca, _issue(ca), root)
    assert (result.chain.complete, result.anchored, result.failure) == (True, False, Failure.CHAIN_NOT_TRUSTED)
    assert "does not trust the issuer" in wording.result_title(result)


def test_a_root_in_both_places_is_an_anchor(ca: CaServer) -> None:
    root = _der(_pki(ca).root.certificate)
    assert _inspect(ca, _issue(ca), Known(root, Origin.CARD), Known(root, Origin.SETTINGS)).anchored


def test_a_root_that_only_the_network_gave_is_no_anchor(ca: CaServer, people: People) -> None:
    result = _inspect(ca, _issue(ca), Known(people.issue()[1], Origin.SETTINGS))
    assert [member.origin for member in result.chain.members] == [Origin.CARD, Origin.FETCHED, Origin.FETCHED]
    assert (result.chain.complete, result.failure) == (True, Failure.CHAIN_NOT_TRUSTED)


def test_what_an_address_gives_must_have_signed(ca: CaServer, people: People) -> None:
    stranger = people.issue()[1]
    leaf = _der(_issue(ca))
    for answer in (stranger, b"garbage", b"", bytes(200_000)):
        chain = build_chain(Known(leaf, Origin.CARD), (), lambda _url, _body, _seconds, got=answer: got)
        assert (len(chain.members), chain.complete) == (1, False)


def test_a_bundle_of_certificates_is_read(ca: CaServer) -> None:
    leaf = _issue(ca)
    issuers = _pki(ca).chain(leaf)[1:]
    bundle = pkcs7.serialize_certificates(issuers, Encoding.DER)
    chain = build_chain(Known(_der(leaf), Origin.CARD), (), lambda _url, _body, _seconds: bundle)
    assert chain.certificates[:2] == (_der(leaf), _der(issuers[0]))


def test_a_circle_ends(ca: CaServer) -> None:
    leaf = Known(_der(_issue(ca)), Origin.CARD)
    chain = build_chain(leaf, (leaf, leaf), None)
    assert chain.members == (leaf,)


def test_no_certificate(ca: CaServer) -> None:
    with pytest.raises(SithsError) as raised:
        inspect(b"nothing", (), client_fetch(allow_local=True))
    assert raised.value.failure is Failure.CARD_DATA_INVALID


class TestFetching:
    @pytest.mark.parametrize(
        "url",
        [
            "http://127.0.0.1:9/x",
            "http://localhost/x",
            "http://a.localhost/x",
            "http://[::1]/x",
            "http://[::ffff:127.0.0.1]/x",
            "http://0.0.0.0/x",
            "http://169.254.169.254/latest",
            "http://127.1/x",
            "ftp://example.org/x",
            "http://user@/x",
            "http://[bad/x",
            "file:///etc/passwd",
        ],
    )
    def test_a_card_cannot_reach_into_this_computer(self, url: str) -> None:
        with pytest.raises(FetchError):
            client_fetch(allow_local=False)(url, None, 1.0)

    def test_a_name_that_leads_to_this_computer_is_not_asked(
        self, ca: CaServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever the name meant when it was looked up before: the address that was reached is what counts."""
        for name in ("http_proxy", "HTTP_PROXY"):
            monkeypatch.delenv(name, raising=False)
        port = urlsplit(ca.url).port
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, port, *more, **options: real("127.0.0.1", port, *more, **options)
        )
        before = ca.requests
        with pytest.raises(FetchError, match="may not be asked"):
            client_fetch(allow_local=False)(f"http://crl.example.test:{port}/crl/root", None, 5.0)
        assert ca.requests == before
        assert client_fetch(allow_local=True)(f"http://crl.example.test:{port}/crl/root", None, 5.0)

    def test_a_check_has_an_end(self, ca: CaServer) -> None:
        before = ca.requests
        result = inspect(_der(_issue(ca)), (_root(ca),), client_fetch(allow_local=True, seconds=0.0))
        assert (ca.requests, result.failure) == (before, Failure.ISSUER_NOT_FOUND)

    def test_nothing_is_asked_when_local_addresses_are_refused(self, ca: CaServer) -> None:
        leaf = _der(_issue(ca))
        before = ca.requests
        result = inspect(leaf, (_root(ca),), client_fetch(allow_local=False))
        assert (ca.requests, result.failure) == (before, Failure.ISSUER_NOT_FOUND)

    def test_a_cancelled_check_asks_nobody(self, ca: CaServer) -> None:
        cancelled = threading.Event()
        cancelled.set()
        before = ca.requests
        result = inspect(_der(_issue(ca)), (_root(ca),), client_fetch(allow_local=True, cancelled=cancelled))
        assert (ca.requests, result.failure) == (before, Failure.ISSUER_NOT_FOUND)

    def test_proxies(self) -> None:
        parts = urlsplit("http://crl.example.org/x")
        found = system_proxy(parts, lambda: {"http": "http://proxy.example.org:3128"}, lambda _host: False)
        assert found == Proxy("proxy.example.org", 3128)
        assert system_proxy(parts, lambda: {"http": "proxy"}, lambda _host: False) == Proxy("proxy", 8080)
        assert system_proxy(parts, lambda: {"https": "http://p"}, lambda _host: False) is None
        assert system_proxy(parts, lambda: {"http": "http://p"}, lambda host: host == "crl.example.org") is None
        for unusable in ("socks5://p", "http://u:p@p", "http://p:99999", "http://"):
            with pytest.raises(FetchError):
                system_proxy(parts, lambda got=unusable: {"http": got}, lambda _host: False)  # type: ignore[misc] # mypy: default argument

    @pytest.mark.parametrize("named", [True, False])
    def test_the_settings_proxy(self, ca: CaServer, monkeypatch: pytest.MonkeyPatch, named: bool) -> None:
        port = urlsplit(ca.url).port
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9" if named else f"http://127.0.0.1:{port}")
        settings = Settings(environment="production", proxy=f"http://127.0.0.1:{port}" if named else "none")
        real = socket.getaddrinfo

        def look_up(host: str, *more: object, **options: object) -> object:
            if host == "crl.example.test":
                raise socket.gaierror
            return real(host, *more, **options)  # type: ignore[arg-type] # as it was called

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        # A 404 of our server: it was asked as a proxy. Without one the name is looked up, and leads nowhere.
        with pytest.raises(FetchError, match="404" if named else "gaierror"):
            fetch_by(settings)("http://crl.example.test/crl/root", None, 5.0)

    def test_the_systems_proxy_is_asked_for_where_none_is_named(
        self, ca: CaServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        port = urlsplit(ca.url).port
        asked: list[tuple[str, int]] = []

        def find(host: str, port_there: int) -> Proxy:
            asked.append((host, port_there))
            return Proxy("127.0.0.1", port or 0)

        get = client_fetch(allow_local=False, find_proxy=find)
        with pytest.raises(FetchError, match="404"):
            get("http://crl.example.test/crl/root", None, 5.0)
        with pytest.raises(FetchError, match="this computer"):
            get("http://localhost/crl/root", None, 5.0)
        assert asked == [("crl.example.test", 80)]
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        with pytest.raises(FetchError, match="404"):
            get("http://crl.example.test/crl/root", None, 5.0)
        assert len(asked) == 1

    def test_a_proxy_is_asked_for_the_whole_address(self, ca: CaServer, monkeypatch: pytest.MonkeyPatch) -> None:
        """The test CA's server stands in for a proxy; it does not know the path, which is a whole address then."""
        port = urlsplit(ca.url).port
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        before = ca.requests
        with pytest.raises(FetchError, match="404"):
            client_fetch(allow_local=False)("http://crl.example.test/crl/root", None, 5.0)
        assert ca.requests == before


class TestKnown:
    def test_files_come_first_and_are_checked(self, ca: CaServer, tmp_path: Path) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(_pki(ca).root.certificate.public_bytes(Encoding.PEM) * 2)
        found = known_certificates(Settings(card_issuers=(str(file),)), [b"on the card"])
        assert [each.origin for each in found[:2]] == [Origin.SETTINGS] * 2
        assert found[-1] == Known(b"on the card", Origin.CARD)
        assert Origin.SYSTEM in {each.origin for each in found}

    @pytest.mark.parametrize("content", [b"", b"nothing", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\n!\n"])
    def test_a_useless_file_is_named(self, tmp_path: Path, content: bytes) -> None:
        file = tmp_path / "roots.pem"
        file.write_bytes(content)
        for name in (str(file), str(file) + "-missing"):
            with pytest.raises(SithsError, match=r"roots\.pem") as raised:
                known_certificates(Settings(card_issuers=(name,)))
            assert raised.value.failure is Failure.SETTINGS_INVALID
