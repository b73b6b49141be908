# SPDX-License-Identifier: EUPL-1.2
"""A service, a card and a person for the order flow, without network and hardware: real orders, real certificates."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache
from typing import Literal, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec.structs import replace

from sithsapp.card.model import (
    Card,
    CardId,
    CardsState,
    Credential,
    KeyType,
    PinRole,
    PinState,
    SignatureScheme,
    Slot,
    SlotStatus,
)
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.failures import Failure, SithsError
from sithsapp.oob.client import AppIdentity, OrderStart
from sithsapp.oob.flow import OrderFlow
from sithsapp.oob.interaction import Finished, PinEntered, View
from sithsapp.oob.protocol.encoding import sha256_b64u
from sithsapp.oob.protocol.es256 import raw_from_der
from sithsapp.oob.protocol.jws import jwk_of, sign_order
from sithsapp.oob.protocol.launch import LaunchUrl
from sithsapp.oob.protocol.messages import ClaimAnswer, SignatureAnswer, SignatureRequest
from sithsapp.oob.protocol.order import Binding, Flow, KeyUse, Order, OrderType, RelyingParty, Requirements, Text
from sithsapp.oob.protocol.problems import CancelReason, ProgressHint
from sithsapp.oob.protocol.secret import Secret
from sithsapp.oob.transport import RequestCancelled
from sithsapp.oob.work import FlowParts
from sithsapp.settings.schema import DisplayName, OrderKey, TrustedService

POLICY = "1.2.752.74.8.503"
ORIGIN = "https://auth.example.org"
RETURN_URL = "https://idp.example.org/return?n=abc"
LAUNCH = LaunchUrl("demo", Secret("A" * 43))
RIGHT = b"123456"
READER = "Reader 0"
_EPOCH = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
SERVICE_KEY = ec.derive_private_key(7, ec.SECP256R1())
HSAID = "SE2321000016-1ABC"


def trusted_service(*, origin: str = ORIGIN, environment: Literal["test", "demo"] = "test") -> TrustedService:
    jwk = jwk_of(SERVICE_KEY.public_key(), "svc-1")
    key = OrderKey(kty="EC", crv="P-256", kid="svc-1", x=jwk.x, y=jwk.y)
    return TrustedService(
        id="demo", origin=origin, display_name=DisplayName(sv="Exempel", en="Example"), environment=environment,
        order_keys=(key,),
    )  # fmt: skip


def make_order(**changes: object) -> Order:
    iat = int(_EPOCH.timestamp())
    order = Order(
        v=1,
        typ=OrderType.AUTH,
        svc=ORIGIN,
        order="ord_01",
        rp=RelyingParty(id="rp1", name="Journalsystem Exempel", origin="https://idp.example.org"),
        nonce_rp="A" * 43,
        nonce_svc="A" * 42 + "E",
        flow=Flow.SAME,
        binding=Binding.RETURN,
        text=Text(fmt="plain", body="Logga in"),
        req=Requirements(key=KeyUse.AUTH, policies=[POLICY]),
        iat=iat,
        exp=iat + 240,
        ret_s256=sha256_b64u(RETURN_URL),
    )
    return replace(order, **changes)


@cache
def card_key(number: int) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(1000 + number, ec.SECP256R1())


@cache
def certificate(
    number: int = 0,
    *,
    identity: str = HSAID,
    policy: str = POLICY,
    sign: bool = False,
    from_days: int = -10,
    days: int = 20,
) -> bytes:
    usage = x509.KeyUsage(
        digital_signature=not sign, content_commitment=sign, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
    subject = [
        x509.NameAttribute(NameOID.COMMON_NAME, "Test Person"),
        x509.NameAttribute(NameOID.SERIAL_NUMBER, identity),
    ]
    policies = x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(policy), None)])
    built = (
        x509.CertificateBuilder()
        .subject_name(x509.Name(subject))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")]))
        .public_key(card_key(number).public_key())
        .serial_number(number + 1)
        .not_valid_before(_EPOCH + datetime.timedelta(days=from_days))
        .not_valid_after(_EPOCH + datetime.timedelta(days=from_days + days))
        .add_extension(usage, critical=True)
        .add_extension(policies, critical=False)
    )
    if not sign:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return built.sign(SERVICE_KEY, hashes.SHA256()).public_bytes(Encoding.DER)


def make_card(number: int = 0, *, reader: str = READER, tries: int = 3, der: bytes | None = None) -> Card:
    pins = tuple(
        PinState(role, reference, tries, tries == 0, 6, 8)
        for role, reference in ((PinRole.AUTH, 1), (PinRole.SIGN, 2))
    )
    auth, sign = der or certificate(number), certificate(number + 100, sign=True)
    schemes = (SignatureScheme.ES256,)
    credentials = (
        Credential("0", "Legitimering", auth, KeyType.EC_P256, 256, PinRole.AUTH, schemes),
        Credential("1", "Underskrift", sign, KeyType.EC_P256, 256, PinRole.SIGN, schemes),
    )
    return Card(CardId(reader, b"atr", bytes([number]) * 8), "IDPrime 940", "SITHS", credentials, pins)


def cards_with(*cards: Card | None) -> CardsState:
    slots = (
        Slot(f"Reader {n}", SlotStatus.READY if card else SlotStatus.EMPTY, card) for n, card in enumerate(cards)
    )
    return CardsState(True, tuple(slots))


class FakeCards:
    """Implements `sithsapp.oob.work.Cards`: the code is `RIGHT`, three wrong ones lock it."""

    def __init__(self, state: CardsState) -> None:
        self._state = state
        self._listeners: list[Callable[[CardsState], None]] = []
        self.codes: list[bytes] = []
        self.prepared = 0
        self.messages: list[bytes] = []
        self.pins: list[Pin | PadEntry] = []
        self.typed = RIGHT
        self.fail_with: SithsError | Exception | None = None
        self.hold: Future[bytes] | None = None

    @property
    def state(self) -> CardsState:
        return self._state

    @property
    def subscribers(self) -> int:
        return len(self._listeners)

    def change(self, state: CardsState) -> None:
        self._state = state
        for listener in list(self._listeners):
            listener(state)

    def subscribe(self, listener: Callable[[CardsState], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def prepare(self, card: CardId, credential_id: str, scheme: SignatureScheme) -> Future[PinState]:
        self.prepared += 1
        result: Future[PinState] = Future()
        result.set_exception(SithsError(Failure.CARD_IN_USE))
        return result

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
        self.pins.append(pin)
        if self.hold is not None:
            return self.hold
        result: Future[bytes] = Future()
        try:
            result.set_result(self._sign(card, credential_id, message, pin, last_try_ok=last_try_ok))
        except Exception as error:
            result.set_exception(error)
        return result

    def _sign(
        self, card_id: CardId, credential_id: str, message: bytes, pin: Pin | PadEntry, *, last_try_ok: bool
    ) -> bytes:
        card = self._state.find(card_id)
        if card is None:
            pin.wipe()
            raise SithsError(Failure.CARD_REMOVED)
        credential = card.credential(credential_id)
        assert credential is not None
        state = card.pin(credential.pin)
        assert state is not None
        assert state.tries_left is not None
        if state.tries_left == 1 and not last_try_ok:
            pin.wipe()
            raise SithsError(Failure.LAST_TRY_NOT_CONFIRMED, tries_left=1)
        if isinstance(pin, PadEntry):
            pin.take()
            self.codes.append(self.typed)
        else:
            with pin.once() as digits:
                self.codes.append(bytes(digits))
        if self.fail_with is not None:
            raise self.fail_with
        if self.codes[-1] != RIGHT:
            left = state.tries_left - 1
            self._change_tries(card_id, left)
            raise SithsError(Failure.PIN_WRONG if left else Failure.PIN_LOCKED, tries_left=left)
        self.messages.append(message)
        if isinstance(pin, PadEntry):
            pin.accept()
        key = card_key(card_id.serial[0] + (100 if credential_id == "1" else 0))
        return raw_from_der(key.sign(message, ec.ECDSA(hashes.SHA256())), 32)

    def _change_tries(self, card_id: CardId, left: int) -> None:
        slots = tuple(
            Slot(slot.reader, slot.status, make_card(card_id.serial[0], reader=slot.reader, tries=left))
            if slot.card is not None and slot.card.id == card_id
            else slot
            for slot in self._state.slots
        )
        self.change(CardsState(True, slots))


@dataclass
class FakeClient:
    """Implements `OrderClient`. Exceptions placed in `failing` are raised by the call of that name."""

    order: Order
    expires_in: int = 180
    answer: SignatureAnswer = field(
        default_factory=lambda: SignatureAnswer(result="accepted", return_url=RETURN_URL, code=None)
    )
    key: ec.EllipticCurvePrivateKey = SERVICE_KEY
    failing: dict[str, Exception] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    signatures: list[SignatureRequest] = field(default_factory=list)
    cancelled: list[CancelReason] = field(default_factory=list)
    hold_claim: bool = False
    pinpad: bool = False
    closed: int = 0
    jkt: str = "A" * 43

    def __post_init__(self) -> None:
        self.interrupted = threading.Event()
        self.ended: Literal["cancelled", "expired"] | None = None
        self.end_known = threading.Event()

    @property
    def order_jws(self) -> str:
        return sign_order(self.order, self.key, "svc-1")

    def end(self, status: Literal["cancelled", "expired"]) -> None:
        self.ended = status
        self.end_known.set()

    def claim(self, start: OrderStart, language: str, *, pinpad: bool = False) -> ClaimAnswer:
        self._called("claim")
        self.pinpad = pinpad
        if self.hold_claim:
            assert self.interrupted.wait(10)
            raise RequestCancelled
        return ClaimAnswer(order_jws=self.order_jws, expires_in=self.expires_in, tries_left=3)

    def watch(self) -> Literal["cancelled", "expired"]:
        self._called("watch")
        self.end_known.wait(30)
        if self.ended is None:
            raise RequestCancelled
        return self.ended

    def progress(self, hint: ProgressHint) -> None:
        self.calls.append(f"progress {hint.value}")

    def extend(self) -> int:
        self._called("extend")
        return 300

    def signature(self, request: SignatureRequest, deadline: float) -> SignatureAnswer:
        self._called("signature")
        self.signatures.append(request)
        return self.answer

    def cancel(self, reason: CancelReason) -> None:
        self.calls.append("cancel")
        self.cancelled.append(reason)

    def interrupt(self) -> None:
        self.interrupted.set()
        self.end_known.set()

    def close(self) -> None:
        self.closed += 1
        self.interrupt()

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if name in self.failing:
            raise self.failing[name]


class Person:
    """Implements `UserInteraction`: remembers views and lets a test wait for one."""

    def __init__(self) -> None:
        self.views: list[View] = []
        self._changed = threading.Condition()
        self.broken = False

    def show(self, view: View) -> None:
        with self._changed:
            self.views.append(view)
            self._changed.notify_all()
        if self.broken:
            raise ValueError("screen gone")

    def wait_for(self, kind: type[_View], times: int = 1, timeout: float = 20) -> _View:
        """Wait until a view of this kind is shown for the `times`-th time; return it."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._of(kind)) >= times, timeout), (
                f"{kind.__name__}: {self.views}"
            )
            return self._of(kind)[times - 1]

    def _of(self, kind: type[_View]) -> list[_View]:
        return [view for view in self.views if isinstance(view, kind)]


