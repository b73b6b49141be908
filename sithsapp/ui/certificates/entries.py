# SPDX-License-Identifier: EUPL-1.2
"""The certificates on the cards, each with its fields where they can be read. Without Qt."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from sithsapp.card.model import Card, CardId, CardsState, Credential
from sithsapp.failures import SithsError
from sithsapp.locale import tr

if TYPE_CHECKING:  # read at the first certificate, not at import
    from sithsapp.pki.certificate import Certificate

_MOST = 32


@dataclass(frozen=True, slots=True)
class EntryId:
    """Names a certificate for as long as its card is there."""

    card: CardId
    digest: bytes


@dataclass(frozen=True, slots=True, repr=False)
class Entry:
    """A certificate (DER) on a card. `credential` is None for one without a key: an issuer's.

    `fields` is None for what cannot be read; `on_card` holds all certificates of the card.
    """

    id: EntryId
    der: bytes
    credential: Credential | None
    fields: Certificate | None
    on_card: tuple[bytes, ...]
    deletable: bool


def entries_of(cards: CardsState) -> tuple[Entry, ...]:
    """Return the certificates of all cards: those with keys first, as they lie on the card."""
    found = [entry for card in cards.cards for entry in _entries(card)]
    return tuple(found[:_MOST])


def _entries(card: Card) -> list[Entry]:
    own = [(each.certificate, each) for each in card.credentials]
    others = [(der, None) for der in card.other_certificates]
    on_card = tuple(der for der, _ in (*own, *others))
    found: dict[EntryId, Entry] = {}
    for der, credential in (*own, *others):
        entry = _entry(card, der, credential, on_card)
        found.setdefault(entry.id, entry)  # one that lies on the card twice is shown once, with its key
    return list(found.values())


def _entry(card: Card, der: bytes, credential: Credential | None, on_card: tuple[bytes, ...]) -> Entry:
    digest, fields = _read(der)
    deletable = credential is not None and card.deletes_certificates
    return Entry(EntryId(card.id, digest), der, credential, fields, on_card, deletable)


@lru_cache(maxsize=_MOST)
def _read(der: bytes) -> tuple[bytes, Certificate | None]:
    from sithsapp.pki.certificate import read_certificate

    try:
        fields = read_certificate(der)
    except SithsError:
        return hashlib.sha256(der).digest(), None
    return fields.sha256, fields


def read_name_of(der: bytes) -> str:
    """Return the name that a certificate is known by: its common name, or the whole subject."""
    _, fields = _read(der)
    if fields is None:
        return tr("A certificate that cannot be read")
    return fields.common_name or fields.subject.rfc4514
