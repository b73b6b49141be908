# SPDX-License-Identifier: EUPL-1.2
"""Bodies of the app's API (protocol section B6) and of what both APIs share: reading, writing, metadata.

Requests refuse unknown members, answers ignore them. No `repr` shows contents. The relying party's bodies are in
`rp_messages`.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from sithsapp.failures import Failure, SithsError
from sithsapp.oob.protocol.encoding import MAX_BODY, Malformed, parse_json
from sithsapp.oob.protocol.order import B64u32, HttpsOrigin, whole
from sithsapp.oob.protocol.problems import CancelReason, Problem, ProblemCode, ProgressHint, ProtocolViolation

WELL_KNOWN_PATH = "/.well-known/oob-eid"
APP_API = "/app/v1"
RP_API = "/rp/v1"
APP_CLIENT_HEADER = "App-Client"

AppVersion = Annotated[str, whole(r"[a-z0-9.-]{1,32}/[0-9.]{1,16}")]
"""Name and version of the app, such as `oobeid/1.2.3`."""

Version = Annotated[str, whole(r"[0-9]{1,5}(\.[0-9]{1,5}){0,3}")]
"""A program version in numbers and dots."""

Base32Token = Annotated[str, whole(r"[A-Z2-7]{26}")]
"""16 octets in base32."""


class Message(Struct, frozen=True, kw_only=True):
    """Base of all bodies: `repr` shows no contents."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


class Request(Message, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Base of request bodies: unknown members are refused."""


class Capabilities(Request, frozen=True, kw_only=True):
    """What the app and card can do."""

    alg: Annotated[list[Annotated[str, Meta(max_length=16)]], Meta(max_length=16)]
    text: Annotated[list[Annotated[str, Meta(max_length=16)]], Meta(max_length=8)]
    pinpad: bool = False


class ClaimByLaunch(Request, frozen=True, kw_only=True, tag_field="kind", tag="launch"):
    """Claim an order with the token of a launch link. `lang` is a language tag for the service's texts."""

    token: B64u32
    caps: Capabilities
    lang: Annotated[str, Meta(max_length=12)] = "sv"


class ClaimByQr(Request, frozen=True, kw_only=True, tag_field="kind", tag="qr"):
    """Claim an order with a QR frame."""

    qt: Base32Token
    t: Annotated[int, Meta(ge=0, le=999_999)]
    mac: Base32Token
    caps: Capabilities
    lang: Annotated[str, Meta(max_length=12)] = "sv"


ClaimRequest = ClaimByLaunch | ClaimByQr


class ClaimAnswer(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The order, how many seconds are left, and how many signatures may be tried.

    `update_advised`: the service still takes this version of the app, and advises a newer one.
    """

    order_jws: Annotated[str, Meta(max_length=262_144)]
    expires_in: Annotated[int, Meta(ge=0, le=3_600)]
    tries_left: Annotated[int, Meta(ge=0, le=100)]
    update_advised: bool = False


class WatchAnswer(Message, frozen=True, kw_only=True):
    """Why the order ended while the app had it."""

    status: Literal["cancelled", "expired"]


class ProgressRequest(Request, frozen=True, kw_only=True):
    """What the app is at."""

    hint: ProgressHint


class ExtendAnswer(Message, frozen=True, kw_only=True):
    """Seconds left after "more time"."""

    expires_in: Annotated[int, Meta(ge=0, le=3_600)]


class SignatureRequest(Request, frozen=True, kw_only=True):
    """The user's detached JWS with certificates (base64 DER, leaf first) and the challenge that it covers."""

    jws: Annotated[str, Meta(max_length=4_096)]
    x5c: Annotated[list[Annotated[str, Meta(max_length=10_928)]], Meta(min_length=1, max_length=3)]
    challenge: B64u32
    app: AppVersion


class SignatureAnswer(Message, frozen=True, kw_only=True):
    """The signature was accepted; where to go (binding `return`) or what to type (binding `code`)."""

    result: Literal["accepted"]
    return_url: Annotated[str, Meta(max_length=2_048)] | None = None
    code: Annotated[str, whole(r"[0-9]{6}")] | None = None


class CancelRequest(Request, frozen=True, kw_only=True):
    """The app gives the order up."""

    reason: CancelReason


class MinimumVersions(Message, frozen=True, kw_only=True, omit_defaults=True):
    """The oldest app that the service still takes, by operating system."""

    windows: Version | None = None
    macos: Version | None = None
    linux: Version | None = None


class Endpoints(Message, frozen=True, kw_only=True):
    """Paths of the APIs under the service's origin."""

    app: Annotated[str, Meta(max_length=100)] = APP_API
    rp: Annotated[str, Meta(max_length=100)] = RP_API


class Metadata(Message, frozen=True, kw_only=True):
    """The well-known document. It is never a source of trust; it lets the app fail early."""

    id: Annotated[str, whole(r"[a-z0-9]{1,12}")]
    origin: HttpsOrigin
    versions: Annotated[list[int], Meta(min_length=1, max_length=16)]
    max_age_s: Annotated[int, Meta(ge=0, le=86_400)] = 3_600
    min_app: MinimumVersions = MinimumVersions()
    endpoints: Endpoints = Endpoints()


_Body = TypeVar("_Body")


def encode(message: Message | Problem) -> bytes:
    """Write a body as JSON."""
    return msgspec.json.encode(message)


def decode_request(data: bytes, kind: type[_Body]) -> _Body:
    """Read a request body, for the service. Raises `ProtocolViolation` with `INVALID_REQUEST`."""
    try:
        return msgspec.convert(parse_json(data), kind)
    except (Malformed, msgspec.ValidationError):
        raise ProtocolViolation(ProblemCode.INVALID_REQUEST, "body does not fit the schema") from None


def decode_claim(data: bytes) -> ClaimRequest:
    """Read the body of `POST /claim`. Raises `ProtocolViolation` with `INVALID_REQUEST`."""
    try:
        return msgspec.convert(parse_json(data), ClaimByLaunch | ClaimByQr)
    except (Malformed, msgspec.ValidationError):
        raise ProtocolViolation(ProblemCode.INVALID_REQUEST, "body does not fit the schema") from None


def decode_answer(data: bytes, kind: type[_Body], *, max_size: int = MAX_BODY) -> _Body:
    """Read an answer's body, for the app or relying party; evidence with a whole CRL needs a larger `max_size`.

    Raises `SithsError` with `SERVICE_ERROR`.
    """
    try:
        return msgspec.convert(parse_json(data, max_size=max_size), kind)
    except (Malformed, msgspec.ValidationError):
        raise SithsError(Failure.SERVICE_ERROR, f"answer is not a {kind.__name__}") from None
