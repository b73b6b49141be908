# SPDX-License-Identifier: EUPL-1.2
"""Fixtures: a private pcscd, and virtual cards in its readers. Tests that use them are marked `e2e`."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.vpcd import VpcdCard

_DEADLINE = 20.0
_DIRECTORY = pytest.StashKey[Path]()

if TYPE_CHECKING:
    from sithsapp.card.virtual.pcscd import PrivatePcscd


def wait_for_presence(reader: str, *, present: bool) -> None:
    """Wait until the session's service shows a card in the reader, or none."""
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


def pytest_configure(config: pytest.Config) -> None:
    """Point every PC/SC call of the test process to a socket of its own, before the first of them.

    libpcsclite reads the variable once, so a test process can meet one service only; and no test meets real cards.
    """
    directory = tempfile.mkdtemp(prefix="siths-pcscd-", dir="/tmp" if os.path.isdir("/tmp") else None)
    config.stash[_DIRECTORY] = Path(directory)
    os.environ["PCSCLITE_CSOCK_NAME"] = str(Path(directory) / "run" / "pcscd.comm")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Remove the socket's directory."""
    shutil.rmtree(config.stash[_DIRECTORY], ignore_errors=True)


def _start(directory: Path) -> PrivatePcscd:
    if not sys.platform.startswith("linux"):
        pytest.skip("a private pcscd needs Linux")
    from sithsapp.card.virtual import pcscd

    reason = pcscd.unavailable()
    if reason is not None:
        pytest.skip(reason)
    service = pcscd.PrivatePcscd(directory)
    service.start()
    return service


@pytest.fixture(scope="session")
def private_pcscd(pytestconfig: pytest.Config) -> Iterator[PrivatePcscd]:
    """The session's private pcscd, the only one that this process can meet.

    A test may `kill` it if it does `restart` it.
    """
    service = _start(pytestconfig.stash[_DIRECTORY])
    yield service
    service.stop()


@pytest.fixture
def pcsc_slots(private_pcscd: PrivatePcscd) -> Iterator[PcscSlots]:
    """The session's readers, empty before and after the test."""
    if not private_pcscd.running:  # a test that failed may have left it so
        private_pcscd.restart()
    slots = PcscSlots(private_pcscd)
    yield slots
    slots.clear()
