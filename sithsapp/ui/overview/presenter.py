# SPDX-License-Identifier: EUPL-1.2
"""From the app's state to what the overview shows. Pure, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sithsapp.card.model import Card, CardsState, PinRole, PinState
from sithsapp.locale import tr
from sithsapp.support.state import AppState, Condition
from sithsapp.ui import plain
from sithsapp.ui.code_words import code_name, tries_left
from sithsapp.ui.elements import Choice, Fact
from sithsapp.ui.holder import Describe, Holder
from sithsapp.ui.order.parts import NAME_LIMIT


class CardLook(Enum):
    """How the card is drawn."""

    NO_READER = "no_reader"
    NO_CARD = "no_card"
    READING = "reading"
    READY = "ready"
    WARNING = "warning"
    LOCKED = "locked"
    OFFLINE = "offline"
    UPDATE = "update"
    UNUSABLE = "unusable"


class Task(Enum):
    """What a person can do from here."""

    CHANGE_AUTH = "change_auth"
    CHANGE_SIGN = "change_sign"
    UNLOCK = "unlock"
    CERTIFICATES = "certificates"
    REREAD = "reread"
    HELP = "help"
    CONNECTION = "connection"


@dataclass(frozen=True, slots=True)
class Offer:
    """A task that is offered. One that is not `enabled` is shown, so that nothing moves when a code is locked."""

    task: Task
    label: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows. Names stand here and not in the tray: this window was asked for.

    `prominent` is the one thing to do now, if there is one; `tiles` what can be done with a card, `rows` without one.
    `choices` are the cards, where there are several. `unlockable` are the codes that the PUK can unlock.
    """

    look: CardLook
    title: str
    text: str
    number: str
    caption: str
    holder: str
    details: str
    prominent: Offer | None
    heading: str
    tiles: tuple[Offer, ...]
    rows: tuple[Offer, ...]
    facts: tuple[Fact, ...]
    switch: str
    choices: tuple[Choice, ...]
    unlockable: tuple[tuple[PinRole, str], ...]


_LOOKS = {
    Condition.NO_SERVICE: CardLook.NO_READER,
    Condition.NO_READER: CardLook.NO_READER,
    Condition.NO_CARD: CardLook.NO_CARD,
    Condition.READING: CardLook.READING,
    Condition.READY: CardLook.READY,
    Condition.EXPIRING: CardLook.WARNING,
    Condition.EXPIRED: CardLook.WARNING,
    Condition.LOCKED: CardLook.LOCKED,
    Condition.SEVERAL: CardLook.READY,
    Condition.MUST_CHANGE: CardLook.WARNING,
    Condition.OFFLINE: CardLook.OFFLINE,
    Condition.UPDATE_REQUIRED: CardLook.UPDATE,
}
_CHANGES = {PinRole.AUTH: Task.CHANGE_AUTH, PinRole.SIGN: Task.CHANGE_SIGN}


def present_overview(state: AppState, cards: CardsState, describe: Describe) -> Overview:
    """Return the overview of `state`, with the cards to choose from."""
    card = state.slot.card if state.slot is not None else None
    holder = _holder(card, describe) if card is not None else Holder()
    details = (holder.organisation, holder.identifier)
    name = plain.line(holder.name or (card.label if card is not None else ""), NAME_LIMIT)
    return Overview(
        look=_LOOKS.get(state.condition, CardLook.UNUSABLE),
        title=state.title,
        text=state.text,
        number=tr("Error code {number}").format(number=state.failure.number) if state.failure is not None else "",
        caption=tr("Active SITHS eID") if card is not None else "",
        holder=name,
        details=" · ".join(plain.line(text, NAME_LIMIT) for text in details if text),
        prominent=_prominent(state, card),
        heading=tr("Manage the card") if card is not None else "",
        tiles=_tiles(card) if card is not None else (),
        rows=_rows(state, card),
        facts=_facts(state, card, describe),
        switch=tr("Switch card"),
        choices=_choices(card, cards, describe),
        unlockable=_unlockable(card) if card is not None else (),
    )


def _holder(card: Card, describe: Describe) -> Holder:
    return describe(card.credentials[0]) if card.credentials else Holder()


