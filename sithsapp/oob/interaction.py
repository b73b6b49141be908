# SPDX-License-Identifier: EUPL-1.2
"""The one interface between the life of an order and whoever shows it to a person.

The flow thread calls `UserInteraction.show` with a view; the window, the terminal or a test answers, from any
thread and at any time, with `OrderFlow.post(event)`. Views say everything that the person needs; events
carry everything that the person can do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from sithsapp.card.model import Card, CardId, CardsState, Credential, PinState
from sithsapp.card.pin import Pin
from sithsapp.failures import Failure
from sithsapp.oob.protocol.order import Order


@dataclass(frozen=True, slots=True)
class Opening:
    """The order is being fetched."""


@dataclass(frozen=True, slots=True)
class OpenOrder:
    """An order that a person decides on.

    `environment` is the service's (`production`, `qa`, `test`, `demo`); `deadline` is `time.monotonic()` seconds;
    `can_extend` tells whether "more time" may still be asked for, `update_advised` whether the service advises a
    newer version of the app.
    """

    order: Order
    environment: str
    deadline: float
    can_extend: bool
    update_advised: bool = False


@dataclass(frozen=True, slots=True)
class WaitForCard:
    """No usable card yet; the flow goes on by itself when one comes. `failure` explains a card that will not do."""

    open_order: OpenOrder
    cards: CardsState
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class EnterPin:
    """Ask for the code of `credential`, or let the person choose another of `choices`.

    `failure` and `tries_left` tell of the entry before this one. Where `pin.tries_left` is 1 the person must
    confirm that the last try is used, before the code is asked for. Where `card.pin_pad` is set the code is typed on
    the reader: answer with `PadChosen` in place of `PinEntered`.
    """

    open_order: OpenOrder
    card: Card
    credential: Credential
    pin: PinState
    choices: tuple[tuple[Card, Credential], ...]
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class EnterOnReader:
    """The reader waits for the code, which the person types there; the card must stay. Follows `PadChosen`."""

    open_order: OpenOrder
    card: Card
    credential: Credential
    pin: PinState


@dataclass(frozen=True, slots=True)
class Working:
    """The card signs and the signature is sent; the card must stay."""

    open_order: OpenOrder


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. `failure` None means done; `code` is what the user types in the browser (binding `code`).

    `tries_left` goes with P failures. `open_order` is None when the order never opened.
    """

    open_order: OpenOrder | None
    failure: Failure | None = None
    tries_left: int | None = None
    code: str | None = None


View = Opening | WaitForCard | EnterPin | EnterOnReader | Working | Finished


@dataclass(frozen=True, slots=True)
class PinEntered:
    """The person entered a code and pressed the button. `last_try_ok`: knowing that it is the last try."""

    card: CardId
    credential: str
    pin: Pin
    last_try_ok: bool = False


@dataclass(frozen=True, slots=True)
class PadChosen:
    """The person decided, and will type the code on the reader. `last_try_ok`: knowing that it is the last try."""

    card: CardId
    credential: str
    last_try_ok: bool = False


@dataclass(frozen=True, slots=True)
class CredentialChosen:
    """The person chose another card or certificate."""

    card: CardId
    credential: str


@dataclass(frozen=True, slots=True)
class CancelRequested:
    """The person declined, or closed the window."""


@dataclass(frozen=True, slots=True)
class Reported:
    """The person said "I did not start this"."""


@dataclass(frozen=True, slots=True)
class MoreTimeRequested:
    """The person asked for more time; allowed once."""


@dataclass(frozen=True, slots=True)
class SessionLocked:
    """The screen was locked, the session disconnected or the computer went to sleep."""


Event = PinEntered | PadChosen | CredentialChosen | CancelRequested | Reported | MoreTimeRequested | SessionLocked


class UserInteraction(Protocol):
    """Shows a view to a person."""

    def show(self, view: View) -> None:
        """Show `view` in place of the one before. Called from the flow's thread; returns at once."""
