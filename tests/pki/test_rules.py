# SPDX-License-Identifier: EUPL-1.2
"""Which certificate suits an order (protocol section B8 rule 9), and levels of assurance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.failures import Failure
from sithsapp.oob.protocol.order import CertIdentity, KeyUse, Requirements
from sithsapp.pki import loa
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.rules import Unsuitable, explain, preferred, subject_hash, unsuitability
from tests.pki.conftest import People

NOW = datetime.now(UTC)
AUTH = Requirements(key=KeyUse.AUTH, policies=["1.2.752.74.8.503", "1.2.752.74.8.501"])
SIGN = msgspec.structs.replace(AUTH, key=KeyUse.SIGN)


def _read(people: People, *args: object) -> Certificate:
    return read_certificate(people.issue(*args)[0])  # type: ignore[arg-type]  # profile, purpose, variant


def test_the_right_certificates_suit(people: People) -> None:
    assert unsuitability(_read(people), AUTH, at=NOW) is None
    assert unsuitability(_read(people, IssuerProfile.HSA_ID_3, KeyPurpose.SIGN), SIGN, at=NOW) is None


def test_keys_are_not_used_across(people: People) -> None:
    assert unsuitability(_read(people), SIGN, at=NOW) is Unsuitable.KEY_USAGE
    found = _read(people, IssuerProfile.HSA_ID_3, KeyPurpose.SIGN)
    assert unsuitability(found, AUTH, at=NOW) is Unsuitable.KEY_USAGE


@pytest.mark.parametrize(
    ("variant", "reason"),
    [
        (LeafVariant.EXPIRED, Unsuitable.VALIDITY),
        (LeafVariant.NOT_YET_VALID, Unsuitable.VALIDITY),
        (LeafVariant.SERVER_AUTH_ONLY, Unsuitable.PURPOSE),
        (LeafVariant.NO_POLICY, Unsuitable.POLICY),
        (LeafVariant.UNKNOWN_CRITICAL_EXTENSION, Unsuitable.CRITICAL_EXTENSION),
    ],
)
def test_faulty_certificates_do_not(people: People, variant: LeafVariant, reason: Unsuitable) -> None:
    assert unsuitability(_read(people, IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, variant), AUTH, at=NOW) is reason


def test_validity_may_be_left_to_somebody_else(people: People) -> None:
    found = _read(people, IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, LeafVariant.EXPIRED)
    assert unsuitability(found, AUTH, at=None) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"policies": ["1.2.752.74.8.403"]}, Unsuitable.POLICY),
        ({"issuers": ["SITHS e-id Person HSA-id 3 CA v1"]}, Unsuitable.ISSUER),
        ({"issuers": []}, Unsuitable.ISSUER),
        ({"issuers": ["TEST SITHS e-id Person HSA-id 3 CA v1"]}, None),
        ({"issuers": ["CN=TEST SITHS e-id Person HSA-id 3 CA v1,O=Fiktiv Utfardare AB,C=SE"]}, None),
        ({"cert_id": CertIdentity.PNR}, Unsuitable.IDENTITY),
        ({"cert_id": CertIdentity.HSAID}, None),
        ({"cert_id": CertIdentity.ANY}, None),
        ({"subject_hash": subject_hash("TSTNMT2321000156-0000")}, Unsuitable.SUBJECT),
        ({"subject_hash": subject_hash(DEFAULT_PERSON.hsa_id.lower())}, None),
        ({"subject_hash": subject_hash(DEFAULT_PERSON.personal_number)}, Unsuitable.SUBJECT),
    ],
)
def test_demands(people: People, change: dict[str, object], reason: Unsuitable | None) -> None:
    assert unsuitability(_read(people), msgspec.structs.replace(AUTH, **change), at=NOW) is reason


def test_ca_certificates_do_not_suit(people: People) -> None:
    issuing = read_certificate(people.issue()[1])
    assert unsuitability(issuing, AUTH, at=NOW) is Unsuitable.KEY_USAGE
    assert Unsuitable.CERTIFICATE_AUTHORITY.failure is Failure.NO_SUITABLE_CERTIFICATE


@pytest.mark.parametrize(
    ("reasons", "failure"),
    [
        ([], Failure.NO_SUITABLE_CERTIFICATE),
        ([Unsuitable.KEY_USAGE, Unsuitable.VALIDITY], Failure.CERTIFICATE_EXPIRED),
        ([Unsuitable.SUBJECT, Unsuitable.KEY_USAGE], Failure.WRONG_PERSON),
        ([Unsuitable.POLICY, Unsuitable.KEY_USAGE], Failure.NO_SUITABLE_CERTIFICATE),
    ],
)
def test_the_nearest_miss_explains(reasons: list[Unsuitable], failure: Failure) -> None:
    assert explain(reasons) is failure


def test_the_app_prefers_the_personal_number(people: People) -> None:
    by_hsa_id = _read(people)
    by_number = _read(people, IssuerProfile.PERSON_ID_3)
    assert preferred([(by_hsa_id, "hsa"), (by_number, "pnr")]) == ["pnr", "hsa"]


def test_then_the_longest_validity(people: People) -> None:
    old = _read(people, IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, LeafVariant.EXPIRED)
    new = _read(people)
    assert new.not_after - old.not_after > timedelta(days=1)
    assert preferred([(old, "old"), (new, "new")]) == ["new", "old"]


@pytest.mark.parametrize(
    ("profile", "uri"),
    [
        (IssuerProfile.HSA_ID_3, loa.UNCERTIFIED_LOA3),
        (IssuerProfile.PERSON_ID_3, loa.UNCERTIFIED_LOA3),
        (IssuerProfile.HSA_ID_2, loa.UNCERTIFIED_LOA2),
        (IssuerProfile.PERSON_ID_2, loa.UNCERTIFIED_LOA2),
    ],
)
def test_levels_default_to_the_uncertified(people: People, profile: IssuerProfile, uri: str) -> None:
    assert loa.level_of(_read(people, profile)) == uri


def test_policies_go_before_issuers_and_the_table_may_be_replaced(people: People) -> None:
    levels = (
        loa.LevelOfAssurance("urn:issuer", issuer="TEST SITHS e-id Person HSA-id 3 CA v1"),
        loa.LevelOfAssurance("urn:policy", policy="1.2.752.74.8.503"),
    )
    assert loa.level_of(_read(people), levels) == "urn:policy"
    assert loa.level_of(_read(people), levels[:1]) == "urn:issuer"


def test_an_unknown_certificate_has_no_level(people: People) -> None:
    assert loa.level_of(_read(people), ()) is None
