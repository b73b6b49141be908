# SPDX-License-Identifier: EUPL-1.2
"""Codes come from a descriptor or a real terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import sys
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sithsapp.card.pin import Pin
from sithsapp.cli.secret_input import pin_from_descriptor, pin_from_terminal
from sithsapp.failures import Failure, SithsError


def digits_of(pin: Pin) -> bytes:
    with pin.once() as digits:
        return bytes(digits)


def from_pipe(content: bytes) -> Pin:
    read, write = os.pipe()
    try:
        os.write(write, content)
        os.close(write)
        return pin_from_descriptor(read)
    finally:
        os.close(read)


@pytest.mark.parametrize("content", [b"804913", b"804913\n", b"804913\r\n", b"804913\nmore"])
def test_a_descriptor_gives_one_line(content: bytes) -> None:
    assert digits_of(from_pipe(content)) == b"804913"


@pytest.mark.parametrize(
    ("content", "failure"),
    [
        (b"", Failure.PIN_NOT_GIVEN),
        (b"\n", Failure.PIN_NOT_GIVEN),
        (b"80 913\n", Failure.PIN_FORMAT),
        (b"8" * 17, Failure.PIN_FORMAT),
        (b"8" * 60_000, Failure.PIN_FORMAT),
        ("٨٠٤٩١٣".encode(), Failure.PIN_FORMAT),
    ],
)
def test_a_descriptor_without_a_code_is_refused(content: bytes, failure: Failure) -> None:
    with pytest.raises(SithsError) as caught:
        from_pipe(content)
    assert caught.value.failure is failure


def test_a_closed_descriptor_is_refused() -> None:
    with pytest.raises(SithsError) as caught:
        pin_from_descriptor(987)
    assert caught.value.failure is Failure.PIN_NOT_GIVEN


Typist = Callable[[bytes], tuple[Pin | None, bytes]]


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Typist:
    """Type keys at a real pseudo-terminal once it waits for keys; give the entry and what was shown."""

    def type_keys(keys: bytes) -> tuple[Pin | None, bytes]:
        master, slave = pty.openpty()

        def type_when_asked() -> None:
            deadline = time.monotonic() + 10
            while termios.tcgetattr(slave)[3] & termios.ICANON and time.monotonic() < deadline:
                threading.Event().wait(0.005)
            os.write(master, keys)

        with os.fdopen(slave, "r+b", buffering=0) as terminal:
            monkeypatch.setattr(sys, "stdin", terminal)
            before = termios.tcgetattr(slave)
            typist = threading.Thread(target=type_when_asked)
            typist.start()
            pin = pin_from_terminal("Code:")
            typist.join()
            assert termios.tcgetattr(slave) == before
            os.set_blocking(master, False)
            try:
                echoed = os.read(master, 1000)
            except BlockingIOError:
                echoed = b""
        os.close(master)
        return pin, echoed + capfd.readouterr().err.encode()

    return type_keys


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="needs pseudo-terminals")
class TestTerminal:
    def test_digits_are_taken_and_never_shown(self, typed: Typist) -> None:
        pin, shown = typed(b"804913\r")
        assert pin is not None
        assert digits_of(pin) == b"804913"
        assert not set(b"0123456789") & set(shown)
        assert shown.decode().count("•") == 6

    def test_backspace_and_other_keys(self, typed: Typist) -> None:
        pin, _ = typed(b"80x5\x7f4 9\x0813\r")
        assert pin is not None
        assert digits_of(pin) == b"80413"

    @pytest.mark.parametrize("keys", [b"8049\x03", b"\x04", b"\r"])
    def test_giving_up(self, typed: Typist, keys: bytes) -> None:
        pin, _ = typed(keys)
        assert pin is None


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="needs pseudo-terminals")
def test_a_prompt_ends_by_itself_when_no_code_is_wanted_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    with os.fdopen(slave, "r+b", buffering=0) as terminal:
        monkeypatch.setattr(sys, "stdin", terminal)
        before = termios.tcgetattr(slave)
        assert pin_from_terminal("Code:", lambda: True) is None
        assert termios.tcgetattr(slave) == before
    os.close(master)


def test_no_terminal_is_a_failure_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    with Path(os.devnull).open() as nothing:
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(SithsError) as caught:
            pin_from_terminal("Code:")
    assert caught.value.failure is Failure.PIN_NOT_GIVEN
