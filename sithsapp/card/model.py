# SPDX-License-Identifier: EUPL-1.2
"""What the rest of the app knows of readers and cards: frozen values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure


class PinRole(Enum):
    """Which code is meant. Values are the words of the command line."""

    AUTH = "auth"
    SIGN = "sign"
    PUK = "puk"


class KeyType(Enum):
    """Public key algorithms that a card key can have."""

    RSA = "RSA"
    EC_P256 = "P-256"
    EC_P384 = "P-384"
    EC_P521 = "P-521"


class SignatureScheme(Enum):
    """Signature algorithms by their JOSE names (RFC 7518 section 3.1).

    PS* use MGF1 with the same hash and a salt as long as the hash; ES* signatures are r || s.
    """

    RS256 = "RS256"
    RS384 = "RS384"
    RS512 = "RS512"
    PS256 = "PS256"
    PS384 = "PS384"
    PS512 = "PS512"
    ES256 = "ES256"
    ES384 = "ES384"

    @property
    def hash_name(self) -> str:
        """The name that `hashlib.new` takes: sha256, sha384 or sha512."""
        return "sha" + self.value[2:]


@dataclass(frozen=True, slots=True)
class CardId:
    """Identity of one card for as long as an operation lasts: which reader it is in and which card it is.

    `serial` is the card's own identifier (8 to 16 bytes); `atr` the answer to reset.
    """

    reader: str
    atr: bytes
    serial: bytes


@dataclass(frozen=True, slots=True)
class PinState:
    """What the card says of one code, read without using a try.

    `tries_left` is None where the card does not tell. Lengths are in digits.
    """

    role: PinRole
    reference: int
    tries_left: int | None
    blocked: bool
    min_length: int
    max_length: int
    never_changed: bool = False
    unblocked_by: PinRole | None = None


@dataclass(frozen=True, slots=True)
class Credential:
    """A certificate on a card with the key that belongs to it.

    `id` names it within its card (container number as text); `certificate` is DER.
    """

    id: str
    label: str
    certificate: bytes
    key_type: KeyType
    key_bits: int
    pin: PinRole
    schemes: tuple[SignatureScheme, ...]


@dataclass(frozen=True, slots=True)
class Card:
    """A card that was read: identity, product name, certificates with keys, codes.

    `other_certificates` (DER) have no key on the card: certificates of issuers. `deletes_certificates` tells whether
    `CardService.delete_certificate` may do its work here. `pin_pad`: its codes can be typed on the reader, by a
    `PadEntry` in place of a `Pin`.
    """

    id: CardId
    product: str
    label: str
    credentials: tuple[Credential, ...]
    pins: tuple[PinState, ...]
    other_certificates: tuple[bytes, ...] = ()
    deletes_certificates: bool = False
    pin_pad: PinPad | None = None

    def pin(self, role: PinRole) -> PinState | None:
        """Return the state of the code with that role, or None if the card has none."""
        return next((pin for pin in self.pins if pin.role is role), None)

    def credential(self, credential_id: str) -> Credential | None:
        """Return the credential with that id, or None."""
        return next((found for found in self.credentials if found.id == credential_id), None)


class SlotStatus(Enum):
    """What is so in one reader."""

    EMPTY = "empty"
    READING = "reading"
    READY = "ready"
    FAILED = "failed"  # mute, not supported, in use, damaged: `Slot.failure` says which


@dataclass(frozen=True, slots=True)
class Slot:
    """One reader and what is in it. `card` is set when READY, `failure` when FAILED."""

    reader: str
    status: SlotStatus
    card: Card | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class CardsState:
    """All readers at one moment. `service_running` is False when there is no smart card service to ask.

    `failure` then says why where that is known: READER_ACCESS_DENIED when the system refuses this session.
    `chosen_id` is the card that the person chose to work with, None if she chose none or it is not there.
    """

    service_running: bool = True
    slots: tuple[Slot, ...] = ()
    failure: Failure | None = None
    chosen_id: CardId | None = None

    @property
    def cards(self) -> tuple[Card, ...]:
        """The cards that are ready, in reader order."""
        return tuple(slot.card for slot in self.slots if slot.card is not None)

    @property
    def chosen(self) -> Card | None:
        """The card that the person chose, or the only one; None when nobody said which of several is meant."""
        if self.chosen_id is not None:
            return self.find(self.chosen_id)
        return self.cards[0] if len(self.cards) == 1 else None

    @property
    def active(self) -> Card | None:
        """The card that is shown first: the chosen one, else the first that is ready."""
        return self.chosen or next(iter(self.cards), None)

    def find(self, card_id: CardId) -> Card | None:
        """Return the card with that identity if it is still there."""
        return next((card for card in self.cards if card.id == card_id), None)
