# SPDX-License-Identifier: EUPL-1.2
"""Readers with keys: what they say of themselves, what they are asked, and which of them are not believed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.card.part10 import (
    SECONDS_TO_ENTER,
    Feature,
    Properties,
    parse_features,
    parse_properties,
    structure,
)
from sithsapp.card.pcsc_pad import PadBook
from sithsapp.card.pin_pad import PadCommand, PinPad, within
from sithsapp.card.pin_pad_list import DENIALS, denial_of
from sithsapp.failures import Failure, SithsError

VERIFY = bytes.fromhex("00200011")
GET_FEATURES = 0x42000D48
FEATURES = bytes.fromhex("06044233000107044233000212044233000C")
OMNIKEY = bytes.fromhex("0B026B070C023130")


class TestReading:
    def test_features_and_their_control_codes(self) -> None:
        assert parse_features(FEATURES) == {
            Feature.VERIFY_PIN_DIRECT: 0x42330001,
            Feature.MODIFY_PIN_DIRECT: 0x42330002,
            Feature.GET_TLV_PROPERTIES: 0x4233000C,
        }

    @pytest.mark.parametrize(
        "answer", ["", "06", "0604", "060442330001 07", "060542330001", "0603423300", "06" * 600, "0A0442330003"]
    )
    def test_a_list_that_makes_no_sense_is_no_keys(self, answer: str) -> None:
        assert parse_features(bytes.fromhex(answer)) == {}

    def test_properties_are_little_endian(self) -> None:
        assert parse_properties(OMNIKEY + bytes.fromhex("060104070108")) == Properties(0x076B, 0x3031, 4, 8)
        assert parse_properties(bytes.fromhex("0B0201")) == Properties()

    @given(st.binary(max_size=600))
    def test_nothing_that_a_reader_says_breaks_it(self, answer: bytes) -> None:
        assert set(parse_features(answer)) <= set(Feature)
        assert parse_properties(answer).max_digits < 2**32


class TestAsking:
    """By PC/SC part 10, sections 2.5.2 and 2.5.3."""

    def test_verify_with_a_field_that_fits_into_four_bits(self) -> None:
        made = structure(PadCommand(VERIFY, 1, 12, 6, 12))
        assert len(made) == 19 + 5 + 12
        times, format_string, block, length, lengths = struct.unpack("<HBBBH", made[:7])
        assert times == SECONDS_TO_ENTER | SECONDS_TO_ENTER << 8
        assert (format_string, block, length, lengths) == (0x82, 12, 0, 6 << 8 | 12)
        assert made[7:9] == b"\x02\xff"
        assert struct.unpack("<I", made[15:19]) == (17,)
        assert made[19:] == VERIFY + b"\x0c" + bytes(12)

    def test_verify_with_a_longer_field(self) -> None:
        made = structure(PadCommand(VERIFY, 1, 16, 6, 16))
        assert made[3] == 0
        assert made[19:] == VERIFY + b"\x10" + bytes(16)

    def test_change(self) -> None:
        made = structure(PadCommand(bytes.fromhex("00240083"), 2, 16, 6, 8))
        assert made[5:7] == b"\x00\x10", "where old and new go"
        assert made[7:10] == b"\x08\x06\x03", "longest, shortest; confirm the new one and ask for the old one"
        assert made[11] == 3
        assert made[14:17] == b"\x00\x01\x02"
        assert struct.unpack("<I", made[20:24]) == (37,)
        assert made[24:] == bytes.fromhex("0024008320") + bytes(32)

    def test_lengths_that_card_and_reader_take(self) -> None:
        assert within(PinPad(True), 6, 16) == (6, 16)
        assert within(PinPad(True, 4, 8), 6, 16) == (6, 8)
        assert within(PinPad(True, 4, 5), 6, 16) == (6, 16)


class Reader:
    """Answers control codes."""

    def __init__(self, features: bytes = FEATURES, properties: bytes | None = b"") -> None:
        self.answers: dict[int, bytes | None] = {GET_FEATURES: features, 0x4233000C: properties}
        self.asked: list[int] = []

    def control(self, code: int, data: bytes) -> bytes | None:
        self.asked.append(code)
        return self.answers.get(code)


class TestBook:
    def test_keys_are_asked_for_once(self) -> None:
        book, reader = PadBook(GET_FEATURES), Reader()
        found = book.find("Reader", reader.control)
        assert found is not None
        assert (found.pad, found.verify, found.modify) == (PinPad(True, 0, 16), 0x42330001, 0x42330002)
        assert book.find("Reader", reader.control) == found
        assert reader.asked == [GET_FEATURES, 0x4233000C]
        book.keep([])
        book.find("Reader", reader.control)
        assert len(reader.asked) == 4

    def test_a_reader_that_only_verifies(self) -> None:
        found = PadBook(GET_FEATURES).find("Reader", Reader(FEATURES[:6]).control)
        assert found is not None
        assert (found.pad.changes, found.modify) == (False, None)

    def test_a_reader_without_keys(self) -> None:
        book, reader = PadBook(GET_FEATURES), Reader(b"")
        assert book.find("Reader", reader.control) is None
        assert book.find("Reader", reader.control) is None
        assert reader.asked == [GET_FEATURES]

    def test_one_that_cannot_be_asked_now_is_asked_again(self) -> None:
        book = PadBook(GET_FEATURES)

        def busy(_code: int, _data: bytes) -> bytes | None:
            raise SithsError(Failure.CARD_REMOVED)

        assert book.find("Reader", busy) is None
        assert book.find("Reader", Reader().control) is not None

    def test_lengths_that_no_code_has_are_not_believed(self) -> None:
        for properties, expected in (("060104070108", (4, 8)), ("0601FF0701FF", (16, 16)), ("060100070100", (0, 16))):
            found = PadBook(GET_FEATURES).find("Reader", Reader(properties=bytes.fromhex(properties)).control)
            assert found is not None
            assert (found.pad.min_digits, found.pad.max_digits) == expected

    def test_one_that_refused_is_not_asked_until_it_is_plugged_in_again(self) -> None:
        book, reader = PadBook(GET_FEATURES), Reader()
        book.distrust("Reader")
        assert book.find("Reader", reader.control) is None
        book.keep(["Reader"])
        assert book.find("Reader", reader.control) is None
        book.keep([])
        assert book.find("Reader", reader.control) is not None


class TestReadersThatLie:
    @pytest.mark.parametrize("denial", DENIALS, ids=lambda row: row.name)
    def test_each_by_its_name_and_by_its_numbers(self, denial: object) -> None:
        row = next(found for found in DENIALS if found is denial)
        assert len(row.reason) > 10
        assert denial_of(f"{row.name} Smart Card Reader 00 00", Properties()) is row
        assert denial_of("Whatever 0", Properties(row.vendor, row.product)) is row

    def test_others_are_believed(self) -> None:
        assert denial_of("Reader with HID Global OMNIKEY 3x21 in its name", Properties()) is None
        assert denial_of("Reader", Properties(0x076B, 0x3032)) is None

    def test_their_keys_are_not_used(self) -> None:
        assert PadBook(GET_FEATURES).find("HID Global OMNIKEY 3x21 Smart Card Reader 0", Reader().control) is None
        assert PadBook(GET_FEATURES).find("Renamed", Reader(properties=OMNIKEY).control) is None
