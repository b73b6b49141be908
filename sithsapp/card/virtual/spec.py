# SPDX-License-Identifier: EUPL-1.2
"""What is on a virtual card: the values that are given at creation and kept on disk from then on."""

from __future__ import annotations

from enum import IntEnum

from msgspec import Struct

from sithsapp.card.transport import CardProtocol

NO_COUNTRY = bytes.fromhex("0FFE")
SWEDEN = bytes.fromhex("02F0")
CHIP_940 = bytes.fromhex("5956FB")
CHIP_940C = bytes.fromhex("050039")
SEEN_IN_SWEDEN_KEY_REFERENCE = 0x5E
OPENSC_0_23_KEY_REFERENCE = 0x56
"""OpenSC 0.23 takes this plus the container number for granted (fact sheet section 6)."""


class PinReference(IntEnum):
    """PIN references of a 940 (fact sheet section 5)."""

    PIN1 = 0x11
    PIN2 = 0x83
    PUK = 0x84


class PinSpec(Struct, frozen=True, kw_only=True):
    """One code: its value in digits, and how many tries remain of how many."""

    reference: int
    value: str
    tries_left: int
    tries: int
    unblocked_by: int | None = None
    min_length: int = 6
    max_length: int = 16
    changed: bool = True  # False: a transport PIN, which must be changed before keys can be used


class ContainerSpec(Struct, frozen=True, kw_only=True):
    """One container: a key (PKCS#8 DER) with its certificate (X.509 DER), or either of the two alone.

    `pin` is the PIN that the key needs; `signature` names the certificate file kscNN instead of kxcNN;
    `compressed` stores it as a zlib stream with a header of four bytes.
    """

    number: int
    pin: int
    private_key: bytes | None = None
    certificate: bytes | None = None
    key_reference: int
    signature: bool = False
    compressed: bool = True


class Freshness(Struct, frozen=True):
    """The minidriver's counters in the file cardcf."""

    pins: int = 1
    containers: int = 1
    files: int = 1


class CardSpec(Struct, frozen=True, kw_only=True):
    """The whole card. `serial` is 8 bytes, `chip` 3 and `country` 2 bytes of the ATR."""

    containers: tuple[ContainerSpec, ...]
    pins: tuple[PinSpec, ...]
    serial: bytes
    label: str = "SITHS e-id kort"
    protocol: CardProtocol = CardProtocol.T0
    chip: bytes = CHIP_940
    country: bytes = SWEDEN
    pin_field_length: int = 16
    has_key_map: bool = True
    has_container_map: bool = True
    blocked_status: int = 0x6983
    freshness: Freshness = Freshness()

    @property
    def atr(self) -> bytes:
        """The answer to reset (fact sheet section 2)."""
        history = bytes.fromhex("80318065B085") + self.chip + b"\x12" + self.country + bytes.fromhex("829000")
        if self.protocol is CardProtocol.T0:
            return bytes.fromhex("3B7F960000") + history
        body = bytes.fromhex("FF9600008131FE43") + history
        check = 0
        for value in body:
            check ^= value
        return b"\x3b" + body + bytes([check])


def standard_pins(pin1: str, pin2: str, puk: str) -> tuple[PinSpec, ...]:
    """Return PIN1, PIN2 (three tries each) and the PUK (ten tries) that unblocks both."""
    return (
        PinSpec(reference=PinReference.PIN1, value=pin1, tries_left=3, tries=3, unblocked_by=PinReference.PUK),
        PinSpec(reference=PinReference.PIN2, value=pin2, tries_left=3, tries=3, unblocked_by=PinReference.PUK),
        PinSpec(reference=PinReference.PUK, value=puk, tries_left=10, tries=10, min_length=8),
    )
