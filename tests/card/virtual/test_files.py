# SPDX-License-Identifier: EUPL-1.2
"""Files, their index and READ BINARY (fact sheet idprime940 sections 2 and 3)."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest

from sithsapp.card.transport import CardProtocol
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.spec import CHIP_940C, NO_COUNTRY
from tests.card.virtual.terminal import SELECT, Terminal
from tests.parts.virtual_card import CardFactory


def _index(terminal: Terminal) -> dict[str, tuple[str, int]]:
    content = terminal.read_file("0101")
    assert len(content) == 1 + 21 * content[0]
    entries = {}
    for position in range(1, len(content), 21):
        identifier, size, name, directory, kind = struct.unpack(">HH8s8sB", content[position : position + 21])
        assert kind in (1, 3)
        path = (directory.rstrip(b"\0") + b"/" + name.rstrip(b"\0")).decode()
        entries[path] = (f"{identifier:04X}", size)
    return entries


@pytest.mark.parametrize(
    ("changes", "atr"),
    [
        ({}, "3B7F96000080318065B0855956FB1202F0829000"),
        ({"country": NO_COUNTRY}, "3B7F96000080318065B0855956FB120FFE829000"),
        ({"country": NO_COUNTRY, "chip": CHIP_940C}, "3B7F96000080318065B085050039120FFE829000"),
        (
            {"country": NO_COUNTRY, "protocol": CardProtocol.T1},
            "3BFF9600008131FE4380318065B0855956FB120FFE82900000",
        ),
        (
            {"country": b"\x01\x78", "protocol": CardProtocol.T1},
            "3BFF9600008131FE4380318065B0855956FB12017882900088",
        ),
    ],
)
def test_atr_is_one_that_was_seen(make_card: CardFactory, changes: dict[str, Any], atr: str) -> None:
    assert make_card(**changes).reset().hex().upper() == atr


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (SELECT, "9000"),
        ("00A404000BA000000018800000000662", "610F"),
        ("00A4040C05A000000018", "9000"),
        ("00A4040C04A0000000", "6A82"),
        ("00A4040C0CA00000001880000000066200", "6A82"),
        ("00A4040C08A000000018434D00", "9000"),
        ("00A4040C0CA000000063504B43532D3135", "6A82"),
        ("00A4040C09A00000030800001000", "6A82"),
        ("00A404020BA000000018800000000662", "6A86"),
    ],
)
def test_select_application(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card, selected=False).sw(command) == status


def test_nothing_but_select_works_before_the_application(card: VirtualCard) -> None:
    terminal = Terminal(card, selected=False)
    assert terminal.sw("00A40800020101") == "6A82"
    assert terminal.sw("0020001100") == "6D00"
    assert terminal.sw("00B0000001") == "6D00"
    assert len(terminal.fetch("00CA9F7F2D")) == 45


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("00A40800020101", "6114"),
        ("00A40000020101", "6114"),
        ("00A40804020101", "6114"),
        ("00A4080C020101", "9000"),
        ("00A4080002FFFF", "6A82"),
        ("00A40800022F00", "6A82"),
        ("00A40808020101", "6A86"),
        ("00A40100020101", "6A86"),
        ("00A40800043F000101", "6700"),
    ],
)
def test_select_file(card: VirtualCard, command: str, status: str) -> None:
    assert Terminal(card).sw(command) == status


def test_file_control_information(card: VirtualCard) -> None:
    terminal = Terminal(card)
    assert terminal.fetch("00A40800020201").hex().upper() == "6F1281020010820101830202018A01058C020100"
    assert terminal.fetch("00A40804020201").hex().upper() == "621281020010820101830202018A01058C020100"


def test_index_names_every_file_with_its_size(card: VirtualCard) -> None:
    terminal = Terminal(card)
    entries = _index(terminal)
    expected = {
        "/cardcf",
        "/cardid",
        "/msitgf",
        "/cardapps",
        "mscp/cmapfile",
        "msclm/pinh",
        "mscp/kxc00",
        "mscp/ksc01",
    }
    assert set(entries) == expected | {"p11/tinfo"}
    assert {name: entries[name][1] for name in ("/cardcf", "/cardid", "/msitgf", "/cardapps", "mscp/cmapfile")} == {
        "/cardcf": 6,
        "/cardid": 16,
        "/msitgf": 0,
        "/cardapps": 8,
        "mscp/cmapfile": 1290,
    }
    for identifier, size in entries.values():
        assert len(terminal.read_file(identifier)) == size


@pytest.mark.parametrize("compressed", [True, False])
def test_certificate_files(make_card: CardFactory, compressed: bool) -> None:
    card = make_card(compressed=compressed)
    content = Terminal(card).read_file("0207")
    certificate = card.spec.containers[0].certificate
    assert certificate is not None
    if compressed:
        assert content[:4] == b"\x01\x00" + len(certificate).to_bytes(2, "little")
        content = zlib.decompress(content[4:])
    assert content == certificate


def test_key_map(card: VirtualCard) -> None:
    content = Terminal(card).read_file("0005")
    assert len(content) == 120
    assert content[:16].hex() == "015e000000000001" + "015f010000000003"
    assert not any(content[16:])


def test_container_map(make_card: CardFactory) -> None:
    content = Terminal(make_card()).read_file("0204")
    assert content[80:86] == b"\x03\x00" + struct.pack("<HH", 0, 2048)
    assert content[166:172] == b"\x01\x00" + struct.pack("<HH", 2048, 0)
    assert not any(content[172:])
    assert not any(Terminal(make_card(has_container_map=False)).read_file("0204"))


def test_card_without_key_map(make_card: CardFactory) -> None:
    import msgspec

    spec = msgspec.structs.replace(make_card().spec, has_key_map=False)
    card = VirtualCard.create(make_card.directory(99), spec, environment="test")
    assert Terminal(card).sw("00A40800020005") == "6A82"


def test_identity_and_label(card: VirtualCard) -> None:
    terminal = Terminal(card)
    assert terminal.read_file("0201") == card.spec.serial * 2
    assert terminal.read_file("0203") == b"mscp\0\0\0\0"
    label = terminal.read_file("0209")
    assert label[:2] == b"\x01\x20"
    assert label[2:].rstrip(b" ") == b"SITHS e-id kort"


@pytest.mark.parametrize(
    ("file", "command", "status"),
    [
        ("0201", "00B0000010", "9000"),
        ("0201", "00B0000004", "9000"),
        ("0201", "00B0000011", "6C10"),
        ("0201", "00B0000000", "6C10"),
        ("0201", "00B0000400", "6C0C"),
        ("0201", "00B000040C", "9000"),
        ("0201", "00B0001001", "6B00"),
        ("0201", "00B0020001", "6B00"),
        ("0201", "00B0800001", "6A86"),
        ("0201", "00B00000", "6700"),
        ("0205", "00B0000000", "6B00"),
        ("0204", "00B0000000", "9000"),
        ("0204", "00B0050000", "6C0A"),
    ],
)
def test_read_binary_is_strict(card: VirtualCard, file: str, command: str, status: str) -> None:
    terminal = Terminal(card)
    assert terminal.sw("00A4080C02" + file) == "9000"
    assert terminal.sw(command) == status


def test_read_without_a_file(card: VirtualCard) -> None:
    terminal = Terminal(card)
    assert terminal.sw("00B0000001") == "6986"
    assert terminal.sw("00A4080C020201") == "9000"
    assert terminal.sw(SELECT) == "9000"
    assert terminal.sw("00B0000001") == "6986"


def test_renewed_containers_move_the_counters(card: VirtualCard) -> None:
    terminal = Terminal(card)
    assert terminal.read_file("0202").hex() == "000101000100"
    card.set_containers(card.spec.containers[:1])
    assert terminal.read_file("0202").hex() == "000102000200"
    assert "mscp/ksc01" not in _index(terminal)
