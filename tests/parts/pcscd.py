# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: a private pcscd, and virtual cards in its readers. Tests that use them are marked `e2e`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.vpcd import VpcdCard

_DEADLINE = 20.0

if TYPE_CHECKING:
    from sithsapp.card.virtual.pcscd import PrivatePcscd


def wait_for_presence(reader: str, *, present: bool) -> None:
    """Wait until the service that `PCSCLITE_CSOCK_NAME` names shows a card in the reader, or none."""
    from smartcard import scard

    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    assert result == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result)
    wanted = scard.SCARD_STATE_PRESENT if present else scard.SCARD_STATE_EMPTY
    deadline = time.monotonic() + _DEADLINE
    known = scard.SCARD_STATE_UNAWARE
    try:
        while not known & wanted:
            assert time.monotonic() < deadline, f"{reader}: not {'present' if present else 'empty'} in time"
            result, states = scard.SCardGetStatusChange(context, 1000, [(reader, known)])
            known = states[0][1] & ~scard.SCARD_STATE_CHANGED
    finally:
        scard.SCardReleaseContext(context)


class PcscSlots:
    """Puts cards into the slots of a private pcscd."""

    def __init__(self, service: PrivatePcscd) -> None:
        self.service = service
        self._cards: dict[int, VpcdCard] = {}

    def insert(self, card: VirtualCard, slot: int = 0) -> str:
        """Put a card into slot 0 or 1, in place of one that is there; return the reader's PC/SC name."""
        self.remove(slot)
        self._cards[slot] = VpcdCard(card, self.service.port(slot))
        self._cards[slot].insert()
        wait_for_presence(self.service.reader(slot), present=True)
        return self.service.reader(slot)

    def remove(self, slot: int = 0) -> None:
        """Pull the card out; harmless on an empty slot."""
        if slot in self._cards:
            self._cards.pop(slot).remove()
            wait_for_presence(self.service.reader(slot), present=False)

    def clear(self) -> None:
        """Pull every card out."""
        for slot in list(self._cards):
            self.remove(slot)


def _start() -> PrivatePcscd:
    if not sys.platform.startswith("linux"):
        pytest.skip("a private pcscd needs Linux")
    from sithsapp.card.virtual import pcscd

    reason = pcscd.unavailable()
    if reason is not None:
        pytest.skip(reason)
    service = pcscd.PrivatePcscd()
    service.start()
    return service


@pytest.fixture(scope="session")
def private_pcscd() -> Iterator[PrivatePcscd]:
    """A private pcscd for the session. `PCSCLITE_CSOCK_NAME` points to it while it runs.

    A test that kills or restarts a service starts its own `PrivatePcscd`.
    """
    service = _start()
    before = os.environ.get("PCSCLITE_CSOCK_NAME")
    os.environ.update(service.environment)
    yield service
    if before is None:
        os.environ.pop("PCSCLITE_CSOCK_NAME", None)
    else:
        os.environ["PCSCLITE_CSOCK_NAME"] = before
    service.stop()


@pytest.fixture
def pcsc_slots(private_pcscd: PrivatePcscd) -> Iterator[PcscSlots]:
    """The session's readers, empty before and after the test."""
    slots = PcscSlots(private_pcscd)
    yield slots
    slots.clear()
