# SPDX-License-Identifier: EUPL-1.2
"""Codes typed on a reader with keys: real pcscd, a real reader driver with part 10, and the app as processes.

The driver is vpcd's with keys beside it, made for these tests; a real reader's firmware may differ.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from sithsapp.card.virtual.vpcd import VpcdCard
from sithsapp.failures import Failure
from tests.card.helpers import Recorder, eventually
from tests.parts import pad_reader
from tests.parts.pad_reader import PadService
from tests.parts.siths import Siths
from tests.parts.virtual_card import CardFactory

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a private pcscd needs Linux"),
]
PIN1, PIN2, PUK, NEW, WRONG = DEMO_CODES.pin1, DEMO_CODES.pin2, DEMO_CODES.puk, "275904", "606182"
STATUS_OF_PIN1 = bytes.fromhex("0020001100")
SELECT = bytes.fromhex("00A4040C0BA000000018800000000662")

SIGN = """
import json, sys, threading
from sithsapp.card.model import SignatureScheme
from sithsapp.card.pcsc import PcscReaders
from sithsapp.card.pin import PadEntry
from sithsapp.card.service import CardService
from sithsapp.failures import SithsError
ready = threading.Event()
service = CardService([PcscReaders()])
service.subscribe(lambda state: ready.set() if state.cards else None)
service.start()
assert ready.wait(20)
card = service.state.cards[0]
said = {"keys": card.pin_pad is not None, "changes": card.pin_pad is not None and card.pin_pad.changes}
try:
    scheme = SignatureScheme.PS256
    said["signature"] = service.sign(card.id, sys.argv[1], scheme, b"m", PadEntry()).result(40).hex()
except SithsError as error:
    said |= {"failure": error.failure.number, "tries_left": error.tries_left}
service.close()
print(json.dumps(said))
"""


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory whose path is short enough for sockets."""
    directory = Path(tempfile.mkdtemp(prefix="siths-pad-", dir="/tmp"))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def pad(place: Path) -> Iterator[PadService]:
    service = pad_reader.start(place)
    yield service
    service.close()


@pytest.fixture
def siths(pad: PadService, card: VirtualCard, make_card: CardFactory, tmp_path: Path) -> Iterator[Siths]:
    """The command line over that reader, with a card in it."""
    with VpcdCard(card, pad.service.port()):
        yield Siths(make_card.directory(), tmp_path / "home", pcsc_socket=pad.socket)


def sign(siths: Siths, credential: str = "00") -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-c", SIGN, credential], env=siths.environment, capture_output=True, timeout=60, check=True
    )
    found: dict[str, object] = json.loads(done.stdout)
    return found


def tries(siths: Siths) -> list[int]:
    return [siths.card().tries_left(reference) for reference in (0x11, 0x83, 0x84)]


def test_both_codes_sign(pad: PadService, siths: Siths) -> None:
    (listed,) = siths.run("card", "list", "--json").data["cards"]
    assert listed["pin_pad"] is True
    for credential, code in (("00", PIN1), ("01", PIN2)):
        pad.fingers.press(code)
        said = sign(siths, credential)
        assert (said["keys"], said["changes"]) == (True, True)
        assert len(bytes.fromhex(str(said["signature"]))) == 256
    assert pad.fingers.asked[-2:] == ["V 6 16 21"] * 2
    assert tries(siths) == [3, 3, 10]


def test_a_wrong_code_costs_one_try(pad: PadService, siths: Siths) -> None:
    pad.fingers.press(WRONG)
    said = sign(siths)
    assert (said["failure"], said["tries_left"]) == ("P301", 2)
    assert tries(siths) == [2, 3, 10]


@pytest.mark.parametrize(
    ("status", "failure"),
    [
        ("6400", Failure.PIN_PAD_TIMEOUT),
        ("6401", Failure.PIN_PAD_CANCELLED),
        ("6403", Failure.PIN_FORMAT),
        ("6B80", Failure.PIN_PAD_REFUSED),
    ],
)
def test_what_the_reader_says(pad: PadService, siths: Siths, status: str, failure: Failure) -> None:
    pad.fingers.answer(status)
    assert sign(siths)["failure"] == failure.number
    assert tries(siths) == [3, 3, 10]


