# SPDX-License-Identifier: EUPL-1.2
"""The cache of public card data: fresh or nothing, and no trust in its own files."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sithsapp.card import cache as cache_module
from sithsapp.card.cache import CardCache
from sithsapp.card.idprime.contents import Contents
from sithsapp.card.idprime.opening import open_card
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.reader import DEFAULT_READER, VirtualReaders
from tests.card.helpers import Recorder

SERIAL, ATR, FRESH = bytes(range(12)), b"\x3b\x00", b"\x00\x01\x01\x00\x01\x00"
CONTENTS = Contents(b"\x00", None, ((0x207, b"der"), (0x208, b"")), ((0x11, b"pin"),))

posix = pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "cache"


def stored(directory: Path) -> Path:
    CardCache(directory).store(SERIAL, ATR, FRESH, CONTENTS)
    return next(directory.iterdir())


def found(directory: Path) -> Contents | None:
    return CardCache(directory).find(SERIAL, ATR, FRESH)


@pytest.mark.parametrize("contents", [CONTENTS, Contents(b"", b"", (), ()), Contents(b"i", b"map", ())])
def test_what_was_stored_is_found_by_another_process(directory: Path, contents: Contents) -> None:
    CardCache(directory).store(SERIAL, ATR, FRESH, contents)
    assert CardCache(directory).find(SERIAL, ATR, FRESH) == contents
    assert CardCache(directory).known(SERIAL, ATR) == contents


def test_without_a_directory_it_remembers_for_itself_alone() -> None:
    cache = CardCache()
    cache.store(SERIAL, ATR, FRESH, CONTENTS)
    assert cache.find(SERIAL, ATR, FRESH) == CONTENTS
    cache.drop(SERIAL)
    assert cache.find(SERIAL, ATR, FRESH) is None


@pytest.mark.parametrize("other", [(b"other", ATR, FRESH), (SERIAL, b"\x3b\x01", FRESH), (SERIAL, ATR, b"newer")])
def test_another_card_or_newer_counters_are_a_miss(directory: Path, other: tuple[bytes, bytes, bytes]) -> None:
    stored(directory)
    assert CardCache(directory).find(*other) is None


@posix
def test_only_the_owner_may_read(directory: Path) -> None:
    path = stored(directory)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


@posix
@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_only_plain_files_are_read(directory: Path, tmp_path: Path, kind: str) -> None:
    path = stored(directory)
    elsewhere = path.rename(tmp_path / "elsewhere")
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert found(directory) is None


def test_a_file_under_another_cards_name_is_a_miss(directory: Path) -> None:
    path = stored(directory)
    path.rename(path.with_name((b"another one!").hex() + ".card"))
    assert CardCache(directory).find(b"another one!", ATR, FRESH) is None


def test_a_file_that_is_too_long_is_a_miss(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stored(directory)
    monkeypatch.setattr(cache_module, "MAX_FILE", 40)
    assert found(directory) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.data())
def test_a_damaged_file_is_a_miss(directory: Path, data: st.DataObject) -> None:
    path = stored(directory)
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content)
    assert found(directory) is None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=200), right_sum=st.booleans())
def test_a_hostile_file_is_a_miss(directory: Path, body: bytes, right_sum: bool) -> None:
    import struct
    import zlib

    path = stored(directory)
    path.write_bytes(b"SITHSCC1" + struct.pack(">I", zlib.crc32(body) if right_sum else 1) + body)
    assert found(directory) is None


def test_only_the_newest_are_kept(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 3)
    cache = CardCache(directory)
    for number in range(6):
        cache.store(bytes([number]) * 8, ATR, FRESH, CONTENTS)
        os.utime(directory / ((bytes([number]) * 8).hex() + ".card"), (number, number))
    assert len(list(directory.iterdir())) == 3
    assert CardCache(directory).find(b"\x05" * 8, ATR, FRESH) == CONTENTS
    assert cache.find(b"\x00" * 8, ATR, FRESH) is None


def test_a_place_that_cannot_be_written_is_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    cache = CardCache(tmp_path / "file")
    cache.store(SERIAL, ATR, FRESH, CONTENTS)
    assert cache.find(SERIAL, ATR, FRESH) == CONTENTS
    cache.drop(SERIAL)


@pytest.mark.parametrize(
    "hostile",
    [
        Contents(b"", None, ()),
        Contents(b"\x05", b"", ()),
        Contents(b"\xff" * 2100, b"", ()),
        Contents(b"\x00", b"", (), ((0x11, b"\xa0\x01"),)),
    ],
)
def test_a_hostile_entry_makes_the_card_be_read(card: VirtualCard, hostile: Contents) -> None:
    readers = VirtualReaders()
    readers.insert(card)
    first = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, CardCache())
    cache = CardCache()
    assert first.learn_counters()
    assert first.record.freshness is not None
    cache.store(first.record.id.serial, card.atr, first.record.freshness, hostile)
    recorder = Recorder(card)
    again = open_card(readers.connect(DEFAULT_READER), DEFAULT_READER, cache)
    assert again.record.card.credentials == first.record.card.credentials
    assert any(command.startswith("00A40000020207") for command in recorder.take())
