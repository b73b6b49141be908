# SPDX-License-Identifier: EUPL-1.2
"""Whole validation: the revocation matrix with a second opinion, leaf rules, kept results, kept evidence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from asn1crypto import crl as asn1_crl
from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID
from pyhanko_certvalidator import CertificateValidator as SecondValidator
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import PathError, ValidationError

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.ca_status import StatusMode
from sithsapp.oob.protocol.order import CertIdentity, KeyUse, Requirements
from sithsapp.pki import ocsp
from sithsapp.pki.fetching import FetchError
from sithsapp.pki.rejection import CertificateRejected, Rejection
from sithsapp.pki.rules import subject_hash
from sithsapp.pki.trust import TrustAnchors
from sithsapp.pki.validation import CertificateValidator, Freshness
from tests.pki.conftest import People, StatusNetwork
from tests.pki.reissuing import link, reissue

AUTH = Requirements(key=KeyUse.AUTH, policies=["1.2.752.74.8.503"])
LEAF_CA = IssuerProfile.HSA_ID_3.slug
ROOT = "root"


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.moment = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.moment


@dataclass
class Bench:
    """A validator with its network, clock and a fresh certificate."""

    pki: VirtualPki
    network: StatusNetwork
    clock: Clock
    validator: CertificateValidator
    chain: list[bytes]

    def validate(self, demands: Requirements = AUTH) -> list[str]:
        """Validate the certificate and return the kinds of evidence, leaf first."""
        return [proof.kind for proof in self.validator.validate(self.chain, demands).revocation]

    def rejected(self, demands: Requirements = AUTH) -> tuple[Rejection, int]:
        """Return how the certificate is rejected."""
        with pytest.raises(CertificateRejected) as caught:
            self.validate(demands)
        return caught.value.kind, caught.value.rule


@pytest.fixture
def bench(pki: VirtualPki, network: StatusNetwork, people: People) -> Iterator[Bench]:
    clock = Clock()
    anchors = TrustAnchors([pki.root.certificate.public_bytes(Encoding.DER)])
    chain = people.issue()
    yield Bench(pki, network, clock, CertificateValidator(anchors, get=network, now=clock), chain)
    for certificate in chain:
        pki.reinstate(x509.load_der_x509_certificate(certificate))


UNAVAILABLE = (Rejection.STATUS_UNAVAILABLE, 10)
REVOKED = (Rejection.CERTIFICATE_ERR, 10)

MATRIX = {
    "good": (None, None),
    "revoked": (None, REVOKED),
    "expired answers": (StatusMode.STALE, UNAVAILABLE),
    "wrong signer": (StatusMode.WRONG_SIGNER, UNAVAILABLE),
    "down": (StatusMode.DOWN, UNAVAILABLE),
    "unknown": (StatusMode.UNKNOWN, UNAVAILABLE),
    "garbage": (StatusMode.GARBAGE, UNAVAILABLE),
}


def _prepare(bench: Bench, state: str, level: int) -> tuple[Rejection, int] | None:
    mode, expected = MATRIX[state]
    slug = (LEAF_CA, ROOT)[level]
    if mode is not None:
        bench.network.ocsp[slug] = bench.network.crl[slug] = mode
    if state == "revoked":
        bench.pki.revoke(x509.load_der_x509_certificate(bench.chain[level]))
    return expected


@pytest.mark.parametrize("level", [0, 1], ids=["leaf", "intermediate"])
@pytest.mark.parametrize("state", MATRIX)
@pytest.mark.parametrize("only_crl", [False, True], ids=["both", "crl"])
def test_only_good_and_fresh_passes(bench: Bench, state: str, level: int, only_crl: bool) -> None:
    expected = _prepare(bench, state, level)
    if only_crl:
        bench.network.ocsp = dict.fromkeys((LEAF_CA, ROOT), StatusMode.DOWN)
    if expected is None:
        assert bench.validate() == (["crl", "crl"] if only_crl else ["ocsp", "ocsp"])
    else:
        assert bench.rejected() == expected


def _second_opinion(bench: Bench) -> bool:
    """Return what certvalidator says of the same answers, with no network of its own."""
    leaf, issuing = bench.chain
    root = bench.pki.root.certificate.public_bytes(Encoding.DER)
    ocsps, crls = [], []
    for certificate, issuer, slug in ((leaf, issuing, LEAF_CA), (issuing, root, ROOT)):
        request = ocsp.request_for(link(certificate, issuer))
        for kind, body in (("ocsp", request), ("crl", None)):
            try:
                data = bench.network(f"http://status.test/{kind}/{slug}", body, 1.0)
                if kind == "ocsp":
                    ocsps.append(asn1_ocsp.OCSPResponse.load(data, strict=True))
                    assert ocsps[-1].native
                else:
                    crls.append(asn1_crl.CertificateList.load(data, strict=True))
                    assert crls[-1].native
            except (FetchError, ValueError):
                continue
    ocsps, crls = [found for found in ocsps if found.contents], [found for found in crls if found.contents]
    return _certvalidator(leaf, [issuing], root, ocsps, crls, mode="require")


def _certvalidator(
    leaf: bytes,
    others: list[bytes],
    root: bytes,
    ocsps: list[asn1_ocsp.OCSPResponse],
    crls: list[asn1_crl.CertificateList],
    *,
    mode: str,
) -> bool:
    context = ValidationContext(
        trust_roots=[asn1_x509.Certificate.load(root)],
        other_certs=[asn1_x509.Certificate.load(other) for other in others],
        ocsps=ocsps,
        crls=crls,
        revocation_mode=mode,
        allow_fetching=False,
    )
    validator = SecondValidator(asn1_x509.Certificate.load(leaf), validation_context=context)
    try:
        asyncio.run(validator.async_validate_usage({"digital_signature"}))  # type: ignore[no-untyped-call]  # has no types
    except (ValidationError, PathError):
        return False
    return True


@pytest.mark.parametrize("level", [0, 1], ids=["leaf", "intermediate"])
@pytest.mark.parametrize("state", MATRIX)
def test_a_second_implementation_agrees(bench: Bench, state: str, level: int) -> None:
    expected = _prepare(bench, state, level)
    assert _second_opinion(bench) == (expected is None)


def _without_addresses(bench: Bench) -> list[bytes]:
    issuing = bench.pki.issuer(IssuerProfile.HSA_ID_3)
    gone = [ExtensionOID.AUTHORITY_INFORMATION_ACCESS, ExtensionOID.CRL_DISTRIBUTION_POINTS]
    leaf, issuer = bench.chain
    return [reissue(leaf, issuing, drop=gone), reissue(issuer, bench.pki.root, drop=gone)]


def test_no_revocation_data_at_all_is_no_pass(bench: Bench) -> None:
    bench.chain = _without_addresses(bench)
    assert bench.rejected() == UNAVAILABLE
    assert bench.network.calls == []


def test_the_hard_fail_trap_is_still_there(bench: Bench) -> None:
    """A library's mode of that name passes a certificate of which nothing is known; we must not lean on it."""
    leaf, issuing = _without_addresses(bench)
    root = bench.pki.root.certificate.public_bytes(Encoding.DER)
    assert _certvalidator(leaf, [issuing], root, [], [], mode="hard-fail")
    assert not _certvalidator(leaf, [issuing], root, [], [], mode="require")


