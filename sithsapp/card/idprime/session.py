# SPDX-License-Identifier: EUPL-1.2
"""One IDPrime card in a reader: opened, asked, signed with. Blocking; owned by one thread.

The card's login state is ended by us after each use: log out (`00 20 FF`), then ask the card whether it is so, and
reset the card if it is not or if anything unexpected happened after a code was sent. A reset hurts other programs
that use the card at the moment, a log-out only ends their login too; both are better than a card left open.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from sithsapp.card.idprime import pins, reading, rsa_check
from sithsapp.card.idprime.contents import Key, pin_slot
from sithsapp.card.idprime.files import PinDescription
from sithsapp.card.idprime.pin_book import PinBook
from sithsapp.card.idprime.profile import PUK_NUMBERS, PinSlot
from sithsapp.card.idprime.record import CardRecord
from sithsapp.card.idprime.signing import Signer
from sithsapp.card.iso7816 import Channel, Ins, StatusKind, StatusWord
from sithsapp.card.model import KeyType, PinRole, PinState, SignatureScheme
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.session import SessionLost
from sithsapp.card.transport import CardConnection
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

_NOTHING_VERIFIED = frozenset(
    {
        Failure.PIN_WRONG,
        Failure.PIN_LOCKED,
        Failure.PUK_WRONG,
        Failure.PUK_LOCKED,
        Failure.PIN_FORMAT,
    }
)


class CardSession:
    """A connection to an IDPrime card. Every public method that asks the card is one short transaction.

    They raise `SessionLost` when the transaction cannot begin; codes are then untouched. `on_begin` is called when it
    has begun, and may raise to give it up.
    """

    def __init__(self, connection: CardConnection, record: CardRecord) -> None:
        self._connection = connection
        self._channel = Channel(connection)
        self._signer = Signer(self._channel, record.habits)
        self._pins = PinBook(self._channel, record, self.identify)
        self.record = record
        record.pin_pad = connection.pin_pad
        self.alive = True
        self.on_begin: Callable[[], None] = _nothing

    @property
    def apdus(self) -> int:
        """How many commands this session sent."""
        return self._channel.sent

    def close(self) -> None:
        """Let go of the card."""
        self.alive = False
        self._connection.disconnect()

    def read_pins(self) -> None:
        """Bring the states of all codes up to date, and learn those that are not known yet."""
        with self._transaction():
            self._pins.refresh_all()

    def prepare_login(self) -> None:
        """Set the card up for the most usual signature, a log-in; what cannot be prepared is done later."""
        for key in self.record.keys:
            if key.credential.pin is PinRole.AUTH and key.credential.schemes:
                with self._transaction(), suppress(SithsError):
                    self._signer.prepare(key, key.credential.schemes[0])
                return

    def learn_counters(self) -> bool:
        """Read the change counters of contents that were read before; False if the card has others by now.

        To be called when nobody waits: it takes ten commands or so, since counters of today prove nothing about
        contents of a moment ago. Raises what the connection raises, and CARD_CHANGED.
        """
        if self.record.freshness is not None or not reading.has_counters(self.record.contents):
            return True
        with self._transaction():
            try:
                self.record.freshness = reading.read_counters(self._channel, self.record.contents)
            except SithsError as error:
                if error.failure not in (Failure.CARD_DATA_INVALID, Failure.CARD_ERROR):
                    raise
                self.identify()  # another program may have selected another application
                self.record.freshness = reading.read_counters(self._channel, self.record.contents)
            self._signer.prepare_again()
        return self.record.freshness is not None

    def pin_state(self, role: PinRole) -> PinState:
        """Return a code's state, read now; raises `SithsError(CARD_ERROR)` if the card has no such code."""
        with self._transaction():
            return self._pins.current(pin_slot(role))

    def prepare(self, credential_id: str, scheme: SignatureScheme) -> PinState:
        """Read the state of the code that a signature will need and set the card up for that signature."""
        key = self.record.key(credential_id)
        with self._transaction():
            state = self._pins.current(pin_slot(key.credential.pin))
            self._signer.prepare(key, scheme)
            return state

    def sign(
        self,
        credential_id: str,
        scheme: SignatureScheme,
        message: bytes,
        pin: Pin | PadEntry,
        *,
        deliver: Callable[[bytes], None],
        last_try_ok: bool = False,
    ) -> None:
        """Verify the code and sign; `deliver` takes the signature before the card's login state is ended.

        A code that is typed on the reader keeps the card from other programs meanwhile: between the code and the
        signature nobody else may sign.

        Raises the failures of `pins.verify` and `Signer.sign`, LAST_TRY_NOT_CONFIRMED, PIN_LOCKED and
        PIN_MUST_BE_CHANGED before anything is sent.
        """
        key = self.record.key(credential_id)
        if scheme not in key.credential.schemes:
            raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, scheme.value)
        import hashlib  # at the first signature: it loads OpenSSL

        digest = hashlib.new(scheme.hash_name, message).digest()
        slot = pin_slot(key.credential.pin)
        with self._transaction():
            description = self._pins.may_send(slot, last_try_ok=last_try_ok)
            if description.never_changed:
                raise SithsError(Failure.PIN_MUST_BE_CHANGED)
            with _Login(self, slot, verifies=True):
                pins.verify(self._channel, slot, description, pin)
                deliver(self._make_signature(key, scheme, digest))

    def change_pin(self, role: PinRole, old: Pin, new: Pin, *, last_try_ok: bool = False) -> PinState:
        """Replace a code and return its state; raises as `pins.change`, and as `sign` before anything is sent."""
        slot = pin_slot(role)
        with self._transaction():
            description = self._pins.may_send(slot, last_try_ok=last_try_ok)
            with _Login(self, slot):
                pins.change(self._channel, slot, description, old, new)
                self._pins.changed(slot)
            return self.record.states[role]

    def unblock(self, role: PinRole, puk: Pin, new: Pin, *, last_try_ok: bool = False) -> PinState:
        """Set a new code with the PUK and return its state; raises UNBLOCK_NOT_POSSIBLE and as `pins.unblock`."""
        slot = pin_slot(role)
        with self._transaction():
            description = self._may_unblock(slot, last_try_ok=last_try_ok)
            with _Login(self, slot, spends=pin_slot(PinRole.PUK)):
                pins.unblock(self._channel, slot, description, puk, new)
                self._pins.changed(slot)
            return self.record.states[role]

    def change_pin_on_pad(self, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False) -> PinState:
        """Replace a code by one that is typed on the reader, after the old one; raises as `pins.on_pad`."""
        slot = pin_slot(role)
        with self._transaction():
            description = self._pins.may_send(slot, last_try_ok=last_try_ok)
            with _Login(self, slot):
                pins.on_pad(self._channel, Ins.CHANGE_REFERENCE_DATA, slot, description, entry)
                self._pins.changed(slot)
            return self.record.states[role]

    def unblock_on_pad(self, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False) -> PinState:
        """Set a new code with the PUK, both typed on the reader; raises as `unblock` and `pins.on_pad`."""
        slot = pin_slot(role)
        with self._transaction():
            description = self._may_unblock(slot, last_try_ok=last_try_ok)
            with _Login(self, slot, spends=pin_slot(PinRole.PUK)):
                pins.on_pad(self._channel, Ins.RESET_RETRY_COUNTER, slot, description, entry)
                self._pins.changed(slot)
            return self.record.states[role]

    def delete_certificate(self, credential_id: str, pin: Pin, *, last_try_ok: bool = False) -> PinState:
        """Refuse: how the card's files are changed is not public, and a guess could spoil the card."""
        raise SithsError(Failure.CERTIFICATE_NOT_DELETABLE, "no command for it is known on an IDPrime")

    def identify(self) -> None:
        """Select the application and check that this is the card of the record; raises CARD_CHANGED.

        Needs a transaction around it.
        """
        self._signer.forget()
        reading.select_application(self._channel)
        if reading.read_serial(self._channel) != self.record.id.serial:
            raise SithsError(Failure.CARD_CHANGED, "the card in the reader has another serial number")

    def _may_unblock(self, slot: PinSlot, *, last_try_ok: bool) -> PinDescription:
        if self._pins.describe(slot).unblocker not in PUK_NUMBERS:
            raise SithsError(Failure.UNBLOCK_NOT_POSSIBLE, "the card names no PUK for this code")
        return self._pins.may_send(pin_slot(PinRole.PUK), last_try_ok=last_try_ok)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with ExitStack() as held:
            try:
                held.enter_context(self._connection.transaction())
            except SithsError as error:
                raise SessionLost(error) from error
            self.on_begin()
            yield

    def _make_signature(self, key: Key, scheme: SignatureScheme, digest: bytes) -> bytes:
        if self._signer.prepared(key, scheme):
            try:
                signature = self._signer.sign(key, scheme, digest, use_prepared=True)
                if _fits(key, scheme, digest, signature):
                    return signature
            except SithsError as error:
                if error.failure is Failure.CARD_REMOVED:
                    raise
            _log.info("another program changed the card's security environment")
        signature = self._signer.sign(key, scheme, digest)
        if not _fits(key, scheme, digest, signature):
            self.record.stale = True
            raise SithsError(Failure.CARD_CHANGED, "the signature does not fit the certificate")
        return signature

    def end_login(self, slot: PinSlot, *, surely: bool) -> None:
        """End the login state of a code, by reset if need be; `surely` when the code is known to be verified.

        Never raises, not even for a card that is gone.
        """
        try:
            status: StatusWord | None = None if surely else pins.read_status(self._channel, slot)
            if status is None or status.kind is StatusKind.OK:
                status = pins.log_out(self._channel, slot)
            if status is None or status.tries_left is None:
                self.reset("the card did not log out")
            else:
                self._pins.note(slot, status.tries_left)
        except SithsError as error:
            self.reset(str(error))

    def reset(self, reason: str) -> None:
        """Reset the card and let go of it."""
        _log.info("card reset: %s", reason)
        self.alive = False
        self._connection.disconnect(reset=True)

    def note_refusal(self, slot: PinSlot, error: SithsError) -> None:
        """Keep the tries left that a refusal told."""
        if error.tries_left is not None and slot.role in self.record.states:
            self._pins.note(slot, error.tries_left)


class _Login:
    """The time from sending a code to the end of its login state, whatever happens in between."""

    def __init__(
        self, session: CardSession, slot: PinSlot, *, verifies: bool = False, spends: PinSlot | None = None
    ) -> None:
        self._session = session
        self._slot = slot
        self._verifies = verifies
        self._spends = spends or slot

    def __enter__(self) -> None:
        """Begin: the code is sent inside."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """End the login state; after a failure that is not the card's answer, by reset."""
        if isinstance(error, SithsError) and error.failure is Failure.PIN_PAD_REFUSED:
            self._session.record.pin_pad = None
        if isinstance(error, SithsError) and error.failure in _NOTHING_VERIFIED:
            self._session.note_refusal(self._spends, error)
        elif error is None or isinstance(error, SithsError):
            self._session.end_login(self._slot, surely=error is None and self._verifies)
        else:
            self._session.reset("unexpected failure after a code was sent")


def _nothing() -> None:
    """Do nothing."""


def _fits(key: Key, scheme: SignatureScheme, digest: bytes, signature: bytes) -> bool:
    """Check what can be checked without a cryptographic library: RSA."""
    if key.credential.key_type is not KeyType.RSA:
        return True
    return rsa_check.fits(key.credential.certificate, scheme, digest, signature)
