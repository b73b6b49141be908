# SPDX-License-Identifier: EUPL-1.2
"""What the test CA's certificates say: names, policies, the default person, the demo's codes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

ORGANISATION = "Fiktiv Utfardare AB"
"""Not the real issuer's name, so that nobody takes a test certificate for one of theirs."""

COUNTRY = "SE"
CARD_NUMBER_OID = "1.2.752.34.2.1"
UPN_OID = "1.3.6.1.4.1.311.20.2.3"
ROOT_NAME = "TEST SITHS e-id Root CA v2"
ROOT_SLUG = "root"


class IssuerProfile(Enum):
    """Issuing CAs. `policy` numbers are placeholders: only 1.2.752.74.8.512 (mobile) is known in public."""

    HSA_ID_3 = ("hsa-id-3", "TEST SITHS e-id Person HSA-id 3 CA v1", "1.2.752.74.8.503", True)
    PERSON_ID_3 = ("person-id-3", "TEST SITHS e-id Person ID 3 CA v1", "1.2.752.74.8.501", False)
    HSA_ID_2 = ("hsa-id-2", "TEST SITHS e-id Person HSA-id 2 CA v1", "1.2.752.74.8.403", True)
    PERSON_ID_2 = ("person-id-2", "TEST SITHS e-id Person ID 2 CA v1", "1.2.752.74.8.401", False)

    def __init__(self, slug: str, common_name: str, policy: str, by_hsa_id: bool) -> None:
        self.slug = slug
        self.common_name = common_name
        self.policy = policy
        self.by_hsa_id = by_hsa_id


class KeyPurpose(Enum):
    """What a leaf certificate's key is for."""

    AUTH = "auth"
    SIGN = "sign"


class LeafVariant(Enum):
    """Faults that a leaf certificate can be issued with."""

    NORMAL = "normal"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    SERVER_AUTH_ONLY = "serverAuth only"
    NO_POLICY = "no policy"
    UNKNOWN_CRITICAL_EXTENSION = "unknown critical extension"


@dataclass(frozen=True, slots=True)
class Person:
    """A card holder."""

    given_name: str
    surname: str
    organisation: str
    hsa_id: str
    personal_number: str
    upn: str
    card_number: str


@dataclass(frozen=True, slots=True)
class Codes:
    """A card's codes in digits."""

    pin1: str
    pin2: str
    puk: str


DEFAULT_PERSON = Person(
    given_name="Anna",
    surname="Andersson",
    organisation="Region Exempel",
    hsa_id="TSTNMT2321000156-1A2B",
    personal_number="191212121212",
    upn="TSTNMT2321000156-1A2B@exempel.test",
    card_number="9752269875000123456",
)
"""Fictional; the personal number is a well-known test number."""

OTHER_PERSON = Person(
    given_name="Bo",
    surname="Bergström",
    organisation="Region Exempel",
    hsa_id="TSTNMT2321000156-2C3D",
    personal_number="194910019985",
    upn="TSTNMT2321000156-2C3D@exempel.test",
    card_number="9752269875000654321",
)
"""A second fictional holder, for tests that swap cards."""

DEMO_CODES = Codes(pin1="804913", pin2="573028", puk="20481632")
"""The codes of the demo's card. They are printed for the person at the demo and protect nothing."""
