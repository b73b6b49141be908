# SPDX-License-Identifier: EUPL-1.2
"""GET DATA and its relatives (fact sheet section 4)."""

from __future__ import annotations

import os

from sithsapp.card.virtual.apdu import Command, Refused, Sw, tlv
from sithsapp.card.virtual.spec import CardSpec

AID = bytes.fromhex("A000000018800000000662")
CARD_MANAGER_AID = bytes.fromhex("A000000018434D00")
CPLC_TAG = 0x9F7F
_APPLET_VERSION = b"4.4.2.A"
_CONTEXT = bytes.fromhex("6F118410A5040602")
_MAX_CHALLENGE = 64


def production_data(spec: CardSpec) -> bytes:
    """Return 9F7F: card production life cycle data, with the card's serial as IC serial number and batch."""
    cplc = bytearray.fromhex("4090789712916223 0400BA4B".replace(" ", "")) + spec.serial[:4] + spec.serial[4:6]
    return tlv(CPLC_TAG, bytes(cplc).ljust(42, b"\0"))


def get_data(spec: CardSpec, command: Command) -> bytes:
    """Answer GET DATA in the application; raises `Refused(6A88)` for an unknown tag."""
    if command.p1p2 == CPLC_TAG:
        return production_data(spec)
    if command.p1p2 == 0xDF30:
        return tlv(0xDF30, _APPLET_VERSION)
    if command.p1p2 == 0x7F30:
        return tlv(0xC0, b"IAS Classic v4") + tlv(0xC1, _APPLET_VERSION)
    if command.p1p2 == 0xDF35:
        return tlv(0xDF35, b"\x7f\xff")
    raise Refused(Sw.REFERENCE_NOT_FOUND)


def get_context(command: Command) -> bytes:
    """Answer INS A6: eight constant bytes and the selected application."""
    if command.p1p2 != 0 or command.data:
        raise Refused(Sw.WRONG_P1_P2)
    return _CONTEXT + AID


def get_challenge(command: Command) -> bytes:
    """Answer GET CHALLENGE with Le random bytes."""
    if command.p1 != 0 or command.p2 not in (0, 1):
        raise Refused(Sw.WRONG_P1_P2)
    if command.data or command.le is None or command.le > _MAX_CHALLENGE:
        raise Refused(Sw.WRONG_LENGTH)
    return os.urandom(command.le)
