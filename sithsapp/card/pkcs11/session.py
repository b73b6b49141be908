# SPDX-License-Identifier: EUPL-1.2
"""One card behind a module: asked, signed with. Blocking; owned by one thread.

After a code was used the process is ended and the card reset: modules have been seen to report a log-out after which
the card still took signatures without a code.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from sithsapp.card.idprime import rsa_check
from sithsapp.card.model import KeyType, PinRole, PinState, SignatureScheme
from sithsapp.card.pin import PadEntry, Pin
from sithsapp.card.pkcs11.messages import (
    ChangePin,
    DeleteCertificate,
    Done,
    HashName,
    Look,
    Padding,
    Sign,
    Token,
    Tokens,
    Unblock,
)
from sithsapp.card.pkcs11.outcomes import NOTHING_VERIFIED, failure_of
from sithsapp.card.pkcs11.process import CODE_SECONDS, ModuleProcess, ModuleRefusal
from sithsapp.card.pkcs11.tokens import TokenKey, TokenRecord, same_token
from sithsapp.card.session import SessionLost
from sithsapp.failures import Failure, SithsError

_log = logging.getLogger(__name__)

_PADDINGS = {"RS": Padding.PKCS1, "PS": Padding.PSS, "ES": Padding.ECDSA}
_LOCKED_BY_THIS = {Failure.PIN_WRONG: Failure.PIN_LOCKED, Failure.PUK_WRONG: Failure.PUK_LOCKED}


class TokenSession:
    """A process with a module, and a card in it. Methods raise as those of `idprime.session.CardSession` do."""

    def __init__(self, process: ModuleProcess, record: TokenRecord, reset: Callable[[], None]) -> None:
        """Take over `process`; `reset` resets the card by other means than the module, where there are any."""
        self._process = process
        self._reset = reset
        self.record = record
        self.alive = True
        self.on_begin: Callable[[], None] = lambda: None

    def close(self) -> None:
        """End the process."""
        self.alive = False
        self._process.close()

    def pin_state(self, role: PinRole) -> PinState:
        """Return a code's state, read now; raises `SithsError(CARD_ERROR)` if the card has no such code."""
        self._begin()
        return self._state(role)

    def prepare(self, credential_id: str, _scheme: SignatureScheme) -> PinState:
        """Read the state of the code that a signature will need."""
        return self.pin_state(self.record.key(credential_id).credential.pin)

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
        """Log in and sign; `deliver` takes the signature before the process is ended and the card reset."""
        if isinstance(pin, PadEntry):
            raise _no_keys()
        key = self.record.key(credential_id)
        if scheme not in key.credential.schemes:
            raise SithsError(Failure.ALGORITHM_NOT_SUPPORTED, scheme.value)
        digest = hashlib.new(scheme.hash_name, message).digest()
        self._begin()
        if self._may_send(key.credential.pin, last_try_ok=last_try_ok).never_changed:
            raise SithsError(Failure.PIN_MUST_BE_CHANGED)
        token = self.record.tokens[key.credential.pin]
        how = _PADDINGS[scheme.value[:2]], HashName(scheme.hash_name)
        with self._login(key.credential.pin):
            done = self._send(Sign(token.slot, token.serial, key.key, *how, digest), pin)
            if not _fits(key, scheme, digest, done.signature):
                raise SithsError(Failure.CARD_CHANGED, "the signature does not fit the certificate")
            deliver(done.signature)

    def change_pin(self, role: PinRole, old: Pin, new: Pin, *, last_try_ok: bool = False) -> PinState:
        """Replace a code and return its state; raises NEW_PIN_REFUSED too."""
        self._begin()
        self._may_send(role, last_try_ok=last_try_ok)
        token = self._token(role)
        with self._login(role):
            self._send(ChangePin(token.slot, token.serial), old, new)
        return self._state(role)

    def unblock(self, role: PinRole, puk: Pin, new: Pin, *, last_try_ok: bool = False) -> PinState:
        """Set a new code with the PUK and return its state; raises UNBLOCK_NOT_POSSIBLE with most modules."""
        if not self.record.puk_of(role):
            raise SithsError(Failure.UNBLOCK_NOT_POSSIBLE, "the module has no way to do this with a PUK")
        self._begin()
        self._may_send(PinRole.PUK, last_try_ok=last_try_ok)
        token = self._token(role)
        with self._login(PinRole.PUK):
            self._send(Unblock(token.slot, token.serial), puk, new)
        return self._state(role)

    def change_pin_on_pad(self, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False) -> PinState:
        """Refuse, as `sign` does for a `PadEntry`: what modules do with a reader's keys is their own affair."""
        raise _no_keys()

    def unblock_on_pad(self, role: PinRole, entry: PadEntry, *, last_try_ok: bool = False) -> PinState:
        """Refuse, as `change_pin_on_pad`."""
        raise _no_keys()

    def delete_certificate(self, credential_id: str, pin: Pin, *, last_try_ok: bool = False) -> PinState:
        """Delete a certificate and return the state of its code; raises CERTIFICATE_NOT_DELETABLE too."""
        credential = self.record.key(credential_id).credential
        if not self.record.card.deletes_certificates:
            raise SithsError(Failure.CERTIFICATE_NOT_DELETABLE, "the token or the settings forbid it")
        self._begin()
        self._may_send(credential.pin, last_try_ok=last_try_ok)
        token = self._token(credential.pin)
        with self._login(credential.pin):
            self._send(DeleteCertificate(token.slot, token.serial, _sha256(credential.certificate)), pin)
            self.record.stale = True
        return self._state(credential.pin)

    def _begin(self) -> None:
        """Look whether the card is still the same and what its codes' states are now. Nothing was sent before."""
        try:
            self.look()
        except ModuleRefusal as refusal:
            raise SessionLost(SithsError(failure_of(refusal.failed), refusal.failed.reason)) from None
        except SithsError as error:
            if not self._process.running:
                raise SessionLost(error) from error
            raise
        self.on_begin()

    def look(self) -> None:
        """Bring the record up to date; raises CARD_REMOVED, CARD_CHANGED, `ModuleRefusal` and CARD_ERROR."""
        now = self._process.call(Look(), Tokens).tokens
        for role, token in self.record.tokens.items():
            found = next((each for each in now if same_token(each, token)), None)
            if found is None:
                swapped = any(each.description == token.description for each in now)
                raise SithsError(Failure.CARD_CHANGED if swapped else Failure.CARD_REMOVED, "the token is gone")
            self.record.tokens[role] = found

    def _token(self, role: PinRole) -> Token:
        token = self.record.tokens.get(role)
        if token is None:
            raise _no_such_code()
        return token

    def _state(self, role: PinRole) -> PinState:
        state = self.record.pin_state(role)
        if state is None:
            raise _no_such_code()
        return state

    def _may_send(self, role: PinRole, *, last_try_ok: bool) -> PinState:
        state = self._state(role)
        if state.blocked:
            locked = Failure.PUK_LOCKED if role is PinRole.PUK else Failure.PIN_LOCKED
            raise SithsError(locked, "blocked before anything was sent", tries_left=0)
        if state.tries_left == 1 and not last_try_ok:
            raise SithsError(Failure.LAST_TRY_NOT_CONFIRMED, tries_left=1)
        return state

    def _send(self, request: Sign | ChangePin | Unblock | DeleteCertificate, *codes: Pin) -> Done:
        with ExitStack() as lent:
            buffers = [lent.enter_context(code.once()) for code in codes]
            return self._process.call(request, Done, *buffers, seconds=CODE_SECONDS)

    @contextmanager
    def _login(self, role: PinRole) -> Iterator[None]:
        """Say what a refusal means, and end the process and the card's login state whatever happened inside."""
        verified = True
        try:
            yield
        except ModuleRefusal as refusal:
            self._look_again()
            error = self._refused(refusal, role)
            verified = error.failure not in NOTHING_VERIFIED
            raise error from None
        else:
            self._look_again()
        finally:
            self.close()
            if verified:
                self._reset()

    def _look_again(self) -> None:
        """See what became of the tries; not to know is no failure of what was done."""
        with suppress(SithsError, ModuleRefusal):
            self.look()

    def _refused(self, refusal: ModuleRefusal, role: PinRole) -> SithsError:
        failure = failure_of(refusal.failed, puk=role is PinRole.PUK)
        if failure not in NOTHING_VERIFIED:
            return SithsError(failure, refusal.failed.reason)
        state = self._state(role)
        if state.blocked:
            failure = _LOCKED_BY_THIS.get(failure, failure)
        return SithsError(failure, refusal.failed.reason, tries_left=state.tries_left)


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _no_keys() -> SithsError:
    return SithsError(Failure.PIN_PAD_REFUSED, "codes of this card are not typed on a reader")


def _no_such_code() -> SithsError:
    return SithsError(Failure.CARD_ERROR, "the token has no such code")


def _fits(key: TokenKey, scheme: SignatureScheme, digest: bytes, signature: bytes) -> bool:
    """Check what can be checked without a cryptographic library: RSA."""
    if key.credential.key_type is not KeyType.RSA:
        return True
    return rsa_check.fits(key.credential.certificate, scheme, digest, signature)