def _prominent(state: AppState, card: Card | None) -> Offer | None:
    """Return what is to be done before anything else can be."""
    if card is None:
        return None
    if state.condition is Condition.OFFLINE:
        return Offer(Task.CONNECTION, tr("Test the connection"))
    locked = [pin for pin in card.pins if pin.blocked]
    if locked and _unlockable(card):
        return Offer(Task.UNLOCK, tr("Unlock now"))
    new = next((pin for pin in card.pins if pin.never_changed and pin.role in _CHANGES and not pin.blocked), None)
    return Offer(_CHANGES[new.role], tr("Change the code now")) if new is not None else None


def _tiles(card: Card) -> tuple[Offer, ...]:
    changes = [
        Offer(_CHANGES[pin.role], _change_label(pin.role), not pin.blocked)
        for pin in card.pins
        if pin.role in _CHANGES
    ]
    unlock = Offer(Task.UNLOCK, tr("Unlock with PUK code"), bool(_unlockable(card)))
    return (*changes, unlock, Offer(Task.CERTIFICATES, tr("Show certificates"), bool(card.credentials)))


def _change_label(role: PinRole) -> str:
    return tr("Change signing code") if role is PinRole.SIGN else tr("Change identification code")


def _unlockable(card: Card) -> tuple[tuple[PinRole, str], ...]:
    """Return the codes that the PUK can unlock, with their names: the locked ones, or all if none is locked."""
    puk = card.pin(PinRole.PUK)
    if puk is None or puk.blocked:
        return ()
    can = [pin for pin in card.pins if pin.unblocked_by is PinRole.PUK]
    meant = [pin for pin in can if pin.blocked] or can
    return tuple((pin.role, code_name(pin.role)) for pin in meant)


def _rows(state: AppState, card: Card | None) -> tuple[Offer, ...]:
    reread = [Offer(Task.REREAD, tr("Read the card again"))] if state.slot is not None else []
    helps = [Offer(Task.HELP, tr("Help"))] if card is None else []
    return (*reread, *helps)


def _choices(active: Card | None, cards: CardsState, describe: Describe) -> tuple[Choice, ...]:
    if len(cards.cards) < 2:
        return ()
    return tuple(_choice(card, card == active, describe) for card in cards.cards)


def _choice(card: Card, current: bool, describe: Describe) -> Choice:
    holder = _holder(card, describe)
    words = (holder.name or card.label, holder.organisation, card.id.reader)
    return Choice(card.id, "", " · ".join(plain.line(word, NAME_LIMIT) for word in words if word), current)


def _facts(state: AppState, card: Card | None, describe: Describe) -> tuple[Fact, ...]:
    facts = list(_card_facts(card, describe)) if card is not None else []
    if state.slot is not None:
        facts.append(Fact(tr("Card reader"), plain.line(state.slot.reader, NAME_LIMIT)))
    return tuple(facts)


def _card_facts(card: Card, describe: Describe) -> tuple[Fact, ...]:
    holder = _holder(card, describe)
    facts = [*_validity(card, describe), Fact(tr("Assurance level"), holder.level)]
    facts.append(Fact(tr("Card number"), _in_groups(plain.line(holder.card_number, NAME_LIMIT))))
    facts = [fact for fact in facts if fact.value]
    facts += [Fact(code_name(pin.role), _code_state(pin)) for pin in card.pins if pin.role is not PinRole.PUK]
    return (*facts, Fact(tr("Card"), plain.line(card.product, NAME_LIMIT)))


def _in_groups(number: str) -> str:
    """Return a long number in groups of four, as it is printed on the card."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def _validity(card: Card, describe: Describe) -> tuple[Fact, ...]:
    """Return until when the certificates last: in one line where they end on the same day."""
    ends: dict[str, str] = {}
    for role, label in ((PinRole.AUTH, tr("Identification")), (PinRole.SIGN, tr("Signature"))):
        found = [describe(c).valid_until for c in card.credentials if c.pin is role]
        latest = max((end for end in found if end is not None), default=None)
        if latest is not None:
            ends[label] = latest.date().isoformat()
    if len(set(ends.values())) == 1:
        return (Fact(tr("Valid until"), next(iter(ends.values()))),)
    return tuple(Fact(label, tr("Valid until {date}").format(date=end)) for label, end in ends.items())


def _code_state(pin: PinState) -> str:
    if pin.blocked:
        return tr("Locked")
    if pin.never_changed:
        return tr("Must be changed")
    return tr("Ready") if pin.tries_left is None else tries_left(pin.tries_left).capitalize()
