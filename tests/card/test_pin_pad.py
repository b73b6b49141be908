# SPDX-License-Identifier: EUPL-1.2
"""Codes that are typed on the reader: one entry is one try at most, and none of it is on this computer."""

from __future__ import annotations

import threading
from concurrent.futures import Future

import pytest

from sithsapp.card.model import Card, PinRole, PinState, SignatureScheme
from sithsapp.card.pin import PadEntry
from sithsapp.card.pin_pad import PinPad
from sithsapp.card.service import CardService
from sithsapp.card.virtual import pad as keys
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.pad import VirtualPad
from sithsapp.card.virtual.reader import VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, DEADLINE, WRONG, Recorder, Watcher, assert_signed, eventually
from tests.card.helpers import pin as typed_here

PS256 = SignatureScheme.PS256
MESSAGE = b"a message"
NEW = "864201"
PIN1, PUK = CODES[PinRole.AUTH], CODES[PinRole.PUK]
VERIFY_WITH_CODE = "0020001110"


@pytest.fixture
def pad(empty_readers: VirtualReaders) -> VirtualPad:
    """Keys on the only reader."""
    pad = VirtualPad(PinPad(changes=True))
    empty_readers.give_keys(pad)
    return pad


@pytest.fixture
def shown(pad: VirtualPad, ready: VirtualCard, watcher: Watcher) -> Card:
    """The card in that reader."""
    return watcher.card()


def sign(
    service: CardService, card: Card, entry: PadEntry | None = None, *, last_try_ok: bool = False
) -> Future[bytes]:
    return service.sign(card.id, "00", PS256, MESSAGE, entry or PadEntry(), last_try_ok=last_try_ok)


def refusal(future: Future[bytes] | Future[PinState]) -> SithsError:
    error = future.exception(DEADLINE)
    assert isinstance(error, SithsError), error
    return error


def tries(card: VirtualCard) -> list[int]:
    return [card.tries_left(reference) for reference in (0x11, 0x83, 0x84)]


class TestSigning:
    def test_the_card_tells_that_its_reader_has_keys(self, shown: Card) -> None:
        assert shown.pin_pad == PinPad(changes=True)

    def test_a_code_typed_on_the_reader_signs(self, shown: Card, pad: VirtualPad, service: CardService) -> None:
        accepted = threading.Event()
        pad.press(PIN1)
        signature = sign(service, shown, PadEntry(accepted.set)).result(DEADLINE)
        assert_signed(shown.credentials[0], PS256, MESSAGE, signature)
        assert accepted.is_set()
        (asked,) = pad.asked
        assert (asked.header.hex(), asked.width, asked.codes) == ("00200011", 16, 1)
        assert (asked.min_digits, asked.max_digits) == (6, 16)

    def test_nobody_is_logged_in_afterwards(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard
    ) -> None:
        pad.press(PIN1)
        sign(service, shown).result(DEADLINE)
        service.pin_state(shown.id, PinRole.AUTH).result(DEADLINE)
        assert ready.process(bytes.fromhex("0020001100")) == b"\x63\xc3"

    def test_a_wrong_code_is_one_try(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard, watcher: Watcher
    ) -> None:
        pad.press(WRONG)
        error = refusal(sign(service, shown))
        assert (error.failure, error.tries_left) == (Failure.PIN_WRONG, 2)
        assert tries(ready) == [2, 3, 10]
        watcher.until(lambda state: [p.tries_left for p in state.cards[0].pins] == [2, 3, 10])

    def test_the_last_try_needs_a_yes_before_the_reader_asks(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard
    ) -> None:
        for _ in range(2):
            pad.press(WRONG)
            refusal(sign(service, shown))
        error = refusal(sign(service, shown))
        assert (error.failure, error.tries_left) == (Failure.LAST_TRY_NOT_CONFIRMED, 1)
        assert len(pad.asked) == 2
        pad.press(WRONG)
        assert refusal(sign(service, shown, last_try_ok=True)).failure is Failure.PIN_LOCKED
        assert refusal(sign(service, shown, last_try_ok=True)).failure is Failure.PIN_LOCKED
        assert len(pad.asked) == 3
        assert tries(ready) == [0, 3, 10]

    @pytest.mark.parametrize(
        ("answer", "failure"),
        [
            (keys.TIME_RAN_OUT, Failure.PIN_PAD_TIMEOUT),
            (keys.CANCELLED, Failure.PIN_PAD_CANCELLED),
            (keys.WRONG_LENGTH, Failure.PIN_FORMAT),
            (b"\x6f\x00", Failure.CARD_ERROR),
            (b"\x69\x82", Failure.CARD_ERROR),
        ],
        ids=["time", "cancel", "length", "6F00", "6982"],
    )
    def test_what_the_reader_says_itself(
        self,
        shown: Card,
        pad: VirtualPad,
        service: CardService,
        ready: VirtualCard,
        watcher: Watcher,
        answer: bytes,
        failure: Failure,
    ) -> None:
        pad.answer(answer)
        assert refusal(sign(service, shown)).failure is failure
        assert tries(ready) == [3, 3, 10]
        pad.press(PIN1)
        assert sign(service, watcher.card()).result(DEADLINE)

    @pytest.mark.parametrize("answer", [keys.REFUSED, b"\x67\x00", b"\x6d\x00", b"\x6e\x00"], ids=bytes.hex)
    def test_a_reader_that_refuses_what_it_offers_is_asked_no_more(
        self, shown: Card, pad: VirtualPad, service: CardService, watcher: Watcher, answer: bytes
    ) -> None:
        pad.answer(answer)
        assert refusal(sign(service, shown)).failure is Failure.PIN_PAD_REFUSED
        card = watcher.until(lambda state: bool(state.cards) and state.cards[0].pin_pad is None).cards[0]
        assert refusal(sign(service, card)).failure is Failure.PIN_PAD_REFUSED
        assert len(pad.asked) == 1
        assert service.sign(card.id, "00", PS256, MESSAGE, typed_here(PIN1)).result(DEADLINE)


