# SPDX-License-Identifier: EUPL-1.2
"""OCSP answers and CRLs, one fault at a time (protocol section B8 rule 10)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp as x509_ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import Authority
from sithsapp.card.virtual.ca_profile import IssuerProfile
from sithsapp.pki import crl, ocsp
from sithsapp.pki.rejection import CertificateRejected, StatusUnusable
from sithsapp.pki.revocation import KeptSource, RevocationChecker
from sithsapp.pki.trust import Link
from tests.pki.conftest import BASE, People
from tests.pki.reissuing import Change, answer, link, reissue, revocation_list, scope

UNKNOWN: Change = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.752.999.3"), b"\x05\x00"), True)
_KEY_CERT_SIGN = x509.KeyUsage(False, False, False, False, False, True, False, False, False)
NO_CHECK = ExtensionOID.OCSP_NO_CHECK


@pytest.fixture(scope="module")
def issuing(pki: VirtualPki) -> Authority:
    return pki.issuer(IssuerProfile.HSA_ID_3)


@pytest.fixture(scope="module")
def responder(pki: VirtualPki, issuing: Authority) -> Authority:
    return pki.responder(issuing)


@pytest.fixture(scope="module")
def leaf(people: People) -> Link:
    return link(*people.issue())


def _now() -> datetime:
    return datetime.now(UTC)


def _trusting(_responder: Link) -> None:
    return None


def _read(data: bytes, about: Link) -> ocsp.Status:
    return ocsp.read_answer(data, about, _now(), _trusting).status


def _unusable(data: bytes, about: Link, match: str) -> None:
    with pytest.raises(StatusUnusable, match=match):
        _read(data, about)


def _changed(authority: Authority, issuer: Authority, **changes: object) -> Authority:
    """Return a responder with another certificate."""
    data = reissue(authority.certificate.public_bytes(Encoding.DER), issuer, **changes)  # type: ignore[arg-type]  # passed on
    return Authority(authority.slug, x509.load_der_x509_certificate(data), authority.key)


@pytest.mark.parametrize("status", x509_ocsp.OCSPCertStatus)
@pytest.mark.parametrize("by_name", [False, True])
def test_the_status_is_what_the_responder_says(
    leaf: Link, responder: Authority, status: x509_ocsp.OCSPCertStatus, by_name: bool
) -> None:
    assert _read(answer(leaf, responder, status=status, by_name=by_name), leaf).name == status.name


@pytest.mark.parametrize("digest", [hashes.SHA1(), hashes.SHA256(), hashes.SHA512()])  # noqa: S303 - names only
def test_certificates_may_be_named_by_other_hashes(
    leaf: Link, responder: Authority, digest: hashes.HashAlgorithm
) -> None:
    assert _read(answer(leaf, responder, digest=digest), leaf) is ocsp.Status.GOOD


def test_the_issuer_itself_may_answer(leaf: Link, issuing: Authority) -> None:
    assert _read(answer(leaf, issuing), leaf) is ocsp.Status.GOOD
    assert _read(answer(leaf, issuing, certificates=[]), leaf) is ocsp.Status.GOOD


def test_answers_about_others(leaf: Link, responder: Authority, people: People, pki: VirtualPki) -> None:
    other = link(*people.issue())
    _unusable(answer(other, responder), leaf, "another certificate")
    foreign = link(*people.issue(IssuerProfile.PERSON_ID_3))
    _unusable(answer(foreign, pki.responder(pki.issuer(IssuerProfile.PERSON_ID_3))), leaf, "another certificate")


def test_answers_by_another_cas_responder(leaf: Link, pki: VirtualPki) -> None:
    stranger = pki.responder(pki.issuer(IssuerProfile.PERSON_ID_3))
    _unusable(answer(leaf, stranger), leaf, "not the issuer's responder")
    _unusable(answer(leaf, pki.root), leaf, "not the issuer's responder")


def test_answers_by_a_card_holder(leaf: Link, people: People) -> None:
    """Every card's certificate comes from the same CA; only id-kp-OCSPSigning makes a responder."""
    holder = Authority("holder", x509.load_der_x509_certificate(people.issue()[0]), people.key)
    _unusable(answer(leaf, holder), leaf, "may not sign answers")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"drop": [ExtensionOID.EXTENDED_KEY_USAGE]}, "may not sign answers"),
        ({"add": [(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), False)]}, "may not sign answers"),
        ({"add": [UNKNOWN]}, "may not sign answers"),
        ({"add": [(_KEY_CERT_SIGN, True)]}, "may not sign"),
        ({"not_after": _now() - timedelta(days=1)}, "not valid now"),
    ],
)
def test_responders_that_do_not_count(
    leaf: Link, responder: Authority, issuing: Authority, changes: dict[str, object], match: str
) -> None:
    _unusable(answer(leaf, _changed(responder, issuing, **changes)), leaf, match)


