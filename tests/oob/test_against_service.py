# SPDX-License-Identifier: EUPL-1.2
"""The app against the real service, with a virtual card, over HTTP: what people and attackers do."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authservice.rp.errors import OrderFailedError
from sithsapp.card.model import PinRole
from sithsapp.card.pin_pad import PinPad
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.pad import VirtualPad
from sithsapp.failures import Failure
from sithsapp.oob.interaction import (
    CancelRequested,
    EnterPin,
    Finished,
    MoreTimeRequested,
    Opening,
    PadChosen,
    Reported,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.encoding import b64u, b64u_decode, jcs
from sithsapp.oob.protocol.es256 import sign
from sithsapp.oob.protocol.jws import jwk_of
from sithsapp.oob.protocol.order import Binding, Order, OrderType, PinEntryKind
from tests.oob.fakes import Person, settle
from tests.oob.world import PIN1, PIN2, WRONG, World, world
from tests.parts.virtual_card import CardFactory

pytestmark = pytest.mark.usefixtures("qapp")


@pytest.fixture
def scene(tmp_path: Path, make_card: CardFactory, card: VirtualCard) -> Iterator[World]:
    with world(tmp_path, make_card.pki, card) as made:
        yield made


def failed_with(scene: World) -> str:
    """The hint that the relying party gets."""
    with pytest.raises(OrderFailedError) as caught:
        scene.relying_party.finish_without_return(scene.session)
    return caught.value.hint.value


def test_a_login_from_link_to_principal(scene: World) -> None:
    flow = scene.start(scene.ask())
    shown = scene.person.wait_for(EnterPin)
    assert shown.open_order.order.rp.name == "Journalsystem Exempel"
    pin = scene.enter(flow, PIN1, shown)
    assert scene.end(flow).failure is None
    principal = scene.follow_return()
    assert (principal.name, principal.hsaid) == ("Anna Andersson", "TSTNMT2321000156-1A2B")
    assert principal.bound
    assert len(pin) == 0
    assert [path for path in scene.relay.paths if path not in ("/watch", "/progress")] == [
        "/claim",
        "/claim",
        "/signature",
    ]


def test_a_signature(scene: World) -> None:
    flow = scene.start(scene.ask(typ=OrderType.SIGN))
    shown = scene.person.wait_for(EnterPin)
    assert shown.pin.role is PinRole.SIGN
    scene.enter(flow, PIN2, shown)
    assert scene.end(flow).failure is None
    assert scene.follow_return().typ is OrderType.SIGN


def test_a_login_with_a_code_in_the_browser(scene: World) -> None:
    flow = scene.start(scene.ask(binding=Binding.CODE))
    scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
    code = scene.end(flow).code
    assert code is not None
    assert scene.opened == []
    assert scene.relying_party.finish_with_code(scene.session, code).bound


def test_an_order_that_demands_keys_is_answered_on_the_reader(scene: World, card: VirtualCard) -> None:
    flow = scene.start(scene.ask(reader=PinEntryKind.PINPAD))
    assert scene.person.wait_for(WaitForCard).failure in (None, Failure.PIN_PAD_NEEDED)
    pad = VirtualPad(PinPad(changes=True))
    scene.readers.give_keys(pad)
    scene.readers.insert(card)
    shown = scene.person.wait_for(EnterPin)
    pad.press(WRONG.decode())
    flow.post(PadChosen(shown.card.id, shown.credential.id))
    again = scene.person.wait_for(EnterPin, 2)
    assert (again.failure, again.pin.tries_left) == (Failure.PIN_WRONG, 2)
    pad.press(PIN1.decode())
    flow.post(PadChosen(shown.card.id, shown.credential.id))
    assert scene.end(flow).failure is None
    assert scene.follow_return().hsaid
    assert Working in {type(view) for view in scene.person.views}
    assert scene.tries() == 3


def test_wrong_then_right(scene: World) -> None:
    flow = scene.start(scene.ask())
    scene.enter(flow, WRONG, scene.person.wait_for(EnterPin))
    again = scene.person.wait_for(EnterPin, 2)
    assert (again.failure, again.pin.tries_left) == (Failure.PIN_WRONG, 2)
    scene.enter(flow, PIN1, scene.person.views[-1] if isinstance(scene.person.views[-1], EnterPin) else again)
    assert scene.end(flow).failure is None
    assert scene.follow_return().hsaid


def test_locked(scene: World) -> None:
    flow = scene.start(scene.ask())
    shown = scene.person.wait_for(EnterPin)
    for left in (3, 2, 1):
        settle(partial(has_tries_left, scene.person, left))
        scene.enter(flow, WRONG, shown, last_try_ok=left == 1)
    assert scene.end(flow).failure is Failure.PIN_LOCKED
    assert failed_with(scene) == "cardBlocked"
    assert scene.tries() == 0


def has_tries_left(person: Person, left: int) -> bool:
    return isinstance(person.views[-1], EnterPin) and person.views[-1].pin.tries_left == left


@pytest.mark.parametrize(
    ("event", "failure", "hint"),
    [
        (CancelRequested(), Failure.CANCELLED_BY_USER, "userCancel"),
        (Reported(), Failure.REPORTED_BY_USER, "userSuspicious"),
    ],
)
def test_given_up_by_the_person(scene: World, event: Any, failure: Failure, hint: str) -> None:
    flow = scene.start(scene.ask())
    scene.person.wait_for(EnterPin)
    flow.post(event)
    assert scene.end(flow).failure is failure
    assert failed_with(scene) == hint
    assert scene.tries() == 3
    assert all(b"x5c" not in seen.body for seen in scene.relay.server.seen)


def test_cancelled_in_the_browser(scene: World) -> None:
    flow = scene.start(scene.ask())
    scene.person.wait_for(EnterPin)
    scene.relying_party.cancel(scene.session)
    assert scene.end(flow).failure is Failure.ORDER_CANCELLED


def test_more_time(scene: World) -> None:
    flow = scene.start(scene.ask())
    before = scene.person.wait_for(EnterPin)
    flow.post(MoreTimeRequested())
    after = scene.person.wait_for(EnterPin, 2)
    assert 170 < after.open_order.deadline - before.open_order.deadline < 190
    scene.enter(flow, PIN1, after)
    assert scene.end(flow).failure is None


def test_a_link_that_was_used(scene: World) -> None:
    pending = scene.ask()
    flow = scene.start(pending)
    scene.person.wait_for(EnterPin)
    stranger = Person()
    second = scene.flow(pending, stranger)
    second.start()
    assert stranger.wait_for(Finished).failure is Failure.CLAIM_REFUSED
    assert second.join(10)
    assert scene.end(flow).failure is Failure.ORDER_CANCELLED
    assert failed_with(scene) == "doubleClaim"


def test_a_link_that_is_too_old(scene: World) -> None:
    pending = scene.ask()
    scene.relying_party.cancel(scene.session)
    assert scene.end(scene.start(pending)).failure is Failure.CLAIM_REFUSED


class TestManInTheMiddle:
    """He can read and change everything on the way, as an inspecting proxy can, but has not the service's key."""

    def swap_order(self, scene: World, change: Callable[[str], str]) -> None:
        def alter(path: str, status: int, body: bytes) -> bytes:
            if path != "/claim" or status != 200:
                return body
            message = json.loads(body)
            message["order_jws"] = change(message["order_jws"])
            return json.dumps(message).encode()

        scene.relay.alter = alter

    def refused(self, scene: World) -> Failure | None:
        flow = scene.start(scene.ask())
        finished = scene.end(flow)
        assert [type(view) for view in scene.person.views] == [Opening, Finished]
        assert all(b"x5c" not in seen.body for seen in scene.relay.server.seen)
        assert scene.opened == []
        return finished.failure

    @pytest.mark.parametrize("member", sorted(Order.__struct_fields__))
    def test_any_member_changed(self, scene: World, member: str) -> None:
        def change(jws: str) -> str:
            header, payload, signature = jws.split(".")
            order = json.loads(b64u_decode(payload))
            order[member] = altered(order.get(member))
            return f"{header}.{b64u(jcs(order))}.{signature}"

        self.swap_order(scene, change)
        assert self.refused(scene) is Failure.ORDER_SIGNATURE_INVALID

    def test_signed_with_his_own_key(self, scene: World) -> None:
        key = ec.generate_private_key(ec.SECP256R1())

        def change(jws: str) -> str:
            header, payload, _ = jws.split(".")
            return sign(b64u_decode(header), b64u_decode(payload), key)

        self.swap_order(scene, change)
        assert self.refused(scene) is Failure.ORDER_SIGNATURE_INVALID

    def test_an_earlier_order_in_place_of_this_one(self, scene: World) -> None:
        kept: list[str] = []

        def change(jws: str) -> str:
            kept.append(jws)
            return kept[0]

        self.swap_order(scene, change)
        first = scene.start(scene.ask())
        scene.person.wait_for(EnterPin)
        first.post(CancelRequested())
        scene.end(first)
        scene.person = Person()
        flow = scene.start(scene.ask())
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
        assert scene.end(flow).failure is Failure.SIGNATURE_REFUSED
        assert scene.opened == []
        assert failed_with(scene) == "certificateErr"

    def test_another_return_address(self, scene: World) -> None:
        def alter(path: str, status: int, body: bytes) -> bytes:
            return body.replace(b"localhost:8009", b"localhost:8666") if path == "/signature" else body

        scene.relay.alter = alter
        flow = scene.start(scene.ask())
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
        assert scene.end(flow).failure is Failure.RETURN_ADDRESS_REFUSED
        assert scene.opened == []

    def test_the_apps_settings_name_another_key(self, scene: World) -> None:
        scene.order_key = jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key(), scene.order_key.kid)
        assert self.refused(scene) is Failure.ORDER_SIGNATURE_INVALID


