# SPDX-License-Identifier: EUPL-1.2
from __future__ import annotations

import base64
import dataclasses
import gc
import logging
import threading
from concurrent.futures import Future

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec.structs import replace

from sithsapp.card.model import CardsState, Slot, SlotStatus
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.pin_pad import PinPad
from sithsapp.failures import Failure, SithsError
from sithsapp.oob.answers import ServiceProblem
from sithsapp.oob.interaction import (
    CancelRequested,
    CredentialChosen,
    EnterOnReader,
    EnterPin,
    Event,
    Finished,
    MoreTimeRequested,
    Opening,
    PadChosen,
    Reported,
    SessionLocked,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.encoding import sha256_b64u
from sithsapp.oob.protocol.launch import LaunchUrl
from sithsapp.oob.protocol.messages import SignatureAnswer, encode
from sithsapp.oob.protocol.order import Binding, CertIdentity, Flow, PinEntryKind, RelyingParty, Requirements, Text
from sithsapp.oob.protocol.problems import CancelReason, ProblemCode, problem
from sithsapp.oob.protocol.secret import Secret
from sithsapp.oob.protocol.verification import Expected, parse_signature, verify_signature
from sithsapp.oob.transport import Response
from tests.oob.fakes import (
    HSAID,
    POLICY,
    RIGHT,
    FakeClient,
    Stage,
    card_key,
    cards_with,
    certificate,
    make_card,
    make_order,
    settle,
)

EMPTY = cards_with(None)


def service_problem(code: ProblemCode) -> ServiceProblem:
    headers = {"content-type": "application/problem+json"}
    return ServiceProblem(Response(code.status, headers, encode(problem(code))))


def test_a_login_from_launch_to_return() -> None:
    stage = Stage().run()
    shown = stage.person.wait_for(EnterPin)
    assert (shown.open_order.order, shown.open_order.environment) == (stage.client.order, "test")
    assert stage.flow.order_id == "ord_01"
    pin = stage.enter()
    finished = stage.finish()
    assert (finished.failure, finished.code) == (None, None)
    assert [type(view) for view in stage.person.views] == [Opening, EnterPin, Working, Finished]
    (url,) = stage.opened
    address, _, verifier = url.partition("&oob_verifier=")
    assert address == "https://idp.example.org/return?n=abc"
    (posted,) = stage.client.signatures
    assert posted.challenge == sha256_b64u(verifier)
    assert len(pin) == 0
    assert [call for call in stage.client.calls if call != "watch"] == ["claim", "progress user_sign", "signature"]
    assert stage.client.cancelled == []


def test_what_the_card_signs_is_what_a_verifier_rebuilds() -> None:
    stage = Stage().run()
    stage.person.wait_for(EnterPin)
    stage.enter()
    stage.finish()
    (posted,), order = stage.client.signatures, stage.client.order
    expected = Expected(stage.client.order_jws, order.typ, order.flow, stage.client.jkt)
    parsed = parse_signature(posted.jws, posted.x5c)
    verified = verify_signature(parsed, expected, challenge=posted.challenge, app=posted.app)
    assert verified.certificates == (certificate(0),)
    assert base64.b64decode(posted.x5c[0]) == certificate(0)
    assert stage.cards.messages[0].startswith(b"eyJ")
    key = x509.load_der_x509_certificate(certificate(0)).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.public_numbers() == card_key(0).public_key().public_numbers()


def test_a_code_to_type_in_the_browser() -> None:
    client = FakeClient(make_order(binding=Binding.CODE, ret_s256=None))
    client.answer = SignatureAnswer(result="accepted", return_url="https://evil.example/", code="123456")
    stage = Stage(client=client).run()
    stage.person.wait_for(EnterPin)
    stage.enter()
    assert stage.finish().code == "123456"
    assert stage.opened == []


def test_an_unknown_service_gets_no_packet() -> None:
    stage = Stage(start=LaunchUrl("evil", Secret("A" * 43))).run()
    assert stage.finish().failure is Failure.UNKNOWN_SERVICE
    assert stage.made == []
    assert stage.client.calls == []


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"svc": "https://other.example.org"}, Failure.ORDER_REFUSED),
        ({"flow": Flow.OTHER, "binding": Binding.QR, "ret_s256": None}, Failure.ORDER_REFUSED),
        ({"ret_s256": None}, Failure.ORDER_REFUSED),
        ({"text": Text(fmt="plain", body="a\u202eb")}, Failure.ORDER_REFUSED),
        ({"rp": RelyingParty(id="rp1", name="Ex\u0430mpel", origin="https://idp.example.org")},
         Failure.ORDER_REFUSED),
    ],
)  # fmt: skip
def test_an_order_that_breaks_a_rule_is_never_shown(changes: dict[str, object], failure: Failure) -> None:
    stage = Stage(order=make_order(**changes)).run()
    assert stage.finish().failure is failure
    assert [type(view) for view in stage.person.views] == [Opening, Finished]
    assert stage.client.cancelled == [CancelReason.USER]
    assert stage.flow.order_id is None


