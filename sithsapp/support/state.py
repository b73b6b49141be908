# SPDX-License-Identifier: EUPL-1.2
"""The one sentence on the app that tray, tooltip, windows, notes and command line share. Pure, without Qt.

The readers and cards make it; an order that is under way and what is known of the service go before them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from sithsapp.card.model import Card, CardId, CardsState, Credential, PinRole, Slot, SlotStatus
from sithsapp.failures import Failure
from sithsapp.locale import ngettext, tr

EXPIRY_WARNING = timedelta(days=30)


class Glyph(Enum):
    """The tray icon: shape as well as colour differs between them."""

    NO_READER = "no_reader"
    NO_CARD = "no_card"
    READING = "reading"
    READY = "ready"
    REQUEST = "request"
    LOCKED = "locked"
    WARNING = "warning"
    ERROR = "error"


class Condition(Enum):
    """What is so with readers, cards, service and order."""

    NO_SERVICE = "no_service"
    NO_READER = "no_reader"
    NO_CARD = "no_card"
    READING = "reading"
    IN_USE = "in_use"
    MUTE = "mute"
    UNSUPPORTED = "unsupported"
    PROBLEM = "problem"
    READY = "ready"
    SEVERAL = "several"
    MUST_CHANGE = "must_change"
    EXPIRING = "expiring"
    EXPIRED = "expired"
    LOCKED = "locked"
    DEAD = "dead"
    OFFLINE = "offline"
    UPDATE_REQUIRED = "update_required"
    REQUEST = "request"
    SIGNING = "signing"
    DONE = "done"
    FAILED = "failed"


class OrderPhase(Enum):
    """How far an order has come, for those who do not see its window."""

    NONE = "none"
    WAITING = "waiting"
    SIGNING = "signing"
    DONE = "done"
    FAILED = "failed"


class ServiceHealth(Enum):
    """What the last order, or the last test of the connection, said of the service. Nobody asks it in between."""

    FINE = "fine"
    OFFLINE = "offline"
    ADVISES_UPDATE = "advises_update"
    REFUSES_VERSION = "refuses_version"


@dataclass(frozen=True, slots=True)
class AppState:
    """One moment of the app: `title` is the sentence, `text` what to do; neither names a person.

    `slot` is the reader that it is about, None without readers; `failure` has the number for support.
    """

    condition: Condition
    glyph: Glyph
    title: str
    text: str
    slot: Slot | None = None
    failure: Failure | None = None

    @property
    def card_id(self) -> CardId | None:
        """The card that the state is about, None without one."""
        card = self.slot.card if self.slot is not None else None
        return card.id if card is not None else None


ValidUntil = Callable[[Credential], datetime | None]

_RANK = {SlotStatus.READY: 0, SlotStatus.READING: 1, SlotStatus.FAILED: 2, SlotStatus.EMPTY: 3}
_LEVELS = (
    Condition.READY,
    Condition.EXPIRING,
    Condition.MUST_CHANGE,
    Condition.LOCKED,
    Condition.EXPIRED,
    Condition.DEAD,
)
_TROUBLES = {
    Failure.CARD_IN_USE: Condition.IN_USE,
    Failure.CARD_MUTE: Condition.MUTE,
    Failure.CARD_NOT_SUPPORTED: Condition.UNSUPPORTED,
}
_USABLE = {Condition.READY, Condition.EXPIRING, Condition.SEVERAL}
_UNREACHED = {Failure.SERVICE_UNREACHABLE, Failure.PROXY_FAILED}
_SAYS_NOTHING = {Failure.CANCELLED_BY_USER, Failure.SESSION_LOCKED, Failure.REPORTED_BY_USER}


def starting_state() -> AppState:
    """Return the state before the first word from the readers."""
    return AppState(Condition.READING, Glyph.READING, tr("Starting …"), tr("This takes a second or so."))


def app_state(cards: CardsState, valid_until: ValidUntil, now: datetime) -> AppState:
    """Return the state that `cards` make: of the card that was chosen, else of the reader nearest to being useful."""
    if not cards.service_running and not cards.slots:
        return _failed(Condition.NO_SERVICE, Glyph.WARNING, Failure.NO_READER_SERVICE, None)
    if not cards.slots:
        title, text = tr("No card reader"), tr("Connect a card reader to the computer.")
        return AppState(Condition.NO_READER, Glyph.NO_READER, title, text)
    chosen = [slot for slot in cards.slots if slot.card is not None and slot.card == cards.chosen]
    states = [_slot_state(slot, valid_until, now) for slot in chosen or cards.slots]
    best = min(states, key=_preference)
    undecided = cards.chosen is None and len(cards.cards) > 1
    return _several(best) if undecided and best.condition is Condition.READY else best


def with_service(state: AppState, health: ServiceHealth, version: str) -> AppState:
    """Return `state` with what is known of the service: a card that cannot log in is not ready."""
    if health is ServiceHealth.REFUSES_VERSION:
        text = tr("Version {version} is no longer supported. Update the app or contact local IT.")
        return replace(
            state,
            condition=Condition.UPDATE_REQUIRED,
            glyph=Glyph.WARNING,
            title=tr(Failure.CLIENT_TOO_OLD.title),
            text=text.format(version=version),
            failure=Failure.CLIENT_TOO_OLD,
        )
    if health is ServiceHealth.ADVISES_UPDATE and state.condition is Condition.READY:
        text = tr("You can log in and sign. There is a newer version of the app: update it, or contact local IT.")
        return replace(state, text=text)
    if health is ServiceHealth.OFFLINE and state.condition in (
        Condition.READY,
        Condition.EXPIRING,
        Condition.SEVERAL,
    ):
        return replace(
            state,
            condition=Condition.OFFLINE,
            glyph=Glyph.WARNING,
            title=tr("No contact with the authentication service"),
            text=tr("The card works, but you cannot log in until the connection is back."),
            failure=Failure.SERVICE_UNREACHABLE,
        )
    return state


def with_order(state: AppState, phase: OrderPhase) -> AppState:
    """Return `state` with an order before it."""
    match phase:
        case OrderPhase.WAITING:
            title, text = tr("A service is waiting for you"), tr("Open the app to answer.")
            return replace(state, condition=Condition.REQUEST, glyph=Glyph.REQUEST, title=title, text=text)
        case OrderPhase.SIGNING:
            title, text = tr("The card is working"), tr("Leave the card in the reader.")
            return replace(state, condition=Condition.SIGNING, glyph=Glyph.REQUEST, title=title, text=text)
        case OrderPhase.DONE:
            title, text = tr("The request is done"), tr("Go back to the service.")
            return replace(state, condition=Condition.DONE, glyph=Glyph.READY, title=title, text=text)
        case OrderPhase.FAILED:
            title, text = tr("The request did not succeed"), tr("The app's window says why.")
            return replace(state, condition=Condition.FAILED, glyph=Glyph.WARNING, title=title, text=text)
        case OrderPhase.NONE:
            return state


def health_after(failure: Failure | None, before: ServiceHealth, *, update_advised: bool = False) -> ServiceHealth:
    """Return what the end of an order says of the service; `failure` is None for one that succeeded.

    `update_advised`: the service told, before that end, of a newer version.
    """
    if failure is Failure.CLIENT_TOO_OLD:
        return ServiceHealth.REFUSES_VERSION
    if failure in _UNREACHED:
        return ServiceHealth.OFFLINE
    if update_advised:
        return ServiceHealth.ADVISES_UPDATE
    return before if failure in _SAYS_NOTHING else ServiceHealth.FINE


def _several(state: AppState) -> AppState:
    title, text = tr("Several cards are inserted"), tr("Choose in the overview which one is used.")
    return replace(state, condition=Condition.SEVERAL, title=title, text=text)


def _preference(state: AppState) -> tuple[int, int]:
    rank = _RANK[state.slot.status] if state.slot is not None else len(_RANK)
    return rank, _LEVELS.index(state.condition) if state.condition in _LEVELS else 0


def _slot_state(slot: Slot, valid_until: ValidUntil, now: datetime) -> AppState:
    if slot.status is SlotStatus.READING:
        title, text = tr("Reading the card …"), tr("This takes a second or so.")
        return AppState(Condition.READING, Glyph.READING, title, text, slot)
    if slot.status is SlotStatus.FAILED:
        failure = slot.failure or Failure.CARD_ERROR
        return _failed(_TROUBLES.get(failure, Condition.PROBLEM), Glyph.ERROR, failure, slot)
    if slot.status is SlotStatus.EMPTY or slot.card is None:
        title, text = tr("No card in the reader"), tr("Insert your card when you log in or sign.")
        return AppState(Condition.NO_CARD, Glyph.NO_CARD, title, text, slot)
    return _locked(slot, slot.card) or _must_change(slot, slot.card) or _validity(slot, slot.card, valid_until, now)


def _failed(condition: Condition, glyph: Glyph, failure: Failure, slot: Slot | None) -> AppState:
    return AppState(condition, glyph, tr(failure.title), tr(failure.remedy), slot, failure)


def _locked(slot: Slot, card: Card) -> AppState | None:
    blocked = {pin.role for pin in card.pins if pin.blocked}
    if PinRole.PUK in blocked and len(blocked) > 1:
        text = tr("The card cannot be unlocked in the app. Contact your ID administrator.")
        return AppState(Condition.DEAD, Glyph.ERROR, tr("The PUK code is locked"), text, slot)
    text = tr("Unlock the code with your PUK code.")
    if PinRole.AUTH in blocked:
        return AppState(Condition.LOCKED, Glyph.LOCKED, tr("The identification code is locked"), text, slot)
    if PinRole.SIGN in blocked:
        return AppState(Condition.LOCKED, Glyph.LOCKED, tr("The signing code is locked"), text, slot)
    return None


def _must_change(slot: Slot, card: Card) -> AppState | None:
    if not any(pin.never_changed and pin.role is not PinRole.PUK for pin in card.pins):
        return None
    title, text = tr("The code must be changed before use"), tr("Choose a code of your own in the overview.")
    return AppState(Condition.MUST_CHANGE, Glyph.WARNING, title, text, slot)


def _validity(slot: Slot, card: Card, valid_until: ValidUntil, now: datetime) -> AppState:
    # The card is as good as its best certificate of each use: a renewed one stands beside the old one.
    best: dict[PinRole, datetime] = {}
    for credential in card.credentials:
        ends = valid_until(credential)
        if ends is not None:
            best[credential.pin] = max(ends, best.get(credential.pin, ends))
    ends = min(best.values(), default=None)
    if ends is not None and ends <= now:
        title, text = tr("The certificates have expired"), tr("Contact your ID administrator.")
        return AppState(Condition.EXPIRED, Glyph.WARNING, title, text, slot)
    if ends is not None and ends - now < EXPIRY_WARNING:
        return _expiring(slot, (ends - now).days)
    return AppState(Condition.READY, Glyph.READY, tr("The card is ready"), tr("You can log in and sign."), slot)


def _expiring(slot: Slot, days: int) -> AppState:
    title = ngettext("The certificates expire in {n} day", "The certificates expire in {n} days", days)
    text = tr("Renew them on My pages in good time.")
    return AppState(Condition.EXPIRING, Glyph.WARNING, title.format(n=days), text, slot)
