# SPDX-License-Identifier: EUPL-1.2
"""The strict DER reader."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.pki import der
from sithsapp.pki.der import DerError, Reader


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x30",
        b"\x30\x80\x00\x00",  # indefinite length
        b"\x30\x81\x7f" + bytes(127),  # not the shortest length
        b"\x30\x82\x00\x80" + bytes(128),
        b"\x30\x84\x00\x00\x00\x01\x00",
        b"\x30\x84\xff\xff\xff\xff",
        b"\x30\x82\x01",
        b"\x30\x05\x00",
        b"\x1f\x20\x00",  # long tag
        b"\x31\x00",
    ],
)
def test_elements_out_of_form_are_refused(data: bytes) -> None:
    with pytest.raises(DerError):
        Reader(data).read(der.SEQUENCE)


def test_elements_are_read_in_order() -> None:
    reader = Reader(b"\x30\x03\x02\x01\x05\x05\x00")
    assert reader.enter(der.SEQUENCE).raw(der.INTEGER) == b"\x02\x01\x05"
    assert reader.optional(der.INTEGER) is None
    with pytest.raises(DerError):
        reader.finish()
    assert reader.optional(der.NULL) == b""
    reader.finish()


def test_long_lengths() -> None:
    for size in (127, 128, 255, 256, 65_536):
        header = bytes([size]) if size < 128 else bytes([0x80 | (size.bit_length() + 7) // 8])
        length = b"" if size < 128 else size.to_bytes((size.bit_length() + 7) // 8)
        assert len(Reader(b"\x04" + header + length + bytes(size)).read(der.OCTET_STRING)) == size


@pytest.mark.parametrize("contents", [b"", b"\x80", b"\x00\x01", b"\x01" * 4])
def test_integers_out_of_form(contents: bytes) -> None:
    with pytest.raises(DerError):
        der.integer(contents, max_octets=3)


def test_integers() -> None:
    assert der.integer(b"\x00\x80", max_octets=3) == 128
    assert der.integer(b"\x00", max_octets=3) == 0


@pytest.mark.parametrize(
    ("contents", "dotted"),
    [
        (b"\x2a\x85\x70\x22\x02\x01", "1.2.752.34.2.1"),
        (b"\x55\x04\x05", "2.5.4.5"),
        (b"\x88\x37", "2.999"),
        (b"\x09", "0.9"),
    ],
)
def test_object_identifiers(contents: bytes, dotted: str) -> None:
    assert der.oid(contents) == dotted


@pytest.mark.parametrize("contents", [b"", b"\x80", b"\x2a\x80\x01", b"\x2a\x81", b"\x2a" * 65])
def test_object_identifiers_out_of_form(contents: bytes) -> None:
    with pytest.raises(DerError):
        der.oid(contents)


@pytest.mark.parametrize("contents", [b"", b"\x08\x00", b"\x01", b"\x01\x01", b"\xff\x00"])
def test_bit_strings_out_of_form(contents: bytes) -> None:
    with pytest.raises(DerError):
        der.bits(contents)


def test_whole_octets() -> None:
    assert der.whole_octets(b"\x00ab") == b"ab"
    with pytest.raises(DerError):
        der.whole_octets(b"\x01\x02")


@pytest.mark.parametrize("contents", [b"\x01\x01\x00", b"\x01\x01\x01", b"\x01\x00", b"\x01\x02\xff\xff"])
def test_only_true_is_written_as_a_boolean_with_default_false(contents: bytes) -> None:
    with pytest.raises(DerError):
        Reader(contents).true_or_absent()


def test_booleans() -> None:
    assert Reader(b"\x01\x01\xff").true_or_absent()
    assert not Reader(b"").true_or_absent()


@pytest.mark.parametrize(
    ("tag", "contents"),
    [
        (0x0C, b"\xff"),
        (0x0C, b"a\x00b"),
        (0x0C, "a\u202eb".encode()),
        (0x0C, b"a\nb"),
        (0x13, "ö".encode("latin-1")),
        (0x1E, b"\xd8\x00"),
        (0x1E, b"a"),
        (0x0C, b"a" * 2000),
        (0x04, b"a"),
    ],
)
def test_strings_out_of_form(tag: int, contents: bytes) -> None:
    with pytest.raises(DerError):
        der.text(tag, contents)


@pytest.mark.parametrize(
    ("tag", "contents"),
    [(0x0C, "Ö".encode()), (0x14, "Ö".encode("latin-1")), (0x1E, "Ö".encode("utf-16-be"))],
)
def test_strings(tag: int, contents: bytes) -> None:
    assert der.text(tag, contents) == "Ö"


@pytest.mark.parametrize(
    ("tag", "contents", "moment"),
    [
        (0x17, b"491231235959Z", datetime(2049, 12, 31, 23, 59, 59, tzinfo=UTC)),
        (0x17, b"500101000000Z", datetime(1950, 1, 1, tzinfo=UTC)),
        (0x18, b"20500101000000Z", datetime(2050, 1, 1, tzinfo=UTC)),
    ],
)
def test_times(tag: int, contents: bytes, moment: datetime) -> None:
    assert der.time(tag, contents) == moment


@pytest.mark.parametrize(
    ("tag", "contents"),
    [
        (0x17, b"4912312359Z"),
        (0x17, b"491231235959+0100"),
        (0x17, b"491331235959Z"),
        (0x17, b"490230000000Z"),
        (0x17, b"20491231235959Z"),
        (0x18, b"491231235959Z"),
        (0x18, b"20500101000000.5Z"),
        (0x18, b"00000101000000Z"),
        (0x17, "49123123595\u0669Z".encode()),
        (0x17, b"49123123595\xb2Z"),
        (0x17, b""),
        (0x0C, b"491231235959Z"),
    ],
)
def test_times_out_of_form(tag: int, contents: bytes) -> None:
    with pytest.raises(DerError):
        der.time(tag, contents)


@given(st.binary(max_size=40))
def test_reading_fails_in_one_way_only(data: bytes) -> None:
    reader = Reader(data)
    try:
        while not reader.at_end:
            tag, contents = reader.any()
            der.time(tag, contents)
            der.text(tag, contents)
            der.oid(contents)
            der.bits(contents)
            der.integer(contents, max_octets=9)
    except DerError:
        return