class TestWithdrawal:
    def test_a_code_that_comes_after_all_opens_nothing(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard
    ) -> None:
        entry = PadEntry()
        future = sign(service, shown, entry)
        assert pad.wait_until_asked()
        entry.wipe()
        pad.press(PIN1)
        assert refusal(future).failure is Failure.CANCELLED_BY_USER
        service.pin_state(shown.id, PinRole.AUTH).result(DEADLINE)
        assert ready.process(bytes.fromhex("0020001100")) == b"\x63\xc3"
        assert ready.signatures == 0

    def test_before_the_reader_asks(self, shown: Card, pad: VirtualPad, service: CardService) -> None:
        entry = PadEntry()
        entry.wipe()
        assert refusal(sign(service, shown, entry)).failure is Failure.CANCELLED_BY_USER
        assert pad.asked == []

    def test_an_entry_is_good_once(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard
    ) -> None:
        entry = PadEntry()
        pad.press(WRONG)
        refusal(sign(service, shown, entry))
        pad.press(WRONG)
        assert isinstance(refusal(sign(service, shown, entry)), SithsError)
        assert tries(ready) == [2, 3, 10]

    def test_the_end_comes_in_time_while_the_reader_waits(
        self, shown: Card, pad: VirtualPad, service: CardService
    ) -> None:
        future = sign(service, shown)
        assert pad.wait_until_asked()
        service.close()
        assert refusal(future).failure is Failure.CARD_REMOVED
        pad.answer(keys.CANCELLED)


