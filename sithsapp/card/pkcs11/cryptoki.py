# SPDX-License-Identifier: EUPL-1.2
"""The calls into a PKCS#11 module (version 2.40). Only the child process imports this."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pkcs11
from pkcs11 import MGF, Attribute, CertificateType, Mechanism, ObjectClass, SlotFlag, TokenFlag
from pkcs11 import exceptions as ckr

from sithsapp.card.pkcs11.messages import (
    MAX_CERTIFICATE,
    MAX_OBJECTS,
    MAX_TOKENS,
    Answer,
    ChangePin,
    Contents,
    DeleteCertificate,
    Done,
    Failed,
    HashName,
    Look,
    Padding,
    Read,
    Request,
    Sign,
    StoredCertificate,
    Token,
    Tokens,
    Unblock,
)

_MECHANISMS = {
    Padding.PKCS1: Mechanism.RSA_PKCS,
    Padding.PSS: Mechanism.RSA_PKCS_PSS,
    Padding.ECDSA: Mechanism.ECDSA,
}
_PSS = {
    HashName.SHA256: (Mechanism.SHA256, MGF.SHA256, 32),
    HashName.SHA384: (Mechanism.SHA384, MGF.SHA384, 48),
    HashName.SHA512: (Mechanism.SHA512, MGF.SHA512, 64),
}
_DIGEST_INFO = {
    HashName.SHA256: bytes.fromhex("3031300D060960864801650304020105000420"),
    HashName.SHA384: bytes.fromhex("3041300D060960864801650304020205000430"),
    HashName.SHA512: bytes.fromhex("3051300D060960864801650304020305000440"),
}
_CodeRequest = Sign | ChangePin | Unblock | DeleteCertificate
_GONE = (ckr.DeviceRemoved, ckr.TokenNotPresent)
_BLAME_THE_OLD_CODE = (ckr.PinIncorrect, ckr.PinLocked, ckr.PinExpired, *_GONE)
_READY = TokenFlag.TOKEN_INITIALIZED | TokenFlag.USER_PIN_INITIALIZED


class AnotherToken(Exception):
    """The slot has another token than the one that is meant."""


class NoSuchCertificate(ckr.PKCS11Error):
    """The token has no such certificate any more."""


class DeletionRefused(ckr.PKCS11Error):
    """The token did not delete an object; modules give many reasons, one of which the library has no name for."""


class _Lent:
    """Lends the buffer of a code where the library wants a text, so that no copy is made that cannot be wiped."""

    def __init__(self, digits: bytearray) -> None:
        self._digits = digits

    def encode(self, _encoding: str) -> bytearray:
        """Return the buffer itself."""
        return self._digits


class Module:
    """A loaded module. Methods raise `PKCS11Error` and `AnotherToken`."""

    def __init__(self, path: str) -> None:
        self._lib = pkcs11.lib(path)

    def handle(self, request: Request, codes: tuple[bytearray, ...]) -> Answer:
        """Do what a request asks for."""
        if isinstance(request, Look):
            return Tokens(tuple(_token(slot, token) for slot, token in self._tokens()))
        token = self._find(request.slot, request.serial)
        if isinstance(request, Read):
            return _read(token)
        return _with_codes(token, request, *(_Lent(code) for code in codes))

    def _tokens(self) -> Iterator[tuple[Any, Any]]:
        for slot in self._lib.get_slots(token_present=True)[:MAX_TOKENS]:
            try:
                token = slot.get_token()
            except ckr.PKCS11Error:
                continue
            if token.flags & _READY:
                yield slot, token

    def _find(self, slot: int, serial: bytes) -> Any:
        for found, token in self._tokens():
            if found.slot_id == slot:
                if _serial(token) != serial:
                    raise AnotherToken
                return token
        raise ckr.TokenNotPresent


def _serial(token: Any) -> bytes:
    return bytes(token.serial).strip(b" \0")[:16]


def _token(slot: Any, token: Any) -> Token:
    flags = token.flags
    return Token(
        slot=slot.slot_id,
        description=slot.slot_description,
        removable=bool(slot.flags & SlotFlag.REMOVABLE_DEVICE),
        label=token.label,
        serial=_serial(token),
        manufacturer=token.manufacturer_id,
        model=token.model,
        final_try=bool(flags & TokenFlag.USER_PIN_FINAL_TRY),
        locked=bool(flags & TokenFlag.USER_PIN_LOCKED),
        to_be_changed=bool(flags & TokenFlag.USER_PIN_TO_BE_CHANGED),
        so_final_try=bool(flags & TokenFlag.SO_PIN_FINAL_TRY),
        so_locked=bool(flags & TokenFlag.SO_PIN_LOCKED),
        write_protected=bool(flags & TokenFlag.WRITE_PROTECTED),
    )


def _read(token: Any) -> Contents:
    mechanisms = token.slot.get_mechanisms()
    with token.open() as session:
        wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509}
        certificates = [_certificate(found) for found in _objects(session, wanted)]
        keys = {
            _value(found, Attribute.ID)
            for kind in (ObjectClass.PRIVATE_KEY, ObjectClass.PUBLIC_KEY)
            for found in _objects(session, {Attribute.CLASS: kind})
        }
    return Contents(
        tuple(found for found in certificates if 0 < len(found.value) <= MAX_CERTIFICATE),
        frozenset(keys - {b""}),
        frozenset(padding for padding, mechanism in _MECHANISMS.items() if mechanism in mechanisms),
    )


def _objects(session: Any, wanted: dict[Attribute, Any]) -> list[Any]:
    found = []
    for each in session.get_objects(wanted):
        found.append(each)
        if len(found) == MAX_OBJECTS:
            break
    return found


def _certificate(found: Any) -> StoredCertificate:
    return StoredCertificate(_value(found, Attribute.ID), _value(found, Attribute.VALUE))


def _value(found: Any, attribute: Attribute) -> bytes:
    try:
        return bytes(found[attribute])
    except ckr.PKCS11Error:
        return b""


def _with_codes(token: Any, request: _CodeRequest, first: _Lent, second: _Lent | None = None) -> Answer:
    if isinstance(request, Sign):
        return _logged_in(lambda: token.open(user_pin=first), lambda session: _sign(session, request, first))
    if isinstance(request, DeleteCertificate):
        return _logged_in(lambda: token.open(rw=True, user_pin=first), lambda session: _delete(session, request))
    if isinstance(request, ChangePin):
        return _change(token, first, second)
    return _logged_in(lambda: token.open(rw=True, so_pin=first), lambda session: session.init_pin(second) or b"")


def _change(token: Any, old: _Lent, new: _Lent | None) -> Answer:
    """Replace the person's code in a session where nobody is logged in, so that the old code is sent once.

    What blames neither the old code nor its tries blames the new one, as after a log-in.
    """
    session = token.open(rw=True)
    try:
        session.set_pin(old, new)
    except ckr.PKCS11Error as error:
        return Failed(type(error).__name__, logged_in=not isinstance(error, _BLAME_THE_OLD_CODE))
    finally:
        with suppress(ckr.PKCS11Error):
            session.close()
    return Done()


def _logged_in(log_in: Callable[[], Any], work: Callable[[Any], bytes]) -> Answer:
    """Log in, work, log out: in this order whatever the work does."""
    session = log_in()
    try:
        result = work(session)
    except ckr.PKCS11Error as error:
        return Failed(type(error).__name__, logged_in=True)
    finally:
        # What a module says of this is not believed: whoever asked for the work resets the card.
        with suppress(ckr.PKCS11Error):
            session.close()
    return Done(result)


def _sign(session: Any, request: Sign, code: _Lent) -> bytes:
    wanted = {Attribute.CLASS: ObjectClass.PRIVATE_KEY, Attribute.ID: request.key}
    keys = [key for key in _objects(session, wanted) if hasattr(key, "sign")]
    if not keys:
        raise ckr.NoSuchKey
    is_pkcs1 = request.padding is Padding.PKCS1
    signature = keys[0].sign(
        _DIGEST_INFO[request.hash_name] + request.digest if is_pkcs1 else request.digest,
        mechanism=_MECHANISMS[request.padding],
        mechanism_param=_PSS[request.hash_name] if request.padding is Padding.PSS else None,
        # Such a key wants the code once more for each signature (PKCS#11 2.40, C_Login): a module may send it to the
        # card a second time. No try can be lost, as the card has accepted the same code in the log-in just before.
        pin=code if _always_authenticates(keys[0]) else None,
    )
    return bytes(signature)


def _delete(session: Any, request: DeleteCertificate) -> bytes:
    wanted = {Attribute.CLASS: ObjectClass.CERTIFICATE, Attribute.CERTIFICATE_TYPE: CertificateType.X_509}
    meant = [
        found
        for found in _objects(session, wanted)
        if hashlib.sha256(_value(found, Attribute.VALUE)).digest() == request.digest
    ]
    if not meant:
        raise NoSuchCertificate
    for each in meant:
        try:
            each.destroy()
        except _GONE:
            raise
        except ckr.PKCS11Error as error:
            raise DeletionRefused(str(error)) from error
    return b""


def _always_authenticates(key: Any) -> bool:
    try:
        return bool(key[Attribute.ALWAYS_AUTHENTICATE])
    except ckr.PKCS11Error:
        return False
