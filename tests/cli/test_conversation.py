# SPDX-License-Identifier: EUPL-1.2
"""The terminal's side of an order, with views as the flow shows them and a person who has decided beforehand."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest
from msgspec.structs import replace as replace_struct

from sithsapp.card.model import CardsState, PinRole, Slot, SlotStatus
from sithsapp.card.pin import Pin
from sithsapp.card.pin_pad import PinPad
from sithsapp.cli.conversation import Conversation
from sithsapp.cli.output import Output
from sithsapp.failures import Failure, SithsError
from sithsapp.locale import set_language
from sithsapp.oob.interaction import (
    CancelRequested,
    EnterOnReader,
    EnterPin,
    Event,
    Finished,
    Opening,
    OpenOrder,
    PadChosen,
    PinEntered,
    View,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.order import Document, OnBehalfOf, OrderType, PinEntryKind, Text
from tests.oob.fakes import READER, make_card, make_order
from tests.parts.xvfb import wait_until

ORDER = OpenOrder(make_order(), "test", 1e9, can_extend=True)
CODE = b"804913"
DONE = Finished(ORDER)
CANCELLED = Finished(ORDER, Failure.CANCELLED_BY_USER)
EMPTY = CardsState(slots=(Slot(READER, SlotStatus.EMPTY),))


@pytest.fixture(autouse=True)
def _english() -> None:
    set_language("en")


def enter_pin(failure: Failure | None = None, *, tries: int = 3, number: int = 0) -> EnterPin:
    card = make_card(number, tries=tries)
    pin = card.pin(PinRole.AUTH)
    assert pin is not None
    return EnterPin(ORDER, card, card.credentials[0], pin, (), failure)


class Notes(Output):
    """Keeps what is said, besides saying it."""

    def __init__(self, notes: list[str]) -> None:
        super().__init__(as_json=True)
        self._notes = notes

    def note(self, text: str = "") -> None:
        super().note(text)
        self._notes.append(text)


Entry = bytes | SithsError | None | Callable[[], bytes | None]


@dataclass
class Talk:
    """A conversation with entries that are given one by one, and answers of the flow to what is posted."""

    entries: list[Entry] = field(default_factory=list)
    last_try_ok: bool = False
    attended: bool = True
    after_code: tuple[View, ...] = (Working(ORDER), DONE)
    posted: list[Event] = field(default_factory=list)
    pins: list[Pin] = field(default_factory=list)
    prompts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.conversation = Conversation(
            Notes(self.notes), self._ask, last_try_ok=self.last_try_ok, attended=self.attended
        )

    def run(self, *views: View) -> Finished:
        self.show(*views)
        return self.conversation.run(self._post)

    def show(self, *views: View) -> None:
        for view in views:
            self.conversation.show(view)

    def _ask(self, prompt: str, is_over: Callable[[], bool]) -> Pin | None:
        self.prompts.append(prompt)
        entry = self.entries.pop(0)
        if callable(entry):
            entry = entry()
        if isinstance(entry, SithsError):
            raise entry
        if entry is None:
            return None
        self.pins.append(Pin(bytearray(entry)))
        return self.pins[-1]

    def _post(self, event: Event) -> None:
        self.show(*(self.after_code if isinstance(event, PinEntered | PadChosen) else (CANCELLED,)))
        self.posted.append(event)

    @property
    def kinds(self) -> list[type]:
        return [type(event) for event in self.posted]


@contextmanager
def running(talk: Talk, *views: View) -> Iterator[None]:
    """Let the conversation begin with `views`; its end is waited for."""
    teller = threading.Thread(target=talk.run, args=views, daemon=True)
    teller.start()
    yield
    teller.join(10)
    assert not teller.is_alive()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    shown = capsys.readouterr()
    assert shown.out == ""
    return shown.err.splitlines()


class TestOrder:
    def test_a_log_in(self, capsys: pytest.CaptureFixture[str]) -> None:
        talk = Talk([CODE])
        assert talk.run(Opening(), enter_pin()) == DONE
        event = talk.posted[0]
        assert isinstance(event, PinEntered)
        assert (event.card, event.credential, event.last_try_ok) == (make_card().id, "0", False)
        assert talk.prompts == ["Identification code (Test Person, 3 attempts left):"]
        assert lines(capsys) == [
            "Journalsystem Exempel asks you to identify yourself",
            "  | Logga in",
            "  Environment: test",
            "  Reference: ord_01",
        ]

    def test_a_signature_is_shown_whole(self, capsys: pytest.CaptureFixture[str]) -> None:
        order = make_order(
            typ=OrderType.SIGN,
            text=Text(fmt="plain", body="First\nsecond \x1b[2J"),
            on_behalf_of=OnBehalfOf(id="x", name="Vårdcentralen"),
            docs=[Document(name="a\x1b.pdf", size=7, alg="sha-256", digest="D" * 43)],
        )
        opened = replace(ORDER, order=order, environment="production")
        Talk([None]).run(replace(enter_pin(), open_order=opened))
        assert lines(capsys) == [
            "Journalsystem Exempel asks for your signature",
            "  Vårdcentralen",
            "  | First",
            "  | second \ufffd[2J",
            "  * a\ufffd.pdf (7) DDDDDDDDDDDDDDDD",
            "  Reference: ord_01",
        ]

    def test_the_order_is_told_once(self, capsys: pytest.CaptureFixture[str]) -> None:
        talk = Talk([b"111222", CODE], after_code=(Working(ORDER), enter_pin(Failure.PIN_WRONG, tries=2)))
        talk.entries.append(None)
        talk.run(enter_pin())
        shown = lines(capsys)
        assert shown.count("  | Logga in") == 1
        assert shown.count("Wrong code") == 2


class TestReaderWithKeys:
    def keys(self, failure: Failure | None = None, *, tries: int = 3) -> EnterPin:
        shown = enter_pin(failure, tries=tries)
        return replace(shown, card=replace(shown.card, pin_pad=PinPad(changes=True)))

    def test_the_person_is_sent_there(self, capsys: pytest.CaptureFixture[str]) -> None:
        shown = self.keys()
        waiting = EnterOnReader(ORDER, shown.card, shown.credential, shown.pin)
        talk = Talk(after_code=(waiting, Working(ORDER), DONE))
        assert talk.run(Opening(), shown) == DONE
        assert talk.posted == [PadChosen(shown.card.id, "0", False)]
        assert talk.prompts == []
        assert "Enter the code on the card reader (Identification code, 3 attempts left)." in lines(capsys)

    @pytest.mark.parametrize("failure", [Failure.PIN_PAD_CANCELLED, Failure.PIN_PAD_TIMEOUT])
    def test_who_does_not_come_has_given_up(self, failure: Failure) -> None:
        talk = Talk(after_code=(self.keys(failure),))
        assert talk.run(self.keys()).failure is failure
        assert talk.kinds == [PadChosen, CancelRequested]

    def test_the_last_try_needs_a_yes(self) -> None:
        talk = Talk()
        assert talk.run(self.keys(tries=1)).failure is Failure.LAST_TRY_NOT_CONFIRMED
        assert talk.kinds == [CancelRequested]

    def test_a_code_from_a_descriptor_is_used_unless_the_order_forbids_it(self) -> None:
        talk = Talk([CODE], attended=False)
        assert talk.run(self.keys()) == DONE
        assert talk.kinds == [PinEntered]
        req = replace_struct(ORDER.order.req, reader=PinEntryKind.PINPAD)
        demanding = replace(ORDER, order=make_order(req=req))
        talk = Talk([CODE], attended=False)
        assert talk.run(replace(self.keys(), open_order=demanding)).failure is Failure.PIN_PAD_NEEDED
        assert talk.entries == [CODE]


class TestWaiting:
    @pytest.mark.parametrize(
        ("cards", "failure", "sentence"),
        [
            (CardsState(), None, "Connect a card reader"),
            (EMPTY, None, "Insert your card"),
            (CardsState(slots=(Slot(READER, SlotStatus.READING),)), None, "Reading the card …"),
            (EMPTY, Failure.CERTIFICATE_EXPIRED, "The certificates have expired"),
        ],
    )
    def test_what_is_missing_is_said_once(self, cards: CardsState, failure: Failure | None, sentence: str) -> None:
        talk = Talk()
        views = WaitForCard(ORDER, cards, failure), WaitForCard(ORDER, cards, failure)
        with running(talk, views[0]):
            wait_until(lambda: sentence in talk.notes)
            talk.show(views[1], DONE)
        assert talk.notes[-1:] == [sentence]
        assert talk.posted == []

    def test_the_card_must_stay(self) -> None:
        talk = Talk()
        with running(talk, Working(ORDER)):
            wait_until(lambda: talk.notes == ["Leave the card in the reader."])
            talk.show(DONE)

    @pytest.mark.parametrize(
        "failure", [Failure.CERTIFICATE_EXPIRED, Failure.NO_SUITABLE_CERTIFICATE, Failure.CARD_NOT_SUPPORTED]
    )
    def test_without_a_person_a_card_that_will_not_do_ends_the_order(self, failure: Failure) -> None:
        talk = Talk(attended=False)
        assert talk.run(WaitForCard(ORDER, EMPTY, failure)).failure is failure
        assert talk.kinds == [CancelRequested]

    @pytest.mark.parametrize("failure", [None, Failure.CARD_MUTE, Failure.WRONG_PERSON])
    def test_without_a_person_another_card_may_still_come(self, failure: Failure | None) -> None:
        talk = Talk([CODE], attended=False)
        with running(talk, WaitForCard(ORDER, EMPTY, failure)):
            wait_until(lambda: len(talk.notes) == 5)
            talk.show(enter_pin())
        assert talk.kinds == [PinEntered]


class TestCode:
    def test_the_last_try_is_not_used_unasked(self) -> None:
        talk = Talk()
        end = talk.run(enter_pin(tries=1))
        assert (end.failure, end.tries_left) == (Failure.LAST_TRY_NOT_CONFIRMED, 1)
        assert (talk.prompts, talk.kinds) == ([], [CancelRequested])

    def test_the_last_try_with_a_yes(self) -> None:
        talk = Talk([CODE], last_try_ok=True)
        assert talk.run(enter_pin(tries=1)) == DONE
        assert isinstance(talk.posted[0], PinEntered)
        assert talk.posted[0].last_try_ok

    def test_giving_up(self) -> None:
        talk = Talk([None])
        assert talk.run(enter_pin()) == CANCELLED
        assert talk.kinds == [CancelRequested]

    def test_giving_up_after_a_wrong_code_says_that_it_was_wrong(self) -> None:
        end = Talk([None]).run(enter_pin(Failure.PIN_WRONG, tries=2))
        assert (end.failure, end.tries_left) == (Failure.PIN_WRONG, 2)

    @pytest.mark.parametrize("failure", [Failure.PIN_NOT_GIVEN, Failure.PIN_FORMAT])
    def test_no_code_to_be_had(self, failure: Failure) -> None:
        assert Talk([SithsError(failure)]).run(enter_pin()).failure is failure

    def test_the_only_code_was_wrong(self) -> None:
        end = Talk([SithsError(Failure.PIN_NOT_GIVEN)]).run(enter_pin(Failure.PIN_WRONG, tries=2))
        assert (end.failure, end.tries_left) == (Failure.PIN_WRONG, 2)

    def test_too_short_twice_is_asked_for_a_third_time(self) -> None:
        talk = Talk([b"1", b"1", b"1"])
        answers: Iterator[View] = iter([enter_pin(Failure.PIN_FORMAT), enter_pin(Failure.PIN_FORMAT), DONE])
        talk.show(enter_pin())
        assert talk.conversation.run(lambda _event: talk.show(next(answers))) == DONE
        assert len(talk.prompts) == 3


class TestWhatHappensMeanwhile:
    def test_an_order_that_ends_at_the_prompt_spends_nothing(self) -> None:
        talk = Talk()
        ended = Finished(ORDER, Failure.ORDER_CANCELLED)

        def entry() -> bytes:
            talk.show(ended)
            return CODE

        talk.entries.append(entry)
        assert talk.run(enter_pin()) == ended
        assert talk.posted == []
        assert len(talk.pins[0]) == 0

    def test_the_end_is_not_taken_for_giving_up(self) -> None:
        talk = Talk()
        ended = Finished(ORDER, Failure.ORDER_EXPIRED)
        talk.entries.append(lambda: talk.show(ended))
        assert talk.run(enter_pin()) == ended
        assert talk.posted == []

    def test_a_question_that_is_shown_again_is_answered_once(self) -> None:
        talk = Talk([CODE], after_code=(enter_pin(), Working(ORDER), DONE))
        assert talk.run(enter_pin()) == DONE
        talk = Talk([CODE], attended=False, after_code=(enter_pin(tries=2),))
        with running(talk, enter_pin()):
            wait_until(lambda: bool(talk.posted) and talk.conversation._views.empty())
            talk.show(Working(ORDER), DONE)
        assert talk.kinds == [PinEntered]

    def test_a_question_after_the_card_was_away_is_a_new_one(self) -> None:
        talk = Talk([CODE, CODE])
        answers: Iterator[tuple[View, ...]] = iter([(WaitForCard(ORDER, EMPTY), enter_pin()), (DONE,)])
        talk.show(enter_pin())
        assert talk.conversation.run(lambda _event: talk.show(*next(answers))) == DONE
        assert len(talk.prompts) == 2

    def test_another_card_is_another_question(self) -> None:
        talk = Talk([CODE, CODE])
        answers: Iterator[tuple[View, ...]] = iter([(enter_pin(number=1),), (DONE,)])
        talk.show(enter_pin())
        assert talk.conversation.run(lambda _event: talk.show(*next(answers))) == DONE
        assert len(talk.prompts) == 2

    def test_only_the_newest_view_is_answered(self) -> None:
        talk = Talk([CODE])
        talk.run(WaitForCard(ORDER, EMPTY), enter_pin(), WaitForCard(ORDER, EMPTY), enter_pin())
        assert len(talk.prompts) == 1

    def test_nothing_is_asked_after_an_interruption(self) -> None:
        talk = Talk()
        talk.show(enter_pin(), Working(ORDER), CANCELLED)  # the interruption found the question unanswered
        assert talk.conversation.wait_for_end() == CANCELLED
        assert talk.prompts == []
