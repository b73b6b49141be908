# SPDX-License-Identifier: EUPL-1.2
"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER and the description of a PIN (fact sheet section 5).

Where a real 940 is unknown this is the stricter card: a wrong PIN, a change, a reset and a new selection of the
application all end the verification.
"""

from __future__ import annotations

import hmac

import msgspec

from sithsapp.card.virtual.apdu import Command, Refused, Sw, read_tlvs, tlv
from sithsapp.card.virtual.spec import PinSpec
from sithsapp.card.virtual.store import CardStore

_LOG_OUT = 0xFF


class Pins:
    """The codes of one card and which of them are verified now."""

    def __init__(self, store: CardStore) -> None:
        self._store = store
        self._verified: set[int] = set()

    def reset(self) -> None:
        """End every verification."""
        self._verified.clear()

    def is_verified(self, reference: int) -> bool:
        """Tell whether the code is verified and may be used for keys."""
        return reference in self._verified

    def must_be_changed(self, reference: int) -> bool:
        """Tell whether the code is still the transport PIN."""
        return not self._known(reference).changed

    def consume(self, reference: int) -> None:
        """End the verification of one code, as each signature with PIN2 does."""
        self._verified.discard(reference)

    def verify(self, command: Command) -> None:
        """Answer VERIFY: status without data, log out with P1 = FF, else compare."""
        pin = self._known(command.p2)
        if command.p1 == _LOG_OUT:
            self._log_out(command)
        elif command.p1 != 0:
            raise Refused(Sw.WRONG_P1_P2)
        elif command.data:
            self._check(pin, command.data)
            self._verified.add(pin.reference)
        elif pin.reference not in self._verified:
            raise Refused(self._status(pin))

    def change(self, command: Command) -> None:
        """Answer CHANGE REFERENCE DATA: the old value and the new one, each as long as the PIN field."""
        if command.p1 != 0:
            raise Refused(Sw.WRONG_P1_P2)
        pin = self._known(command.p2)
        old, new = self._halves(command)
        self._check(pin, old)
        self._verified.discard(pin.reference)
        self._set_value(self._known(pin.reference), new, may_be_same=False)

    def unblock(self, command: Command) -> None:
        """Answer RESET RETRY COUNTER with P1 = 00: the PUK and the new value."""
        if command.p1 != 0:
            raise Refused(Sw.WRONG_P1_P2)
        pin = self._known(command.p2)
        if pin.unblocked_by is None:
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        puk, new = self._halves(command)
        self._check(self._known(pin.unblocked_by), puk)
        self._verified.discard(pin.reference)
        self._set_value(pin, new, may_be_same=True)

    def describe(self, command: Command) -> bytes:
        """Answer GET DATA `A0 03 83 01 xx`: tries left, unblocking PIN, field length, changed or not."""
        outer = read_tlvs(command.data)
        inner = read_tlvs(outer[0][1]) if len(outer) == 1 and outer[0][0] == 0xA0 else []
        if len(inner) != 1 or inner[0][0] != 0x83 or len(inner[0][1]) != 1:
            raise Refused(Sw.WRONG_DATA)
        pin = self._known(inner[0][1][0])
        unblocker = 0 if pin.unblocked_by is None else pin.unblocked_by & 0x0F
        return tlv(
            0xA0,
            tlv(0x83, bytes([pin.reference]))
            + tlv(0x8C, bytes.fromhex("F0000000"))
            + tlv(0xDF21, bytes([pin.tries_left, 0xFF, 0xA5, unblocker]))
            + tlv(0xDF27, b"\xff\xff")
            + tlv(0xDF28, bytes([self._store.spec.pin_field_length]))
            + tlv(0xDF2F, bytes([pin.changed])),
        )

    def _known(self, reference: int) -> PinSpec:
        pin = self._store.pin(reference)
        if pin is None:
            raise Refused(Sw.REFERENCE_NOT_FOUND)
        return pin

    def _status(self, pin: PinSpec) -> int:
        return Sw.WRONG_TRIES_LEFT | min(pin.tries_left, 15) if pin.tries_left else self._store.spec.blocked_status

    def _log_out(self, command: Command) -> None:
        if command.data:
            raise Refused(Sw.WRONG_LENGTH)
        self._verified.discard(command.p2)

    def _halves(self, command: Command) -> tuple[bytes, bytes]:
        length = self._store.spec.pin_field_length
        if len(command.data) != 2 * length:
            raise Refused(Sw.WRONG_LENGTH)
        return command.data[:length], command.data[length:]

    def _check(self, pin: PinSpec, field: bytes) -> None:
        if len(field) != self._store.spec.pin_field_length:
            raise Refused(Sw.WRONG_LENGTH)
        if pin.tries_left == 0:
            raise Refused(self._store.spec.blocked_status)
        if hmac.compare_digest(field, self._field(pin.value)):
            self._store.save_pin(msgspec.structs.replace(pin, tries_left=pin.tries))
            return
        self._verified.discard(pin.reference)
        self._store.save_pin(msgspec.structs.replace(pin, tries_left=pin.tries_left - 1))
        raise Refused(Sw.WRONG_TRIES_LEFT | min(pin.tries_left - 1, 15))

    def _set_value(self, pin: PinSpec, field: bytes, *, may_be_same: bool) -> None:
        digits = field.rstrip(b"\0")
        if not digits.isdigit() or not pin.min_length <= len(digits) <= pin.max_length:
            raise Refused(Sw.WRONG_DATA)
        value = digits.decode("ascii")
        if value == pin.value and not may_be_same:
            raise Refused(Sw.CONDITIONS_NOT_SATISFIED)
        fresh = msgspec.structs.replace(pin, value=value, tries_left=pin.tries, changed=True)
        self._store.save_pin(fresh, new_value=True)

    def _field(self, value: str) -> bytes:
        return value.encode("ascii").ljust(self._store.spec.pin_field_length, b"\0")