def test_a_server_certificate_is_no_log_in(bench: Bench, people: People) -> None:
    """Both libraries accept a leaf for serverAuth alone: purpose is our own rule."""
    bench.chain = people.issue(variant=LeafVariant.SERVER_AUTH_ONLY)
    assert bench.rejected() == (Rejection.WRONG_CERTIFICATE, 9)


@pytest.mark.parametrize(
    ("profile", "purpose", "variant"),
    [
        (IssuerProfile.HSA_ID_3, KeyPurpose.SIGN, LeafVariant.NORMAL),
        (IssuerProfile.HSA_ID_2, KeyPurpose.AUTH, LeafVariant.NORMAL),
        (IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, LeafVariant.NO_POLICY),
    ],
)
def test_wrong_certificates(
    bench: Bench, people: People, profile: IssuerProfile, purpose: KeyPurpose, variant: LeafVariant
) -> None:
    bench.chain = people.issue(profile, purpose, variant)
    assert bench.rejected() == (Rejection.WRONG_CERTIFICATE, 9)
    assert bench.network.calls == []


def test_a_ca_certificate_is_no_log_in(bench: Bench) -> None:
    bench.chain = bench.chain[1:]
    assert bench.rejected()[1] in (8, 9)


def test_a_policy_that_the_issuer_may_not_give_does_not_count(bench: Bench) -> None:
    low = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier("1.2.752.74.8.403"), None)])
    bench.chain = [bench.chain[0], reissue(bench.chain[1], bench.pki.root, add=[(low, False)])]
    assert bench.rejected() == (Rejection.WRONG_CERTIFICATE, 9)


