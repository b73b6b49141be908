# SPDX-License-Identifier: EUPL-1.2
"""One instance per session, and nobody else's messages."""

from __future__ import annotations

import os
import queue
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.desktop.single_instance import Alone, HandedOver, Message, MessageRefused, claim_or_hand_over

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the Linux channel")

LINK = "siths:start?v=1&s=demo&t=" + "A" * 43
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture(autouse=True)
def runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "run"
    directory.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(directory))
    monkeypatch.setenv("DISPLAY", ":77")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return directory


@contextmanager
def running() -> Iterator[queue.Queue[Message]]:
    """Be the app of the session, and collect what it is told."""
    instance = claim_or_hand_over(Message())
    assert not isinstance(instance, HandedOver | Alone)
    received: queue.Queue[Message] = queue.Queue()
    instance.listen(received.put)
    try:
        yield received
    finally:
        instance.close()


def _socket_path(runtime: Path) -> Path:
    return runtime / "sithsapp" / "app-_77.sock"


def test_a_second_start_hands_its_link_over(runtime: Path) -> None:
    with running() as received:
        assert isinstance(claim_or_hand_over(Message(LINK, "token-1")), HandedOver)
        assert received.get(timeout=5) == Message(LINK, "token-1")
        assert isinstance(claim_or_hand_over(Message()), HandedOver)
        assert received.get(timeout=5) == Message()


def test_only_the_user_may_reach_the_socket(runtime: Path) -> None:
    with running():
        directory = runtime / "sithsapp"
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE(_socket_path(runtime).stat().st_mode) == 0o600


def test_closing_gives_the_name_back(runtime: Path) -> None:
    for _ in range(3):
        with running():
            pass
    assert not _socket_path(runtime).exists()


def test_a_socket_left_by_a_dead_process_is_replaced(runtime: Path) -> None:
    (runtime / "sithsapp").mkdir(mode=0o700)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(_socket_path(runtime)))
    with running() as received:
        assert isinstance(claim_or_hand_over(Message(LINK)), HandedOver)
        assert received.get(timeout=5).url == LINK


def test_sessions_of_one_user_do_not_meet(monkeypatch: pytest.MonkeyPatch) -> None:
    with running():
        monkeypatch.setenv("DISPLAY", ":78.0")
        other = claim_or_hand_over(Message())
        assert not isinstance(other, HandedOver | Alone)
        other.close()


@pytest.mark.parametrize("mode", [0o755, 0o770, 0o777])
def test_a_runtime_directory_open_to_others_is_not_used(runtime: Path, mode: int) -> None:
    runtime.chmod(mode)
    assert isinstance(claim_or_hand_over(Message()), Alone)


def test_a_symlink_in_place_of_the_directory_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    (runtime / "sithsapp").symlink_to(elsewhere)
    assert isinstance(claim_or_hand_over(Message()), Alone)
    assert list(elsewhere.iterdir()) == []


def test_a_symlink_in_place_of_the_lock_is_not_followed(runtime: Path, tmp_path: Path) -> None:
    (runtime / "sithsapp").mkdir(mode=0o700)
    (runtime / "sithsapp" / "app-_77.lock").symlink_to(tmp_path / "target")
    assert isinstance(claim_or_hand_over(Message()), Alone)
    assert not (tmp_path / "target").exists()


def test_a_file_in_place_of_the_socket_is_not_overwritten(runtime: Path) -> None:
    (runtime / "sithsapp").mkdir(mode=0o700)
    _socket_path(runtime).write_text("mine")
    assert isinstance(claim_or_hand_over(Message()), Alone)
    assert _socket_path(runtime).read_text() == "mine"


@needs_root
def test_a_directory_made_by_another_user_is_not_used(runtime: Path) -> None:
    (runtime / "sithsapp").mkdir(mode=0o700)
    os.chown(runtime / "sithsapp", NOBODY, NOBODY)
    assert isinstance(claim_or_hand_over(Message()), Alone)