def test_a_signer_that_is_not_sent_is_unknown(leaf: Link, responder: Authority) -> None:
    _unusable(answer(leaf, responder, certificates=[]), leaf, "signer is unknown")


def test_a_signature_by_another_key(leaf: Link, responder: Authority, issuing: Authority, people: People) -> None:
    data = reissue(responder.certificate.public_bytes(Encoding.DER), issuing, key=people.key)
    other = Authority("other", x509.load_der_x509_certificate(data), people.key)
    _unusable(answer(leaf, other, certificates=[responder.certificate], by_name=True), leaf, "does not verify")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"next_update": None}, "does not say how long"),
        ({"this_update": -timedelta(days=2), "next_update": -timedelta(seconds=1)}, "too old"),
        ({"this_update": timedelta(minutes=6)}, "future"),
        ({"extensions": [(x509.OCSPNonce(b"12345678"), True)]}, "critical extension"),
    ],
)
def test_answers_that_are_not_good_now(
    leaf: Link, responder: Authority, changes: dict[str, object], match: str
) -> None:
    _unusable(answer(leaf, responder, **changes), leaf, match)  # type: ignore[arg-type]  # passed on


def test_a_little_clock_skew_is_allowed(leaf: Link, responder: Authority) -> None:
    assert _read(answer(leaf, responder, this_update=timedelta(minutes=4)), leaf) is ocsp.Status.GOOD


@pytest.mark.parametrize("status", list(x509_ocsp.OCSPResponseStatus)[1:])
def test_unsuccessful_answers(leaf: Link, status: x509_ocsp.OCSPResponseStatus) -> None:
    data = x509_ocsp.OCSPResponseBuilder.build_unsuccessful(status).public_bytes(Encoding.DER)
    _unusable(data, leaf, "no answer")


def test_requests_have_no_nonce(leaf: Link) -> None:
    request = x509_ocsp.load_der_ocsp_request(ocsp.request_for(leaf))
    assert request.serial_number == leaf.fields.serial_number
    assert len(list(request.extensions)) == 0


def _check(leaf: Link, *evidence: tuple[str, bytes]) -> str:
    return RevocationChecker(timedelta(0)).check(leaf, KeptSource(evidence), _now()).kind


def test_a_responder_without_no_check_is_checked_by_crl(leaf: Link, responder: Authority, issuing: Authority) -> None:
    checked = _changed(responder, issuing, drop=[NO_CHECK])
    data = answer(leaf, checked)
    assert _check(leaf, ("ocsp", data), ("crl", revocation_list(issuing))) == "ocsp"
    with pytest.raises(CertificateRejected, match="no usable answer"):
        _check(leaf, ("ocsp", data))
    revoked = revocation_list(issuing, checked.certificate.serial_number)
    assert _check(leaf, ("ocsp", data), ("crl", revoked)) == "crl"


def test_a_revoked_responder_cannot_call_a_revoked_card_good(
    leaf: Link, responder: Authority, issuing: Authority
) -> None:
    checked = _changed(responder, issuing, drop=[NO_CHECK])
    both = revocation_list(issuing, checked.certificate.serial_number, leaf.fields.serial_number)
    with pytest.raises(CertificateRejected, match="revoked"):
        _check(leaf, ("ocsp", answer(leaf, checked)), ("crl", both))


def _listed(data: bytes, about: Link) -> bool:
    return crl.is_listed(crl.read_list(data, about.issuer), about, _now())


def test_lists(leaf: Link, issuing: Authority) -> None:
    assert not _listed(revocation_list(issuing), leaf)
    assert not _listed(revocation_list(issuing, 1, 2, 3), leaf)
    assert _listed(revocation_list(issuing, 1, leaf.fields.serial_number), leaf)


URL = f"{BASE}/crl/hsa-id-3"