def test_an_order_by_another_key_is_never_shown() -> None:
    client = FakeClient(make_order(), key=ec.derive_private_key(8, ec.SECP256R1()))
    stage = Stage(client=client).run()
    assert stage.finish().failure is Failure.ORDER_SIGNATURE_INVALID
    assert [type(view) for view in stage.person.views] == [Opening, Finished]


@pytest.mark.parametrize(
    "failure", [Failure.SERVICE_UNREACHABLE, Failure.TLS_FAILED, Failure.CLOCK_WRONG, Failure.PROXY_FAILED]
)
@pytest.mark.parametrize("call", ["claim", "signature"])
def test_a_service_that_cannot_be_reached(call: str, failure: Failure) -> None:
    stage = Stage()
    stage.client.failing[call] = SithsError(failure)
    stage.run()
    if call == "signature":
        stage.person.wait_for(EnterPin)
        stage.enter()
    assert stage.finish().failure is failure
    assert stage.opened == []


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (ProblemCode.CLAIM_REFUSED, Failure.CLAIM_REFUSED),
        (ProblemCode.CLIENT_TOO_OLD, Failure.CLIENT_TOO_OLD),
    ],
)
def test_a_claim_that_is_refused(code: ProblemCode, failure: Failure) -> None:
    stage = Stage()
    stage.client.failing["claim"] = service_problem(code)
    assert stage.run().finish().failure is failure
    assert stage.client.cancelled == []


