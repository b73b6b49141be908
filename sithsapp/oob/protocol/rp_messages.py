# SPDX-License-Identifier: EUPL-1.2
"""Bodies of the relying party's API (protocol section B5), completion and evidence (section B9)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from msgspec import Meta

from sithsapp.oob.protocol.messages import AppVersion, Base32Token, Message, Request, Version
from sithsapp.oob.protocol.order import (
    B64u32,
    Binding,
    Context,
    Document,
    Flow,
    OnBehalfOf,
    OrderId,
    OrderType,
    Requirements,
    Text,
    whole,
)
from sithsapp.oob.protocol.problems import Hint

OrderRef = Annotated[str, whole(r"[A-Za-z0-9_-]{22}")]
"""The relying party's secret name of an order: 16 octets, base64url."""


class Bindings(Request, frozen=True, kw_only=True):
    """The binding wanted for each flow that is allowed."""

    same: Binding | None = None
    other: Binding | None = None


class OrderRequirements(Requirements, frozen=True, kw_only=True):
    """Which certificates will do, and the oldest app that may claim the order."""

    min_app: Version | None = None

    def for_order(self) -> Requirements:
        """Return the part that goes into the order document."""
        return Requirements(
            key=self.key,
            policies=self.policies,
            issuers=self.issuers,
            cert_id=self.cert_id,
            subject_hash=self.subject_hash,
            reader=self.reader,
            pin=self.pin,
        )


class CreateOrder(Request, frozen=True, kw_only=True):
    """Ask for an order. `life` is in seconds from the claim."""

    typ: OrderType
    flows: Annotated[list[Flow], Meta(min_length=1, max_length=2)]
    binding: Bindings
    nonce: B64u32
    text: Text
    req: OrderRequirements
    return_url: Annotated[str, Meta(max_length=2_048)] | None = None
    end_user_ip: Annotated[str, Meta(max_length=45)] | None = None
    on_behalf_of: OnBehalfOf | None = None
    context: Context | None = None
    hidden_s256: B64u32 | None = None
    docs: Annotated[list[Document], Meta(max_length=50)] | None = None
    ades: Annotated[str, Meta(max_length=65_536)] | None = None
    keep_evidence: bool = False
    life: Annotated[int, Meta(ge=60, le=600)] = 180


class QrStart(Message, frozen=True, kw_only=True):
    """What the relying party's back end draws frames from; `secret` never goes to the browser."""

    token: Base32Token
    secret: B64u32
    start_ms: int
    until_s: int = 60


class OrderCreated(Message, frozen=True, kw_only=True, omit_defaults=True):
    """A new order. `order_ref` is the relying party's secret, `order` the public id."""

    order_ref: OrderRef
    order: OrderId
    claim_within: int
    expires_in: int
    launch_url: Annotated[str, Meta(max_length=512)] | None = None
    qr: QrStart | None = None


class Subject(Message, frozen=True, kw_only=True):
    """Who signed, as the verified certificate says."""

    cert_sha256: B64u32
    issuer: str
    policies: list[str]
    loa: str
    hsaid: str | None = None
    pnr: str | None = None
    given_name: str | None = None
    surname: str | None = None
    org: str | None = None


class Signals(Message, frozen=True, kw_only=True):
    """Circumstances for the relying party's own risk decision."""

    ip_match: bool | None
    app: AppVersion
    pinpad: bool = False
    extended: bool = False


class RevocationProof(Message, frozen=True, kw_only=True):
    """An OCSP answer or CRL (base64 DER) that the verification stood on."""

    type: Literal["ocsp", "crl"]
    der: str


class Evidence(Message, frozen=True, kw_only=True):
    """Enough to verify the signature again, years later, with the trust anchors alone."""

    order_jws: str
    tbs: str
    jws: str
    x5c: list[str]
    revocation: list[RevocationProof]
    verified_at: str


class Completion(Message, frozen=True, kw_only=True):
    """The result of an order that was signed, verified and redeemed."""

    order: OrderId
    typ: OrderType
    flow: Flow
    binding: Binding
    bound: bool
    subject: Subject
    signals: Signals
    evidence: Evidence


class OrderState(Enum):
    """What the relying party sees of the life cycle (section B4)."""

    PENDING = "pending"
    AWAITING_REDEEM = "awaiting_redeem"
    FAILED = "failed"
    COMPLETE = "complete"


class OrderStatus(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The state of an order. `completion` is there when `status` is `COMPLETE` and never before."""

    status: OrderState
    hint: Hint | None = None
    flow: Flow | None = None
    expires_in: int | None = None
    completion: Completion | None = None


class Redeem(Request, frozen=True, kw_only=True):
    """Redeem a signed order with what came back through the browser: exactly one of the two."""

    verifier: B64u32 | None = None
    code: Annotated[str, whole(r"[0-9]{6}")] | None = None

    def __post_init__(self) -> None:
        if (self.verifier is None) == (self.code is None):
            raise ValueError("exactly one of verifier and code")