class TestChanging:
    def test_old_and_new_are_typed_on_the_reader(
        self, shown: Card, pad: VirtualPad, service: CardService, watcher: Watcher
    ) -> None:
        pad.press(PIN1, NEW, NEW)
        state = service.change_pin_on_pad(shown.id, PinRole.AUTH, PadEntry()).result(DEADLINE)
        assert (state.role, state.tries_left) == (PinRole.AUTH, 3)
        assert (pad.asked[0].header.hex(), pad.asked[0].codes) == ("00240011", 2)
        pad.press(NEW)
        assert sign(service, watcher.card()).result(DEADLINE)

    def test_new_codes_that_differ(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard
    ) -> None:
        pad.press(PIN1, NEW, "864202")
        error = refusal(service.change_pin_on_pad(shown.id, PinRole.AUTH, PadEntry()))
        assert error.failure is Failure.NEW_PINS_DIFFER
        assert tries(ready) == [3, 3, 10]

    def test_a_wrong_old_code_is_one_try(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard
    ) -> None:
        pad.press(WRONG, NEW, NEW)
        error = refusal(service.change_pin_on_pad(shown.id, PinRole.SIGN, PadEntry()))
        assert (error.failure, error.tries_left) == (Failure.PIN_WRONG, 2)
        assert tries(ready) == [3, 2, 10]

    def test_unblocking_with_the_puk(
        self, shown: Card, pad: VirtualPad, service: CardService, ready: VirtualCard, watcher: Watcher
    ) -> None:
        for last in (False, False, True):
            pad.press(WRONG)
            refusal(sign(service, shown, last_try_ok=last))
        pad.press("48162048", NEW, NEW)
        error = refusal(service.unblock_on_pad(shown.id, PinRole.AUTH, PadEntry()))
        assert (error.failure, error.tries_left) == (Failure.PUK_WRONG, 9)
        pad.press(PUK, NEW, NEW)
        assert service.unblock_on_pad(shown.id, PinRole.AUTH, PadEntry()).result(DEADLINE).tries_left == 3
        pad.press(NEW)
        assert sign(service, watcher.card()).result(DEADLINE)

    def test_keys_that_only_verify(
        self, empty_readers: VirtualReaders, card: VirtualCard, service: CardService, watcher: Watcher
    ) -> None:
        pad = VirtualPad(PinPad(changes=False))
        empty_readers.give_keys(pad)
        empty_readers.insert(card)
        shown = watcher.kept()
        error = refusal(service.change_pin_on_pad(shown.id, PinRole.AUTH, PadEntry()))
        assert (error.failure, pad.asked) == (Failure.PIN_PAD_REFUSED, [])


SIGN_COMMANDS = 6
FAULTS = [
    *(Fault(kind, executed=executed) for kind in (FaultKind.REMOVED, FaultKind.RESET) for executed in (False, True)),
    Fault(FaultKind.SILENCE),
    Fault(FaultKind.GARBAGE),
    Fault(FaultKind.TRUNCATED),
    Fault(FaultKind.STATUS, status=0x6F00),
    Fault(FaultKind.STATUS, status=0x9000),
]


@pytest.mark.parametrize("position", range(SIGN_COMMANDS))
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.kind.name}-{fault.status:04X}-{fault.executed}")
@pytest.mark.parametrize("code", [PIN1, WRONG], ids=["right", "wrong"])
def test_whatever_goes_wrong_one_entry_is_one_try_at_most(
    shown: Card,
    pad: VirtualPad,
    empty_readers: VirtualReaders,
    service: CardService,
    ready: VirtualCard,
    watcher: Watcher,
    fault: Fault,
    position: int,
    code: str,
) -> None:
    recorder = Recorder(ready)
    pad.press(code)
    empty_readers.inject(Fault(fault.kind, position, executed=fault.executed, status=fault.status))
    error = sign(service, shown).exception(DEADLINE)
    assert error is None or isinstance(error, SithsError)
    service.pin_state(shown.id, PinRole.AUTH).exception(DEADLINE)
    sent = sum(command.startswith(VERIFY_WITH_CODE) for command in recorder.take())
    assert sent <= 1
    assert 3 - ready.tries_left(0x11) == (sent if code == WRONG else 0)
    empty_readers.clear_faults()
    empty_readers.remove()
    watcher.until(lambda state: not state.cards)
    assert len(pad.asked) <= 1
    empty_readers.give_keys(VirtualPad(PinPad(changes=True)))
    empty_readers.insert(ready)
    again = watcher.card()
    assert service.sign(again.id, "00", PS256, MESSAGE, typed_here(PIN1)).result(DEADLINE)
    eventually(lambda: ready.process(bytes.fromhex("0020001100")) == b"\x63\xc3")
