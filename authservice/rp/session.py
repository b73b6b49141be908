# SPDX-License-Identifier: EUPL-1.2
"""What the relying party remembers of an order, in the browser's own server-side session and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec import Struct

from sithsapp.oob.protocol.problems import Hint
from sithsapp.oob.protocol.rp_messages import CreateOrder, OrderCreated, OrderState


class Pending(Struct, frozen=True, kw_only=True):
    """An order that this session started: the request as it was sent, and what the service answered.

    `started` is the monotonic time of the answer, from which QR frames are counted.
    """

    request: CreateOrder
    created: OrderCreated
    return_nonce: str
    started: float

    def __repr__(self) -> str:
        return "<Pending>"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an order has come. It never holds anything about the user."""

    state: OrderState
    hint: Hint


class LoginSession:
    """One browser's session, as far as this library goes. Keep it on the server, under the session cookie."""

    __slots__ = ("pending", "progress")

    def __init__(self) -> None:
        self.pending: Pending | None = None
        self.progress = Progress(OrderState.PENDING, Hint.OUTSTANDING)

    def begin(self, pending: Pending) -> None:
        """Remember a new order in place of the one before."""
        self.pending = pending
        self.progress = Progress(OrderState.PENDING, Hint.OUTSTANDING)

    def end(self) -> None:
        """Forget the order."""
        self.pending = None
