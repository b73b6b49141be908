# SPDX-License-Identifier: EUPL-1.2
"""The readers of card data, given good, odd and hostile contents."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.card.idprime import files
from sithsapp.card.model import PinRole
from sithsapp.failures import Failure, SithsError

DER = b"\x30\x82\x01\x00" + bytes(256)
DESCRIPTION = "A01D8301118C04F0000000DF210405FFA501DF2702FFFFDF28010CDF2F0101"


def entry(file_id: int, size: int, name: bytes, directory: bytes = b"mscp") -> bytes:
    return struct.pack(">HH8s8sB", file_id, size, name, directory, 1)


def index(*entries: bytes) -> bytes:
    return bytes([len(entries)]) + b"".join(entries)


def refused(action: Callable[[], object]) -> bool:
    """Run and tell whether it was refused in the one way that is allowed."""
    try:
        action()
    except SithsError as error:
        assert error.failure is Failure.CARD_DATA_INVALID
        return True
    return False


def test_the_index_names_certificates_and_nothing_else() -> None:
    content = index(
        entry(0x0202, 6, b"cardcf", b""),
        entry(0x0207, 1000, b"kxc00"),
        entry(0x0208, 900, b"ksc07"),
        entry(0x0209, 900, b"ksc07"),
        entry(0x0210, 0, b"kxc03"),
        entry(0x0211, 500, b"pubkxc00"),
        entry(0x0212, 500, b"kxcAB"),
    )
    assert files.parse_index(content + b"trailing") == (
        files.CertificateFile(0x0207, 1000, 0, False),
        files.CertificateFile(0x0208, 900, 7, True),
    )
    assert files.find_file(content, b"cardcf") == files.NamedFile(0x0202, 6, b"cardcf")
    assert files.find_file(content, b"kxc00") is None, "too large to be one of the small files"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"\x02" + entry(1, 1, b"kxc00"),
        index(entry(1, 8193, b"kxc00")),
        index(*(entry(number, 10, b"kxc%02d" % number) for number in range(17))),
    ],
)
def test_a_broken_index_is_refused(content: bytes) -> None:
    assert refused(lambda: files.parse_index(content))


def test_keys_are_found_by_the_map() -> None:
    unused, torn = bytes(8), b"\x01\x60"
    content = (
        bytes([1, 0x5E, 0, 9, 9, 9, 9, 1])
        + unused
        + bytes([7, 0x5F, 3, 0, 0, 0, 0, 3])
        + bytes([1, 0x60, 0])
        + bytes(5)
    )
    assert files.parse_key_map(content + torn) == (
        files.KeyEntry(0, 0x5E, PinRole.AUTH),
        files.KeyEntry(3, 0x5F, PinRole.SIGN),
    )


def test_certificates_are_read_compressed_and_bare() -> None:
    packed = b"\x01\x00" + struct.pack("<H", len(DER)) + zlib.compress(DER)
    assert files.parse_certificate_file(packed) == DER
    assert files.parse_certificate_file(DER + bytes(40)) == DER


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x30\x82\xff",
        DER[:-1],
        b"\x30\x80" + bytes(9),
        b"\x01\x00\x00\x00",
        b"\x01\x00" + struct.pack("<H", len(DER)) + b"not zlib",
        b"\x01\x00" + struct.pack("<H", len(DER) - 1) + zlib.compress(DER),
        b"\x01\x00" + struct.pack("<H", len(DER) + 1) + zlib.compress(DER),
        b"\x01\x00" + struct.pack("<H", len(DER)) + zlib.compress(DER)[:-6],
    ],
)
def test_broken_certificates_are_refused(content: bytes) -> None:
    assert refused(lambda: files.parse_certificate_file(content))


def test_inflation_stops_at_the_declared_length() -> None:
    import tracemalloc

    bomb = b"\x01\x00\x10\x00" + zlib.compress(bytes(64 * 1024 * 1024), 9)
    tracemalloc.start()
    assert refused(lambda: files.parse_certificate_file(bomb))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_production_data_identify_the_chip() -> None:
    cplc = bytes(range(42))
    assert files.parse_cplc(bytes.fromhex("9F7F2A") + cplc) == cplc[0:4] + cplc[10:18]


def test_a_pin_is_described() -> None:
    assert files.parse_pin_description(bytes.fromhex(DESCRIPTION)) == files.PinDescription(5, 12, 1, False)
    fresh = DESCRIPTION.replace("DF2F0101", "DF2F0100")
    assert files.parse_pin_description(bytes.fromhex(fresh)).never_changed


@pytest.mark.parametrize(
    "bad", ["", "A000", DESCRIPTION[:-2], DESCRIPTION.replace("DF2801", "DF2881"), "A1" + DESCRIPTION[2:]]
)
def test_broken_descriptions_are_refused(bad: str) -> None:
    assert refused(lambda: files.parse_pin_description(bytes.fromhex(bad)))


def test_a_field_longer_than_any_code_is_refused() -> None:
    assert refused(lambda: files.parse_pin_description(bytes.fromhex(DESCRIPTION.replace("DF28010C", "DF280111"))))


@given(st.binary(max_size=2100))
def test_no_contents_break_a_reader(content: bytes) -> None:
    for read in (
        files.parse_index,
        files.parse_key_map,
        files.parse_certificate_file,
        files.parse_cplc,
        files.parse_card_id,
        files.parse_pin_description,
        files.index_length,
    ):
        refused(lambda read=read: read(content))  # type: ignore[misc]  # bound in the loop


@given(st.integers(0, 0xFFFF), st.binary(max_size=600))
def test_no_compressed_contents_break_a_reader(declared: int, content: bytes) -> None:
    refused(lambda: files.parse_certificate_file(b"\x01\x00" + struct.pack("<H", declared) + content))
    packed = b"\x01\x00" + struct.pack("<H", declared) + zlib.compress(content)
    if not refused(lambda: files.parse_certificate_file(packed)):
        assert declared == len(content)


@given(st.binary(max_size=120))
def test_no_description_breaks_its_reader(inner: bytes) -> None:
    refused(lambda: files.parse_pin_description(b"\xa0" + bytes([len(inner)]) + inner))


@given(st.integers(0, 255), st.binary(max_size=21 * 20))
def test_no_index_breaks_its_reader(count: int, body: bytes) -> None:
    refused(lambda: files.parse_index(bytes([count]) + body))
    refused(lambda: files.find_file(bytes([count]) + body, b"cardcf"))
