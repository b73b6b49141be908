# SPDX-License-Identifier: EUPL-1.2
"""The IDPrime application and the card manager beside it: which command goes where."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from sithsapp.card.virtual import data_objects
from sithsapp.card.virtual.apdu import Command, Ins, Refused, Sw, tlv
from sithsapp.card.virtual.crypto import Crypto
from sithsapp.card.virtual.files import Files
from sithsapp.card.virtual.pins import Pins
from sithsapp.card.virtual.store import CardStore

_MIN_AID = 5
_MAX_CHAIN = 1024


class _Application(Enum):
    CARD_MANAGER = data_objects.CARD_MANAGER_AID
    IDPRIME = data_objects.AID


class Applet:
    """Executes commands on a card's memory. Raises `Refused` with the status word of every refusal."""

    def __init__(self, store: CardStore) -> None:
        self._store = store
        self._files = Files(store)
        self._pins = Pins(store)
        self._crypto = Crypto(store, self._pins)
        self._application = _Application.CARD_MANAGER
        self._chain: Command | None = None
        self._handlers: dict[int, Callable[[Command], bytes | None]] = {
            Ins.VERIFY: self._pins.verify,
            Ins.VERIFY_ODD: self._pins.verify,
            Ins.MANAGE_SECURITY_ENVIRONMENT: self._crypto.manage,
            Ins.CHANGE_REFERENCE_DATA: self._pins.change,
            Ins.PERFORM_SECURITY_OPERATION: self._crypto.perform,
            Ins.RESET_RETRY_COUNTER: self._pins.unblock,
            Ins.GET_CHALLENGE: data_objects.get_challenge,
            Ins.GET_CONTEXT: data_objects.get_context,
            Ins.READ_BINARY: self._files.read_binary,
            Ins.GET_DATA: lambda command: data_objects.get_data(store.spec, command),
            Ins.GET_DATA_ODD: self._get_data_odd,
        }

    @property
    def signatures(self) -> int:
        """How many signatures were made since the card was opened."""
        return self._crypto.signatures

    def reset(self) -> None:
        """Do what a reset of the chip does: the card manager is selected and nothing is verified."""
        self._enter(_Application.CARD_MANAGER)

    def execute(self, command: Command) -> bytes:
        """Return the response data of a command that ends with 9000."""
        _check_class(command.cla)
        whole = self._unchain(command)
        if whole is None:
            return b""
        if whole.ins == Ins.SELECT:
            return self._select(whole)
        if self._application is _Application.CARD_MANAGER:
            return self._manage_cards(whole)
        handler = self._handlers.get(whole.ins)
        if handler is None:
            raise Refused(Sw.INS_NOT_SUPPORTED)
        return handler(whole) or b""

    def _enter(self, application: _Application) -> None:
        self._application = application
        self._chain = None
        for part in (self._files, self._pins, self._crypto):
            part.reset()

    def _select(self, command: Command) -> bytes:
        if command.p1 == 0x04:
            return self._select_application(command)
        if command.p1 not in (0x00, 0x08):
            raise Refused(Sw.WRONG_P1_P2)
        if self._application is _Application.CARD_MANAGER:
            raise Refused(Sw.FILE_NOT_FOUND)
        return self._files.select(command)

    def _select_application(self, command: Command) -> bytes:
        if command.p2 not in (0x00, 0x0C):
            raise Refused(Sw.WRONG_P1_P2)
        for application in (_Application.IDPRIME, _Application.CARD_MANAGER):
            if len(command.data) >= _MIN_AID and application.value.startswith(command.data):
                self._enter(application)
                return tlv(0x6F, tlv(0x84, application.value)) if command.p2 == 0x00 else b""
        raise Refused(Sw.FILE_NOT_FOUND)

    def _manage_cards(self, command: Command) -> bytes:
        if command.ins == Ins.GET_DATA and command.p1p2 == data_objects.CPLC_TAG:
            return data_objects.production_data(self._store.spec)
        raise Refused(Sw.INS_NOT_SUPPORTED)

    def _get_data_odd(self, command: Command) -> bytes:
        if command.p1p2 != 0x00FF:
            raise Refused(Sw.REFERENCE_NOT_FOUND)
        return self._pins.describe(command)

    def _unchain(self, command: Command) -> Command | None:
        begun, self._chain = self._chain, None
        if begun is None and not command.chained:
            return command
        if command.ins != Ins.PERFORM_SECURITY_OPERATION:
            raise Refused(Sw.LAST_OF_CHAIN_EXPECTED if begun else Sw.CHAINING_NOT_SUPPORTED)
        if begun is not None and begun.p1p2 != command.p1p2:
            raise Refused(Sw.LAST_OF_CHAIN_EXPECTED)
        data = (begun.data if begun else b"") + command.data
        if len(data) > _MAX_CHAIN:
            raise Refused(Sw.WRONG_LENGTH)
        whole = Command(command.cla & ~0x10, command.ins, command.p1, command.p2, data, command.le)
        if not command.chained:
            return whole
        self._chain = whole
        return None


def _check_class(cla: int) -> None:
    if cla & 0xE0:
        raise Refused(Sw.CLA_NOT_SUPPORTED)
    if cla & 0x03:
        raise Refused(Sw.CHANNEL_NOT_SUPPORTED)
    if cla & 0x0C:
        raise Refused(Sw.SECURE_MESSAGING_NOT_SUPPORTED)