def altered(value: object) -> object:
    if isinstance(value, int):
        return value + 1
    if isinstance(value, dict):
        name = sorted(value)[0]
        return {**value, name: altered(value[name])}
    if isinstance(value, list):
        return [*value, "1.2.3"]
    if isinstance(value, str) and value:
        return value[:-1] + ("B" if value[-1] == "A" else "A")
    return "A" * 43


class TestCardPulled:
    def test_while_the_code_is_typed(self, scene: World, card: VirtualCard) -> None:
        flow = scene.start(scene.ask())
        scene.person.wait_for(EnterPin)
        scene.readers.remove()
        scene.person.wait_for(WaitForCard)
        scene.readers.insert(card)
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin, 2))
        assert scene.end(flow).failure is None
        assert scene.follow_return().hsaid

    @pytest.mark.parametrize("skip", [0, 1, 2])
    def test_at_each_command_after_the_code(self, scene: World, card: VirtualCard, skip: int) -> None:
        flow = scene.start(scene.ask())
        shown = scene.person.wait_for(EnterPin)
        scene.tries()
        scene.readers.inject(Fault(FaultKind.REMOVED, skip=skip))
        scene.enter(flow, PIN1, shown)
        finished = scene.end(flow)
        if finished.failure is None:
            assert scene.follow_return().hsaid
            return
        assert finished.failure is Failure.CARD_REMOVED
        assert failed_with(scene) == "noCard"
        assert scene.opened == []
        scene.readers.insert(card)
        settle(lambda: bool(scene.cards.state.cards))
        assert scene.tries() == 3