_View = TypeVar("_View")


class Stage:
    """One flow with its fakes."""

    def __init__(
        self,
        *,
        order: Order | None = None,
        cards: CardsState | None = None,
        client: FakeClient | None = None,
        start: OrderStart = LAUNCH,
        removal_grace: float = 30.0,
    ) -> None:
        self.client = client or FakeClient(order or make_order())
        self.cards = FakeCards(cards if cards is not None else cards_with(make_card()))
        self.person = Person()
        self.opened: list[str] = []
        self.made: list[TrustedService] = []
        self.parts = FlowParts(
            find_service=lambda service_id: trusted_service() if service_id == "demo" else None,
            make_client=self._make_client,
            cards=self.cards,
            open_url=self.opened.append,
            app=AppIdentity("sithsapp/1.0.0", "linux", "x86_64"),
            removal_grace=removal_grace,
        )
        self.flow = OrderFlow(start, self.parts, self.person)

    def _make_client(self, service: TrustedService) -> FakeClient:
        self.made.append(service)
        return self.client

    def run(self) -> Stage:
        self.flow.start()
        return self

    def enter(self, code: bytes = RIGHT, *, card: Card | None = None, last_try_ok: bool = False) -> Pin:
        """Enter a code for the authentication key; return the entry, to see that it is wiped."""
        pin = Pin(bytearray(code))
        card = card or self.cards.state.cards[0]
        self.flow.post(PinEntered(card.id, "0", pin, last_try_ok))
        return pin

    def finish(self, timeout: float = 20) -> Finished:
        """Wait for the end of the flow; return its last view."""
        assert self.flow.join(timeout), self.person.views
        last = self.person.views[-1]
        assert isinstance(last, Finished)
        assert sum(isinstance(view, Finished) for view in self.person.views) == 1
        assert self.cards.subscribers == 0
        return last


def settle(condition: Callable[[], bool], timeout: float = 20) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < end
        threading.Event().wait(0.002)
