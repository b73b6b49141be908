# SPDX-License-Identifier: EUPL-1.2
"""A WebSocket server (RFC 6455) on loopback that sends back each short text, without TLS."""

from __future__ import annotations

import base64
import hashlib
import socket
import threading

_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_SECONDS = 20.0


class WebSocketEcho:
    """Serves until it is left."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._acceptor = threading.Thread(target=self._accept, daemon=True)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> WebSocketEcho:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in (self._acceptor, *self._threads):
            thread.join(_SECONDS)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_SECONDS)
        with client, client.makefile("rb") as stream:
            fields = {}
            while line := stream.readline().strip():
                name, _, value = line.partition(b": ")
                fields[name.lower()] = value
            key = hashlib.sha1(fields[b"sec-websocket-key"] + _MAGIC, usedforsecurity=False).digest()
            upgrade = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            client.sendall(upgrade + b"Sec-WebSocket-Accept: " + base64.b64encode(key) + b"\r\n\r\n")
            while head := stream.read(2):
                mask, length = stream.read(4), head[1] & 0x7F
                text = bytes(each ^ mask[n % 4] for n, each in enumerate(stream.read(length)))
                client.sendall(bytes([head[0], length]) + text)
                if head[0] & 0x0F == 8:  # close
                    return