class TestServiceDown:
    def test_at_the_claim(self, scene: World) -> None:
        scene.relay.down.add("/claim")
        assert scene.end(scene.start(scene.ask())).failure is Failure.SERVICE_UNREACHABLE

    def test_at_everything_beside_the_order(self, scene: World) -> None:
        scene.relay.down |= {"/watch", "/progress", "/extend"}
        flow = scene.start(scene.ask())
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
        assert scene.end(flow).failure is None

    def test_for_a_moment_at_the_signature(self, scene: World) -> None:
        scene.relay.down.add("/signature")
        flow = scene.start(scene.ask())
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
        settle(lambda: scene.relay.paths.count("/signature") >= 2)
        scene.relay.down.clear()
        assert scene.end(flow).failure is None
        assert scene.follow_return().hsaid

    def test_the_answer_to_the_signature_is_lost(self, scene: World) -> None:
        scene.relay.lost_answers.add("/signature")
        flow = scene.start(scene.ask())
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
        assert scene.end(flow).failure is None
        assert scene.relay.paths.count("/signature") == 2
        assert scene.follow_return().hsaid

    def test_when_the_person_gives_up(self, scene: World) -> None:
        flow = scene.start(scene.ask())
        scene.person.wait_for(EnterPin)
        scene.relay.down.add("/cancel")
        flow.post(CancelRequested())
        assert scene.end(flow).failure is Failure.CANCELLED_BY_USER


def test_no_thread_is_left(scene: World) -> None:
    before = {thread.name for thread in threading.enumerate()}
    for _ in range(3):
        scene.person = Person()
        flow = scene.start(scene.ask())
        scene.enter(flow, PIN1, scene.person.wait_for(EnterPin))
        scene.end(flow)
    assert not {thread.name for thread in threading.enumerate() if thread.name.startswith("order")} - before
