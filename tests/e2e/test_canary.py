# SPDX-License-Identifier: EUPL-1.2
"""Whole runs with known secrets, which must turn up nowhere: in no file, log, output, argument or environment."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from authservice.rp.relying_party import Ask, RelyingParty
from authservice.rp.session import LoginSession, Pending
from demo.stack import Stack
from sithsapp.card.virtual.ca_profile import Codes, Person
from sithsapp.card.virtual.personalise import HSA_ID_PAIRS, PERSON_ID_PAIRS, CardOrder
from tests.parts.canaries import Canaries, Hit, Onlooker, caught_log
from tests.parts.command_line import ROOT, CommandLine, Visitor
from tests.parts.xvfb import end, wait_until

pytestmark = pytest.mark.e2e

CODES = Codes(pin1="8049137265", pin2="5730281946", puk="204816327395")
"""Longer than usual, so that no file holds them by chance."""

PERSON = Person(
    given_name="Kvastfenia",
    surname="Lundqvistsson",
    organisation="Region Exempel",
    hsa_id="TSTNMT2321000156-7K7L",
    personal_number="199909199391",
    upn="tstnmt2321000156-7k7l@exempel.test",
    card_number="9752269875000777777",
)
IDENTITY = {
    "given name": PERSON.given_name,
    "surname": PERSON.surname,
    "HSA-id": PERSON.hsa_id,
    "personal number": PERSON.personal_number,
}
PIN_SECRETS = {"PIN1": CODES.pin1, "PIN2": CODES.pin2, "PUK": CODES.puk, "wrong PIN": "6172839405"}

UNAVOIDABLE = {Hit("launch token", "cmdline"), Hit("verifier", "cmdline"), Hit("return nonce", "cmdline")}
"""The desktop hands links to programs as arguments: the launch link to the app, the return address to the browser.

Both serve once. The launch token is worthless after the claim, and a second claim ends the order; the verifier is
worthless without the cookie of the browser that began.
"""


@dataclass
class Run:
    """The secrets of the orders that were begun, and what was said besides the files."""

    stack: Stack
    siths: CommandLine
    visitor: Visitor
    secrets: dict[str, str] = field(default_factory=dict)
    outputs: list[Path] = field(default_factory=list)

    def begin(self, name: str) -> str:
        link = self.visitor.begin()
        self.secrets[f"{name} token"] = parse_qs(urlsplit(link).query)["t"][0]
        return link


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """A stack whose programs log all that they can, and whose relying party tells us its references."""
    order = CardOrder(person=PERSON, codes=CODES, pairs=HSA_ID_PAIRS + PERSON_ID_PAIRS)
    with Stack(card=order) as stack:
        path = stack.xdg("CONFIG_HOME") / "sithsapp" / "settings.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"log_level": "debug"}))
        siths = CommandLine(stack, tmp_path)
        found = Run(stack, siths, Visitor(siths, tmp_path))
        start = RelyingParty.start

        def noted(self: RelyingParty, session: LoginSession, ask: Ask) -> Pending:
            pending = start(self, session, ask)
            found.secrets[f"order reference {len(found.secrets)}"] = pending.created.order_ref
            found.secrets["return nonce"] = pending.return_nonce
            return pending

        monkeypatch.setattr(RelyingParty, "start", noted)
        yield found


def log_in_by_command(run: Run) -> None:
    """Enter a wrong code, then the right one, and come back to the browser."""
    assert run.siths.login(run.begin("wrong PIN's"), PIN_SECRETS["wrong PIN"]).failure == "P301"
    link = run.begin("launch")
    with Onlooker(Canaries(run.secrets | PIN_SECRETS | IDENTITY)) as onlooker:
        assert run.siths.login(link, CODES.pin1).exit_code == 0
        address = run.visitor.address_of_return()
    run.secrets["verifier"] = parse_qs(urlsplit(address).query)["oob_verifier"][0]
    assert PERSON.given_name in run.visitor.come_back()
    assert Hit("launch token", "cmdline") in onlooker.hits  # it does see what there is to see
    assert onlooker.hits <= UNAVOIDABLE


def decline_in_tray(run: Run, home: Path) -> None:
    """Let the tray app take an order, and end it while the code is asked for."""
    output = home / "tray"
    environment = run.siths.environment | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, "-m", "sithsapp"]
    with output.open("wb") as written:
        tray = subprocess.Popen([*command, "--hidden"], env=environment, cwd=ROOT, stdout=written, stderr=written)
        try:
            wait_until(lambda: any(run.stack.xdg("RUNTIME_DIR").rglob("*.sock")), 20)
            link = run.begin("tray")
            with Onlooker(Canaries(PIN_SECRETS | IDENTITY)) as onlooker:
                handed = subprocess.run(
                    [*command, "--url", link], env=environment, cwd=ROOT, stdout=written, timeout=20
                )
                assert handed.returncode == 0
                wait_until(lambda: "Skriv din säkerhetskod" in run.visitor.page(), 20)
            assert onlooker.hits == set()
            tray.send_signal(signal.SIGTERM)
            tray.wait(20)
        finally:
            end(tray)
    wait_until(lambda: "avbr" in run.visitor.page(), 20)
    run.outputs.append(output)


def secret_owners(stack: Stack) -> dict[str, set[Path]]:
    """Return which secrets have a home in files, and where."""
    kit = stack.kit.directory
    cache = stack.xdg("CACHE_HOME")
    return {
        **{name: {kit / "card"} for name in PIN_SECRETS},  # the card's own memory
        # The certificates, which are public, on the card and in the app's cache; the events were asked for by name.
        **{name: {kit / "card", cache, stack.events} for name in IDENTITY},
    }


def misplaced(hits: set[Hit], owners: dict[str, set[Path]]) -> set[Hit]:
    """Return the hits outside of the secrets' homes."""
    return {
        hit for hit in hits if not any(Path(hit.where).is_relative_to(home) for home in owners.get(hit.secret, set()))
    }