@pytest.mark.parametrize("add", [[scope(URL)], [scope(URL, only_users=True)], [scope(only_users=True)]])
def test_scopes_that_cover_people(leaf: Link, issuing: Authority, add: list[Change]) -> None:
    assert _listed(revocation_list(issuing, leaf.fields.serial_number, add=add), leaf)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"add": [scope(URL, only_cas=True)]}, "another kind"),
        ({"add": [scope(f"{BASE}/crl/other")]}, "another distribution point"),
        ({"add": [scope(URL, indirect=True)]}, "not supported"),
        ({"add": [scope(URL, only_attributes=True)]}, "not supported"),
        ({"add": [scope(URL, reasons=frozenset({x509.ReasonFlags.key_compromise}))]}, "not supported"),
        ({"add": [(x509.DeltaCRLIndicator(1), True)]}, "delta"),
        ({"add": [(x509.DeltaCRLIndicator(1), False)]}, "delta"),
        ({"add": [UNKNOWN]}, "unknown critical"),
        ({"last_update": -timedelta(days=2), "next_update": -timedelta(seconds=1)}, "too old"),
        ({"last_update": timedelta(minutes=6)}, "future"),
        ({"name": x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Other")])}, "another issuer's"),
    ],
)
def test_lists_that_do_not_count(leaf: Link, issuing: Authority, changes: dict[str, object], match: str) -> None:
    data = revocation_list(issuing, **changes)  # type: ignore[arg-type]  # passed on
    with pytest.raises(StatusUnusable, match=match):
        _listed(data, leaf)


def test_a_list_of_users_says_nothing_of_cas(people: People, pki: VirtualPki) -> None:
    chain = people.issue()
    authority = link(chain[1], pki.root.certificate.public_bytes(Encoding.DER))
    assert not _listed(revocation_list(pki.root, add=[scope(only_cas=True)]), authority)
    with pytest.raises(StatusUnusable, match="another kind"):
        _listed(revocation_list(pki.root, add=[scope(only_users=True)]), authority)


def test_lists_by_other_signers(leaf: Link, issuing: Authority, pki: VirtualPki, people: People) -> None:
    for signer in (
        Authority("x", issuing.certificate, people.key),
        Authority("y", issuing.certificate, pki.root.key),
    ):
        with pytest.raises(StatusUnusable, match="does not verify"):
            _listed(revocation_list(signer), leaf)


def test_an_issuer_that_may_not_sign_lists(leaf: Link, issuing: Authority, pki: VirtualPki) -> None:
    bare = _changed(issuing, pki.root, add=[(_KEY_CERT_SIGN, True)])
    with pytest.raises(StatusUnusable, match="may not sign lists"):
        crl.read_list(revocation_list(bare), bare.certificate)


@pytest.fixture(scope="module")
def good_answer(leaf: Link, responder: Authority) -> bytes:
    return answer(leaf, responder)


@pytest.fixture(scope="module")
def good_list(leaf: Link, issuing: Authority) -> bytes:
    return revocation_list(issuing, 17, leaf.fields.serial_number, add=[scope(URL)])


def _damage(data: bytes, position: int, change: int) -> bytes:
    at = position % len(data)
    return data[:at] + bytes([data[at] ^ change]) + data[at + 1 :]


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@settings(deadline=None, max_examples=150, phases=[Phase.generate], database=None)
@given(st.integers(0, 2**16), st.integers(1, 255), st.binary(max_size=60))
def test_damaged_answers_never_say_revoked_or_fail_otherwise(
    leaf: Link, good_answer: bytes, good_list: bytes, position: int, change: int, garbage: bytes
) -> None:
    for data in (_damage(good_answer, position, change), good_answer[: position % len(good_answer)], garbage):
        with suppress(StatusUnusable):
            assert _read(data, leaf) is ocsp.Status.GOOD  # damage outside of what is signed, such as an unused part
    for data in (_damage(good_list, position, change), good_list[: position % len(good_list)], garbage):
        with suppress(StatusUnusable):
            assert _listed(data, leaf)


def test_answers_and_lists_are_bounded(leaf: Link) -> None:
    _unusable(bytes(ocsp.MAX_RESPONSE + 1), leaf, "too long")
    with pytest.raises(StatusUnusable, match="too long"):
        crl.read_list(bytes(crl.MAX_CRL + 1), leaf.issuer)
