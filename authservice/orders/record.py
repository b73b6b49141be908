# SPDX-License-Identifier: EUPL-1.2
"""One order as the service keeps it."""

from __future__ import annotations

from enum import Enum
from typing import Final

from msgspec import Struct

from sithsapp.oob.protocol.order import Binding, Flow
from sithsapp.oob.protocol.problems import Hint
from sithsapp.oob.protocol.rp_messages import Completion, CreateOrder

FAILED_KEPT: Final = 300.0
"""Seconds that a failed order can be read."""

COMPLETE_KEPT: Final = 180.0
"""Seconds that a completed order can be read."""


class State(Enum):
    """The states of protocol section B4."""

    OUTSTANDING = "outstanding"
    CLAIMED = "claimed"
    SIGNED = "signed"
    COMPLETE = "complete"
    FAILED = "failed"
    GONE = "gone"

    @property
    def pending(self) -> bool:
        """Whether the order can still come to something."""
        return self in (State.OUTSTANDING, State.CLAIMED, State.SIGNED)


class Claim(Struct, frozen=True, kw_only=True):
    """What became fixed when an app claimed the order: the way of start, the app's key and the signed document."""

    flow: Flow
    jkt: str
    order_jws: str
    ip_match: bool
    progress_reports: int = 0
    extended: bool = False
    wrong_certificates: int = 0


class Signature(Struct, frozen=True, kw_only=True):
    """An accepted signature. `completion` is given out only when the order is complete.

    `body_s256` is the SHA-256 of the posted body: the same body again gets the same answer.
    """

    body_s256: str
    challenge: str
    completion: Completion
    code: str | None = None
    wrong_codes: int = 0


class OrderRecord(Struct, frozen=True, kw_only=True):
    """An order. Times are Unix seconds by the service's clock.

    `key` is the SHA-256 of the relying party's `order_ref`; `seed` makes its tokens together with the service's
    own secret. `deadline` is the time at which the present state ends by itself. `version` is the ETag.
    """

    key: str
    order_id: str
    rp_id: str
    seed: bytes
    token_hashes: tuple[str, ...]
    request: CreateOrder
    created: float
    deadline: float
    version: int = 1
    state: State = State.OUTSTANDING
    hint: Hint = Hint.OUTSTANDING
    claim: Claim | None = None
    signature: Signature | None = None

    @property
    def expires_at(self) -> float:
        """When the record is to be forgotten, if nothing happens to it until then."""
        return self.deadline + (FAILED_KEPT if self.state.pending else 0.0)

    @property
    def binding(self) -> Binding | None:
        """How the result is tied to the browser; known once the order is claimed."""
        return None if self.claim is None else binding_for(self.request, self.claim.flow)


def binding_for(request: CreateOrder, flow: Flow) -> Binding | None:
    """Return the binding that the relying party asked for in case the app is started by `flow`."""
    return request.binding.same if flow is Flow.SAME else request.binding.other