class TestCode:
    def test_a_wrong_code_is_told_and_asked_for_again(self) -> None:
        stage = Stage().run()
        first = stage.person.wait_for(EnterPin)
        assert first.pin.tries_left == 3
        wrong = stage.enter(b"000000")
        again = stage.person.wait_for(EnterPin, 2)
        assert (again.failure, again.pin.tries_left) == (Failure.PIN_WRONG, 2)
        stage.enter()
        assert stage.finish().failure is None
        assert stage.cards.codes == [b"000000", RIGHT]
        assert len(wrong) == 0

    def test_the_last_wrong_code_locks_and_the_service_is_told(self) -> None:
        stage = Stage(cards=cards_with(make_card(tries=1))).run()
        stage.person.wait_for(EnterPin)
        stage.enter(b"000000", last_try_ok=True)
        finished = stage.finish()
        assert (finished.failure, finished.tries_left) == (Failure.PIN_LOCKED, 0)
        assert stage.client.cancelled == [CancelReason.BLOCKED]
        assert stage.client.signatures == []

    def test_the_last_try_is_not_used_unasked(self) -> None:
        stage = Stage(cards=cards_with(make_card(tries=1))).run()
        stage.person.wait_for(EnterPin)
        pin = stage.enter(b"000000")
        assert stage.person.wait_for(EnterPin, 2).failure is Failure.LAST_TRY_NOT_CONFIRMED
        assert stage.cards.codes == []
        assert len(pin) == 0
        stage.enter(last_try_ok=True)
        assert stage.finish().failure is None

    def test_a_card_that_is_locked_already(self) -> None:
        stage = Stage(cards=cards_with(make_card(tries=0))).run()
        assert stage.finish().failure is Failure.PIN_LOCKED
        assert stage.client.cancelled == [CancelReason.BLOCKED]

    @pytest.mark.parametrize("code", [b"1", b"12345", b"123456789"])
    def test_a_code_of_the_wrong_length_costs_nothing(self, code: bytes) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        pin = stage.enter(code)
        assert stage.person.wait_for(EnterPin, 2).failure is Failure.PIN_FORMAT
        assert stage.cards.pins == []
        assert len(pin) == 0
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_a_code_for_another_card_is_not_sent(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        pin = stage.enter(card=make_card(5))
        settle(lambda: len(pin) == 0)
        assert stage.cards.pins == []
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_a_second_press_while_the_card_works_is_not_sent(self) -> None:
        stage = Stage()
        stage.cards.hold = Future()
        stage.run().person.wait_for(EnterPin)
        stage.enter()
        stage.person.wait_for(Working)
        second = stage.enter()
        settle(lambda: len(second) == 0)
        assert len(stage.cards.pins) == 1
        stage.flow.post(CancelRequested())
        assert stage.finish().failure is Failure.CANCELLED_BY_USER
        stage.cards.hold.set_exception(SithsError(Failure.CARD_REMOVED))
        (first,) = stage.cards.pins
        assert isinstance(first, Pin)
        assert len(first) == 0

    def test_the_code_is_not_wiped_under_the_card_threads_hands(self) -> None:
        stage = Stage()
        stage.cards.hold = Future()
        stage.run().person.wait_for(EnterPin)
        pin = stage.enter()
        stage.person.wait_for(Working)
        stage.flow.post(CancelRequested())
        stage.finish()
        assert len(pin) == 6
        stage.cards.hold.set_result(b"late")
        assert len(pin) == 0
        assert stage.client.signatures == []

    def test_a_code_after_the_end_is_wiped(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.flow.post(CancelRequested())
        stage.finish()
        assert len(stage.enter()) == 0


class TestCard:
    def test_the_flow_goes_on_when_a_card_comes(self) -> None:
        stage = Stage(cards=EMPTY).run()
        waiting = stage.person.wait_for(WaitForCard)
        assert (waiting.failure, waiting.cards) == (None, EMPTY)
        stage.cards.change(cards_with(make_card()))
        stage.person.wait_for(EnterPin)
        stage.enter()
        assert stage.finish().failure is None
        assert stage.client.calls[:1] == ["claim"]
        assert "progress card_wait" in stage.client.calls
        assert "progress user_sign" in stage.client.calls

    @pytest.mark.parametrize(
        ("der", "requirements", "failure"),
        [
            (certificate(1, policy="1.2.3.4"), {}, Failure.NO_SUITABLE_CERTIFICATE),
            (certificate(2), {"cert_id": CertIdentity.PNR}, Failure.NO_SUITABLE_CERTIFICATE),
            (certificate(3, from_days=-20, days=5), {}, Failure.CERTIFICATE_EXPIRED),
            (certificate(4), {"subject_hash": sha256_b64u("SE2321000016-OTHER")}, Failure.WRONG_PERSON),
            (b"\x30\x00", {}, Failure.CARD_DATA_INVALID),
        ],
    )
    def test_a_card_that_will_not_do_is_explained(
        self, der: bytes, requirements: dict[str, object], failure: Failure
    ) -> None:
        order = make_order()
        order = replace(order, req=replace(order.req, **requirements))
        stage = Stage(order=order, cards=cards_with(make_card(1, der=der))).run()
        assert stage.person.wait_for(WaitForCard).failure is failure
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_the_card_of_the_right_person_in_its_place(self) -> None:
        order = make_order()
        order = replace(order, req=replace(order.req, subject_hash=sha256_b64u(HSAID)))
        wrong = make_card(1, der=certificate(1, identity="SE2321000016-OTHER"))
        stage = Stage(order=order, cards=cards_with(wrong)).run()
        assert stage.person.wait_for(WaitForCard).failure is Failure.WRONG_PERSON
        stage.cards.change(cards_with(make_card(0)))
        stage.person.wait_for(EnterPin)
        stage.enter()
        assert stage.finish().failure is None

    def test_a_mute_card_is_told(self) -> None:
        stage = Stage(cards=CardsState(True, (Slot("r", SlotStatus.FAILED, failure=Failure.CARD_MUTE),))).run()
        assert stage.person.wait_for(WaitForCard).failure is Failure.CARD_MUTE
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_pulled_while_the_code_is_typed_and_put_back(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.cards.change(EMPTY)
        stage.person.wait_for(WaitForCard)
        stage.cards.change(cards_with(make_card()))
        stage.person.wait_for(EnterPin, 2)
        stage.enter()
        assert stage.finish().failure is None

    def test_pulled_and_not_put_back(self) -> None:
        stage = Stage(removal_grace=0.05).run()
        stage.person.wait_for(EnterPin)
        stage.cards.change(EMPTY)
        assert stage.finish().failure is Failure.CARD_REMOVED
        assert stage.client.cancelled == [CancelReason.NO_CARD]

    def test_read_again_is_not_pulled(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.cards.change(CardsState(True, (Slot("Reader 0", SlotStatus.READING),)))
        stage.cards.change(cards_with(make_card(tries=2)))
        assert stage.person.wait_for(EnterPin, 2).pin.tries_left == 2
        assert not any(isinstance(view, WaitForCard) for view in stage.person.views)
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_pulled_during_the_signature(self) -> None:
        stage = Stage()
        stage.cards.hold = Future()
        stage.run().person.wait_for(EnterPin)
        stage.enter()
        stage.person.wait_for(Working)
        stage.cards.change(EMPTY)
        stage.cards.hold.set_exception(SithsError(Failure.CARD_REMOVED))
        assert stage.finish().failure is Failure.CARD_REMOVED
        assert stage.client.cancelled == [CancelReason.NO_CARD]
        assert stage.client.signatures == []

    def test_another_card_at_the_signature_asks_again(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.cards.fail_with = SithsError(Failure.CARD_CHANGED)
        stage.enter()
        assert stage.person.wait_for(EnterPin, 2).failure is Failure.CARD_CHANGED
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_several_cards_can_be_chosen_between(self) -> None:
        first, second = make_card(0, reader="Reader 0"), make_card(1, reader="Reader 1")
        stage = Stage(cards=cards_with(first, second)).run()
        shown = stage.person.wait_for(EnterPin)
        assert {card.id for card, _ in shown.choices} == {first.id, second.id}
        other = next(card for card, _ in shown.choices if card.id != shown.card.id)
        stage.flow.post(CredentialChosen(other.id, "0"))
        assert stage.person.wait_for(EnterPin, 2).card.id == other.id
        stage.enter(card=other)
        stage.finish()
        assert base64.b64decode(stage.client.signatures[0].x5c[0]) == other.credentials[0].certificate

    def test_on_a_reader_with_keys_the_code_is_typed_there(self) -> None:
        card = dataclasses.replace(make_card(), pin_pad=PinPad(changes=True))
        stage = Stage(cards=cards_with(card)).run()
        shown = stage.person.wait_for(EnterPin)
        stage.flow.post(PadChosen(shown.card.id, shown.credential.id))
        waiting = stage.person.wait_for(EnterOnReader)
        assert (waiting.card.id, waiting.credential.id, waiting.pin.tries_left) == (card.id, "0", 3)
        assert stage.finish().failure is None
        assert stage.client.pinpad
        assert [type(view) for view in stage.person.views] == [Opening, EnterPin, EnterOnReader, Working, Finished]

    @pytest.mark.parametrize(
        "failure", [Failure.PIN_PAD_TIMEOUT, Failure.PIN_PAD_CANCELLED, Failure.PIN_FORMAT, Failure.PIN_PAD_REFUSED]
    )
    def test_what_the_reader_could_not_take_is_asked_for_again(self, failure: Failure) -> None:
        card = dataclasses.replace(make_card(), pin_pad=PinPad(changes=True))
        stage = Stage(cards=cards_with(card)).run()
        stage.person.wait_for(EnterPin)
        stage.cards.fail_with = SithsError(failure)
        stage.flow.post(PadChosen(card.id, "0"))
        assert stage.person.wait_for(EnterPin, 2).failure is failure
        stage.cards.fail_with = None
        stage.flow.post(PadChosen(card.id, "0"))
        assert stage.finish().failure is None

    def test_giving_up_withdraws_the_entry(self) -> None:
        card = dataclasses.replace(make_card(), pin_pad=PinPad(changes=True))
        stage = Stage(cards=cards_with(card))
        stage.cards.hold = Future()
        stage.run()
        stage.person.wait_for(EnterPin)
        stage.flow.post(PadChosen(card.id, "0"))
        stage.person.wait_for(EnterOnReader)
        stage.flow.post(CancelRequested())
        assert stage.finish().failure is Failure.CANCELLED_BY_USER
        (entry,) = stage.cards.pins
        assert isinstance(entry, PadEntry)
        settle(lambda: not entry.wanted)

    def test_a_card_that_leaves_while_the_reader_waits_may_come_back(self) -> None:
        card = dataclasses.replace(make_card(), pin_pad=PinPad(changes=True))
        stage = Stage(cards=cards_with(card))
        stage.cards.hold = Future()
        stage.run()
        stage.person.wait_for(EnterPin)
        stage.flow.post(PadChosen(card.id, "0"))
        stage.person.wait_for(EnterOnReader)
        stage.cards.change(EMPTY)
        stage.cards.hold.set_exception(SithsError(Failure.CARD_REMOVED))
        stage.person.wait_for(WaitForCard)
        stage.cards.hold = None
        stage.cards.change(cards_with(card))
        stage.person.wait_for(EnterPin, 2)
        stage.flow.post(PadChosen(card.id, "0"))
        assert stage.finish().failure is None

    def test_a_reader_without_keys_cannot_be_chosen(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.flow.post(PadChosen(make_card().id, "0"))
        stage.enter()
        assert stage.finish().failure is None
        assert EnterOnReader not in {type(view) for view in stage.person.views}

    def test_an_order_that_demands_keys_takes_no_other_code(self) -> None:
        demands = Requirements(key=make_order().req.key, policies=[POLICY], reader=PinEntryKind.PINPAD)
        stage = Stage(order=make_order(req=demands)).run()
        assert stage.person.wait_for(WaitForCard).failure is Failure.PIN_PAD_NEEDED
        card = dataclasses.replace(make_card(), pin_pad=PinPad(changes=True))
        stage.cards.change(cards_with(card))
        stage.person.wait_for(EnterPin)
        entry = stage.enter(card=card)
        settle(lambda: len(entry) == 0)
        assert stage.cards.codes == []
        stage.flow.post(PadChosen(card.id, "0"))
        assert stage.finish().failure is None

    def test_the_chosen_card_comes_first_and_may_change_while_the_order_is_open(self) -> None:
        first, second = make_card(0, reader="Reader 0"), make_card(1, reader="Reader 1")
        both = cards_with(first, second)
        stage = Stage(cards=dataclasses.replace(both, chosen_id=second.id)).run()
        assert stage.person.wait_for(EnterPin).card.id == second.id
        stage.cards.change(dataclasses.replace(both, chosen_id=first.id))
        assert stage.person.wait_for(EnterPin, 2).card.id == first.id
        stage.cards.change(dataclasses.replace(both, chosen_id=None))
        stage.enter(card=first)
        stage.finish()
        assert base64.b64decode(stage.client.signatures[0].x5c[0]) == first.credentials[0].certificate

    def test_a_certificate_chosen_in_the_window_stays_until_another_card_is_chosen(self) -> None:
        first, second = make_card(0, reader="Reader 0"), make_card(1, reader="Reader 1")
        both = dataclasses.replace(cards_with(first, second), chosen_id=first.id)
        stage = Stage(cards=both).run()
        stage.person.wait_for(EnterPin)
        stage.flow.post(CredentialChosen(second.id, "0"))
        assert stage.person.wait_for(EnterPin, 2).card.id == second.id
        fewer = dataclasses.replace(second, pins=tuple(dataclasses.replace(pin, tries_left=2) for pin in second.pins))
        stage.cards.change(dataclasses.replace(cards_with(first, fewer), chosen_id=first.id))
        assert stage.person.wait_for(EnterPin, 3).card.id == second.id
        stage.flow.post(CancelRequested())
        stage.finish()

    def test_the_card_is_made_ready_while_the_person_reads(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        settle(lambda: stage.cards.prepared == 1)
        stage.enter()
        assert stage.finish().failure is None

    def test_what_the_page_shows_already_is_not_shown_again(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.enter(b"000000")
        stage.person.wait_for(EnterPin, 2)
        for _ in range(3):
            stage.cards.change(cards_with(make_card(tries=2)))
        stage.enter()
        stage.finish()
        assert sum(isinstance(view, EnterPin) for view in stage.person.views) == 2

    def test_an_unchanged_card_is_not_shown_again(self) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        for _ in range(5):
            stage.cards.change(cards_with(make_card()))
        stage.enter()
        stage.finish()
        assert sum(isinstance(view, EnterPin) for view in stage.person.views) == 1


class TestEnds:
    @pytest.mark.parametrize(
        ("event", "failure", "reason"),
        [
            (CancelRequested(), Failure.CANCELLED_BY_USER, CancelReason.USER),
            (Reported(), Failure.REPORTED_BY_USER, CancelReason.SUSPICIOUS),
            (SessionLocked(), Failure.SESSION_LOCKED, CancelReason.USER),
        ],
    )
    @pytest.mark.parametrize("where", ["claim", "wait", "code"])
    def test_giving_up_is_told(self, where: str, event: Event, failure: Failure, reason: CancelReason) -> None:
        stage = Stage(cards=EMPTY if where == "wait" else None)
        stage.client.hold_claim = where == "claim"
        stage.run().person.wait_for({"claim": Opening, "wait": WaitForCard, "code": EnterPin}[where])
        stage.flow.post(event)
        assert stage.finish().failure is failure
        assert stage.client.cancelled == [reason]
        assert stage.client.signatures == []

    @pytest.mark.parametrize(
        ("status", "failure"), [("cancelled", Failure.ORDER_CANCELLED), ("expired", Failure.ORDER_EXPIRED)]
    )
    def test_the_service_ends_the_order(self, status: str, failure: Failure) -> None:
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.client.end("cancelled" if status == "cancelled" else "expired")
        assert stage.finish().failure is failure
        assert stage.client.cancelled == []

    def test_a_watch_that_fails_does_not_end_the_order(self) -> None:
        stage = Stage()
        stage.client.failing["watch"] = service_problem(ProblemCode.INVALID_REQUEST)
        stage.run().person.wait_for(EnterPin)
        stage.enter()
        assert stage.finish().failure is None

    def test_a_watch_that_finds_no_order_ends_it(self) -> None:
        stage = Stage()
        stage.client.failing["watch"] = service_problem(ProblemCode.ORDER_GONE)
        stage.run()
        assert stage.finish().failure is Failure.ORDER_EXPIRED

    def test_the_time_runs_out(self) -> None:
        stage = Stage(client=FakeClient(make_order(), expires_in=0)).run()
        assert stage.finish().failure is Failure.ORDER_EXPIRED
        assert stage.client.cancelled == []

    def test_more_time_once(self) -> None:
        stage = Stage().run()
        before = stage.person.wait_for(EnterPin).open_order
        assert before.can_extend
        stage.flow.post(MoreTimeRequested())
        after = stage.person.wait_for(EnterPin, 2).open_order
        assert not after.can_extend
        assert after.deadline > before.deadline + 100
        stage.flow.post(MoreTimeRequested())
        stage.enter()
        assert stage.finish().failure is None
        assert stage.client.calls.count("extend") == 1

    def test_a_return_address_that_was_not_agreed_is_not_opened(self) -> None:
        stage = Stage()
        stage.client.answer = SignatureAnswer(result="accepted", return_url="https://idp.example.org/other")
        stage.run().person.wait_for(EnterPin)
        stage.enter()
        assert stage.finish().failure is Failure.RETURN_ADDRESS_REFUSED
        assert stage.opened == []

    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            (ProblemCode.INVALID_SIGNATURE, Failure.SIGNATURE_REFUSED),
            (ProblemCode.WRONG_CERTIFICATE, Failure.CERTIFICATE_NOT_ACCEPTED),
            (ProblemCode.CERTIFICATE_ERR, Failure.CERTIFICATE_INVALID),
            (ProblemCode.WRONG_STATE, Failure.ORDER_CANCELLED),
            (ProblemCode.ALREADY_SIGNED, Failure.ORDER_USED_TWICE),
            (ProblemCode.STATUS_UNAVAILABLE, Failure.STATUS_UNAVAILABLE),
        ],
    )
    def test_a_signature_that_is_refused(self, code: ProblemCode, failure: Failure) -> None:
        stage = Stage()
        stage.client.failing["signature"] = service_problem(code)
        stage.run().person.wait_for(EnterPin)
        stage.enter()
        assert stage.finish().failure is failure
        assert stage.opened == []

    @pytest.mark.parametrize("call", ["claim", "signature", "extend"])
    def test_the_unexpected_ends_in_one_place(self, call: str, caplog: pytest.LogCaptureFixture) -> None:
        stage = Stage()
        stage.client.failing[call] = RuntimeError("secret-in-a-message")
        with caplog.at_level(logging.DEBUG):
            stage.run()
            if call != "claim":
                stage.person.wait_for(EnterPin)
                stage.flow.post(MoreTimeRequested()) if call == "extend" else stage.enter()
            assert stage.finish().failure is Failure.UNKNOWN
        assert stage.client.cancelled == ([] if call == "claim" else [CancelReason.USER])
        assert "unexpected RuntimeError" in caplog.text
        assert "secret-in-a-message" not in caplog.text

    def test_a_broken_card_service(self) -> None:
        stage = Stage()
        stage.cards.fail_with = RuntimeError("x")
        stage.run().person.wait_for(EnterPin)
        stage.enter()
        assert stage.finish().failure is Failure.UNKNOWN

    def test_a_broken_screen(self) -> None:
        stage = Stage()
        stage.person.broken = True
        assert stage.run().finish().failure is Failure.UNKNOWN


def test_nothing_but_the_order_id_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.enter(b"000000")
        stage.person.wait_for(EnterPin, 2)
        stage.enter()
        stage.finish()
    for canary in ("000000", RIGHT.decode(), HSAID, "Logga in", "idp.example.org", "A" * 43):
        assert canary not in caplog.text


def test_no_thread_is_left_after_many_orders() -> None:
    before = threading.active_count()
    for _ in range(50):
        stage = Stage().run()
        stage.person.wait_for(EnterPin)
        stage.enter()
        stage.finish()
        assert stage.client.closed == 1
    gc.collect()
    assert threading.active_count() == before
