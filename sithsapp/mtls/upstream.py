# SPDX-License-Identifier: EUPL-1.2
"""Connections to one target: verified server, card's certificate, one signature for many connections.

Whoever comes first for a program signs (one flight); the others wait and resume the session that results. A session
belongs to one program and one certificate, has an end, and goes when the card goes.
"""

from __future__ import annotations

import logging
import socket
import ssl
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from sithsapp.card.model import CardId, SignatureScheme
from sithsapp.failures import SithsError
from sithsapp.mtls.choosing import Chosen
from sithsapp.mtls.contexts import ClientContext
from sithsapp.mtls.flight import Flight, Identity
from sithsapp.mtls.interaction import Program, Purpose
from sithsapp.mtls.permission import about_to_wait, here
from sithsapp.mtls.sessions import Sessions
from sithsapp.mtls.tls_failures import as_failure
from sithsapp.mtls.tls_stream import TlsStream

log = logging.getLogger(__name__)

HANDSHAKE_SECONDS: Final = 15.0
TICKET_SECONDS: Final = 0.2
_MOST_FLIGHTS: Final = 64


def _same(one: Chosen, other: Chosen) -> bool:
    """Compare card and certificate; what the card says of its codes changes with each signature."""
    return one.card.id == other.card.id and one.credential == other.credential


class _NeedsCard(Exception):
    """The server wants a signature where only a session was to be resumed."""


SignFor = Callable[[Chosen, Purpose, bytes, SignatureScheme], bytes]
MakeContext = Callable[[Chosen, Callable[[bytes, SignatureScheme], bytes]], ClientContext]


class Upstream:
    """Opens connections to one server. Thread-safe."""

    def __init__(
        self,
        name: str,
        address: tuple[str, int],
        *,
        choose: Callable[[Purpose], Chosen],
        sign: SignFor,
        make_context: MakeContext,
        session_seconds: float,
        sessions: Sessions,
        dial: Callable[[], socket.socket],
    ) -> None:
        """Sign with `sign` what `choose` gives, in contexts of `make_context`, once in `session_seconds` at most.

        `sessions` is told of what can be resumed. `dial` gives a socket that is connected with the server, or raises
        `SithsError`.
        """
        self._name, self._address = name, address
        self._choose, self._sign, self._make_context = choose, sign, make_context
        self._session_seconds = session_seconds
        self._sessions, self._dial = sessions, dial
        self._lock = threading.Lock()
        self._identity: Identity | None = None
        self._flights: OrderedDict[str, Flight] = OrderedDict()
        self.signatures = 0

    def open(self, program: Program) -> tuple[TlsStream, Identity]:
        """Return a connection that has shaken hands, for `program`; raises `SithsError` with the reason."""
        came = time.monotonic()
        identity = self._current(program)
        flight = self._flight(program)
        tried = flight.usable(identity)
        stream = self._resume(identity, flight, tried)
        if stream is None and not self._session_seconds:
            stream = self._log_in(identity, program)  # what another wins is of no use
        elif stream is None:
            with flight.handshakes.turn(came):
                stream = self._fly(flight, identity, tried, program)
        return stream, identity

    def note_session(self, program: Program, identity: Identity, stream: TlsStream) -> None:
        """Take a newer session of a connection that is in use; it does not live longer than the one it follows."""
        self._flight(program).note(identity, stream)

    def purpose(self, program: Program) -> Purpose:
        """Return what is signed for when `program` reaches this server."""
        return Purpose(program, self._name, *self._address)

    def forget_program(self, path: str) -> None:
        """Forget the session of the program with that path: its next connection leads to a question."""
        with self._lock:
            self._flights.pop(path, None)
        self._sessions.released(self._name, path)

    def forget_unless(self, is_there: Callable[[CardId], bool]) -> None:
        """Forget the certificate and all sessions if its card has gone."""
        with self._lock:
            identity = self._identity
            if identity is None or is_there(identity.chosen.card.id):
                return
            self._identity = None
            self._flights.clear()
        identity.context.close()
        self._sessions.released(self._name)

    def close(self) -> None:
        """Forget everything; nothing can be signed any more."""
        self.forget_unless(lambda _card: False)

    def _current(self, program: Program) -> Identity:
        chosen = self._choose(self.purpose(program))
        with self._lock:
            current = self._identity
            if current is not None and _same(current.chosen, chosen):
                return current
            if current is not None:
                current.context.close()
                self._flights.clear()
            context = self._make_context(chosen, lambda message, scheme: self._signed(chosen, message, scheme))
            fresh = self._identity = Identity(chosen, context)
        self._sessions.released(self._name)
        return fresh

    def _signed(self, chosen: Chosen, message: bytes, scheme: SignatureScheme) -> bytes:
        purpose = here.turn.purpose
        if purpose is None:
            raise _NeedsCard
        questions, came = self._flight(purpose.program).questions, time.monotonic()
        about_to_wait()
        with questions.turn(came):
            try:
                signature = self._sign(chosen, purpose, message, scheme)
            except SithsError as error:
                questions.note(error)
                raise
        with self._lock:
            self.signatures += 1
        return signature

    def _flight(self, program: Program) -> Flight:
        """Return the program's flight; a program that cannot be named shares none."""
        if not program.path:
            return Flight()
        with self._lock:
            flight = self._flights.setdefault(program.path, Flight())
            self._flights.move_to_end(program.path)
            while len(self._flights) > _MOST_FLIGHTS:
                self._flights.popitem(last=False)
            return flight

    def _fly(self, flight: Flight, identity: Identity, tried: ssl.SSLSession | None, program: Program) -> TlsStream:
        """In one's turn: use what the one before has won, or sign."""
        session = flight.usable(identity)
        stream = self._resume(identity, flight, session) if session is not tried else None
        if stream is not None:
            return stream
        try:
            stream = self._log_in(identity, program)
        except SithsError as error:
            flight.handshakes.note(error)
            raise
        if flight.begin(identity, stream.session, self._session_seconds):
            self._tell_of(flight, program)
        return stream

    def _log_in(self, identity: Identity, program: Program) -> TlsStream:
        """Open a connection in which may be signed."""
        here.turn.purpose = self.purpose(program)
        try:
            return self._connect(identity, None)
        finally:
            here.turn.purpose = None

    def _tell_of(self, flight: Flight, program: Program) -> None:
        """Say that `flight` holds a session, unless it was forgotten in the meantime."""
        if not program.path:
            return
        self._sessions.held(self.purpose(program), flight.until)
        with self._lock:
            forgotten = self._flights.get(program.path) is not flight
        if forgotten:
            self._sessions.released(self._name, program.path)

    def _resume(self, identity: Identity, flight: Flight, session: ssl.SSLSession | None) -> TlsStream | None:
        while session is not None:
            try:
                stream = self._connect(identity, session)
            except _NeedsCard:
                session = flight.refused(session)
            else:
                flight.taken(session)
                return stream
        return None

    def _connect(self, identity: Identity, session: ssl.SSLSession | None) -> TlsStream:
        raw = self._dial()
        try:
            stream = TlsStream(raw, identity.context.ssl, self._address[0], session)
            stream.handshake(HANDSHAKE_SECONDS)
            if not stream.resumed:
                stream.wait_for_word(TICKET_SECONDS)
            return stream
        except OSError as error:
            raw.close()
            raise as_failure(error) from error
        except BaseException:
            raw.close()
            raise
