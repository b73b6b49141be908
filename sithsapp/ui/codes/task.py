# SPDX-License-Identifier: EUPL-1.2
"""The life of one change or unlocking of a code as a state machine. Pure: no Qt, no threads, nothing is sent here."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from sithsapp.card.model import Card, CardId, CardsState, PinRole, PinState
from sithsapp.failures import Failure, SithsError


class Kind(Enum):
    """What shall be done with a code."""

    CHANGE = "change"
    UNBLOCK = "unblock"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants to do with which code."""

    kind: Kind
    role: PinRole


@dataclass(frozen=True, slots=True)
class WaitForCard:
    """The card is not there. `failure` is CARD_REMOVED or CARD_CHANGED when it was there before."""

    cards: CardsState
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class Enter:
    """The codes are wanted.

    `known` is the one that proves the right, the code itself or the PUK; `code` gets the new value. `failure` is that
    of the entry before; `several` tells that another card is there too.
    """

    card: Card
    known: PinState
    code: PinState
    failure: Failure | None = None
    several: bool = False


@dataclass(frozen=True, slots=True)
class Send:
    """The card works, or, with `on_reader`, waits for what is typed on the reader's keys."""

    on_reader: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """The code has its new value. `after` is its state; `others` are codes that still have to be changed."""

    after: PinState
    others: tuple[PinRole, ...] = ()


@dataclass(frozen=True, slots=True)
class Stopped:
    """It cannot go on. `puk_helps`: the code is locked and the PUK can unlock it."""

    failure: Failure
    puk_helps: bool = False


View = WaitForCard | Enter | Send | Done | Stopped

_FINAL_FAILURES = {
    Failure.PIN_LOCKED,
    Failure.PUK_LOCKED,
    Failure.UNBLOCK_NOT_POSSIBLE,
    Failure.CARD_NOT_SUPPORTED,
    Failure.CARD_DATA_INVALID,
}
_CARD_LEFT = {Failure.CARD_REMOVED, Failure.CARD_CHANGED}


class CodeTask:
    """One wish on one card. `view` is what the person should see now."""

    def __init__(self, wish: Wish, card: CardId | None, cards: CardsState) -> None:
        """Begin with that card; None takes the active card, or the first one that comes."""
        self.wish = wish
        self._card_id = card
        self._cards = cards
        self.view: View = WaitForCard(cards)
        self.follow(cards)

    @property
    def card(self) -> CardId | None:
        """The card that the work is about, once there has been one."""
        return self._card_id

    @property
    def is_at_work(self) -> bool:
        """Whether the card works just now."""
        return isinstance(self.view, Send)

    @property
    def has_ended(self) -> bool:
        """Whether nothing more can happen."""
        return isinstance(self.view, (Done, Stopped))

    def follow(self, cards: CardsState) -> None:
        """Take in a change of readers and cards."""
        self._cards = cards
        if self.has_ended or self.is_at_work:
            return
        card = self._find(cards)
        if card is None:
            self.view = WaitForCard(cards, self._why_missing(cards))
        else:
            failure = self.view.failure if isinstance(self.view, Enter) else None
            self._enter(card, failure)

    def sent(self, *, on_reader: bool = False) -> None:
        """Note that the codes are on their way to the card, from here or from the reader's keys."""
        self.view = Send(on_reader)

    def succeeded(self, after: PinState) -> None:
        """Note that the card took the new code."""
        card = self._find(self._cards)
        done = {after.role, PinRole.PUK}
        pins = card.pins if card is not None else ()
        self.view = Done(after, tuple(pin.role for pin in pins if pin.never_changed and pin.role not in done))

    def failed(self, error: SithsError) -> None:
        """Note why the card did not take the codes. No entry is ever sent again."""
        failure = error.failure
        if failure in _FINAL_FAILURES:
            self.view = Stopped(failure, self._puk_helps(failure))
            return
        card = self._find(self._cards)
        if card is None or failure in _CARD_LEFT:
            self.view = WaitForCard(self._cards, failure if failure in _CARD_LEFT else self._why_missing(self._cards))
            return
        self._enter(card, None if failure is Failure.CANCELLED_BY_USER else failure, error.tries_left)

    def _enter(self, card: Card, failure: Failure | None, tries: int | None = None) -> None:
        code = card.pin(self.wish.role)
        known = code if self.wish.kind is Kind.CHANGE else card.pin(PinRole.PUK)
        if code is None or known is None:
            self.view = Stopped(Failure.UNBLOCK_NOT_POSSIBLE if code is not None else Failure.CARD_ERROR)
            return
        if tries is not None:  # what the card answered is newer than what was read
            known = replace(known, tries_left=tries, blocked=tries == 0)
        several = len(self._cards.cards) > 1
        self.view = self._obstacle(known, code) or Enter(card, known, code, failure, several)

    def _obstacle(self, known: PinState, code: PinState) -> Stopped | None:
        if self.wish.kind is Kind.UNBLOCK and code.unblocked_by is not PinRole.PUK:
            return Stopped(Failure.UNBLOCK_NOT_POSSIBLE)
        if known.blocked:
            failure = Failure.PUK_LOCKED if known.role is PinRole.PUK else Failure.PIN_LOCKED
            return Stopped(failure, self._puk_helps(failure))
        return None

    def _puk_helps(self, failure: Failure) -> bool:
        card = self._find(self._cards)
        if failure is not Failure.PIN_LOCKED or card is None:
            return False
        code, puk = card.pin(self.wish.role), card.pin(PinRole.PUK)
        can = code is not None and code.unblocked_by is PinRole.PUK
        return can and puk is not None and not puk.blocked

    def _find(self, cards: CardsState) -> Card | None:
        """Return the card that the work is about, also when it has come back into another reader."""
        if self._card_id is None:
            card = cards.active
        else:
            card = cards.find(self._card_id) or self._same_card(cards, self._card_id)
        if card is not None:
            self._card_id = card.id
        return card

    @staticmethod
    def _same_card(cards: CardsState, wanted: CardId) -> Card | None:
        same = (card for card in cards.cards if (card.id.atr, card.id.serial) == (wanted.atr, wanted.serial))
        return next(same, None)

    def _why_missing(self, cards: CardsState) -> Failure | None:
        if self._card_id is None:
            return None
        return Failure.CARD_CHANGED if cards.cards else Failure.CARD_REMOVED