@pytest.mark.parametrize(
    "change",
    [
        {"cert_id": CertIdentity.PNR},
        {"subject_hash": subject_hash("191212121212")},
        {"issuers": ["Another CA"]},
        {"policies": ["1.2.3"]},
        {"key": KeyUse.SIGN},
    ],
)
def test_demands_hold_for_kept_results_too(bench: Bench, change: dict[str, object]) -> None:
    demands = msgspec.structs.replace(AUTH, **change)
    assert bench.rejected(demands) == (Rejection.WRONG_CERTIFICATE, 9)
    bench.validate()
    assert bench.rejected(demands) == (Rejection.WRONG_CERTIFICATE, 9)


def test_rejections_name_no_person(bench: Bench) -> None:
    demands = msgspec.structs.replace(AUTH, subject_hash=subject_hash("191212121212"))
    with pytest.raises(CertificateRejected, match="holder is another") as caught:
        bench.validate(demands)
    assert "Anna" not in str(caught.value)


def test_ocsp_goes_before_crl(bench: Bench) -> None:
    bench.network.crl = dict.fromkeys((LEAF_CA, ROOT), StatusMode.DOWN)
    assert bench.validate() == ["ocsp", "ocsp"]
    assert not [url for url in bench.network.calls if "/crl/" in url]


@pytest.mark.parametrize("mode", [StatusMode.DOWN, StatusMode.STALE, StatusMode.WRONG_SIGNER, StatusMode.GARBAGE])
def test_a_crl_takes_over_from_ocsp(bench: Bench, mode: StatusMode) -> None:
    bench.network.ocsp[LEAF_CA] = mode
    assert bench.validate() == ["crl", "ocsp"]


def test_a_signed_unknown_is_an_answer_and_not_good(bench: Bench) -> None:
    bench.network.ocsp[LEAF_CA] = StatusMode.UNKNOWN
    assert bench.rejected() == UNAVAILABLE


def test_results_are_kept_for_five_minutes(bench: Bench) -> None:
    bench.validate()
    calls = len(bench.network.calls)
    bench.pki.revoke(x509.load_der_x509_certificate(bench.chain[0]))
    bench.clock.moment += timedelta(minutes=4, seconds=59)
    bench.validate()
    assert len(bench.network.calls) == calls


def test_answers_are_kept_for_a_quarter_of_an_hour(bench: Bench) -> None:
    bench.validate()
    calls = len(bench.network.calls)
    bench.clock.moment += timedelta(minutes=14)
    bench.validate()
    assert len(bench.network.calls) == calls
    bench.clock.moment += timedelta(minutes=2)
    bench.pki.revoke(x509.load_der_x509_certificate(bench.chain[0]))
    assert bench.rejected() == REVOKED


