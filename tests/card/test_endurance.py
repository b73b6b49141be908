# SPDX-License-Identifier: EUPL-1.2
"""Restarts, insertions and crowds at a real reader service leave nothing behind; the benchmark has longer runs."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.endurance import Endurance, Watch, insertions, restarts
from sithsapp.card.model import PinRole
from sithsapp.card.service import CardService
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.personalise import for_opensc_0_23
from sithsapp.card.virtual.vpcd import VpcdCard
from tests.card.helpers import CODES
from tests.parts.opensc import OpenSc, require_opensc
from tests.parts.pcscd import PcscSlots
from tests.parts.virtual_card import CardFactory

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="private pcscd")]

ROUNDS = 25
CROWD_SECONDS = float(os.environ.get("SITHS_CROWD_SECONDS", "20"))
"""A crowd of a minute is `SITHS_CROWD_SECONDS=60`; every run of the tests takes a third of it."""
SLOWEST_RETURN = 2.0
MEMORY_SLACK = 1024
"""KiB: what an allocator may keep over so few rounds; a leak of one connection each is far beyond it."""

SIGNER = """
import sys, threading, time
from sithsapp.card.model import SignatureScheme
from sithsapp.card.pcsc import PcscReaders
from sithsapp.card.pin import Pin
from sithsapp.card.service import CardService
ready = threading.Event()
service = CardService([PcscReaders()])
service.subscribe(lambda state: ready.set() if state.cards else None)
service.start()
assert ready.wait(20)
card = service.state.cards[0]
end = time.monotonic() + float(sys.argv[2])
made = 0
while time.monotonic() < end:
    code = Pin(bytearray(sys.argv[1].encode()))
    assert service.sign(card.id, "00", SignatureScheme.RS256, b"m", code).result(20)
    made += 1
service.close()
print(made)
"""


@pytest.fixture
def inserted(pcsc_slots: PcscSlots, card: VirtualCard) -> Iterator[tuple[PcscSlots, VpcdCard, Watch]]:
    from sithsapp.card.pcsc import PcscReaders

    pcsc_slots.insert(card)
    service = CardService([PcscReaders()])
    watch = Watch(service)
    service.start()
    yield pcsc_slots, pcsc_slots._cards[0], watch
    service.close()
    if not pcsc_slots.service.running:
        pcsc_slots.service.restart()


def assert_nothing_left(result: Endurance) -> None:
    assert result.after.threads <= result.before.threads, result
    assert result.after.descriptors <= result.before.descriptors, result
    assert result.after.held <= result.before.held + MEMORY_SLACK, result


def test_restarts(inserted: tuple[PcscSlots, VpcdCard, Watch]) -> None:
    slots, _, watch = inserted
    result = restarts(slots.service, watch, ROUNDS)
    assert_nothing_left(result)
    assert result.slowest_service < SLOWEST_RETURN


def test_insertions(inserted: tuple[PcscSlots, VpcdCard, Watch]) -> None:
    _, card, watch = inserted
    result = insertions(card, watch, ROUNDS)
    assert_nothing_left(result)
    assert result.slowest_card < SLOWEST_RETURN


def test_a_crowd_signs_on_one_card(pcsc_slots: PcscSlots, make_card: CardFactory, tmp_path: Path) -> None:
    require_opensc()
    opensc = OpenSc(tmp_path, pcsc_slots, make_card(for_opensc_0_23()))
    card = opensc.card
    command = [sys.executable, "-c", SIGNER, CODES[PinRole.AUTH], str(CROWD_SECONDS)]
    ours = [
        subprocess.Popen(command, env=dict(os.environ), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for _ in range(2)
    ]
    try:
        theirs = _sign_with_opensc(opensc, time.monotonic() + CROWD_SECONDS)
        made = [_made(program) for program in ours]
    finally:
        for program in ours:
            program.kill()
            program.wait()
    assert min(made) > 0
    assert theirs > 0
    assert card.signatures >= sum(made) + theirs
    assert [card.tries_left(reference) for reference in (0x11, 0x83, 0x84)] == [3, 3, 10]


def _made(program: subprocess.Popen[bytes]) -> int:
    output, _ = program.communicate(timeout=60)
    assert program.returncode == 0, output.decode()
    return int(output.split()[-1])


def _sign_with_opensc(opensc: OpenSc, end: float) -> int:
    """Sign again and again in new processes of OpenSC; return how many signatures it made."""
    message = opensc.home / "message"
    message.write_bytes(b"m")
    login = ("--login", "--pin", CODES[PinRole.AUTH], "--id", "0001", "--sign", "--mechanism", "SHA256-RSA-PKCS")
    made = 0
    while time.monotonic() < end:
        signature = opensc.home / f"signature-{made}"
        result = opensc.pkcs11(*login, "--input-file", message, "--output-file", signature)
        assert result.returncode == 0, result.stderr
        made += 1
    return made