def test_no_secret_is_left_anywhere(
    run: Run, tmp_path: Path, capfd: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with caught_log("", "authservice", "sithsapp") as log:
        decline_in_tray(run, tmp_path)
        log_in_by_command(run)
    canaries = Canaries(run.secrets | PIN_SECRETS | IDENTITY)
    assert len(run.secrets) >= 8

    logs = sorted((run.stack.xdg("STATE_HOME") / "sithsapp" / "log").iterdir())
    assert [path.name for path in logs] == ["cli.log", "tray.log"]
    assert all("DEBUG" in path.read_text() for path in logs)
    assert any("signature" in line or "created by" in line for line in log.lines)

    assert run.stack.pcscd is not None
    roots = [run.stack.directory, run.stack.pcscd.socket_path.parent.parent]
    assert misplaced(canaries.find_in_files(roots), secret_owners(run.stack)) == set()
    assert canaries.find(log.content, "service's log") == set()
    out, err = capfd.readouterr()
    assert canaries.find((out + err).encode(), "service's output") == set()
    said = [path.read_bytes() for path in [*run.outputs, *tmp_path.glob("run-*/*")] if path.is_file()]
    assert len(said) >= 5
    assert canaries.find(b"\n".join(said), "output") == set()


def reported(run: Run, tmp_path: Path) -> bytes:
    """Have the command line make an error report of all that happened, and return what is in its file."""
    words = " ".join([*PIN_SECRETS.values(), *IDENTITY.values(), *run.secrets.values()])
    (tmp_path / "description").write_text(f"It did not work: {words}")
    place, file = str(tmp_path / "description"), str(tmp_path / "report.zip")
    said = run.siths.run("support", "report", "--output", file, "--description-file", place, "--failure", "P301")
    assert (said.exit_code, said.err) == (0, "")
    with zipfile.ZipFile(file) as archive:
        return b"\n".join(each for name in archive.namelist() for each in (name.encode(), archive.read(name)))


def test_no_secret_is_in_an_error_report(run: Run, tmp_path: Path) -> None:
    with caught_log("", "authservice", "sithsapp"):
        decline_in_tray(run, tmp_path)
        log_in_by_command(run)
    content = reported(run, tmp_path)
    canaries = Canaries(run.secrets | PIN_SECRETS | IDENTITY)
    assert canaries.find(content, "report") == set()
    assert b"attempts left" in content  # the card was there, and the logs of the wrong code and the right one
    assert content.count(b"P301") >= 2
    assert b"log-tray.txt" in content
    assert b"It did not work: " in content


SECRET = "8049137265"
PLANT = Canaries({"it": SECRET})


@pytest.mark.parametrize(
    "written",
    [
        f"PIN {SECRET}".encode(),
        SECRET.encode("utf-16"),
        b"00 20 00 11 10 " + SECRET.encode().hex(" ").upper().encode(),
        SECRET.encode().hex().encode(),
        b'"eDgwNDkxMzcyNjV=": "ODA0OTEzNzI2NQ=="',
    ],
    ids=["text", "wide", "APDU", "hexadecimal", "base64"],
)
def test_a_secret_in_a_file_is_found(tmp_path: Path, written: bytes) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "app.log").write_bytes(b"\x00\xff" * 1000 + written)
    assert PLANT.find_in_files([tmp_path]) == {Hit("it", str(tmp_path / "deep" / "app.log"))}


def test_a_secret_in_a_files_name_is_found(tmp_path: Path) -> None:
    (tmp_path / SECRET).touch()
    assert PLANT.find_in_files([tmp_path])


def _log_an_exception(logger: logging.Logger) -> None:
    try:
        raise ValueError(SECRET)
    except ValueError:
        logger.exception("it failed")


@pytest.mark.parametrize(
    "leak",
    [
        lambda logger: logger.debug("the code is %s", SECRET),
        lambda logger: logger.debug("%s", {"pin": SECRET.encode()}),
        _log_an_exception,
    ],
    ids=["argument", "object", "exception"],
)
@pytest.mark.parametrize("name", ["sithsapp.card.iso7816", "authservice.web"])
def test_a_secret_in_the_log_is_found(name: str, leak: Callable[[logging.Logger], None]) -> None:
    with caught_log("", "authservice", "sithsapp") as log:
        leak(logging.getLogger(name))
    assert PLANT.find(log.content, "log") == {Hit("it", "log")}


@pytest.mark.parametrize("part", ["cmdline", "environ"])
def test_a_secret_of_a_process_is_found(part: str) -> None:
    program = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    program += [SECRET] if part == "cmdline" else []
    environment = {"CODE": SECRET} if part == "environ" else {}
    with Onlooker(PLANT) as onlooker:
        process = subprocess.Popen(program, env=environment, stdin=subprocess.PIPE)
        try:
            wait_until(lambda: bool(onlooker.hits))
        finally:
            process.communicate()
    assert onlooker.hits == {Hit("it", part)}


def test_a_secret_is_at_home_in_its_owner_alone(tmp_path: Path) -> None:
    hits = {Hit("PIN1", str(tmp_path / "card" / "card.json")), Hit("PIN1", str(tmp_path / "log"))}
    assert misplaced(hits, {"PIN1": {tmp_path / "card"}}) == {Hit("PIN1", str(tmp_path / "log"))}
