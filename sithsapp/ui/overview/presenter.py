# SPDX-License-Identifier: EUPL-1.2
"""From the app's state to what the overview shows. Pure, without Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sithsapp.card.model import Card, PinRole, PinState
from sithsapp.locale import tr
from sithsapp.ui import plain
from sithsapp.ui.code_words import code_name, tries_left
from sithsapp.ui.elements import Fact
from sithsapp.ui.holder import Describe
from sithsapp.ui.order.parts import NAME_LIMIT
from sithsapp.ui.state import AppState, Condition


class CardLook(Enum):
    """How the card is drawn."""

    NO_READER = "no_reader"
    NO_CARD = "no_card"
    READING = "reading"
    READY = "ready"
    WARNING = "warning"
    LOCKED = "locked"
    UNUSABLE = "unusable"


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows. Names stand here and not in the tray: this window was asked for."""

    look: CardLook
    title: str
    text: str
    number: str
    holder: str
    details: str
    facts: tuple[Fact, ...]
    reread: str


_LOOKS = {
    Condition.NO_SERVICE: CardLook.NO_READER,
    Condition.NO_READER: CardLook.NO_READER,
    Condition.NO_CARD: CardLook.NO_CARD,
    Condition.READING: CardLook.READING,
    Condition.READY: CardLook.READY,
    Condition.EXPIRING: CardLook.WARNING,
    Condition.EXPIRED: CardLook.WARNING,
    Condition.LOCKED: CardLook.LOCKED,
}


def present_overview(state: AppState, describe: Describe) -> Overview:
    """Return the overview of `state`."""
    card = state.slot.card if state.slot is not None else None
    holder = describe(card.credentials[0]) if card is not None and card.credentials else None
    details = (holder.organisation, holder.identifier) if holder is not None else ()
    return Overview(
        look=_LOOKS.get(state.condition, CardLook.UNUSABLE),
        title=state.title,
        text=state.text,
        number=tr("Error code {number}").format(number=state.failure.number) if state.failure is not None else "",
        holder=plain.line(holder.name, NAME_LIMIT) if holder is not None else "",
        details=" · ".join(plain.line(text, NAME_LIMIT) for text in details if text),
        facts=_facts(state, card, describe),
        reread=tr("Read the card again") if state.slot is not None else "",
    )


def _facts(state: AppState, card: Card | None, describe: Describe) -> tuple[Fact, ...]:
    facts = list(_card_facts(card, describe)) if card is not None else []
    if state.slot is not None:
        facts.append(Fact(tr("Card reader"), plain.line(state.slot.reader, NAME_LIMIT)))
    return tuple(facts)


def _card_facts(card: Card, describe: Describe) -> tuple[Fact, ...]:
    facts = []
    for role, label in ((PinRole.AUTH, tr("Identification")), (PinRole.SIGN, tr("Signature"))):
        ends = [describe(c).valid_until for c in card.credentials if c.pin is role]
        latest = max((end for end in ends if end is not None), default=None)
        if latest is not None:
            facts.append(Fact(label, tr("Valid until {date}").format(date=latest.date().isoformat())))
    facts += [Fact(code_name(pin.role), _code_state(pin)) for pin in card.pins if pin.role is not PinRole.PUK]
    return (*facts, Fact(tr("Card"), plain.line(card.product, NAME_LIMIT)))


def _code_state(pin: PinState) -> str:
    if pin.blocked:
        return tr("Locked")
    return tr("Ready") if pin.tries_left is None else tries_left(pin.tries_left).capitalize()
