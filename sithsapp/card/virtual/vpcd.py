# SPDX-License-Identifier: EUPL-1.2
"""Puts a virtual card into a vpcd reader (vsmartcard): a TCP client, as a thread or as a process of its own.

Messages have a length of two bytes before them. From the reader, one byte is a command: 0 power off, 1 power on,
2 reset, 4 the ATR is wanted; anything longer is an APDU. The connection is the card: while it stands, a card is in
the reader.
"""

from __future__ import annotations

import argparse
import logging
import socket
import sys
import threading
from pathlib import Path

from sithsapp.card.virtual.card import Latency, VirtualCard

_log = logging.getLogger(__name__)

_POWER_OFF, _POWER_ON, _RESET, _GET_ATR = 0, 1, 2, 4
_RETRY_SECONDS = 0.05
_CONNECT_TIMEOUT = 5.0
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux alone has it


class VpcdCard:
    """A card that is put into and pulled out of one vpcd slot.

    While inserted it comes back by itself when the reader service restarts.
    """

    def __init__(self, card: VirtualCard, port: int, host: str = "127.0.0.1") -> None:
        self.card = card
        self._address = (host, port)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._socket: socket.socket | None = None
        self._stopping = threading.Event()
        self._powered = threading.Event()

    def insert(self, timeout: float = 10.0) -> None:
        """Put the card in and wait until it gets power; raises `TimeoutError` after `timeout` seconds without.

        The reader service looks for cards a few times a second, so this takes up to half a second.
        """
        if self._thread is None:
            self._stopping.clear()
            self._thread = threading.Thread(target=self._run, name="virtual card", daemon=True)
            self._thread.start()
        if not self._powered.wait(timeout):
            raise TimeoutError(f"no vpcd reader on port {self._address[1]}")

    def remove(self) -> None:
        """Pull the card out; returns when its thread has ended. Harmless when repeated."""
        self._stopping.set()
        with self._lock:
            if self._socket is not None:
                _shut(self._socket)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
        self._thread = None

    def join(self, timeout: float | None = None) -> None:
        """Wait for the card to be removed."""
        self._stopping.wait(timeout)

    def __enter__(self) -> VpcdCard:
        self.insert()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self._visit()
            except OSError as error:
                _log.debug("vpcd connection ended: %s", type(error).__name__)
            finally:
                self._powered.clear()
            self._stopping.wait(_RETRY_SECONDS)

    def _visit(self) -> None:
        """Stay in the reader until either side hangs up."""
        with socket.create_connection(self._address, _CONNECT_TIMEOUT) as link:
            link.settimeout(None)
            link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._socket = link
            try:
                if not self._stopping.is_set():
                    self.card.reset()
                    self._serve(link)
            finally:
                with self._lock:
                    self._socket = None

    def _serve(self, link: socket.socket) -> None:
        while True:
            length = int.from_bytes(_receive(link, 2), "big")
            answer = self._answer(_receive(link, length))
            if answer is not None:
                link.sendall(len(answer).to_bytes(2, "big") + answer)

    def _answer(self, message: bytes) -> bytes | None:
        if len(message) != 1:
            return self.card.process(message)
        if message[0] == _GET_ATR:
            return self.card.atr
        if message[0] in (_POWER_OFF, _POWER_ON, _RESET):
            self.card.reset()
        if message[0] == _POWER_ON:
            self._powered.set()
        return None


def _receive(link: socket.socket, length: int) -> bytes:
    """Read exactly `length` bytes; raises `ConnectionError` if the reader hangs up before."""
    received = b""
    while len(received) < length:
        if _QUICK_ACK is not None:
            # vpcd writes length and body apart: a delayed acknowledgement costs 44 ms per command.
            link.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
        part = link.recv(length - len(received))
        if not part:
            raise ConnectionError("vpcd hung up")
        received += part
    return received


def _shut(link: socket.socket) -> None:
    try:
        link.shutdown(socket.SHUT_RDWR)
    except OSError:
        _log.debug("vpcd connection was closed already")


def main(arguments: list[str] | None = None) -> int:
    """Keep the card in a directory in a vpcd reader until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m sithsapp.card.virtual.vpcd", description=main.__doc__)
    parser.add_argument("directory", type=Path, help="the card's directory")
    parser.add_argument("port", type=int, help="the vpcd reader's port")
    parser.add_argument("--environment", required=True, help="never production")
    parser.add_argument("--signature-seconds", type=float, default=0.0, help="how long a signature takes")
    chosen = parser.parse_args(arguments)
    latency = Latency(signature=chosen.signature_seconds)
    card = VirtualCard.open(chosen.directory, environment=chosen.environment, latency=latency)
    with VpcdCard(card, chosen.port):
        sys.stdout.write("inserted\n")
        sys.stdout.flush()
        sys.stdin.read()
    return 0


if __name__ == "__main__":
    sys.exit(main())
