# SPDX-License-Identifier: EUPL-1.2
"""The vpcd client against a reader made of a plain socket."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.vpcd import VpcdCard
from tests.card.virtual.terminal import SELECT
from tests.parts.virtual_card import CardFactory

DEADLINE = 10.0


class Reader:
    """One slot of a vpcd reader: it listens, and whoever connects is the card."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(DEADLINE)
        self.port: int = self._listener.getsockname()[1]
        self._card: socket.socket | None = None

    def accept(self) -> None:
        self.hang_up()
        self._card, _ = self._listener.accept()
        self._card.settimeout(DEADLINE)

    def send(self, message: bytes) -> None:
        assert self._card is not None
        self._card.sendall(len(message).to_bytes(2, "big"))
        self._card.sendall(message)

    def receive(self) -> bytes:
        return self._exactly(int.from_bytes(self._exactly(2), "big"))

    def card_is_gone(self) -> bool:
        assert self._card is not None
        return self._card.recv(1) == b""

    def hang_up(self) -> None:
        if self._card is not None:
            self._card.close()
            self._card = None

    def close(self) -> None:
        self.hang_up()
        self._listener.close()

    def _exactly(self, count: int) -> bytes:
        assert self._card is not None
        received = b""
        while len(received) < count:
            part = self._card.recv(count - len(received))
            assert part, "card hung up"
            received += part
        return received


@pytest.fixture
def reader() -> Iterator[Reader]:
    with contextlib.closing(Reader()) as reader:
        yield reader


def _power_on(reader: Reader) -> None:
    reader.accept()
    reader.send(b"\x01")


@pytest.fixture
def inserted(reader: Reader, card: VirtualCard) -> Iterator[VpcdCard]:
    client = VpcdCard(card, reader.port)
    with pytest.raises(TimeoutError):
        client.insert(timeout=0.01)
    _power_on(reader)
    client.insert(DEADLINE)
    yield client
    client.remove()


@pytest.mark.usefixtures("inserted")
def test_atr_and_commands(reader: Reader, card: VirtualCard) -> None:
    reader.send(b"\x04")
    assert reader.receive() == card.atr
    reader.send(bytes.fromhex(SELECT))
    assert reader.receive() == b"\x90\x00"
    reader.send(b"")
    assert reader.receive() == b"\x67\x00"


@pytest.mark.usefixtures("inserted")
@pytest.mark.parametrize("control", [b"\x00", b"\x01", b"\x02"])
def test_power_and_reset_end_the_session(reader: Reader, control: bytes) -> None:
    reader.send(bytes.fromhex(SELECT))
    reader.receive()
    reader.send(control)
    reader.send(bytes.fromhex("0020001100"))
    assert reader.receive() == b"\x6d\x00"


def test_remove_hangs_up_and_insert_comes_back(reader: Reader, inserted: VpcdCard) -> None:
    inserted.remove()
    assert reader.card_is_gone()
    inserted.remove()
    with pytest.raises(TimeoutError):
        inserted.insert(timeout=0.01)
    _power_on(reader)
    inserted.insert(DEADLINE)


def test_the_card_comes_back_after_the_service(reader: Reader, inserted: VpcdCard, card: VirtualCard) -> None:
    reader.hang_up()
    _power_on(reader)
    inserted.insert(DEADLINE)
    reader.send(b"\x04")
    assert reader.receive() == card.atr


def test_a_message_may_come_in_pieces(reader: Reader, inserted: VpcdCard) -> None:
    assert reader._card is not None
    for value in len(bytes.fromhex(SELECT)).to_bytes(2, "big") + bytes.fromhex(SELECT):
        reader._card.sendall(bytes([value]))
    assert reader.receive() == b"\x90\x00"


def test_as_a_process_until_its_input_ends(reader: Reader, make_card: CardFactory) -> None:
    atr = make_card().atr
    arguments = [str(make_card.directory()), str(reader.port), "--environment", "test"]
    with subprocess.Popen(
        [sys.executable, "-m", "sithsapp.card.virtual.vpcd", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        _power_on(reader)
        assert process.stdout is not None
        assert process.stdout.readline() == "inserted\n"
        reader.send(b"\x04")
        assert reader.receive() == atr
        assert process.stdin is not None
        process.stdin.close()
        assert reader.card_is_gone()
        assert process.wait(DEADLINE) == 0


def test_the_process_refuses_production(make_card: CardFactory) -> None:
    make_card()
    arguments = [str(make_card.directory()), "1", "--environment", "production"]
    result = subprocess.run(
        [sys.executable, "-m", "sithsapp.card.virtual.vpcd", *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode != 0
    assert "VIRTUAL_CARD_REFUSED" in result.stderr
