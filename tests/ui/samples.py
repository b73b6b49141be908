# SPDX-License-Identifier: EUPL-1.2
"""Views as the flow shows them, with invented people, for tests and pictures."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime

import msgspec

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
from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure
from sithsapp.oob.interaction import EnterOnReader, EnterPin, Finished, Opening, OpenOrder, View, WaitForCard, Working
from sithsapp.oob.protocol.order import (
    Binding,
    Context,
    Document,
    Flow,
    KeyUse,
    Order,
    OrderType,
    RelyingParty,
    Requirements,
    Text,
)
from sithsapp.ui.holder import Holder

READER = "Virtual reader 00"
CARD_ID = CardId(READER, b"\x3b\x00", b"\x01" * 8)
AUTH_PIN = PinState(PinRole.AUTH, 1, 3, blocked=False, min_length=6, max_length=8, unblocked_by=PinRole.PUK)
SIGN_PIN = PinState(PinRole.SIGN, 2, 3, blocked=False, min_length=6, max_length=8, unblocked_by=PinRole.PUK)
PUK = PinState(PinRole.PUK, 3, 10, blocked=False, min_length=8, max_length=8)
AUTH = Credential("0", "Legitimering", b"auth", KeyType.RSA, 2048, PinRole.AUTH, (SignatureScheme.PS256,))
SIGN = Credential("1", "Underskrift", b"sign", KeyType.RSA, 2048, PinRole.SIGN, (SignatureScheme.PS256,))
CARD = Card(CARD_ID, "IDPrime MD 940", "SITHS-kort", (AUTH, SIGN), (AUTH_PIN, SIGN_PIN, PUK))
OTHER_CARD = replace(CARD, id=replace(CARD_ID, reader="Virtual reader 01", serial=b"\x02" * 8))
READY = CardsState(True, (Slot(READER, SlotStatus.READY, CARD),))
EMPTY = CardsState(True, (Slot(READER, SlotStatus.EMPTY),))
HOLDER = Holder(
    "Anna Andersson",
    "Region Exempel",
    "SE5560000000-1A2B",
    datetime(2024, 5, 1, tzinfo=UTC),
    datetime(2028, 4, 30, tzinfo=UTC),
    card_number="9752269000000000000",
    level="3",
)
TODAY = datetime(2026, 11, 25, tzinfo=UTC)
_B64 = "A" * 43


def describe(credential: Credential) -> Holder:
    """Return the invented holder."""
    return HOLDER


def order(kind: OrderType = OrderType.AUTH, body: str = "Inloggning, Vårdcentralen Norr", **changes: object) -> Order:
    """Return an order with `changes`."""
    made = Order(
        v=1,
        typ=kind,
        svc="https://auth.example.org",
        order="Kx7Tq2mB9d",
        rp=RelyingParty(id="journal", name="Journalen", origin="https://journal.example.org"),
        nonce_rp=_B64,
        nonce_svc=_B64,
        flow=Flow.SAME,
        binding=Binding.RETURN,
        text=Text(fmt="plain", body=body),
        req=Requirements(key=KeyUse.AUTH if kind is OrderType.AUTH else KeyUse.SIGN, policies=["1.2.752.1.1"]),
        iat=0,
        exp=180,
    )
    return msgspec.structs.replace(made, **changes)


SIGN_TEXT = (
    "Läkarintyg för Test Testsson (19121212-1212)\n\nJag intygar att uppgifterna i intyget stämmer.\n\n"
    "Intyg 2026-1127, version 3, 4 sidor.\nUtfärdat av Anna Andersson, Vårdcentralen Norr."
)
DOCUMENTS = [
    Document(name="intyg-2026-1127.pdf", size=182_334, alg="sha-256", digest="q" * 43),
    Document(name="bilaga-1.pdf", size=20_112, alg="sha-256", digest="w" * 43),
]


def opened(made: Order | None = None, environment: str = "production", seconds: float = 161) -> OpenOrder:
    """Return an open order that lasts for `seconds` more."""
    return OpenOrder(made or order(), environment, time.monotonic() + seconds, can_extend=True)


def enter(made: Order | None = None, *, tries: int | None = 3, failure: Failure | None = None) -> EnterPin:
    """Return the view that asks for the code."""
    made = made or order()
    sign = made.typ is OrderType.SIGN
    pin = replace(SIGN_PIN if sign else AUTH_PIN, tries_left=tries)
    credential = SIGN if sign else AUTH
    choices = ((CARD, credential), (OTHER_CARD, credential))
    return EnterPin(opened(made), CARD, credential, pin, choices, failure)


def on_keys(view: EnterPin) -> EnterPin:
    """Return the same view of a card in a reader with keys."""
    return replace(view, card=replace(view.card, pin_pad=PinPad(changes=True)))


def sign_order() -> Order:
    """Return an order to sign a text."""
    return order(OrderType.SIGN, SIGN_TEXT)


def views() -> dict[str, View]:
    """Return one view for each page and for each variant that looks different."""
    other = order(flow=Flow.OTHER, context=Context(browser="Firefox", os="Windows", network="Region Exempel"))
    demo = opened(environment="demo")
    return {
        "opening": Opening(),
        "no-service": WaitForCard(opened(), CardsState(False)),
        "no-reader": WaitForCard(opened(), CardsState()),
        "no-card": WaitForCard(demo, EMPTY),
        "reading": WaitForCard(opened(), CardsState(True, (Slot(READER, SlotStatus.READING),))),
        "removed": WaitForCard(opened(), EMPTY, Failure.CARD_REMOVED),
        "unsupported": WaitForCard(opened(other), READY, Failure.NO_SUITABLE_CERTIFICATE),
        "auth": enter(),
        "auth-wrong": enter(tries=2, failure=Failure.PIN_WRONG),
        "auth-last": enter(tries=1, failure=Failure.PIN_WRONG),
        "auth-other-device": enter(other),
        "auth-ending": replace(enter(), open_order=opened(environment="test", seconds=25)),
        "auth-long-purpose": enter(order(body="Inloggning för att läsa och skriva i journalen.\n" * 12)),
        "auth-keys": on_keys(enter()),
        "auth-keys-wrong": on_keys(enter(tries=2, failure=Failure.PIN_WRONG)),
        "auth-on-reader": EnterOnReader(opened(), CARD, AUTH, AUTH_PIN),
        "sign": enter(sign_order()),
        "sign-documents": enter(order(OrderType.SIGN, SIGN_TEXT, docs=DOCUMENTS, hidden_s256="h" * 43)),
        "working": Working(opened()),
        "working-sign": Working(opened(sign_order())),
        "done": Finished(opened()),
        "done-sign": Finished(opened(sign_order())),
        "code": Finished(opened(), code="482913"),
        "expired": Finished(opened(), Failure.ORDER_EXPIRED),
        "locked": Finished(opened(), Failure.PIN_LOCKED, 0),
        "unreachable": Finished(None, Failure.SERVICE_UNREACHABLE),
        "reported": Finished(opened(), Failure.REPORTED_BY_USER),
    }


def card_states() -> dict[str, tuple[CardsState, datetime]]:
    """Return what the readers can say, and when the certificates end, one for each look of the overview."""
    fine, soon, past = (
        datetime(2028, 4, 30, tzinfo=UTC),
        datetime(2026, 12, 8, tzinfo=UTC),
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    locked = _with_pins(replace(AUTH_PIN, tries_left=0, blocked=True), SIGN_PIN, PUK)
    dead = _with_pins(
        replace(AUTH_PIN, tries_left=0, blocked=True), SIGN_PIN, replace(PUK, tries_left=0, blocked=True)
    )
    two = CardsState(True, (Slot(READER, SlotStatus.EMPTY), Slot(OTHER_CARD.id.reader, SlotStatus.READY, OTHER_CARD)))
    failed = CardsState(True, (Slot(READER, SlotStatus.FAILED, failure=Failure.CARD_NOT_SUPPORTED),))
    return {
        "no-service": (CardsState(False), fine),
        "no-reader": (CardsState(), fine),
        "no-card": (EMPTY, fine),
        "reading": (CardsState(True, (Slot(READER, SlotStatus.READING),)), fine),
        "failed": (failed, fine),
        "ready": (READY, fine),
        "two-readers": (two, fine),
        "expiring": (READY, soon),
        "expired": (READY, past),
        "locked": (locked, fine),
        "dead": (dead, fine),
    }


def _with_pins(*pins: PinState) -> CardsState:
    return CardsState(True, (Slot(READER, SlotStatus.READY, replace(CARD, pins=pins)),))