@needs_root
def test_a_socket_of_another_user_gets_no_message(runtime: Path) -> None:
    with running():
        path = _socket_path(runtime)
        path.unlink()
        with socket.socket(socket.AF_UNIX) as foreign:
            foreign.bind(str(path))
            foreign.listen()
            os.chown(path, NOBODY, NOBODY)
            foreign.settimeout(0.2)
            assert isinstance(claim_or_hand_over(Message(LINK)), Alone)
            with pytest.raises(TimeoutError):
                foreign.accept()


_CONNECT_AS_OTHER = """
import os, socket, sys
os.setresgid(65534, 65534, 65534)
os.setresuid(65534, 65534, 65534)
connection = socket.socket(socket.AF_UNIX)
connection.settimeout(5)
try:
    connection.connect(sys.argv[1])
except PermissionError:
    sys.exit(13)
try:
    connection.sendall(b"show\\n\\n")
    connection.shutdown(socket.SHUT_WR)
    sys.exit(0 if connection.recv(3) == b"ok\\n" else 7)
except OSError:
    sys.exit(7)
"""


def _as_nobody(path: Path) -> int:
    command = [sys.executable, "-I", "-S", "-c", _CONNECT_AS_OTHER, str(path)]
    return subprocess.run(command, timeout=20, check=False).returncode


@needs_root
def test_another_user_cannot_reach_the_socket(runtime: Path) -> None:
    with running() as received:
        assert _as_nobody(_socket_path(runtime)) == 13
        assert received.empty()


@needs_root
def test_another_user_who_reaches_the_socket_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Even with every mode opened by mistake, the peer's user id decides."""
    # Not below pytest's own directory, which other tests rely on being private.
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        runtime = Path(name)
        with running() as received:
            for path in (_socket_path(runtime), runtime / "sithsapp", runtime):
                path.chmod(0o777)
            assert _as_nobody(_socket_path(runtime)) == 7
            assert received.empty()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"show",
        b"show\n",
        b"show\n\n\n",
        b"show\n\nx",
        b"--hidden x\n\n",
        "siths:å\n\n".encode(),
        b"a" * 513 + b"\n\n",
        b"show\n" + b"t" * 257 + b"\n",
        b"show\n\x00\n",
        b"x" * 100_000,
    ],
)
def test_other_messages_are_refused(runtime: Path, data: bytes) -> None:
    with pytest.raises(MessageRefused):
        Message.decode(data)
    with running() as received:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(_socket_path(runtime)))
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
                assert connection.recv(8) == b""
            except (BrokenPipeError, ConnectionResetError):
                assert len(data) > 1000
        assert isinstance(claim_or_hand_over(Message(LINK)), HandedOver)
        assert received.get(timeout=5).url == LINK


@given(st.binary(max_size=900))
def test_decoding_never_fails_otherwise(data: bytes) -> None:
    try:
        message = Message.decode(data)
    except MessageRefused:
        return
    assert Message.decode(message.encode()) == message


@pytest.mark.parametrize("url", ["two words", "line\nbreak", "å", "x" * 513])
def test_such_a_message_cannot_be_sent(url: str) -> None:
    with pytest.raises(MessageRefused):
        Message(url).encode()


def test_a_message_does_not_show_its_link() -> None:
    assert "AAAA" not in repr(Message(LINK))


def test_an_error_while_handling_does_not_end_the_channel(runtime: Path) -> None:
    instance = claim_or_hand_over(Message())
    assert not isinstance(instance, HandedOver | Alone)
    seen: queue.Queue[Message] = queue.Queue()

    def fail_once(message: Message) -> None:
        seen.put(message)
        if seen.qsize() == 1:
            raise RuntimeError

    instance.listen(fail_once)
    try:
        assert isinstance(claim_or_hand_over(Message(LINK)), Alone)
        assert isinstance(claim_or_hand_over(Message(LINK)), HandedOver)
    finally:
        instance.close()