def test_no_answer_is_kept_beyond_its_own_end(bench: Bench) -> None:
    bench.network.ocsp = dict.fromkeys((LEAF_CA, ROOT), StatusMode.DOWN)
    assert bench.validate() == ["crl", "crl"]
    bench.network.crl = dict.fromkeys((LEAF_CA, ROOT), StatusMode.DOWN)
    bench.clock.moment += timedelta(hours=13)
    assert bench.rejected() == UNAVAILABLE


def test_a_kept_list_serves_all_certificates_of_its_issuer(bench: Bench, people: People) -> None:
    bench.network.ocsp = dict.fromkeys((LEAF_CA, ROOT), StatusMode.DOWN)
    bench.validate()
    bench.network.calls.clear()
    bench.chain = people.issue()
    assert bench.validate() == ["crl", "crl"]
    assert bench.network.calls == []


def test_a_silent_responder_is_asked_again_after_a_pause(bench: Bench, people: People) -> None:
    bench.network.ocsp[LEAF_CA] = StatusMode.DOWN
    bench.validate()
    bench.chain = people.issue()
    bench.network.ocsp.clear()
    assert bench.validate() == ["crl", "ocsp"]
    bench.clock.moment += timedelta(seconds=11)
    bench.chain = people.issue()
    assert bench.validate() == ["ocsp", "ocsp"]


def test_bad_news_is_not_kept(bench: Bench) -> None:
    certificate = x509.load_der_x509_certificate(bench.chain[0])
    bench.pki.revoke(certificate)
    assert bench.rejected() == REVOKED
    bench.pki.reinstate(certificate)
    bench.validate()


def test_forgetting(bench: Bench) -> None:
    bench.validate()
    bench.pki.revoke(x509.load_der_x509_certificate(bench.chain[0]))
    bench.validator.forget()
    assert bench.rejected() == REVOKED


def test_nothing_is_kept_when_told_so(bench: Bench) -> None:
    anchors = TrustAnchors([bench.pki.root.certificate.public_bytes(Encoding.DER)])
    never = Freshness(leaf=timedelta(0), answer=timedelta(0))
    bench.validator = CertificateValidator(anchors, get=bench.network, now=bench.clock, freshness=never)
    bench.validate()
    bench.pki.revoke(x509.load_der_x509_certificate(bench.chain[0]))
    assert bench.rejected() == REVOKED


def test_a_kept_result_ends_with_the_certificate(bench: Bench) -> None:
    issuing = bench.pki.issuer(IssuerProfile.HSA_ID_3)
    end = (bench.clock.moment + timedelta(minutes=2)).replace(microsecond=0)
    bench.chain = [reissue(bench.chain[0], issuing, not_after=end), bench.chain[1]]
    bench.validate()
    bench.clock.moment += timedelta(minutes=3)
    assert bench.rejected() == (Rejection.CERTIFICATE_ERR, 8)


def test_kept_evidence_proves_it_again_without_a_network(bench: Bench) -> None:
    bench.network.ocsp[LEAF_CA] = StatusMode.DOWN
    result = bench.validator.validate(bench.chain, AUTH)
    evidence = [(proof.kind, proof.der) for proof in result.revocation]
    at = bench.clock.moment
    bench.network.calls.clear()
    bench.clock.moment += timedelta(days=4000)
    again = bench.validator.verify_again(result.chain, AUTH, evidence, at)
    assert again.certificate == result.certificate
    assert bench.network.calls == []
    for bad in ([], evidence[:1], evidence[1:], [(kind, der[:-1]) for kind, der in evidence]):
        with pytest.raises(CertificateRejected):
            bench.validator.verify_again(result.chain, AUTH, bad, at)
    with pytest.raises(CertificateRejected):
        bench.validator.verify_again(result.chain, AUTH, evidence, at + timedelta(days=2))


def test_many_threads_at_once(bench: Bench, people: People) -> None:
    chains = [people.issue() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda number: bench.validator.validate(chains[number % 4], AUTH), range(40)))
    assert len({result.certificate.sha256 for result in results}) == 4


def test_evidence_is_not_shown(bench: Bench) -> None:
    assert "Anna" not in repr(bench.validator.validate(bench.chain, AUTH))
