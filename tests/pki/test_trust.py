# SPDX-License-Identifier: EUPL-1.2
"""Paths to explicit anchors (protocol section B8 rule 8)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import Authority
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.keys import KeyKind, generate_key
from sithsapp.pki.rejection import CertificateRejected, Rejection
from sithsapp.pki.trust import PathToAnchor, TrustAnchors
from tests.pki.conftest import People
from tests.pki.reissuing import Change, reissue

UNKNOWN: Change = (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.752.999.2"), b"\x05\x00"), True)


def _der(authority: Authority) -> bytes:
    return authority.certificate.public_bytes(Encoding.DER)


@pytest.fixture
def anchors(pki: VirtualPki) -> TrustAnchors:
    return TrustAnchors([_der(pki.root)])


@pytest.fixture
def chain(people: People) -> list[bytes]:
    return people.issue()


def _path(anchors: TrustAnchors, certificates: list[bytes]) -> PathToAnchor:
    return anchors.path(certificates, datetime.now(UTC))


def _refused(anchors: TrustAnchors, certificates: list[bytes]) -> None:
    with pytest.raises(CertificateRejected) as caught:
        _path(anchors, certificates)
    assert (caught.value.kind, caught.value.rule) == (Rejection.CERTIFICATE_ERR, 8)


def test_a_path_has_a_link_for_every_certificate_below_the_anchor(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki
) -> None:
    path = _path(anchors, chain)
    assert path.chain == tuple(chain)
    assert path.links[-1].issuer == pki.root.certificate
    assert path.policies == {"1.2.752.74.8.503"}


def test_signature_certificates_without_names_have_a_path(anchors: TrustAnchors, people: People) -> None:
    assert len(_path(anchors, people.issue(purpose=KeyPurpose.SIGN)).links) == 2


def test_intermediates_may_be_known_already(pki: VirtualPki, chain: list[bytes]) -> None:
    assert len(_path(TrustAnchors([_der(pki.root)], chain[1:]), chain[:1]).links) == 2


def test_the_anchor_may_be_sent_too(anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki) -> None:
    assert len(_path(anchors, [*chain, _der(pki.root)]).links) == 2


def test_only_the_given_anchors_count(people: People, chain: list[bytes], pki: VirtualPki) -> None:
    stranger = TrustAnchors([people.issue()[0]])
    _refused(stranger, chain)
    _refused(stranger, [*chain, _der(pki.root)])


def test_there_must_be_an_anchor() -> None:
    with pytest.raises(ValueError, match=r"."):
        TrustAnchors([])


def test_incomplete_and_odd_chains(anchors: TrustAnchors, chain: list[bytes]) -> None:
    leaf, issuing = chain
    _refused(anchors, [leaf])
    _refused(anchors, [])
    _refused(anchors, [leaf, *[issuing] * 5])
    _refused(anchors, [b"", issuing])
    _refused(anchors, [leaf, b"garbage"])
    _refused(anchors, [leaf[:-1] + bytes([leaf[-1] ^ 1]), issuing])


@pytest.mark.parametrize(
    "variant", [LeafVariant.EXPIRED, LeafVariant.NOT_YET_VALID, LeafVariant.UNKNOWN_CRITICAL_EXTENSION]
)
def test_faulty_leaves(anchors: TrustAnchors, people: People, variant: LeafVariant) -> None:
    _refused(anchors, people.issue(variant=variant))


def test_an_expired_intermediate(anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki) -> None:
    issuing = reissue(chain[1], pki.root, not_after=datetime.now(UTC) - timedelta(days=1))
    _refused(anchors, [chain[0], issuing])


def test_an_unknown_critical_extension_in_an_intermediate(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki
) -> None:
    _refused(anchors, [chain[0], reissue(chain[1], pki.root, add=[UNKNOWN])])


def test_a_persons_key_issues_nothing(anchors: TrustAnchors, chain: list[bytes], people: People) -> None:
    holder = Authority("person", x509.load_der_x509_certificate(chain[0]), people.key)
    _refused(anchors, [reissue(people.issue()[0], holder), *chain])


@pytest.mark.parametrize("change", [x509.BasicConstraints(ca=False, path_length=None)])
def test_an_intermediate_that_is_no_ca(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki, change: x509.BasicConstraints
) -> None:
    _refused(anchors, [chain[0], reissue(chain[1], pki.root, add=[(change, True)])])


def test_an_intermediate_that_may_not_sign_certificates(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki
) -> None:
    usage = x509.KeyUsage(True, False, False, False, False, False, True, False, False)
    _refused(anchors, [chain[0], reissue(chain[1], pki.root, add=[(usage, True)])])


def test_path_length(anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki, people: People) -> None:
    issuing = pki.issuer(IssuerProfile.HSA_ID_3)
    key = generate_key(KeyKind.P_256)
    below = reissue(chain[1], issuing, key=key)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA below")])
    old = x509.load_der_x509_certificate(below)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(old.issuer).public_key(key.public_key())
    builder = (
        builder.serial_number(5).not_valid_before(old.not_valid_before_utc).not_valid_after(old.not_valid_after_utc)
    )
    for extension in old.extensions:
        builder = builder.add_extension(extension.value, extension.critical)
    ca = Authority("below", builder.sign(issuing.key, hashes.SHA256()), key)
    leaf = reissue(people.issue()[0], ca, drop=[ExtensionOID.AUTHORITY_KEY_IDENTIFIER])
    _refused(anchors, [leaf, _der(ca), chain[1]])


def test_name_constraints(anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki) -> None:
    other = x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "NO")]))
    constraints = x509.NameConstraints(permitted_subtrees=[other], excluded_subtrees=None)
    _refused(anchors, [chain[0], reissue(chain[1], pki.root, add=[(constraints, True)])])


def _policies(*oids: str) -> Change:
    return x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(oid), None) for oid in oids]), False


def test_policies_that_an_issuer_does_not_allow_do_not_count(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki
) -> None:
    lower = reissue(chain[1], pki.root, add=[_policies("1.2.752.74.8.403")])
    assert _path(anchors, [chain[0], lower]).policies == frozenset()
    same = reissue(chain[1], pki.root, add=[_policies("1.2.752.74.8.503")])
    assert _path(anchors, [chain[0], same]).policies == {"1.2.752.74.8.503"}
    silent = reissue(chain[1], pki.root, drop=[ExtensionOID.CERTIFICATE_POLICIES])
    assert _path(anchors, [chain[0], silent]).policies == {"1.2.752.74.8.503"}


def test_any_policy_can_be_inhibited(anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki) -> None:
    issuing = reissue(chain[1], pki.root, add=[(x509.InhibitAnyPolicy(0), True)])
    assert _path(anchors, [chain[0], issuing]).policies == frozenset()


def test_critical_policy_extensions_are_understood(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki
) -> None:
    explicit = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=0)
    policies, _ = _policies("1.2.752.74.8.503")
    issuing = reissue(chain[1], pki.root, add=[(explicit, True), (policies, True)])
    leaf = reissue(chain[0], pki.issuer(IssuerProfile.HSA_ID_3), add=[(policies, True)])
    assert _path(anchors, [leaf, issuing]).policies == {"1.2.752.74.8.503"}


def test_a_critical_extension_that_only_the_library_knows(
    anchors: TrustAnchors, chain: list[bytes], pki: VirtualPki
) -> None:
    """`cryptography` lets this one pass, though RFC 5280 forbids it to be critical and nobody need heed it."""
    access = x509.load_der_x509_certificate(chain[0]).extensions.get_extension_for_class(
        x509.AuthorityInformationAccess
    )
    leaf = reissue(chain[0], pki.issuer(IssuerProfile.HSA_ID_3), add=[(access.value, True)])
    _refused(anchors, [leaf, chain[1]])
