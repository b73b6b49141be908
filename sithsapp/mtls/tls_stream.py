# SPDX-License-Identifier: EUPL-1.2
"""TLS over a connected socket, driven by one thread. Signing may happen within any of its calls.

TLS works on memory here rather than on the socket, so that each wait has a deadline, and a half-closed connection
does not lose what is still under way.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from typing import Final

from sithsapp.mtls.key_registry import signing_errors

CHUNK: Final = 128 * 1024
_RECORD: Final = 16 * 1024


class Truncated(OSError):
    """The server ended the connection without saying so in TLS, or broke it off."""


class TlsStream:
    """A client's side of TLS. Never used by two threads at a time."""

    def __init__(
        self, raw: socket.socket, context: ssl.SSLContext, host: str, session: ssl.SSLSession | None
    ) -> None:
        """Take over `raw`, a connected socket."""
        self.raw = raw
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._in, self._out, server_hostname=host, session=session)
        self._unsent = memoryview(b"")
        self._early = b""
        self.ended = False

    @property
    def session(self) -> ssl.SSLSession | None:
        """The session as it can be resumed at this moment, if it can."""
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

    def wait_for_ticket(self, seconds: float) -> None:
        """Give a TLS 1.3 server, which sends its tickets after the handshake, a moment to do so.

        Data that comes first is kept for `read`.
        """
        deadline = time.monotonic() + seconds
        while self.version == "TLSv1.3" and self.session is None and not self._early and not self.ended:
            try:
                self._receive_some(deadline)
            except TimeoutError:
                break
            self._early = self._decrypt()
        self.raw.setblocking(False)

    def feed(self) -> None:
        """Take what the socket has, up to one chunk. Raises `OSError`; `BlockingIOError` if there is nothing."""
        data = self.raw.recv(CHUNK)
        if data:
            self._in.write(data)
        else:
            self._in.write_eof()

    def read(self) -> bytes:
        """Return what was decrypted since the last call, and set `ended` when the server has ended.

        Raises `Truncated` if it ended without saying so, what the signer raised, and `ssl.SSLError`.
        """
        early, self._early = self._early, b""
        return early + self._decrypt()

    def write(self, data: bytes) -> None:
        """Encrypt `data` for `flush`; to be called only while nothing is `unsent`."""
        rest = memoryview(data)
        while rest:
            rest = rest[self._tls.write(rest) :]

    @property
    def unsent(self) -> bool:
        """Whether `flush` has something to do."""
        return bool(self._unsent) or self._out.pending > 0

    def flush(self) -> None:
        """Send what the socket takes. Raises `OSError`."""
        while self.unsent:
            self._unsent = self._unsent or memoryview(self._out.read())
            try:
                self._unsent = self._unsent[self.raw.send(self._unsent) :]
            except BlockingIOError:
                return

    def end_writing(self) -> None:
        """Say that no more will be written; the server may go on."""
        try:
            self._tls.unwrap()
        except ssl.SSLError:  # "want read": the server's own end is awaited by `read`
            return

    def close(self, *, abruptly: bool = False) -> None:
        """Close the socket; harmless when repeated."""
        if not abruptly and not self.ended:
            self.end_writing()
            try:
                self.flush()
            except OSError:
                abruptly = True
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

    def _decrypt(self) -> bytes:
        parts: list[bytes] = []
        try:
            with signing_errors():
                while part := self._tls.read(_RECORD):
                    parts.append(part)
                    if not self._in.pending and not self._tls.pending():
                        return part if len(parts) == 1 else b"".join(parts)  # spares an exception each time
            self.ended = True
        except ssl.SSLZeroReturnError:  # the server's end, where ours was said before
            self.ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLEOFError as error:
            if not parts:
                raise Truncated("the server broke off") from error
        return b"".join(parts)

    def _send_all(self, deadline: float) -> None:
        self.raw.settimeout(_left(deadline))
        while self._out.pending:
            self.raw.sendall(self._out.read())

    def _receive_some(self, deadline: float) -> None:
        self.raw.settimeout(_left(deadline))
        self.feed()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("the server took too long")
    return left
