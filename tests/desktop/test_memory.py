# SPDX-License-Identifier: EUPL-1.2
"""What was told is remembered in a private file; a broken one is as good as none."""

from __future__ import annotations

import os
import stat
from datetime import date
from pathlib import Path

import pytest

from sithsapp.desktop.memory import ToldMemory
from sithsapp.pki.reminders import Memory, Told


def test_first_times_are_first_once(tmp_path: Path) -> None:
    assert ToldMemory(tmp_path).first_time("background")
    assert not ToldMemory(tmp_path).first_time("background")
    assert ToldMemory(tmp_path).first_time("other")


def test_reminders_are_kept_with_their_key_and_beside_the_rest(tmp_path: Path) -> None:
    ToldMemory(tmp_path).first_time("background")
    memory = Memory(told={"ab" * 16: Told(30, date(2027, 1, 2))})
    assert ToldMemory(tmp_path).keep_reminders(memory)
    assert ToldMemory(tmp_path).reminders() == memory
    assert not ToldMemory(tmp_path).first_time("background")
    (file,) = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"key": "00"}', b"\xff" * 100, b'{"key": "' + b"0" * 64 + b'", "x": 1}']
)
def test_a_broken_file_is_as_good_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "told.json").write_bytes(content)
    assert ToldMemory(tmp_path).reminders().told == {}
    assert ToldMemory(tmp_path).first_time("background")
    assert not ToldMemory(tmp_path).first_time("background")


def test_a_pipe_holds_nothing_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "told.json")
    assert ToldMemory(tmp_path).reminders().told == {}


def test_what_cannot_be_remembered_is_no_first_time(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    memory = ToldMemory(tmp_path / "file" / "below")
    assert not memory.first_time("background")
    assert not memory.keep_reminders(Memory())
