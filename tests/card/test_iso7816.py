# SPDX-License-Identifier: EUPL-1.2
"""APDUs: their form, the exchange around them, and what never leaves twice or reaches a log."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.card import iso7816
from sithsapp.card.iso7816 import Channel, CommandApdu, Ins, ResponseApdu, StatusKind, StatusWord, describe
from sithsapp.card.transport import CardProtocol
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import ScriptedCard

T0, T1 = CardProtocol.T0, CardProtocol.T1
READ = CommandApdu(Ins.READ_BINARY, 0, 0, le=256)


@pytest.mark.parametrize(
    ("command", "under_t0", "under_t1"),
    [
        (CommandApdu(0x20, 0, 0x11), "0020001100", "00200011"),
        (CommandApdu(0xCA, 0x9F, 0x7F, le=45), "00CA9F7F2D", "00CA9F7F2D"),
        (CommandApdu(0xB0, 1, 0, le=256), "00B0010000", "00B0010000"),
        (CommandApdu(0xA4, 0, 0, b"\x01\x01"), "00A40000020101", "00A40000020101"),
        (CommandApdu(0xCB, 0, 0xFF, b"\xa0", le=256), "00CB00FF01A0", "00CB00FF01A000"),
    ],
)
def test_each_case_is_formed_for_its_protocol(command: CommandApdu, under_t0: str, under_t1: str) -> None:
    assert command.encode(T0).hex().upper() == under_t0
    assert command.encode(T1).hex().upper() == under_t1


@pytest.mark.parametrize(("le", "cla"), [(0, 0), (257, 0), (1, 256)])
def test_values_that_no_short_apdu_holds_are_refused(le: int, cla: int) -> None:
    with pytest.raises(ValueError, match="out of range"):
        CommandApdu(0xB0, 0, 0, le=le, cla=cla)


def test_more_data_than_a_short_apdu_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="longer"):
        CommandApdu(0x2A, 0, 0, bytes(256)).encode(T0)


@pytest.mark.parametrize(
    ("value", "kind", "tries"),
    [
        (0x9000, StatusKind.OK, None),
        (0x6110, StatusKind.MORE_DATA, None),
        (0x6282, StatusKind.WARNING, None),
        (0x6300, StatusKind.WARNING, None),
        (0x63C0, StatusKind.WRONG_CODE, 0),
        (0x63CA, StatusKind.WRONG_CODE, 10),
        (0x6983, StatusKind.BLOCKED, 0),
        (0x6984, StatusKind.BLOCKED, 0),
        (0x6C20, StatusKind.WRONG_LE, None),
        (0x6F00, StatusKind.REFUSED, None),
    ],
)
def test_status_words_are_told_apart(value: int, kind: StatusKind, tries: int | None) -> None:
    assert StatusWord(value).kind is kind
    assert StatusWord(value).tries_left == tries


@given(st.binary(max_size=300))
def test_any_answer_is_parsed_or_refused(raw: bytes) -> None:
    try:
        response = ResponseApdu.parse(raw)
    except SithsError as error:
        assert error.failure is Failure.CARD_ERROR
        assert not 2 <= len(raw) <= 258
    else:
        assert response.data == raw[:-2]


def test_announced_data_is_fetched() -> None:
    card = ScriptedCard(["6104", "AABB6102", "CCDD9000"])
    response = Channel(card).send(READ)
    assert (response.data.hex(), str(response.status)) == ("aabbccdd", "9000")
    assert card.sent[1:] == ["00C0000004", "00C0000002"]


def test_announced_data_may_be_left_in_the_card() -> None:
    card = ScriptedCard(["6114"])
    assert Channel(card).send(READ, fetch=False).status.length == 0x14
    assert len(card.sent) == 1


def test_a_wrong_length_is_corrected_once() -> None:
    card = ScriptedCard(["6C10", "6C20"])
    assert str(Channel(card).send(READ).status) == "6C20"
    assert card.sent == ["00B0000000", "00B0000010"]


@pytest.mark.parametrize("answer", ["6100", "AA" * 256 + "6100", "6C01"])
def test_a_card_that_never_ends_is_stopped(answer: str) -> None:
    card = ScriptedCard(["6101", answer])
    if answer == "6C01":
        assert str(Channel(card).send(READ).status) == answer
    else:
        with pytest.raises(SithsError) as caught:
            Channel(card).send(READ)
        assert caught.value.failure is Failure.CARD_ERROR
    assert len(card.sent) <= iso7816.MAX_ROUNDS + 2


def test_long_data_is_chained_and_stops_at_a_refusal() -> None:
    command = CommandApdu(Ins.PERFORM_SECURITY_OPERATION, 0x80, 0x86, bytes(257), le=256)
    card = ScriptedCard(["9000"])
    Channel(card).send(command)
    assert [sent[:10] for sent in card.sent] == ["102A8086FF", "002A808602"]
    refusing = ScriptedCard(["6884"])
    assert str(Channel(refusing).send(command).status) == "6884"
    assert len(refusing.sent) == 1


@pytest.mark.parametrize("answer", ["6110", "6C10", "6F00", "9000", "63C2"])
def test_a_code_is_sent_once_and_wiped(answer: str) -> None:
    card = ScriptedCard([answer])
    field = bytearray(b"123456" + bytes(10))
    assert str(Channel(card).send_secret(bytes.fromhex("00200011"), field)) == answer
    assert card.sent == ["0020001110" + b"123456".hex() + "00" * 10]
    assert field == b""


def test_a_code_is_wiped_when_the_reader_fails() -> None:
    class Broken(ScriptedCard):
        def transmit(self, command: bytes) -> bytes:
            raise SithsError(Failure.CARD_REMOVED)

    field = bytearray(b"123456")
    with pytest.raises(SithsError):
        Channel(Broken([""])).send_secret(bytes.fromhex("00200011"), field)
    assert field == b""


@pytest.mark.parametrize("ins", range(256))
def test_only_harmless_commands_are_shown(ins: int) -> None:
    secret = b"135790"
    shown = describe(bytes([0, ins, 0, 0x11, len(secret)]) + secret)
    assert shown.startswith(f"00{ins:02X}0011")
    assert (secret.hex() in shown) == (ins in {0x22, 0xA4, 0xB0, 0xC0, 0xCA, 0xCB})


def test_logs_hold_neither_codes_nor_data(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    channel = Channel(ScriptedCard(["ABCDEF9000"]))
    channel.send(READ)
    channel.send_secret(bytes.fromhex("00240011"), bytearray(b"135790"))
    assert "00B0000000 -> 9000" in caplog.text
    assert "ABCDEF" not in caplog.text.upper()
    assert "135790" not in caplog.text
    assert b"135790".hex() not in caplog.text
