# SPDX-License-Identifier: EUPL-1.2
"""TLS over a connected socket, driven by one thread. Signing may happen within any of its calls.

TLS works on memory here rather than on the socket, so that each wait has a deadline, and a half-closed connection
does not lose what is still under way.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress

from sithsapp.mtls.key_registry import forget_error, raise_noted, signing_errors
from sithsapp.mtls.side import NOTHING, RECORD, Room
from sithsapp.mtls.tunnel import abort

_ReadInto = Callable[[int, memoryview], int]


class Truncated(OSError):
    """The server ended the connection without saying so in TLS, or broke it off."""


class TlsStream:
    """One side of TLS. Never used by two threads at a time."""

    def __init__(
        self, raw: socket.socket, context: ssl.SSLContext, host: str | None, session: ssl.SSLSession | None = None
    ) -> None:
        """Take over `raw`, a connected socket: as a client of `host`, or as a server if that is None."""
        self.raw = raw
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(
            self._in, self._out, server_side=host is None, server_hostname=host, session=session
        )
        self._rest = NOTHING
        self._early = self._waiting = b""
        self.ended = self.unsent = self.full = False

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session as it can be resumed at this moment, if it can; a copy, and as such not cheap."""
        session = self._tls.session
        if session is None or not (session.has_ticket or (self.version == "TLSv1.2" and session.id)):
            return None
        return session

    @property
    def resumed(self) -> bool:
        """Whether the server took the session that was offered, so that nothing was signed."""
        return bool(self._tls.session_reused)

    @property
    def version(self) -> str | None:
        """The version of TLS."""
        return self._tls.version()

    def handshake(self, seconds: float) -> None:
        """Shake hands; `seconds` is for the server's part alone, however long a person takes over the code.

        Raises what the signer raised, `ssl.SSLError`, `TimeoutError` or `OSError`.
        """
        deadline = time.monotonic() + seconds
        while True:
            started = time.monotonic()
            done = self._shake()
            deadline += time.monotonic() - started
            self._send_all(deadline)
            if done:
                self.raw.setblocking(False)
                return
            self._receive_some(deadline)

    def wait_for_word(self, seconds: float) -> None:
        """Give a TLS 1.3 server a moment for its first word after the handshake: tickets, or that it refuses us.

        Data that comes with it is kept for `early`. Raises as `receive` does.
        """
        if self.version == "TLSv1.3" and not self._in.pending:
            with suppress(TimeoutError):
                self._receive_some(time.monotonic() + seconds)
        self._decrypt_early()
        self.raw.setblocking(False)

    def early(self) -> bytes:
        """Return what the peer sent with or right after the handshake, once. Raises as `receive` does."""
        self._decrypt_early()
        early, self._early = self._early, b""
        return early

    def receive(self, room: Room) -> memoryview:
        """Take what the socket has, up to one chunk, and decrypt it; see `Side`. Signing may happen.

        Raises `Truncated` if the peer ended without saying so, what the signer raised, `ssl.SSLError` and `OSError`.
        """
        try:
            count = self.raw.recv_into(room.taken)
        except BlockingIOError:
            return NOTHING
        if count:
            self._in.write(room.taken[:count])
        else:
            self._in.write_eof()
        data = self._decrypt(room.plain)
        if self._waiting:
            waiting, self._waiting = self._waiting, b""
            self.write(waiting)
        elif self._out.pending:
            self.flush()
        return data

    def write(self, data: bytes | memoryview) -> None:
        """Encrypt `data` and send it as far as the socket takes it; see `Side`. Signing may happen.

        What TLS itself cannot take now, as the peer renegotiates, waits for it. Raises as `receive` does.
        """
        try:
            while (count := self._tls.write(data)) < len(data):
                data = data[count:]
        except ssl.SSLWantReadError:
            self._waiting = bytes(data)
        except OSError as error:
            raise_noted(error)
            raise
        self.flush()

    def flush(self) -> None:
        """See `Side`."""
        rest = self._rest
        try:
            while rest or self._out.pending:
                data = rest or self._out.read()
                sent = self.raw.send(data)
                rest = NOTHING if sent == len(data) else memoryview(data)[sent:]
        except BlockingIOError:
            rest = memoryview(data)
        self._rest, self.unsent = rest, bool(rest)
        self.full = self.unsent or bool(self._waiting)

    def end_writing(self) -> None:
        """See `Side`."""
        with suppress(ssl.SSLError):  # "want read": the peer's own end is awaited by `receive`
            self._tls.unwrap()
        self.flush()

    def close(self, *, abruptly: bool = False) -> None:
        """Close the socket; harmless when repeated.

        With `abruptly` the connection is broken off, so that a peer that waits to send does not wait on.
        """
        if abruptly:
            abort(self.raw)
            return
        if not self.ended:
            with suppress(OSError):
                self.end_writing()
        self.raw.close()

    def _shake(self) -> bool:
        try:
            with signing_errors():
                self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        except BaseException:
            self._send_alert()
            raise
        return True

    def _send_alert(self) -> None:
        """Tell the server why, if it listens, before the handshake is given up."""
        self.raw.setblocking(False)
        with suppress(OSError):
            self.flush()

    def _decrypt_early(self) -> None:
        if self._in.pending and not self.ended:
            forget_error()
            plain = memoryview(bytearray(self._in.pending + 2 * RECORD))
            self._early += self._decrypt(plain)

    def _decrypt(self, plain: memoryview) -> memoryview:
        """Decrypt all that has come into `plain`, which has room for it, and return that part of it."""
        read: _ReadInto = self._tls.read  # type: ignore[assignment] # typeshed: bytes, also with a buffer
        filled = 0
        try:
            while count := read(RECORD, plain[filled:] if filled else plain):
                filled += count
                if not self._in.pending and not self._tls.pending():
                    return plain[:filled]  # spares an exception each time
                if filled == len(plain):
                    raise BufferError("more was decrypted than was received")
            self.ended = True
        except OSError as error:
            self._judge(error, filled=filled)
        return plain[:filled]

    def _judge(self, error: OSError, *, filled: int) -> None:
        """See what it means that nothing more can be read."""
        if isinstance(error, ssl.SSLZeroReturnError):  # the peer's end, where ours was said before
            self.ended = True
        elif isinstance(error, ssl.SSLEOFError):
            if not filled:  # else what there is goes first; the next time brings us here again
                raise Truncated("the peer broke off") from error
        elif not isinstance(error, ssl.SSLWantReadError):
            raise_noted(error)
            raise error

    def _send_all(self, deadline: float) -> None:
        self.raw.settimeout(_left(deadline))
        while self._out.pending:
            self.raw.sendall(self._out.read())

    def _receive_some(self, deadline: float) -> None:
        self.raw.settimeout(_left(deadline))
        data = self.raw.recv(RECORD)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the server took too long")
    return left