def test_a_code_is_changed_on_the_reader(pad: PadService, siths: Siths) -> None:
    pad.fingers.press(PIN1, NEW, NEW)
    said = siths.run("pin", "change", "--json")
    assert (said.exit_code, said.data["result"]) == (0, "changed")
    assert "Enter the code on the card reader" in said.err
    assert pad.fingers.asked[-1] == "M 6 16 37"
    pad.fingers.press(NEW)
    assert "signature" in sign(siths)


def test_new_codes_that_differ(pad: PadService, siths: Siths) -> None:
    pad.fingers.press(PIN1, NEW, "275905")
    assert siths.run("pin", "change", "--json").number == Failure.NEW_PINS_DIFFER.number
    assert tries(siths) == [3, 3, 10]


def test_a_code_is_unlocked_on_the_reader(pad: PadService, siths: Siths) -> None:
    for option in ((), (), ("--last-try-ok",)):
        pad.fingers.press(WRONG, NEW, NEW)
        siths.run("pin", "change", "--json", *option)
    assert tries(siths) == [0, 3, 10]
    pad.fingers.press("48162048", NEW, NEW)
    assert siths.run("pin", "unblock", "--json").number == Failure.PUK_WRONG.number
    assert tries(siths) == [0, 3, 9]
    pad.fingers.press(PUK, NEW, NEW)
    assert siths.run("pin", "unblock", "--json").exit_code == 0
    assert tries(siths) == [3, 3, 10]


def test_the_last_try_is_not_asked_for_unallowed(pad: PadService, siths: Siths) -> None:
    for _ in range(2):
        pad.fingers.press(WRONG, NEW, NEW)
        assert siths.run("pin", "change", "--json").number == Failure.PIN_WRONG.number
    before = len(pad.fingers.asked)
    assert siths.run("pin", "change", "--json").number == Failure.LAST_TRY_NOT_CONFIRMED.number
    assert len(pad.fingers.asked) == before
    assert tries(siths) == [1, 3, 10]


def test_codes_from_elsewhere_go_past_the_keys(pad: PadService, siths: Siths) -> None:
    before = len(pad.fingers.asked)
    said = siths.run("pin", "change", "--json", codes={"--pin-fd": PIN1, "--new-pin-fd": NEW})
    assert said.exit_code == 0
    assert len(pad.fingers.asked) == before


def test_a_code_that_is_typed_after_the_app_has_gone_opens_nothing(
    pad: PadService, siths: Siths, card: VirtualCard
) -> None:
    pad.fingers.patient = True
    recorder = Recorder(card)
    program = subprocess.Popen([sys.executable, "-c", SIGN, "00"], env=siths.environment, stdout=subprocess.DEVNULL)
    try:
        eventually(lambda: bool(pad.fingers.asked))
    finally:
        program.kill()
        program.wait()
    pad.fingers.press(PIN1)
    eventually(lambda: any(command.startswith("0020001110") for command in recorder.commands))
    # The service resets a card that it was holding for a program that is gone; then our application is not selected.
    eventually(lambda: card.process(STATUS_OF_PIN1) == b"\x6d\x00")
    assert card.process(SELECT) == b"\x90\x00"
    assert card.process(STATUS_OF_PIN1) == b"\x63\xc3"
    assert card.signatures == 0


def test_a_reader_that_lies_is_not_asked(
    place: Path, card: VirtualCard, make_card: CardFactory, tmp_path: Path
) -> None:
    directory = place / "liar"
    directory.mkdir()
    liar = pad_reader.start(directory, properties=pad_reader.OMNIKEY)
    try:
        with VpcdCard(card, liar.service.port()):
            siths = Siths(make_card.directory(), tmp_path / "home", pcsc_socket=liar.socket)
            said = sign(siths)
            assert (said["keys"], said["failure"]) == (False, Failure.PIN_PAD_REFUSED.number)
            assert liar.fingers.asked == []
    finally:
        liar.close()


def test_keys_that_only_verify(place: Path, card: VirtualCard, make_card: CardFactory, tmp_path: Path) -> None:
    simple = pad_reader.start(place, features=pad_reader.VERIFY_ALONE)
    try:
        with VpcdCard(card, simple.service.port()):
            siths = Siths(make_card.directory(), tmp_path / "home", pcsc_socket=simple.socket)
            simple.fingers.press(PIN1)
            said = sign(siths)
            assert (said["keys"], said["changes"]) == (True, False)
            assert "signature" in said
            assert siths.run("pin", "change", "--json").number == Failure.PIN_NOT_GIVEN.number
    finally:
        simple.close()
