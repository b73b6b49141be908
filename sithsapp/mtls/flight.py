# SPDX-License-Identifier: EUPL-1.2
"""What the connections of one program to one server share: whose turn it is, and the session that can be resumed."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sithsapp.failures import Failure, SithsError
from sithsapp.mtls.choosing import Chosen
from sithsapp.mtls.contexts import ClientContext
from sithsapp.mtls.tls_stream import TlsStream

_WAIT_SECONDS: Final = 300.0
NOTE_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """The certificate that is shown to the target, and the context that holds it."""

    chosen: Chosen
    context: ClientContext


class Turns:
    """Lets one thread at a time do what may fail for a reason that holds for all who were waiting then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failure: SithsError | None = None
        self._failed_at = 0.0

    @contextmanager
    def turn(self, came: float) -> Iterator[None]:
        """Wait for a turn. Raises what was noted after `came` (`time.monotonic()`), so while this thread waited."""
        if not self._lock.acquire(timeout=_WAIT_SECONDS):
            raise SithsError(Failure.CANCELLED_BY_USER, "nobody answered the question before this one")
        try:
            if self._failure is not None and self._failed_at >= came:
                raise self._failure
            yield
        finally:
            self._lock.release()

    def note(self, failure: SithsError) -> None:
        """Within a turn: let the failure count for those who wait."""
        self._failure, self._failed_at = failure, time.monotonic()


class Flight:
    """The connections of one program.

    `handshakes` and `questions` are the turns for handshakes that are to win a session, and for the person's answers.

    A session is copied out of a connection at some cost, and most servers take one more than once, but not all do.
    So the first stays in use, with a newer one in reserve, until it is known. Servers that take each once get
    the newest ever after; others keep the one, which is renewed now and then as it ages.
    """

    def __init__(self) -> None:
        self.handshakes, self.questions = Turns(), Turns()
        self.until = 0.0
        self._identity: Identity | None = None
        self._session: ssl.SSLSession | None = None
        self._reserve: ssl.SSLSession | None = None
        self._offered: ssl.SSLSession | None = None
        self._lasting: bool | None = None
        self._noted_at = 0.0

    def usable(self, identity: Identity) -> ssl.SSLSession | None:
        """Return the session that may be offered with that identity at this moment."""
        fresh = self._identity is identity and time.monotonic() < self.until
        return self._session if fresh else None

    def begin(self, identity: Identity, session: ssl.SSLSession | None, seconds: float) -> bool:
        """Use a session that was signed for, for so long; tell whether there is one."""
        self._identity, self._session, self._reserve, self._lasting = identity, session, None, None
        self._noted_at = time.monotonic()
        self.until = self._noted_at + seconds
        return session is not None and seconds > 0

    def note(self, identity: Identity, stream: TlsStream) -> None:
        """Take a newer session out of a connection that is in use, where that is worth it."""
        now = time.monotonic()
        known = self._reserve is not None if self._lasting is None else self._lasting
        if self.usable(identity) is None or (known and now < self._noted_at + NOTE_SECONDS):
            return
        if self._lasting is None and not stream.resumed:
            return  # it may hold the very session that is in use
        session = stream.session
        if session is None:
            return
        self._noted_at = now
        if self._lasting is None:
            self._reserve = session
        else:
            self._session = session

    def taken(self, session: ssl.SSLSession) -> None:
        """Note that the server has resumed a session."""
        if self._offered is session:
            self._lasting = True
        self._offered = session

    def refused(self, session: ssl.SSLSession) -> ssl.SSLSession | None:
        """Note that the server has not; return the one to try in its place."""
        reserve, self._reserve = self._reserve, None
        if reserve is None or session is not self._session:
            return None
        self._session, self._lasting = reserve, False
        return reserve
