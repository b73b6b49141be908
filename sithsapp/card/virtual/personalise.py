# SPDX-License-Identifier: EUPL-1.2
"""Makes a virtual card for a person: keys, certificates from the test CA, codes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.ca import VirtualPki
from sithsapp.card.virtual.ca_certificates import LeafRequest
from sithsapp.card.virtual.ca_profile import (
    DEFAULT_PERSON,
    DEMO_CODES,
    Codes,
    IssuerProfile,
    KeyPurpose,
    LeafVariant,
    Person,
)
from sithsapp.card.virtual.card import Latency, VirtualCard
from sithsapp.card.virtual.keys import KeyKind, KeyMaker, generate_key, key_to_bytes
from sithsapp.card.virtual.spec import (
    CHIP_940,
    NO_COUNTRY,
    OPENSC_0_23_KEY_REFERENCE,
    SEEN_IN_SWEDEN_KEY_REFERENCE,
    SWEDEN,
    CardSpec,
    ContainerSpec,
    PinReference,
    standard_pins,
)


@dataclass(frozen=True, slots=True)
class Pair:
    """One certificate that the card shall carry."""

    issuer: IssuerProfile
    purpose: KeyPurpose
    kind: KeyKind = KeyKind.RSA_2048
    variant: LeafVariant = LeafVariant.NORMAL


HSA_ID_PAIRS = (Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH), Pair(IssuerProfile.HSA_ID_3, KeyPurpose.SIGN))
PERSON_ID_PAIRS = (Pair(IssuerProfile.PERSON_ID_3, KeyPurpose.AUTH), Pair(IssuerProfile.PERSON_ID_3, KeyPurpose.SIGN))


@dataclass(frozen=True, slots=True)
class CardOrder:
    """What to personalise. The default is a card as SITHS cards are understood to be."""

    person: Person = DEFAULT_PERSON
    codes: Codes = DEMO_CODES
    pairs: tuple[Pair, ...] = HSA_ID_PAIRS
    protocol: CardProtocol = CardProtocol.T0
    chip: bytes = CHIP_940
    country: bytes = SWEDEN
    first_key_reference: int = SEEN_IN_SWEDEN_KEY_REFERENCE
    compressed: bool = True
    has_container_map: bool = True
    serial: bytes | None = None


def for_opensc_0_23(order: CardOrder | None = None) -> CardOrder:
    """Return the order changed so that OpenSC 0.23 knows the card and finds its keys (fact sheet section 8)."""
    import dataclasses

    return dataclasses.replace(
        order or CardOrder(), country=NO_COUNTRY, first_key_reference=OPENSC_0_23_KEY_REFERENCE, compressed=True
    )


def card_spec(pki: VirtualPki, order: CardOrder | None = None, make_key: KeyMaker = generate_key) -> CardSpec:
    """Make keys and certificates and return the content of the card."""
    order = order or CardOrder()
    return CardSpec(
        containers=tuple(_container(pki, order, number, make_key) for number in range(len(order.pairs))),
        pins=standard_pins(order.codes.pin1, order.codes.pin2, order.codes.puk),
        serial=order.serial or os.urandom(8),
        protocol=order.protocol,
        chip=order.chip,
        country=order.country,
        has_container_map=order.has_container_map,
    )


def new_card(
    directory: Path,
    pki: VirtualPki,
    order: CardOrder | None = None,
    *,
    environment: str,
    make_key: KeyMaker = generate_key,
    latency: Latency | None = None,
) -> VirtualCard:
    """Personalise a card in `directory`; raises as `VirtualCard.create` does."""
    spec = card_spec(pki, order, make_key)
    return VirtualCard.create(directory, spec, environment=environment, latency=latency)


def _container(pki: VirtualPki, order: CardOrder, number: int, make_key: KeyMaker) -> ContainerSpec:
    pair = order.pairs[number]
    key = make_key(pair.kind)
    request = LeafRequest(pair.issuer, pair.purpose, order.person, key.public_key(), pair.variant)
    for_login = pair.purpose is KeyPurpose.AUTH
    return ContainerSpec(
        number=number,
        pin=PinReference.PIN1 if for_login else PinReference.PIN2,
        private_key=key_to_bytes(key),
        certificate=pki.issue(request).public_bytes(Encoding.DER),
        key_reference=order.first_key_reference + number,
        signature=not for_login,
        compressed=order.compressed,
    )
