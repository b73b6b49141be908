# SPDX-License-Identifier: EUPL-1.2
"""VERIFY, change, unblock, and what survives a power cut (fact sheet idprime940 section 5)."""

from __future__ import annotations

import os

import msgspec
import pytest

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.spec import PinReference
from sithsapp.failures import Failure, SithsError
from tests.card.virtual.terminal import SELECT, Terminal, field
from tests.parts.virtual_card import CardFactory

PIN1, PIN2, PUK = DEMO_CODES.pin1, DEMO_CODES.pin2, DEMO_CODES.puk


def _block(terminal: Terminal, reference: str = "11") -> None:
    for left in (2, 1, 0):
        assert terminal.verify(reference, "000000") == f"63C{left}"


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00200011", "63C3"),
        ("0020001100", "63C3"),
        ("0021001100", "63C3"),
        ("00200083", "63C3"),
        ("00200084", "63CA"),
        ("00200082", "6A88"),
        ("00200111", "6A86"),
        ("0020FF11", "9000"),
        ("0020FF1101AA", "6700"),
        ("0020001110" + field(PIN1), "9000"),
        ("0021001110" + field(PIN1), "9000"),
        ("0020008310" + field(PIN2), "9000"),
        ("0020001110" + field(PIN2), "63C2"),
        ("0020001106" + PIN1.encode().hex(), "6700"),
        ("0020001111" + field(PIN1) + "00", "6700"),
        ("0020001110" + PIN1.encode().ljust(16, b"\xff").hex(), "63C2"),
        ("8020001100", "6E00"),
        ("0120001100", "6881"),
        ("0C20001100", "6882"),
        ("1020001110" + field(PIN1), "6884"),
    ],
)
def test_verify(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card).sw(command) == status


def test_a_wrong_length_costs_no_try(card: VirtualCard) -> None:
    terminal = Terminal(card)
    for command in ("0020001106" + PIN1.encode().hex(), "002400110C" + (PIN1 + "111111").encode().hex()):
        assert terminal.sw(command) == "6700"
    assert card.tries_left(PinReference.PIN1) == 3


def test_status_uses_no_try_and_tells_a_verified_code(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.verify("11", "000000")
    for _ in range(5):
        assert terminal.sw("0020001100") == "63C2"
    terminal.verify_pin1()
    assert terminal.sw("0020001100") == "9000"
    assert terminal.sw("0020008300") == "63C3"
    assert card.tries_left(PinReference.PIN1) == 3


@pytest.mark.parametrize("end", ["0020FF11", "0021FF11", "0020001110" + field("000000"), SELECT])
def test_what_ends_a_verification(card: VirtualCard, end: str) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    terminal.sw(end)
    assert terminal.sw("0020001100").startswith("63C")


def test_reset_ends_a_verification(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    card.reset()
    terminal.sw(SELECT)
    assert terminal.sw("0020001100") == "63C3"


def test_three_wrong_codes_block(card: VirtualCard) -> None:
    terminal = Terminal(card)
    _block(terminal)
    assert terminal.verify("11", PIN1) == "6983"
    assert terminal.sw("0020001100") == "6983"
    assert terminal.sw("0024001120" + field(PIN1) + field("111111")) == "6983"
    assert card.tries_left(PinReference.PIN2) == 3


def test_blocked_status_can_be_the_sisters(make_card: CardFactory) -> None:
    spec = msgspec.structs.replace(make_card().spec, blocked_status=0x6984)
    terminal = Terminal(VirtualCard.create(make_card.directory(99), spec, environment="test"))
    _block(terminal)
    assert terminal.verify("11", PIN1) == "6984"


@pytest.mark.parametrize(
    ("old", "new", "status", "left"),
    [
        (PIN1, "246810", "9000", 3),
        (PIN1, PIN1, "6985", 3),
        (PIN1, "12345", "6A80", 3),
        (PIN1, "12345A", "6A80", 3),
        (PIN1, "", "6A80", 3),
        (PIN1, "123\x00456", "6A80", 3),
        ("000000", "246810", "63C2", 2),
        ("000000", "1", "63C2", 2),
    ],
)
def test_change(card: VirtualCard, old: str, new: str, status: str, left: int) -> None:
    terminal = Terminal(card)
    assert terminal.sw("0024001120" + field(old) + field(new)) == status
    assert card.tries_left(PinReference.PIN1) == left
    assert terminal.verify("11", new if status == "9000" else PIN1) == "9000"


def test_change_ends_the_verification_and_moves_cardcf(card: VirtualCard) -> None:
    terminal = Terminal(card)
    terminal.verify_pin1()
    assert terminal.sw("0024001120" + field(PIN1) + field("246810")) == "9000"
    assert terminal.sw("0020001100") == "63C3"
    assert terminal.read_file("0202").hex() == "000201000100"


@pytest.mark.parametrize("reference", ["11", "83"])
def test_unblock(card: VirtualCard, reference: str) -> None:
    terminal = Terminal(card)
    _block(terminal, reference)
    assert terminal.sw(f"002C00{reference}20" + field(PUK) + field("246810")) == "9000"
    assert terminal.sw(f"002000{reference}00") == "63C3"
    assert terminal.verify(reference, "246810") == "9000"


@pytest.mark.parametrize(
    ("command", "status", "puk_left"),
    [
        ("002C001120" + field("00000000") + field("246810"), "63C9", 9),
        ("002C001120" + field(PUK) + field("1"), "6A80", 10),
        ("002C001110" + field(PUK), "6700", 10),
        ("002C011110" + field(PUK), "6A86", 10),
        ("002C021110" + field("246810"), "6A86", 10),
        ("002C008420" + field(PUK) + field("11111111"), "6985", 10),
        ("002C008220" + field(PUK) + field("246810"), "6A88", 10),
    ],
)
def test_unblock_refused(card: VirtualCard, command: str, status: str, puk_left: int) -> None:
    terminal = Terminal(card)
    _block(terminal)
    assert terminal.sw(command) == status
    assert card.tries_left(PinReference.PUK) == puk_left
    assert card.tries_left(PinReference.PIN1) == 0


def test_ten_wrong_puks_end_the_card(card: VirtualCard) -> None:
    terminal = Terminal(card)
    _block(terminal)
    for left in range(9, -1, -1):
        assert terminal.sw("002C001120" + field("00000000") + field("246810")) == f"63C{left:X}"
    assert terminal.sw("002C001120" + field(PUK) + field("246810")) == "6983"


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("11", "A01D8301118C04F0000000DF210403FFA504DF2702FFFFDF280110DF2F0101"),
        ("83", "A01D8301838C04F0000000DF210403FFA504DF2702FFFFDF280110DF2F0101"),
        ("84", "A01D8301848C04F0000000DF21040AFFA500DF2702FFFFDF280110DF2F0101"),
    ],
)
def test_description(card: VirtualCard, reference: str, expected: str) -> None:
    terminal = Terminal(card)
    assert terminal.sw("00CB00FF05A0038301" + reference) == "611F"
    assert terminal.send("00C000001F") == (expected, "9000")


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00CB00FF05A003830181", "6A88"),
        ("00CB00FF05A103830111", "6A80"),
        ("00CB00FF05A004830111", "6A80"),
        ("00CB00FF03A00183", "6A80"),
        ("00CB3FFF05A003830111", "6A88"),
    ],
)
def test_description_refused(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card).sw(command) == status


