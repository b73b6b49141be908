# SPDX-License-Identifier: EUPL-1.2
"""Whatever goes wrong at any command: a defined failure, no try spent for nothing, and the next work succeeds.

The matrix is every fault at every command of a task, over both protocols: the whole reading of a card with what the
service does afterwards (some 35 commands), a signature with the right and with a wrong code (six each), changing a
code and unblocking one with the right and with a wrong PUK (three each), and a swap for another card at each command
of a signature, a change and an unblocking. What goes wrong while codes are typed on a reader is in `test_pin_pad`.
The end of a test run says how many cells that were.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import pytest

from sithsapp.card.model import PinRole, SignatureScheme
from sithsapp.card.service import CardService
from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.faults import Fault, FaultKind
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, DEADLINE, Recorder, Watcher, assert_signed, pin
from tests.parts.virtual_card import CardFactory

PS256 = SignatureScheme.PS256
MESSAGE = b"a message"
FAULTS = [
    Fault(FaultKind.REMOVED),
    Fault(FaultKind.REMOVED, executed=True),
    Fault(FaultKind.UNPLUGGED),
    Fault(FaultKind.UNPLUGGED, executed=True),
    Fault(FaultKind.SERVICE),
    Fault(FaultKind.SERVICE, executed=True),
    Fault(FaultKind.RESET),
    Fault(FaultKind.RESET, executed=True),
    Fault(FaultKind.SILENCE),
    Fault(FaultKind.GARBAGE),
    Fault(FaultKind.TRUNCATED),
    Fault(FaultKind.STATUS, status=0x6F00),
    Fault(FaultKind.STATUS, status=0x6100),
    Fault(FaultKind.STATUS, status=0x6C10),
    Fault(FaultKind.STATUS, status=0x6982),
    Fault(FaultKind.STATUS, status=0x9000),
]
DEFINED = {
    Failure.CARD_REMOVED,
    Failure.NO_READER,
    Failure.NO_READER_SERVICE,
    Failure.CARD_ERROR,
    Failure.CARD_MUTE,
    Failure.CARD_DATA_INVALID,
    Failure.CARD_CHANGED,
    Failure.CARD_NOT_SUPPORTED,
    Failure.ALGORITHM_NOT_SUPPORTED,
}
GONE = (FaultKind.REMOVED, FaultKind.UNPLUGGED, FaultKind.SERVICE)
"""Faults after which something must be put back before any work can be done."""
SIGN_COMMANDS = 6
CHANGE_COMMANDS = 3
UNBLOCK_COMMANDS = 3


def at(fault: Fault, position: int) -> Fault:
    return Fault(fault.kind, position, executed=fault.executed, status=fault.status)


@pytest.fixture(params=list(CardProtocol))
def card(request: pytest.FixtureRequest, make_card: CardFactory) -> VirtualCard:
    return make_card(protocol=request.param)


def name(fault: Fault) -> str:
    return f"{fault.kind.name}-{fault.status:04X}-{'after' if fault.executed else 'before'}"


def signs(service: CardService, watcher: Watcher) -> None:
    """Make a signature as a person would in the end."""
    card = watcher.card()
    signature = service.sign(card.id, "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH])).result(DEADLINE)
    assert_signed(card.credentials[0], PS256, MESSAGE, signature)


def put_back(card: VirtualCard, readers: VirtualReaders, watcher: Watcher) -> None:
    """Make the desk whole again, with the card taken out and put in anew."""
    plug_in(readers)
    readers.clear_faults()
    readers.remove()
    watcher.until(lambda state: not state.cards and bool(state.slots))
    readers.insert(card)


def plug_in(readers: VirtualReaders) -> None:
    """Bring back a reader or a service that is gone."""
    readers.start_service()
    with suppress(ValueError):
        readers.add_reader(DEFAULT_READER)


@pytest.mark.parametrize("fault", FAULTS, ids=name)
def test_reading(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    fault: Fault,
    record_property: Callable[[str, object], None],
) -> None:
    recorder = Recorder(card)
    empty_readers.insert(card)
    serial = watcher.kept().id.serial
    commands = len(recorder.take())
    record_property("cells", commands)
    for position in range(commands):
        plug_in(empty_readers)
        empty_readers.remove()
        watcher.until(lambda state: not state.cards and bool(state.slots))
        service._cache.drop(serial)
        empty_readers.clear_faults()
        empty_readers.inject(at(fault, position))
        empty_readers.insert(card)
        state = watcher.until(
            lambda state: (
                fault.kind in GONE or bool(state.cards) or (bool(state.slots) and state.slots[0].failure is not None)
            )
        )
        if state.slots and state.slots[0].failure is not None:
            assert state.slots[0].failure in DEFINED, f"at {position}"
        put_back(card, empty_readers, watcher)
        watcher.card()
    signs(service, watcher)
    assert [card.tries_left(reference) for reference in (0x11, 0x83, 0x84)] == [3, 3, 10]


@pytest.mark.parametrize("fault", FAULTS, ids=name)
@pytest.mark.parametrize("position", range(SIGN_COMMANDS))
def test_signing(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    fault: Fault,
    position: int,
) -> None:
    empty_readers.insert(card)
    card_id = watcher.kept().id
    empty_readers.inject(at(fault, position))
    try:
        service.sign(card_id, "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH])).result(DEADLINE)
    except SithsError as error:
        assert error.failure in DEFINED
    service.pin_state(card_id, PinRole.AUTH).exception(DEADLINE)
    assert card.tries_left(0x11) == 3, "the right code was sent at most once and cost nothing"
    if fault.kind in GONE:
        put_back(card, empty_readers, watcher)
    empty_readers.clear_faults()
    service.pin_state(watcher.card().id, PinRole.AUTH).exception(DEADLINE)
    other = empty_readers.connect(DEFAULT_READER)
    key = watcher.card().credentials[0]
    assert key
    other.transmit(bytes.fromhex("002241B60680014284015E"))
    other.transmit(bytes.fromhex("002A90A0229020") + bytes(32))
    assert other.transmit(bytes.fromhex("002A9E9A00"))[-2:] != b"\x90\x00", "the card was left logged in"
    other.disconnect()
    signs(service, watcher)


@pytest.mark.parametrize("position", range(SIGN_COMMANDS))
def test_a_swap_at_any_command_of_a_signature(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    make_card: CardFactory,
    position: int,
) -> None:
    other = make_card(protocol=card.protocol)
    empty_readers.insert(card)
    card_id = watcher.kept().id
    seen = Recorder(other)
    left = [position]

    def swap(_command: bytes, _answer: bytes) -> None:
        left[0] -= 1
        if left[0] == -1:
            empty_readers.insert(other)

    card.observer = swap
    error = service.sign(card_id, "00", PS256, MESSAGE, pin(CODES[PinRole.AUTH])).exception(DEADLINE)
    if position < SIGN_COMMANDS - 2:
        assert isinstance(error, SithsError)
        assert error.failure in (Failure.CARD_REMOVED, Failure.CARD_CHANGED)
    watcher.until(lambda state: bool(state.cards) and state.cards[0].id != card_id)
    assert not any(command.startswith("0020001110") for command in seen.take())
    assert [card.tries_left(0x11), other.tries_left(0x11)] == [3, 3]
    signs(service, watcher)


@pytest.mark.parametrize("task", ["change", "unblock"])
@pytest.mark.parametrize("position", range(CHANGE_COMMANDS))
def test_a_swap_at_any_command_of_managing_a_code(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    make_card: CardFactory,
    position: int,
    task: str,
) -> None:
    other = make_card(protocol=card.protocol)
    empty_readers.insert(card)
    card_id = watcher.kept().id
    seen = Recorder(other)
    left = [position]

    def swap(_command: bytes, _answer: bytes) -> None:
        left[0] -= 1
        if left[0] == -1:
            empty_readers.insert(other)

    card.observer = swap
    old, new = CODES[PinRole.AUTH if task == "change" else PinRole.PUK], "864201"
    act = service.change_pin if task == "change" else service.unblock
    error = act(card_id, PinRole.AUTH, pin(old), pin(new)).exception(DEADLINE)
    if position == 0:
        assert isinstance(error, SithsError)
        assert error.failure in (Failure.CARD_REMOVED, Failure.CARD_CHANGED)
    watcher.until(lambda state: bool(state.cards) and state.cards[0].id != card_id)
    assert not any(command[2:4] in ("24", "2C") for command in seen.take()), "another card was sent a code"
    for each in (card, other):
        assert [each.tries_left(reference) for reference in (0x11, 0x84)] == [3, 10]
    signs(service, watcher)


@pytest.mark.parametrize("fault", FAULTS, ids=name)
@pytest.mark.parametrize("position", range(SIGN_COMMANDS))
def test_a_wrong_code_costs_one_try_at_most(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    fault: Fault,
    position: int,
) -> None:
    empty_readers.insert(card)
    card_id = watcher.kept().id
    recorder = Recorder(card)
    empty_readers.inject(at(fault, position))
    error = service.sign(card_id, "00", PS256, MESSAGE, pin("111111")).exception(DEADLINE)
    assert isinstance(error, SithsError)
    service.pin_state(card_id, PinRole.AUTH).exception(DEADLINE)
    spent = 3 - card.tries_left(0x11)
    assert spent <= 1
    assert spent == sum(command.startswith("0020001110") for command in recorder.take())


@pytest.mark.parametrize("fault", FAULTS, ids=name)
@pytest.mark.parametrize("position", range(CHANGE_COMMANDS))
def test_changing_a_code(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    fault: Fault,
    position: int,
) -> None:
    empty_readers.insert(card)
    card_id = watcher.kept().id
    old, new = CODES[PinRole.AUTH], "864201"
    empty_readers.inject(at(fault, position))
    error = service.change_pin(card_id, PinRole.AUTH, pin(old), pin(new)).exception(DEADLINE)
    assert error is None or (isinstance(error, SithsError) and error.failure in DEFINED)
    service.pin_state(card_id, PinRole.AUTH).exception(DEADLINE)
    assert card.tries_left(0x11) == 3
    now = next(spec.value for spec in card.spec.pins if spec.reference == 0x11)
    assert now in (old, new)
    if error is None and fault != Fault(FaultKind.STATUS, status=0x9000):
        assert now == new
    if fault.kind in GONE:
        put_back(card, empty_readers, watcher)
    empty_readers.clear_faults()
    service.pin_state(watcher.card().id, PinRole.AUTH).exception(DEADLINE)
    ready = watcher.card()
    assert service.sign(ready.id, "00", PS256, MESSAGE, pin(now)).result(DEADLINE)


def block(card: VirtualCard, readers: VirtualReaders) -> None:
    """Use up the tries of PIN1, as another program."""
    other = readers.connect(DEFAULT_READER)
    while card.tries_left(0x11):
        other.transmit(bytes.fromhex("0020001110") + b"111111".ljust(16, b"\0"))
    other.disconnect()


@pytest.mark.parametrize("fault", FAULTS, ids=name)
@pytest.mark.parametrize("position", range(UNBLOCK_COMMANDS))
def test_unblocking_a_code(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    fault: Fault,
    position: int,
) -> None:
    empty_readers.insert(card)
    card_id = watcher.kept().id
    block(card, empty_readers)
    new = "864201"
    empty_readers.inject(at(fault, position))
    work = service.unblock(card_id, PinRole.AUTH, pin(CODES[PinRole.PUK]), pin(new))
    error = work.exception(DEADLINE)
    assert error is None or (isinstance(error, SithsError) and error.failure in DEFINED)
    service.pin_state(card_id, PinRole.AUTH).exception(DEADLINE)
    assert card.tries_left(0x84) == 10, "the right PUK cost nothing"
    done = card.tries_left(0x11) == 3
    assert next(spec.value for spec in card.spec.pins if spec.reference == 0x11) == (
        new if done else CODES[PinRole.AUTH]
    )
    if error is None and fault.status != 0x9000:
        assert done
    if fault.kind in GONE:
        put_back(card, empty_readers, watcher)
    empty_readers.clear_faults()
    service.pin_state(watcher.card().id, PinRole.AUTH).exception(DEADLINE)
    ready = watcher.card()
    if not done:
        work = service.unblock(ready.id, PinRole.AUTH, pin(CODES[PinRole.PUK]), pin(new))
        assert work.result(DEADLINE).tries_left == 3
    assert service.sign(ready.id, "00", PS256, MESSAGE, pin(new)).result(DEADLINE)


@pytest.mark.parametrize("fault", FAULTS, ids=name)
@pytest.mark.parametrize("position", range(UNBLOCK_COMMANDS))
def test_a_wrong_puk_costs_one_try_at_most(
    card: VirtualCard,
    empty_readers: VirtualReaders,
    service: CardService,
    watcher: Watcher,
    fault: Fault,
    position: int,
) -> None:
    empty_readers.insert(card)
    card_id = watcher.kept().id
    recorder = Recorder(card)
    empty_readers.inject(at(fault, position))
    error = service.unblock(card_id, PinRole.AUTH, pin("48162048"), pin("864201")).exception(DEADLINE)
    if fault.status != 0x9000:
        assert isinstance(error, SithsError)
    service.pin_state(card_id, PinRole.AUTH).exception(DEADLINE)
    spent = 10 - card.tries_left(0x84)
    assert spent <= 1
    assert spent == sum(command.startswith("002C0011") for command in recorder.take())
