# SPDX-License-Identifier: EUPL-1.2
"""Which certificates of the cards count for a reminder. Without Qt, and cheap: asked at each change of cards."""

from __future__ import annotations

from datetime import datetime, timedelta

from sithsapp.card.model import Card, CardsState, PinRole
from sithsapp.support.state import ValidUntil

Ending = tuple[bytes, datetime]
"""A certificate (DER) and its end."""

_EARLIEST = timedelta(days=60)


def ending_soon(cards: CardsState, valid_until: ValidUntil, now: datetime) -> list[Ending]:
    """Return the certificates in the readers that end within sixty days and count.

    Of each use the one that ends last counts: a renewed one stands beside the old one.
    """
    ready = [slot.card for slot in cards.slots if slot.card is not None]
    best = [ending for card in ready for ending in _best(card, valid_until)]
    return [ending for ending in best if now < ending[1] <= now + _EARLIEST]


def _best(card: Card, valid_until: ValidUntil) -> list[Ending]:
    best: dict[PinRole, Ending] = {}
    for credential in card.credentials:
        ends = valid_until(credential)
        if ends is not None and (credential.pin not in best or ends > best[credential.pin][1]):
            best[credential.pin] = (credential.certificate, ends)
    return list(best.values())
