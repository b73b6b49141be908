# SPDX-License-Identifier: EUPL-1.2
"""T=0 and T=1, GET RESPONSE, wrong lengths, other data objects (fact sheet idprime940 sections 4 and 6)."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import Latency, VirtualCard
from tests.card.virtual.terminal import SELECT, Terminal, field
from tests.parts.virtual_card import CardFactory

DESCRIBE = "00CB00FF05A003830111"


@pytest.fixture
def t1_card(make_card: CardFactory) -> VirtualCard:
    return make_card(protocol=CardProtocol.T1)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00", "6700"),
        ("00A404", "6700"),
        ("00A4040C0CA000000018800000000662", "6700"),
        (SELECT + "00", "6700"),
        ("0020001100" + "00" * 16, "6700"),
        ("0020001100001030", "6700"),
        ("D039000000", "6E00"),
        ("0044000000", "6D00"),
        ("00C0000010", "6985"),
    ],
)
def test_malformed_commands_under_t0(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card).sw(command) == status


def test_get_response(card: VirtualCard) -> None:
    terminal = Terminal(card)
    whole = terminal.fetch(DESCRIBE)
    assert terminal.sw(DESCRIBE) == "611F"
    assert terminal.sw("00C0000020") == "6C1F"
    assert terminal.sw("00C0000000") == "6C1F"
    first, status = terminal.send("00C0000010")
    assert status == "610F"
    second, status = terminal.send("00C000000F")
    assert status == "9000"
    assert bytes.fromhex(first + second) == whole
    assert terminal.sw("00C0000001") == "6985"


@pytest.mark.parametrize("between", ["0020001100", SELECT, "00A4080C020201"])
def test_an_answer_is_lost_when_another_command_comes(card: VirtualCard, between: str) -> None:
    terminal = Terminal(card)
    assert terminal.sw(DESCRIBE) == "611F"
    terminal.sw(between)
    assert terminal.sw("00C000001F") == "6985"


def test_get_response_after_6c_is_refused(card: VirtualCard) -> None:
    terminal = Terminal(card)
    assert terminal.sw("00CA9F7F00") == "6C2D"
    assert terminal.sw("00C000002D") == "6985"
    assert terminal.sw("00CA9F7F2D") == "9000"


def test_t1_answers_at_once(t1_card: VirtualCard) -> None:
    terminal = Terminal(t1_card)
    assert terminal.send("00A4080002010100")[1] == "9000"
    data, status = terminal.send(DESCRIBE + "00")
    assert (len(data), status) == (62, "9000")
    terminal.verify_pin1()
    assert terminal.sw("002241B60680014284015E") == "9000"
    assert terminal.send("002A90A0229020" + "11" * 32 + "00") == ("11" * 32, "9000")
    assert len(terminal.send("002A9E9A00")[0]) == 512


def test_t1_is_strict_about_other_lengths(t1_card: VirtualCard) -> None:
    terminal = Terminal(t1_card)
    assert terminal.sw("00A4080C020201") == "9000"
    assert len(terminal.send("00B0000000")[0]) == 32
    assert terminal.sw("00B0000011") == "6C10"
    assert terminal.sw("00A40800020101") == "6114"
    assert terminal.sw("00A4080002010113") == "6C14"
    assert terminal.sw("00B00000000010") == "6700"


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        ("00CADF300A", "DF3007342E342E322E41"),
        ("00CA7F3019", "C00E49415320436C61737369632076" + "34C107342E342E322E41"),
        ("00CADF3505", "DF35027FFF"),
        ("00A6000013", "6F118410A5040602A000000018800000000662"),
    ],
)
def test_data_objects(card: VirtualCard, command: str, answer: str) -> None:
    assert Terminal(card).send(command) == (answer, "9000")


def test_production_data(card: VirtualCard) -> None:
    data = Terminal(card).fetch("00CA9F7F2D")
    assert data[:3].hex() == "9f7f2a"
    assert data[11] == 4
    assert data[3 + 12 : 3 + 18] == card.spec.serial[:6]


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00CA010100", "6A88"),
        ("00A6010013", "6A86"),
        ("0084000100", "6700"),
        ("0084010008", "6A86"),
        ("00840001", "6700"),
    ],
)
def test_data_refused(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card).sw(command) == status


@pytest.mark.parametrize(("command", "size"), [("0084000108", 8), ("0084000010", 16)])
def test_challenge(card: VirtualCard, command: str, size: int) -> None:
    terminal = Terminal(card)
    first, second = terminal.fetch(command), terminal.fetch(command)
    assert len(first) == len(second) == size
    assert first != second


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(commands=st.lists(st.binary(max_size=300), max_size=6))
def test_every_command_has_an_answer(card: VirtualCard, commands: list[bytes]) -> None:
    for command in commands:
        assert 2 <= len(card.process(command)) <= 258


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    ins=st.sampled_from([0x20, 0x22, 0x24, 0x2A, 0x2C, 0xA4, 0xB0, 0xC0, 0xCA, 0xCB]),
    p1=st.sampled_from([0x00, 0x04, 0x08, 0x41, 0x80, 0x90, 0x9E, 0xFF]),
    p2=st.sampled_from([0x00, 0x0C, 0x11, 0x83, 0x84, 0x86, 0x9A, 0xA0, 0xB6, 0xB8, 0xFF]),
    body=st.binary(max_size=40),
)
def test_well_formed_nonsense_has_an_answer(card: VirtualCard, ins: int, p1: int, p2: int, body: bytes) -> None:
    for command in (bytes([0, ins, p1, p2, len(body)]) + body, bytes([0, ins, p1, p2])):
        assert 2 <= len(card.process(command)) <= 258


def test_latency_and_observer(make_card: CardFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("sithsapp.card.virtual.card.time.sleep", pauses.append)
    card = make_card(latency=Latency(command=0.01, signature=0.5))
    seen: list[bytes] = []
    card.observer = lambda command, answer: seen.append(command + answer)
    terminal = Terminal(card)
    terminal.sw("002000" + "1110" + field(DEMO_CODES.pin1))
    terminal.prepare("42", "5E", os.urandom(32))
    terminal.sw("002A9E9A00")
    assert pauses == [0.01, 0.01, 0.01, 0.01, 0.51]
    assert len(seen) == 5
