# SPDX-License-Identifier: EUPL-1.2
"""PC/SC's codes and moods, with a library that is made up; the real one is in tests/contract and test_pcscd."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sithsapp.card import pcsc, pcsc_library
from sithsapp.card.part10 import structure
from sithsapp.card.pcsc import PNP_NOTIFICATION, PcscReaders
from sithsapp.card.pcsc_codes import Code, State, failure_of, name_of, unsigned
from sithsapp.card.pcsc_connection import PcscConnection
from sithsapp.card.pcsc_watch import ReaderTable
from sithsapp.card.pin_pad import PadCommand, PinPad
from sithsapp.card.service import CardService
from sithsapp.card.transport import CardProtocol, Presence, ReadersSnapshot
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import DEADLINE

ATR = bytes.fromhex("3B00")
GET_FEATURES = 0x42000000 + 3400
VERIFY_AND_MODIFY = bytes.fromhex("060442330001070442330002")


class FakeScard:
    """Answers calls from lists of codes by call; 0 where a list is empty."""

    SCARD_PCI_T0, SCARD_PCI_T1 = 1, 2

    def __init__(self) -> None:
        self.codes: dict[str, list[int]] = {}
        self.calls: list[tuple[str, tuple[Any, ...]]] = []
        self.readers: list[str] = ["reader"]
        self.state = State.PRESENT | 1 << 16
        self.contexts = 0
        self.transmitted: list[list[int]] = []
        self.features = b""
        self.pad_answer = b"\x90\x00"
        self.pnp_state = 1 << 16
        self.changed = threading.Condition()
        self.cancelled = False
        self.let_again_after_cancel = False

    def script(self, call: str, *codes: int) -> None:
        """Let the next calls of that name answer these codes."""
        self.codes[call] = list(codes)

    def _code(self, call: str, *arguments: Any) -> int:
        self.calls.append((call, arguments))
        waiting = self.codes.get(call)
        return waiting.pop(0) if waiting else 0

    def count(self, call: str) -> int:
        """How often a call was made."""
        return sum(name == call for name, _ in self.calls)

    def SCardEstablishContext(self, scope: int) -> list[Any]:
        code = self._code("SCardEstablishContext", scope)
        self.contexts += code == 0
        return [code, self.contexts]

    def SCardReleaseContext(self, context: int) -> int:
        self.contexts -= 1
        return self._code("SCardReleaseContext", context)

    def SCardListReaders(self, context: int, groups: list[str]) -> list[Any]:
        code = self._code("SCardListReaders", context)
        if code == 0 and not self.readers:
            return [Code.E_NO_READERS_AVAILABLE - (1 << 32), []]
        return [code, list(self.readers)]

    def SCardGetStatusChange(self, context: int, timeout: int, states: list[Any]) -> list[Any]:
        code = self._code("SCardGetStatusChange", timeout, [name for name, _ in states])
        if code:
            return [code, []]
        with self.changed:
            if not self.changed.wait_for(lambda: self.cancelled or self._differs(states), timeout / 1000):
                return [Code.E_TIMEOUT, []]
            if self.cancelled:
                self.cancelled = not self.let_again_after_cancel
                return [Code.E_CANCELLED, []]
        now = {"reader": self.state, PNP_NOTIFICATION: self.pnp_state}
        return [0, [(name, now[name] | State.CHANGED, list(ATR)) for name, _ in states]]

    def _differs(self, states: list[Any]) -> bool:
        now = {"reader": self.state, PNP_NOTIFICATION: self.pnp_state}
        return any(now[name] != known for name, known in states)

    def SCardCancel(self, context: int) -> int:
        with self.changed:
            self.cancelled = True
            self.changed.notify_all()
        return self._code("SCardCancel", context)

    def SCardConnect(self, *arguments: Any) -> list[Any]:
        return [self._code("SCardConnect", *arguments), 7, 1]

    def SCardReconnect(self, *arguments: Any) -> list[Any]:
        return [self._code("SCardReconnect", *arguments), 2]

    def SCardStatus(self, card: int) -> list[Any]:
        return [self._code("SCardStatus", card), "reader", 0, 1, list(ATR)]

    def SCardBeginTransaction(self, card: int) -> int:
        return self._code("SCardBeginTransaction", card)

    def SCardEndTransaction(self, card: int, disposition: int) -> int:
        return self._code("SCardEndTransaction", card, disposition)

    def SCardDisconnect(self, card: int, disposition: int) -> int:
        return self._code("SCardDisconnect", card, disposition)

    def SCARD_CTL_CODE(self, number: int) -> int:
        return 0x42000000 + number

    def SCardControl(self, card: int, control: int, octets: list[int]) -> list[Any]:
        code = self._code("SCardControl", control, bytes(octets))
        answer = self.features if control == GET_FEATURES else self.pad_answer
        return [code, list(answer) if code == 0 else []]

    def SCardTransmit(self, card: int, pci: int, octets: list[int]) -> list[Any]:
        self.transmitted.append(octets)
        return [self._code("SCardTransmit", pci, bytes(octets)), [0x90, 0x00]]


@pytest.fixture
def scard(monkeypatch: pytest.MonkeyPatch) -> FakeScard:
    fake = FakeScard()
    monkeypatch.setattr(pcsc_library, "scard", fake)
    monkeypatch.setattr(pcsc_library, "_BUSY_SECONDS", 0.05)
    monkeypatch.setattr(pcsc_library, "_BUSY_PAUSE", (0.001, 0.002))
    monkeypatch.setattr(pcsc, "_FIRST_BACKOFF", 0.001)
    monkeypatch.setattr(pcsc, "_LAST_BACKOFF", 0.005)
    return fake


def failure(action: Callable[[], object]) -> Failure:
    with pytest.raises(SithsError) as caught:
        action()
    return caught.value.failure


def begin(connection: PcscConnection) -> None:
    with connection.transaction():
        pass


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (Code.E_NO_SERVICE, Failure.NO_READER_SERVICE),
        (Code.E_SERVICE_STOPPED, Failure.NO_READER_SERVICE),
        (Code.F_COMM_ERROR, Failure.NO_READER_SERVICE),
        (Code.ERROR_BROKEN_PIPE, Failure.NO_READER_SERVICE),
        (Code.E_UNKNOWN_READER, Failure.NO_READER),
        (Code.E_READER_UNAVAILABLE, Failure.NO_READER),
        (Code.E_NO_SMARTCARD, Failure.NO_CARD),
        (Code.W_REMOVED_CARD, Failure.CARD_REMOVED),
        (Code.E_SHARING_VIOLATION, Failure.CARD_IN_USE),
        (Code.W_UNRESPONSIVE_CARD, Failure.CARD_MUTE),
        (Code.W_SECURITY_VIOLATION, Failure.READER_ACCESS_DENIED),
        (Code.W_UNSUPPORTED_CARD, Failure.CARD_NOT_SUPPORTED),
        (0x80107777, Failure.CARD_ERROR),
    ],
)
def test_codes_have_meanings(scard: FakeScard, code: int, expected: Failure) -> None:
    assert failure_of(code) is expected
    assert failure_of(unsigned(code - (1 << 32))) is expected
    scard.script("SCardConnect", *[code] * 100)
    assert failure(lambda: PcscConnection("reader")) is expected
    assert scard.contexts == 0, "nothing is left open"


def test_codes_have_names() -> None:
    assert name_of(Code.E_NO_SERVICE) == "E_NO_SERVICE"
    assert name_of(0x80107777) == "0x80107777"


def test_another_programs_hold_is_waited_out_for_a_while(scard: FakeScard) -> None:
    scard.script("SCardConnect", Code.E_SHARING_VIOLATION, Code.E_SHARING_VIOLATION)
    PcscConnection("reader").disconnect()
    assert scard.count("SCardConnect") == 3


def test_a_silent_card_is_tried_once_more(scard: FakeScard) -> None:
    scard.script("SCardConnect", Code.W_UNRESPONSIVE_CARD)
    PcscConnection("reader").disconnect()
    scard.script("SCardConnect", Code.W_UNRESPONSIVE_CARD, Code.W_UNRESPONSIVE_CARD, 0)
    assert failure(lambda: PcscConnection("reader")) is Failure.CARD_MUTE


@pytest.mark.parametrize(("resets", "passes"), [(0, True), (1, True), (2, True), (3, False), (9, False)])
def test_resets_by_others_are_taken_up_twice(scard: FakeScard, resets: int, passes: bool) -> None:
    connection = PcscConnection("reader")
    scard.script("SCardBeginTransaction", *[Code.W_RESET_CARD] * resets)
    if passes:
        begin(connection)
        assert connection.protocol is (CardProtocol.T1 if resets else CardProtocol.T0) or resets
    else:
        assert failure(lambda: begin(connection)) is Failure.CARD_IN_USE
    assert scard.count("SCardReconnect") <= 3
    assert scard.count("SCardEndTransaction") == passes
    connection.disconnect()


def test_a_card_that_is_gone_when_reconnecting_is_told(scard: FakeScard) -> None:
    connection = PcscConnection("reader")
    scard.script("SCardBeginTransaction", Code.W_RESET_CARD)
    scard.script("SCardReconnect", Code.W_REMOVED_CARD)
    assert failure(lambda: begin(connection)) is Failure.CARD_REMOVED


def test_a_card_that_was_reset_between_connect_and_status(scard: FakeScard) -> None:
    scard.script("SCardStatus", Code.W_RESET_CARD)
    assert PcscConnection("reader").atr == ATR


@pytest.mark.parametrize(
    ("code", "state", "expected"),
    [
        (Code.E_NOT_TRANSACTED, State.EMPTY, Failure.CARD_REMOVED),
        (Code.W_UNPOWERED_CARD, State.EMPTY, Failure.CARD_REMOVED),
        (Code.W_REMOVED_CARD, State.PRESENT, Failure.CARD_REMOVED),
        (Code.F_COMM_ERROR, State.PRESENT, Failure.NO_READER_SERVICE),
        (Code.E_NOT_TRANSACTED, State.PRESENT | State.INUSE, Failure.CARD_ERROR),
    ],
)
def test_a_pulled_card_is_told_from_a_failing_one(scard: FakeScard, code: int, state: int, expected: Failure) -> None:
    connection = PcscConnection("reader")
    scard.script("SCardTransmit", code)
    scard.state = int(state)
    assert failure(lambda: connection.transmit(b"\x00\xb0\x00\x00\x01")) is expected


def test_the_list_that_carried_a_command_is_emptied(scard: FakeScard) -> None:
    connection = PcscConnection("reader")
    command = bytes.fromhex("0020001106313233343536")
    assert connection.transmit(command) == b"\x90\x00"
    assert scard.calls[-1] == ("SCardTransmit", (1, command))
    assert scard.transmitted == [[0] * len(command)]


@pytest.mark.parametrize("reset", [True, False])
def test_letting_go_ends_transaction_connection_and_context(scard: FakeScard, reset: bool) -> None:
    connection = PcscConnection("reader")
    connection.disconnect(reset=reset)
    connection.disconnect()
    ending = [call for call in scard.calls if call[0] in ("SCardEndTransaction", "SCardDisconnect")]
    assert [arguments for _, arguments in ending] == [(7, int(reset)), (7, int(reset))]
    assert scard.contexts == 0
    assert failure(lambda: connection.transmit(b"\0\0\0\0")) is Failure.CARD_REMOVED
    assert failure(lambda: begin(connection)) is Failure.CARD_REMOVED


def test_a_dead_service_is_found_again_with_one_line_for_each_change(
    scard: FakeScard, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    readers = PcscReaders()
    known = readers.wait(None)
    assert known.service_running
    scard.script("SCardListReaders", Code.E_NO_SERVICE)
    scard.script("SCardEstablishContext", *[Code.E_NO_SERVICE] * 5)
    scard.script("SCardGetStatusChange", 0, Code.F_COMM_ERROR)
    scard.state |= State.INUSE
    down = readers.wait(known)
    assert down == ReadersSnapshot(False, ())
    up = readers.wait(down)
    assert up.service_running
    assert [event.reader for event in up.readers] == ["reader"]
    assert [record.getMessage().split(" (")[0] for record in caplog.records] == [
        "smart card service found",
        "smart card service not available",
        "smart card service found",
    ]
    readers.cancel()
    assert scard.contexts == 0


def test_a_thousand_restarts_leave_nothing_behind(scard: FakeScard) -> None:
    readers = PcscReaders()
    known = readers.wait(None)
    threads = threading.active_count()
    for _ in range(1000):
        scard.script("SCardListReaders", Code.E_SERVICE_STOPPED)
        scard.state ^= State.INUSE
        known = readers.wait(known)
        assert not known.service_running
        known = readers.wait(known)
        assert known.service_running
    assert scard.contexts == 1
    assert threading.active_count() == threads
    readers.cancel()
    assert scard.contexts == 0


def test_a_refused_session_is_told_from_a_dead_service(scard: FakeScard) -> None:
    scard.script("SCardEstablishContext", Code.W_SECURITY_VIOLATION, Code.W_SECURITY_VIOLATION)
    readers = PcscReaders()
    denied = readers.wait(None)
    assert denied == ReadersSnapshot(False, (), Failure.READER_ACCESS_DENIED)
    assert readers.wait(denied).service_running


def test_no_reader_is_no_failure(scard: FakeScard) -> None:
    scard.readers = []
    assert PcscReaders().wait(None) == ReadersSnapshot(True, ())


def test_an_idle_wait_is_one_call(scard: FakeScard) -> None:
    readers = PcscReaders()
    known = readers.wait(None)
    before = len(scard.calls)
    thread = threading.Thread(target=readers.wait, args=(known,), daemon=True)
    thread.start()
    assert not threading.Event().wait(0.2)
    waits = [arguments for name, arguments in scard.calls[before:] if name == "SCardGetStatusChange"]
    assert [timeout for timeout, _ in waits] == [0, 0x7FFFFFFF]
    assert PNP_NOTIFICATION in waits[-1][1]
    readers.cancel()
    thread.join(DEADLINE)
    assert not thread.is_alive()


def test_the_end_comes_in_time_even_if_the_service_hangs(scard: FakeScard, monkeypatch: pytest.MonkeyPatch) -> None:
    hung, go_on = threading.Event(), threading.Event()

    def hang(*_: object) -> list[object]:
        hung.set()
        go_on.wait(DEADLINE)
        return [Code.E_NO_SERVICE, []]

    for call in ("SCardListReaders", "SCardCancel"):
        monkeypatch.setattr(scard, call, hang)
    service = CardService([PcscReaders()])
    service.start()
    assert hung.wait(DEADLINE)
    began = time.monotonic()
    service.close()
    assert time.monotonic() - began < 2.0
    go_on.set()


def test_a_service_without_plug_and_play_is_asked_from_time_to_time(scard: FakeScard) -> None:
    scard.readers = []
    scard.script("SCardGetStatusChange", Code.E_UNKNOWN_READER)
    readers = PcscReaders()
    known = readers.wait(None)
    assert readers.wait(known, timeout=0.01) == known
    assert scard.count("SCardGetStatusChange") == 1, "without a reader there is nothing to ask for"
    scard.readers = ["reader"]
    assert readers.wait(known).readers[0].reader == "reader"


def test_a_service_that_reports_changes_without_end_is_slowed_down(
    scard: FakeScard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pcsc, "_SPIN_PAUSE", 0.02)
    readers = PcscReaders()
    known = readers.wait(None)
    monkeypatch.setattr(FakeScard, "_differs", lambda self, states: True)
    before = scard.count("SCardGetStatusChange")
    readers.wait(known, timeout=0.4)
    assert scard.count("SCardGetStatusChange") - before < 200


class TestTable:
    def test_emulated_and_surplus_readers_are_left_out(self) -> None:
        table = ReaderTable()
        table.keep(["Windows Hello for Business 0", *(f"reader {number}" for number in range(20))])
        assert len(table.events()) == 9
        assert table.events()[0].reader == "reader 0"

    @pytest.mark.parametrize(
        ("state", "presence"),
        [
            (State.EMPTY, Presence.EMPTY),
            (State.UNAVAILABLE, Presence.EMPTY),
            (State.PRESENT, Presence.PRESENT),
            (State.PRESENT | State.INUSE, Presence.PRESENT),
            (State.PRESENT | State.EXCLUSIVE | State.INUSE, Presence.IN_USE),
            (State.PRESENT | State.MUTE, Presence.MUTE),
        ],
    )
    def test_states_mean_presence(self, state: int, presence: Presence) -> None:
        table = ReaderTable()
        table.keep(["reader"])
        table.note("reader", state, ATR)
        assert table.events()[0].presence is presence

    def test_a_swap_is_counted_even_if_the_slot_was_never_seen_empty(self) -> None:
        table = ReaderTable()
        table.keep(["reader"])
        table.note("reader", State.PRESENT | 1 << 16, ATR)
        first = table.events()[0].insertions
        table.note("reader", State.PRESENT | State.INUSE | 1 << 16, ATR)
        assert table.events()[0].insertions == first
        table.note("reader", State.PRESENT | 3 << 16, ATR)
        assert table.events()[0].insertions == first + 1
        table.note("reader", State.PRESENT | 3 << 16, b"\x3b\x01")
        assert table.events()[0].insertions == first + 2
        table.note("unknown", State.PRESENT, ATR)


def test_the_package_around_the_binding_is_not_imported() -> None:
    script = (
        "import sys, sithsapp.card.pcsc, sithsapp.card.service; "
        "print([m for m in sys.modules if m.startswith('smartcard') and 'scard.' not in m + '.' "
        "or m.split('.')[0] in ('cryptography', 'PySide6', 'asyncio')])"
    )
    output = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=DEADLINE
    )
    assert output.stdout.strip() == "[]"


class TestPinPad:
    COMMAND = PadCommand(bytes.fromhex("00200011"), 1, 16, 6, 16)

    def connect(self, scard: FakeScard, features: bytes = VERIFY_AND_MODIFY) -> PcscConnection:
        scard.features = features
        return PcscReaders().connect("reader")

    def test_features_are_asked_for_and_used(self, scard: FakeScard) -> None:
        connection = self.connect(scard)
        assert connection.pin_pad == PinPad(changes=True, min_digits=0)
        assert connection.enter(self.COMMAND) == b"\x90\x00"
        control, sent = scard.calls[-1][1]
        assert control == 0x42330001
        assert sent == structure(self.COMMAND)
        connection.enter(PadCommand(bytes.fromhex("00240011"), 2, 16, 6, 16))
        assert scard.calls[-1][1][0] == 0x42330002
        assert scard.transmitted == []

    def test_a_reader_without_keys(self, scard: FakeScard) -> None:
        connection = self.connect(scard, b"")
        assert connection.pin_pad is None
        with pytest.raises(SithsError) as caught:
            connection.enter(self.COMMAND)
        assert caught.value.failure is Failure.PIN_PAD_REFUSED

    def test_keys_may_be_turned_off(self, scard: FakeScard) -> None:
        scard.features = VERIFY_AND_MODIFY
        assert PcscReaders(use_pads=False).connect("reader").pin_pad is None
        assert scard.count("SCardControl") == 0

    def test_a_driver_that_knows_no_features_is_asked_once(self, scard: FakeScard) -> None:
        readers = PcscReaders()
        scard.script("SCardControl", Code.E_UNSUPPORTED_FEATURE, Code.E_UNSUPPORTED_FEATURE)
        assert readers.connect("reader").pin_pad is None
        assert readers.connect("reader").pin_pad is None
        assert scard.count("SCardControl") == 1

    def test_a_reset_at_the_question_is_no_answer(self, scard: FakeScard) -> None:
        readers = PcscReaders()
        scard.features = VERIFY_AND_MODIFY
        scard.script("SCardControl", Code.W_RESET_CARD - (1 << 32))
        assert readers.connect("reader").pin_pad is None
        assert readers.connect("reader").pin_pad is not None

    @pytest.mark.parametrize(
        ("code", "status"), [(Code.E_TIMEOUT, b"\x64\x00"), (Code.W_CANCELLED_BY_USER, b"\x64\x01")]
    )
    def test_systems_that_tell_it_by_a_code(self, scard: FakeScard, code: Code, status: bytes) -> None:
        connection = self.connect(scard)
        assert connection.pin_pad is not None
        scard.script("SCardControl", code)
        assert connection.enter(self.COMMAND) == status

    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            (Code.W_REMOVED_CARD, Failure.CARD_REMOVED),
            (Code.E_UNSUPPORTED_FEATURE, Failure.PIN_PAD_REFUSED),
            (Code.ERROR_INVALID_PARAMETER, Failure.PIN_PAD_REFUSED),
            (Code.E_NO_SERVICE, Failure.NO_READER_SERVICE),
            (Code.W_RESET_CARD, Failure.CARD_ERROR),
        ],
    )
    def test_what_goes_wrong(self, scard: FakeScard, code: Code, failure: Failure) -> None:
        connection = self.connect(scard)
        assert connection.pin_pad is not None
        scard.script("SCardControl", code)
        with pytest.raises(SithsError) as caught:
            connection.enter(self.COMMAND)
        assert caught.value.failure is failure
        assert (connection.pin_pad is None) is (failure is Failure.PIN_PAD_REFUSED)

    @pytest.mark.parametrize("answer", [b"", b"\x90", b"\x90\x00\x00", bytes(300)])
    def test_an_answer_that_is_no_status_word(self, scard: FakeScard, answer: bytes) -> None:
        connection = self.connect(scard)
        assert connection.pin_pad is not None
        scard.pad_answer = answer
        with pytest.raises(SithsError) as caught:
            connection.enter(self.COMMAND)
        assert caught.value.failure is Failure.PIN_PAD_REFUSED

    def test_a_reader_that_was_unplugged_is_asked_anew(self, scard: FakeScard) -> None:
        readers = PcscReaders()
        scard.features = VERIFY_AND_MODIFY
        assert readers.connect("reader").pin_pad is not None
        scard.readers = []
        readers.wait(None)
        scard.features = b""
        assert readers.connect("reader").pin_pad is None


def test_after_a_renewal_readers_are_seen_through_a_new_context_and_cards_count_as_new(scard: FakeScard) -> None:
    readers = PcscReaders()
    known = readers.wait(None)
    seen: list[ReadersSnapshot] = []
    thread = threading.Thread(target=lambda: seen.append(readers.wait(known)), daemon=True)
    thread.start()
    before = scard.count("SCardEstablishContext")
    scard.let_again_after_cancel = True
    readers.renew()
    readers.renew()
    thread.join(DEADLINE)
    assert not thread.is_alive()
    assert scard.count("SCardEstablishContext") == before + 1
    assert scard.contexts == 1
    (event,), (earlier,) = seen[0].readers, known.readers
    assert event.reader == earlier.reader
    assert event.insertions == earlier.insertions + 1
    readers.cancel()


def test_a_renewal_does_not_outlive_the_watch(scard: FakeScard) -> None:
    readers = PcscReaders()
    readers.wait(None)
    before = threading.active_count()
    readers.renew()
    readers.cancel()
    deadline = time.monotonic() + DEADLINE
    while threading.active_count() > before and time.monotonic() < deadline:
        threading.Event().wait(0.02)
    assert threading.active_count() <= before
    assert scard.contexts == 0
