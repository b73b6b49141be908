# SPDX-License-Identifier: EUPL-1.2
"""Which cards and certificates an order may be answered with, and why others may not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sithsapp.card.model import Card, CardsState, Credential, KeyType, PinState, SlotStatus
from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.order import Order, PinEntryKind
from sithsapp.oob.protocol.signature import SignatureAlgorithm, choose_algorithm
from sithsapp.pki.certificate import Certificate, read_certificate
from sithsapp.pki.rules import Unsuitable, explain, preferred, unsuitability

_MAX_CREDENTIALS = 64
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TIME = 2**34  # the year 2514: a signed number may still be a foolish one
_KEY_NAMES = {KeyType.RSA: "RSA", KeyType.EC_P256: "P-256", KeyType.EC_P384: "P-384", KeyType.EC_P521: "P-521"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A credential that suits the order, with the card it is on and the code that opens it."""

    card: Card
    credential: Credential
    pin: PinState

    @property
    def blocked(self) -> bool:
        """Whether the code is locked."""
        return self.pin.blocked or self.pin.tries_left == 0


@dataclass(frozen=True, slots=True)
class Choice:
    """What the cards offer: suitable credentials, the best first, or the reason why a card will not do.

    Those on the card that the person chose come before all others.
    """

    candidates: tuple[Candidate, ...]
    failure: Failure | None = None

    @property
    def usable(self) -> tuple[Candidate, ...]:
        """The candidates whose code is not locked."""
        return tuple(candidate for candidate in self.candidates if not candidate.blocked)


def choose(cards: CardsState, order: Order) -> Choice:
    """Sort out the cards that are ready now by the order's requirements.

    Validity is judged at the order's signed time of issue, so that this computer's clock does not matter.
    """
    at = _EPOCH + timedelta(seconds=min(max(order.iat, 0), _MAX_TIME))
    suitable: list[tuple[Certificate, Candidate]] = []
    reasons: list[Unsuitable] = []
    failures: list[Failure] = []
    for card, credential in _credentials(cards):
        try:
            certificate = read_certificate(credential.certificate)
            reason = unsuitability(certificate, order.req, at=at)
            pin = card.pin(credential.pin)
            if reason is None and order.req.reader is PinEntryKind.PINPAD and card.pin_pad is None:
                failures.append(Failure.PIN_PAD_NEEDED)
                continue
            if reason is None and pin is not None:
                algorithm_for(credential)
                suitable.append((certificate, Candidate(card, credential, pin)))
            elif reason is not None:
                reasons.append(reason)
        except SithsError as error:
            failures.append(error.failure)
    if suitable:
        return Choice(tuple(sorted(preferred(suitable), key=lambda found: found.card.id != cards.chosen_id)))
    return Choice((), _why_not(cards, reasons, failures))


def algorithm_for(credential: Credential) -> SignatureAlgorithm:
    """Return the algorithm that the credential signs orders with; raises `SithsError(ALGORITHM_NOT_SUPPORTED)`."""
    offered = [scheme.value for scheme in credential.schemes]
    return choose_algorithm(_KEY_NAMES[credential.key_type], credential.key_bits, offered)


def _credentials(cards: CardsState) -> Iterator[tuple[Card, Credential]]:
    for card in cards.cards:
        for credential in card.credentials[:_MAX_CREDENTIALS]:
            yield card, credential


def _why_not(cards: CardsState, reasons: list[Unsuitable], failures: list[Failure]) -> Failure | None:
    """Return the reason that tells most: of a card that was read, then of one that was not; None without a card."""
    failed = [slot.failure for slot in cards.slots if slot.status is SlotStatus.FAILED and slot.failure is not None]
    if reasons:
        nearest = explain(reasons)
        return failures[0] if failures and nearest is Failure.NO_SUITABLE_CERTIFICATE else nearest
    if failures or cards.cards:
        return failures[0] if failures else Failure.NO_SUITABLE_CERTIFICATE
    return failed[0] if failed else None
