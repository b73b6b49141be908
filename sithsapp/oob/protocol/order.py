# SPDX-License-Identifier: EUPL-1.2
"""The order document: what the user is shown, signed by the service (protocol section B7)."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

from msgspec import Meta, Struct


def whole(pattern: str) -> Meta:
    """Return the constraint that all of a string matches `pattern`.

    In Python `$` also matches before a final line feed, which the lookahead refuses; elsewhere it changes nothing.
    """
    return Meta(pattern=f"^(?:{pattern})$(?!\\n)")


B64u32 = Annotated[str, whole(r"[A-Za-z0-9_-]{43}")]
"""32 bytes, base64url without padding."""

OrderId = Annotated[str, whole(r"[A-Za-z0-9_-]{6,32}")]
"""The public id of an order; shown shortened as "Reference"."""

Name = Annotated[str, Meta(min_length=1, max_length=64)]
"""A service name; `text.check_name` decides whether it may be shown."""

HttpsOrigin = Annotated[str, whole(r"https?://[a-z0-9.-]{1,253}(:[0-9]{1,5})?")]
"""A web origin. http is accepted by `checks` for localhost in the demo environment alone."""


class OrderType(Enum):
    """Log-in or signature; they use different keys and different wording."""

    AUTH = "auth"
    SIGN = "sign"


class Flow(Enum):
    """How the app was started: by a link on this device, or by a QR code from another."""

    SAME = "same"
    OTHER = "other"


class Binding(Enum):
    """How the result is tied to the browser that began (section B13). `NONE` never in production."""

    RETURN = "return"
    CODE = "code"
    QR = "qr"
    NONE = "none"


class KeyUse(Enum):
    """Which of the card's keys signs."""

    AUTH = "auth"
    SIGN = "sign"


class CertIdentity(Enum):
    """Which identity the certificate must carry."""

    HSAID = "hsaid"
    PNR = "pnr"
    ANY = "any"


class PinEntryKind(Enum):
    """Where the code may be entered."""

    ANY = "any"
    PINPAD = "pinpad"


class _Signed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of every struct inside a signed object: unknown members are refused, `repr` shows no contents."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class RelyingParty(_Signed, frozen=True, kw_only=True):
    """The registered party that asks; its name comes from registration, never from the order's creator."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Name
    origin: HttpsOrigin


class OnBehalfOf(_Signed, frozen=True, kw_only=True):
    """The service behind the relying party."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Name


class Text(_Signed, frozen=True, kw_only=True):
    """What the user reads. Plain text only."""

    fmt: Literal["plain"]
    body: Annotated[str, Meta(min_length=1, max_length=40_000)]
    lang: Annotated[str, Meta(max_length=12)] | None = None


class Document(_Signed, frozen=True, kw_only=True):
    """A document that is signed by its digest."""

    name: Annotated[str, Meta(min_length=1, max_length=128)]
    size: Annotated[int, Meta(ge=0)]
    alg: Literal["sha-256"]
    digest: B64u32
    type: Annotated[str, Meta(max_length=100)] | None = None


class Context(_Signed, frozen=True, kw_only=True):
    """What the service knows of the other device; shown when `flow` is `other`."""

    browser: Annotated[str, Meta(max_length=40)] | None = None
    os: Annotated[str, Meta(max_length=40)] | None = None
    network: Annotated[str, Meta(max_length=60)] | None = None


class Requirements(_Signed, frozen=True, kw_only=True):
    """Filters the certificates that are offered."""

    key: KeyUse
    policies: Annotated[list[Annotated[str, whole(r"[0-9.]{3,128}")]], Meta(min_length=1, max_length=32)]
    issuers: Annotated[list[Annotated[str, Meta(max_length=512)]], Meta(max_length=32)] | None = None
    cert_id: CertIdentity | None = None
    subject_hash: B64u32 | None = None
    reader: PinEntryKind | None = None
    pin: Literal["always"] | None = None


class Order(_Signed, frozen=True, kw_only=True):
    """The payload of an order JWS. Times are Unix seconds by the service's clock."""

    v: Literal[1]
    typ: OrderType
    svc: HttpsOrigin
    order: OrderId
    rp: RelyingParty
    nonce_rp: B64u32
    nonce_svc: B64u32
    flow: Flow
    binding: Binding
    text: Text
    req: Requirements
    iat: int
    exp: int
    on_behalf_of: OnBehalfOf | None = None
    ret_s256: B64u32 | None = None
    hidden_s256: B64u32 | None = None
    docs: Annotated[list[Document], Meta(max_length=50)] | None = None
    ades: Annotated[str, Meta(max_length=65_536)] | None = None
    context: Context | None = None
