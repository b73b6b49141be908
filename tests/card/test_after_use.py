# SPDX-License-Identifier: EUPL-1.2
"""After whatever was done with a card, no other program signs with it without a code: over a real reader service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sithsapp.card.model import Card, PinRole, SignatureScheme
from sithsapp.card.service import CardService
from sithsapp.card.virtual.personalise import for_opensc_0_23
from sithsapp.failures import Failure, SithsError
from tests.card.helpers import CODES, WRONG, Watcher, pin
from tests.parts.opensc import OpenSc, require_opensc
from tests.parts.pcscd import PcscSlots
from tests.parts.virtual_card import CardFactory

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not sys.platform.startswith("linux"), reason="private pcscd")]

DEADLINE = 20.0
RS256 = SignatureScheme.RS256
AUTH, SIGN, PUK = CODES[PinRole.AUTH], CODES[PinRole.SIGN], CODES[PinRole.PUK]
NEW = "864201"

THIEF = """
import sys
from sithsapp.card.pcsc import PcscReaders
select = bytes.fromhex("00A4040C0BA000000018800000000662")
made = 0
for with_select in (False, True):
    connection = PcscReaders().connect(sys.argv[1])
    with connection.transaction():
        if with_select:
            connection.transmit(select)
        for key in (0x56, 0x57):
            connection.transmit(bytes.fromhex("002241B606800142840156")[:-1] + bytes([key]))
            connection.transmit(bytes.fromhex("002A90A0229020") + bytes(32))
            made += connection.transmit(bytes.fromhex("002A9E9A00"))[-2:] == b"\\x90\\x00"
    connection.disconnect()
print(made)
"""


class Scene:
    """A card in use by a running card service, and the programs that try to use it too."""

    def __init__(self, service: CardService, card: Card, opensc: OpenSc) -> None:
        self.service = service
        self.card = card
        self.opensc = opensc

    def stolen(self) -> int:
        """Return how many signatures another process of ours got without a code."""
        command = [sys.executable, "-c", THIEF, self.opensc.reader]
        done = subprocess.run(command, env=dict(os.environ), capture_output=True, timeout=30, check=True)
        return int(done.stdout)

    def stolen_with_opensc(self) -> bool:
        """Tell whether pkcs11-tool got a signature without logging in."""
        message, signature = self.opensc.home / "message", self.opensc.home / "signature"
        message.write_bytes(b"m")
        files = ("--input-file", message, "--output-file", signature)
        done = self.opensc.pkcs11("--sign", "--id", "0001", "--mechanism", "SHA256-RSA-PKCS", *files)
        return done.returncode == 0 or (signature.exists() and signature.stat().st_size > 0)


@pytest.fixture
def scene(tmp_path: Path, pcsc_slots: PcscSlots, make_card: CardFactory) -> Iterator[Scene]:
    from sithsapp.card.pcsc import PcscReaders

    require_opensc()
    opensc = OpenSc(tmp_path, pcsc_slots, make_card(for_opensc_0_23()))
    service = CardService([PcscReaders()])
    watcher = Watcher(service)
    service.start()
    yield Scene(service, watcher.kept(), opensc)
    service.close()


def signs(scene: Scene) -> None:
    assert scene.service.sign(scene.card.id, "00", RS256, b"m", pin(AUTH)).result(DEADLINE)


def signs_a_document(scene: Scene) -> None:
    assert scene.service.sign(scene.card.id, "01", RS256, b"m", pin(SIGN)).result(DEADLINE)


def types_a_wrong_code(scene: Scene) -> None:
    error = scene.service.sign(scene.card.id, "00", RS256, b"m", pin(WRONG)).exception(DEADLINE)
    assert isinstance(error, SithsError)
    assert error.failure is Failure.PIN_WRONG


def changes_the_code(scene: Scene) -> None:
    scene.service.change_pin(scene.card.id, PinRole.AUTH, pin(AUTH), pin(NEW)).result(DEADLINE)


def changes_the_signing_code(scene: Scene) -> None:
    scene.service.change_pin(scene.card.id, PinRole.SIGN, pin(SIGN), pin(NEW)).result(DEADLINE)


def changes_with_a_wrong_code(scene: Scene) -> None:
    assert scene.service.change_pin(scene.card.id, PinRole.AUTH, pin(WRONG), pin(NEW)).exception(DEADLINE)


def changes_to_a_code_that_the_card_refuses(scene: Scene) -> None:
    assert scene.service.change_pin(scene.card.id, PinRole.AUTH, pin(AUTH), pin("12345")).exception(DEADLINE)


def unblocks(scene: Scene) -> None:
    scene.service.unblock(scene.card.id, PinRole.AUTH, pin(PUK), pin(NEW)).result(DEADLINE)


def unblocks_the_signing_code(scene: Scene) -> None:
    scene.service.unblock(scene.card.id, PinRole.SIGN, pin(PUK), pin(NEW)).result(DEADLINE)


def unblocks_with_a_wrong_puk(scene: Scene) -> None:
    assert scene.service.unblock(scene.card.id, PinRole.AUTH, pin("48162048"), pin(NEW)).exception(DEADLINE)


def looks(scene: Scene) -> None:
    scene.service.pin_state(scene.card.id, PinRole.AUTH).result(DEADLINE)
    scene.service.prepare(scene.card.id, "00", RS256).result(DEADLINE)


@pytest.mark.parametrize(
    "action",
    [
        signs,
        signs_a_document,
        types_a_wrong_code,
        changes_the_code,
        changes_the_signing_code,
        changes_with_a_wrong_code,
        changes_to_a_code_that_the_card_refuses,
        unblocks,
        unblocks_the_signing_code,
        unblocks_with_a_wrong_puk,
        looks,
    ],
)
def test_nobody_signs_without_a_code_afterwards(scene: Scene, action: Callable[[Scene], None]) -> None:
    action(scene)
    # A signature is delivered before the card has logged out; the next question waits for that.
    scene.service.pin_state(scene.card.id, PinRole.AUTH).result(DEADLINE)
    made = scene.opensc.card.signatures
    assert scene.stolen() == 0
    assert not scene.stolen_with_opensc()
    assert scene.opensc.card.signatures == made


def test_the_thief_would_succeed_at_a_card_that_was_left_open(scene: Scene) -> None:
    from sithsapp.card.pcsc import PcscReaders

    careless = PcscReaders().connect(scene.opensc.reader)
    careless.transmit(bytes.fromhex("0020001110") + AUTH.encode().ljust(16, b"\0"))
    assert scene.stolen() > 0
    careless.disconnect(reset=True)