def test_description_follows_the_counter(card: VirtualCard) -> None:
    terminal = Terminal(card)
    _block(terminal, "83")
    assert terminal.fetch("00CB00FF05A003830183")[14] == 0


def test_transport_pin_must_be_changed_before_keys_can_be_used(make_card: CardFactory) -> None:
    spec = make_card().spec
    pins = tuple(msgspec.structs.replace(pin, changed=pin.reference != PinReference.PIN1) for pin in spec.pins)
    changed = msgspec.structs.replace(spec, pins=pins)
    terminal = Terminal(VirtualCard.create(make_card.directory(99), changed, environment="test"))
    assert terminal.fetch("00CB00FF05A003830111")[-1] == 0
    terminal.verify_pin1()
    terminal.prepare("42", "5E", bytes(32))
    assert terminal.sw("002A9E9A00") == "6985"
    assert terminal.sw("0024001120" + field(PIN1) + field("246810")) == "9000"
    assert terminal.verify("11", "246810") == "9000"
    assert terminal.sw("002A9E9A00") == "9000"


def test_counters_survive_a_power_cut(make_card: CardFactory) -> None:
    terminal = Terminal(make_card())
    terminal.verify("11", "000000")
    terminal.sw("002C008320" + field(PUK) + field("246810"))
    again = VirtualCard.open(make_card.directory(), environment="test")
    assert again.tries_left(PinReference.PIN1) == 2
    assert Terminal(again).verify("83", "246810") == "9000"
    assert again.spec == terminal.card.spec


def test_two_programs_with_one_card_count_together(make_card: CardFactory) -> None:
    first = Terminal(make_card())
    second = Terminal(VirtualCard.open(make_card.directory(), environment="test"))
    assert [terminal.verify("11", "000000") for terminal in (first, second, first)] == ["63C2", "63C1", "63C0"]
    assert second.verify("11", PIN1) == "6983"
    assert second.card.tries_left(PinReference.PIN1) == 0


def test_a_file_that_is_damaged_later_changes_nothing(make_card: CardFactory) -> None:
    terminal = Terminal(make_card())
    (make_card.directory() / "card.json").write_bytes(b"{}")
    assert terminal.verify("11", "000000") == "63C2"
    assert VirtualCard.open(make_card.directory(), environment="test").tries_left(PinReference.PIN1) == 2


def test_a_wrong_pin_is_on_disk_before_the_answer(card: VirtualCard, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(card)

    def no_space(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", no_space)
    with pytest.raises(OSError, match="disk full"):
        terminal.verify("11", "000000")


def test_a_card_is_not_made_over_another(make_card: CardFactory) -> None:
    card = make_card()
    with pytest.raises(FileExistsError):
        VirtualCard.create(make_card.directory(), card.spec, environment="test")


@pytest.mark.parametrize("content", [b"", b"{}", b"[" * 100_000, b"x" * (2 << 20)])
def test_a_damaged_file_is_refused(make_card: CardFactory, content: bytes) -> None:
    make_card()
    (make_card.directory() / "card.json").write_bytes(content)
    with pytest.raises(SithsError) as caught:
        VirtualCard.open(make_card.directory(), environment="test")
    assert caught.value.failure is Failure.CARD_DATA_INVALID


def test_refused_in_production(make_card: CardFactory) -> None:
    spec = make_card().spec
    with pytest.raises(SithsError) as created:
        VirtualCard.create(make_card.directory(99), spec, environment="production")
    with pytest.raises(SithsError) as opened:
        VirtualCard.open(make_card.directory(), environment="production")
    assert created.value.failure is opened.value.failure is Failure.VIRTUAL_CARD_REFUSED
    assert not make_card.directory(99).exists()


def test_the_file_is_for_the_owner_alone(make_card: CardFactory) -> None:
    make_card()
    if os.name == "posix":
        assert (make_card.directory() / "card.json").stat().st_mode & 0o077 == 0
