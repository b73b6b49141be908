# SPDX-License-Identifier: EUPL-1.2
"""What the states of one order share, and what may happen to them besides what a person does."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from sithsapp.card.model import CardId, CardsState, PinState, SignatureScheme
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.failures import Failure
from sithsapp.oob.client import AppIdentity, OrderClient, OrderStart
from sithsapp.oob.interaction import Event, OpenOrder, View
from sithsapp.oob.protocol.order import Order
from sithsapp.oob.protocol.problems import ProgressHint
from sithsapp.settings.schema import TrustedService


class Cards(Protocol):
    """What an order needs of the card service (`sithsapp.card.service.CardService`)."""

    @property
    def state(self) -> CardsState:
        """All readers at this moment."""

    def subscribe(self, listener: Callable[[CardsState], None]) -> Callable[[], None]:
        """Call `listener`, from a card thread, whenever the state changes; the result ends that."""

    def prepare(self, card: CardId, credential_id: str, scheme: SignatureScheme) -> Future[PinState]:
        """Read ahead what a signature will need; its result need not be waited for."""

    def sign(
        self,
        card: CardId,
        credential_id: str,
        scheme: SignatureScheme,
        message: bytes,
        pin: Pin | PadEntry,
        *,
        last_try_ok: bool = False,
    ) -> Future[bytes]:
        """Hash and sign `message` on the card after one PIN verification."""


@dataclass(frozen=True, slots=True)
class FlowParts:
    """The outer world of an order.

    `find_service` knows trusted services alone. `open_url` opens the browser: its argument is a secret.
    """

    find_service: Callable[[str], TrustedService | None]
    make_client: Callable[[TrustedService], OrderClient]
    cards: Cards
    open_url: Callable[[str], None]
    app: AppIdentity
    language: str = "sv"
    removal_grace: float = 30.0
    """Seconds in which a card that left may come back before the order is given up."""


@dataclass(frozen=True, slots=True)
class CardsChanged:
    """The readers or cards are not what they were."""


@dataclass(frozen=True, slots=True)
class CodeAccepted:
    """The card took the code that was typed on the reader."""


@dataclass(frozen=True, slots=True)
class CardAnswered:
    """The card finished the signature that was asked of it, well or not."""

    result: Future[bytes]


@dataclass(frozen=True, slots=True)
class OrderEnded:
    """The service ended the order; `failure` says how."""

    failure: Failure


Input = Event | CardsChanged | CodeAccepted | CardAnswered | OrderEnded


@dataclass(slots=True)
class Opened:
    """The verified order. `deadline` is in monotonic seconds; `jws` is the order exactly as received."""

    order: Order
    jws: str
    service: TrustedService
    deadline: float
    can_extend: bool = True
    update_advised: bool = False

    @property
    def view(self) -> OpenOrder:
        """The order as people see it."""
        return OpenOrder(
            self.order, self.service.environment, self.deadline, self.can_extend, update_advised=self.update_advised
        )


@dataclass(slots=True)
class Work:
    """One order's data. Touched by the flow's thread alone, besides `client`."""

    start: OrderStart
    parts: FlowParts
    show: Callable[[View], None]
    post: Callable[[Input], None]
    given_up: Callable[[], bool]
    begin_watch: Callable[[], None]
    client: OrderClient | None = None
    opened: Opened | None = None
    now: Callable[[], float] = time.monotonic
    _hint: ProgressHint | None = field(default=None)

    @property
    def order(self) -> Opened:
        """The opened order; only states after the claim ask."""
        if self.opened is None:
            raise RuntimeError("no order is open")
        return self.opened

    @property
    def service_client(self) -> OrderClient:
        """The client; only states after its making ask."""
        if self.client is None:
            raise RuntimeError("no client is there")
        return self.client

    def hint(self, hint: ProgressHint) -> None:
        """Tell the service what the person is at, when that is news."""
        if hint is not self._hint:
            self._hint = hint
            self.service_client.progress(hint)
