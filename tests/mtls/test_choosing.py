# SPDX-License-Identifier: EUPL-1.2
"""Which certificate servers are shown, and why none."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.model import Card, CardsState, KeyType, Slot, SlotStatus
from sithsapp.card.service import CardService
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.keys import KeyKind
from sithsapp.card.virtual.personalise import HSA_ID_PAIRS, PERSON_ID_PAIRS, Pair
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.choosing import Chosen, Issuers, choose, read_issuers
from sithsapp.pki.certificate import read_certificate
from tests.mtls.parts import eventually, key_of, make_certificate
from tests.parts.virtual_card import CardFactory


def read(make_card: CardFactory, *pairs: Pair) -> Card:
    readers = VirtualReaders()
    service = CardService([readers])
    service.start()
    readers.insert(make_card(pairs=pairs))
    eventually(lambda: bool(service.state.cards))
    service.close()
    return service.state.cards[0]


def state(*cards: Card) -> CardsState:
    return CardsState(slots=tuple(Slot(card.id.reader, SlotStatus.READY, card) for card in cards))


def failure(cards: CardsState, at: datetime | None = None) -> Failure:
    with pytest.raises(SithsError) as caught:
        choose(cards, at=at)
    return caught.value.failure


def test_the_certificate_with_an_hsa_id_is_preferred(make_card: CardFactory) -> None:
    card = read(make_card, *PERSON_ID_PAIRS, *HSA_ID_PAIRS)
    certificate = read_certificate(choose(state(card)).credential.certificate)
    assert certificate.hsaid is not None
    person = read(make_card, *PERSON_ID_PAIRS)
    assert choose(state(person)).card == person
    assert choose(state(person, card)).card == card


def test_the_chosen_card_is_preferred(make_card: CardFactory) -> None:
    hsa, person = read(make_card, *HSA_ID_PAIRS), read(make_card, *PERSON_ID_PAIRS)
    moved = dataclasses.replace(person, id=dataclasses.replace(person.id, reader="Second reader"))
    both = state(hsa, moved)
    assert choose(both).card == hsa
    assert choose(dataclasses.replace(both, chosen_id=moved.id)).card == moved


def test_a_signature_certificate_is_never_offered(make_card: CardFactory) -> None:
    card = read(make_card, HSA_ID_PAIRS[1])
    assert len(card.credentials) == 1
    assert failure(state(card)) is Failure.NO_SUITABLE_CERTIFICATE


def test_a_key_for_both_purposes_is_not_offered(make_card: CardFactory) -> None:
    card = read(make_card, HSA_ID_PAIRS[0])
    for usage, offered in (("log-in", True), ("both", False)):
        certificate = make_certificate(key_of(KeyKind.RSA_2048), "both", content_commitment=usage == "both")
        credential = dataclasses.replace(card.credentials[0], certificate=certificate.public_bytes(Encoding.DER))
        cards = state(dataclasses.replace(card, credentials=(credential,)))
        if offered:
            assert choose(cards).credential == credential
        else:
            assert failure(cards) is Failure.NO_SUITABLE_CERTIFICATE


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        (LeafVariant.EXPIRED, Failure.CERTIFICATE_EXPIRED),
        (LeafVariant.NOT_YET_VALID, Failure.CERTIFICATE_EXPIRED),
        (LeafVariant.SERVER_AUTH_ONLY, Failure.NO_SUITABLE_CERTIFICATE),
        (LeafVariant.UNKNOWN_CRITICAL_EXTENSION, Failure.NO_SUITABLE_CERTIFICATE),
    ],
)
def test_unfit_certificates(make_card: CardFactory, variant: LeafVariant, expected: Failure) -> None:
    pair = Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, KeyKind.P_256, variant)
    assert failure(state(read(make_card, pair))) is expected


def test_a_key_that_tls_cannot_use_or_that_cannot_sign(make_card: CardFactory) -> None:
    card = read(make_card, HSA_ID_PAIRS[0])
    for change in ({"key_type": KeyType.EC_P521}, {"schemes": ()}, {"certificate": b"damaged"}):
        broken = dataclasses.replace(card.credentials[0], **change)
        changed = dataclasses.replace(card, credentials=(broken,))
        assert failure(state(changed)) is Failure.NO_SUITABLE_CERTIFICATE


def test_time_is_judged_when_asked(make_card: CardFactory) -> None:
    card = read(make_card, *HSA_ID_PAIRS)
    assert failure(state(card), datetime.now(UTC) + timedelta(days=9000)) is Failure.CERTIFICATE_EXPIRED


def test_without_a_card_the_reason_is_told() -> None:
    assert failure(CardsState(service_running=False)) is Failure.NO_READER_SERVICE
    assert failure(CardsState()) is Failure.NO_READER
    assert failure(CardsState(slots=(Slot("r", SlotStatus.EMPTY),))) is Failure.NO_CARD
    assert failure(CardsState(slots=(Slot("r", SlotStatus.FAILED, failure=Failure.CARD_MUTE),))) is Failure.CARD_MUTE


def test_the_chain_ends_before_the_root(make_card: CardFactory, issuers: Path) -> None:
    assert make_card.pki is not None
    card = read(make_card, *HSA_ID_PAIRS)
    chosen = Chosen(card, card.credentials[0])
    chain = read_issuers([str(issuers)]).chain(chosen)
    assert [read_certificate(each).common_name for each in chain][1:] == [IssuerProfile.HSA_ID_3.common_name]
    assert len(Issuers(()).chain(chosen)) == 1
    on_card = Chosen(dataclasses.replace(card, other_certificates=(b"damaged", chain[1])), chosen.credential)
    assert Issuers(()).chain(on_card) == chain


@pytest.mark.parametrize(
    "content", ["", "none", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "å"]
)
def test_a_file_without_issuers_is_refused(tmp_path: Path, content: str) -> None:
    file = tmp_path / "issuers.pem"
    file.write_text(content)
    for name in (str(file), str(tmp_path / "missing.pem")):
        with pytest.raises(SithsError) as caught:
            read_issuers([name])
        assert caught.value.failure is Failure.SETTINGS_INVALID
