# SPDX-License-Identifier: EUPL-1.2
"""`siths login` as a process of its own against a real service and a real reader service with a virtual card."""

from __future__ import annotations

import base64
import json
import os
import pty
import select
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from authservice.certificates import AnchoredJudge
from authservice.demo import DemoOptions, start_demo
from demo.stack import Stack
from demo.witness import Witness
from sithsapp.card.virtual.ca_profile import IssuerProfile, KeyPurpose, LeafVariant
from sithsapp.card.virtual.ca_status import StatusMode
from sithsapp.card.virtual.card import Latency, VirtualCard
from sithsapp.card.virtual.personalise import CardOrder, Pair, new_card
from sithsapp.card.virtual.vpcd import VpcdCard
from sithsapp.failures import Failure
from sithsapp.oob.protocol.jwk import jwk_of
from tests.parts.command_line import AUTH, PIN1, ROOT, SITHS, WRONG, CommandLine, Said, Visitor, restore
from tests.parts.xvfb import end, wait_until

pytestmark = pytest.mark.e2e

TOKEN = base64.urlsafe_b64encode(bytes(32)).decode().rstrip("=")
"""Well-formed, and no order's."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        if running.why_no_reader is not None:
            pytest.skip(running.why_no_reader)
        yield running


@pytest.fixture
def siths(stack: Stack, tmp_path: Path) -> Iterator[CommandLine]:
    """The command line; afterwards all is as it was: codes, reader, speed, revocation."""
    yield CommandLine(stack, tmp_path)
    assert stack.reader is not None
    restore(stack.kit.card)
    stack.kit.card.latency = Latency()
    stack.kit.server.ocsp_mode = stack.kit.server.crl_mode = StatusMode.NORMAL
    forget_answers(stack)
    stack.reader.insert()


@pytest.fixture
def visitor(siths: CommandLine, tmp_path: Path) -> Visitor:
    return Visitor(siths, tmp_path)


def forget_answers(stack: Stack) -> None:
    """Let the service ask the issuer again: it keeps good answers for minutes."""
    judge = stack.backend.context.judge
    assert isinstance(judge, AnchoredJudge)
    judge._validator.forget()


def tries(siths: CommandLine) -> int:
    return siths.stack.kit.card.tries_left(AUTH)


def expect(said: Said, failure: Failure) -> None:
    assert (said.failure, said.exit_code) == (failure.number, failure.exit_code), said


@contextmanager
def other_card(siths: CommandLine, directory: Path, order: CardOrder) -> Iterator[VirtualCard]:
    """Put another card of the same issuer in the place of the stack's own.

    The reader service looks for cards a few times a second, and does not notice a card that is swapped faster.
    """
    stack = siths.stack
    assert stack.pcscd is not None
    assert stack.reader is not None
    card = new_card(directory, stack.kit.pki, order, environment="demo")
    stack.reader.remove()
    wait_until(lambda: not is_card_in(siths))
    with VpcdCard(card, stack.pcscd.port()):
        yield card
    wait_until(lambda: not is_card_in(siths))


def is_card_in(siths: CommandLine) -> bool:
    return any(slot["status"] != "empty" for slot in siths.run("readers", "--json").data["readers"])


def test_a_person_logs_in(siths: CommandLine, visitor: Visitor) -> None:
    witness = Witness(siths.stack.events)
    said = siths.login(visitor.begin())
    assert (said.exit_code, said.data) == (0, {"result": "accepted", "code": None})
    assert "Journalsystem Exempel asks you to identify yourself" in said.err
    assert "Anna Andersson" in visitor.come_back()
    events = list(witness.events())
    assert [event.event for event in events] == ["started", "principal"]
    assert (events[1].name, events[1].hsaid, events[1].binding) == (
        "Anna Andersson",
        "TSTNMT2321000156-1A2B",
        "return",
    )
    assert tries(siths) == 3


class TestCodes:
    def test_a_wrong_code_costs_one_try(self, siths: CommandLine, visitor: Visitor) -> None:
        signed = siths.stack.kit.card.signatures
        said = siths.login(visitor.begin(), WRONG)
        expect(said, Failure.PIN_WRONG)
        assert said.data["error"]["tries_left"] == 2
        assert tries(siths) == 2
        assert siths.stack.kit.card.signatures == signed
        assert "avbr" in visitor.page()

    def test_the_last_try_needs_a_yes(self, siths: CommandLine, visitor: Visitor) -> None:
        for _ in range(2):
            siths.login(visitor.begin(), WRONG)
        assert tries(siths) == 1
        refused = siths.login(visitor.begin(), PIN1)
        expect(refused, Failure.LAST_TRY_NOT_CONFIRMED)
        assert refused.data["error"]["tries_left"] == 1
        assert tries(siths) == 1
        locked = siths.login(visitor.begin(), WRONG, "--last-try-ok")
        expect(locked, Failure.PIN_LOCKED)
        assert locked.data["error"]["tries_left"] == 0
        assert tries(siths) == 0
        assert "Lås upp med PUK" in visitor.page()
        expect(siths.login(visitor.begin(), PIN1, "--last-try-ok"), Failure.PIN_LOCKED)

    def test_the_right_code_at_the_last_try_logs_in(self, siths: CommandLine, visitor: Visitor) -> None:
        for _ in range(2):
            siths.login(visitor.begin(), WRONG)
        assert siths.login(visitor.begin(), PIN1, "--last-try-ok").exit_code == 0
        assert tries(siths) == 3

    @pytest.mark.parametrize(
        ("code", "failure"),
        [
            ("", Failure.PIN_NOT_GIVEN),
            ("12", Failure.PIN_FORMAT),
            ("12345678901234567", Failure.PIN_FORMAT),
            ("80491x", Failure.PIN_FORMAT),
        ],
    )
    def test_no_usable_code_costs_no_try(
        self, siths: CommandLine, visitor: Visitor, code: str, failure: Failure
    ) -> None:
        expect(siths.login(visitor.begin(), code), failure)
        assert tries(siths) == 3

    def test_neither_terminal_nor_descriptor(self, siths: CommandLine, visitor: Visitor) -> None:
        expect(siths.run("login", visitor.begin(), "--json"), Failure.PIN_NOT_GIVEN)
        expect(siths.run("login", visitor.begin(), "--json", "--pin-fd", "987"), Failure.PIN_NOT_GIVEN)
        assert tries(siths) == 3


class TestLinks:
    @pytest.mark.parametrize(
        "link",
        [
            "",
            f"siths:start?v=1&s=demo&t={TOKEN}&u=https://elsewhere.example",
            f"other:start?v=1&s=demo&t={TOKEN}",
            "siths:start?v=1&s=demo&t=\x1b[2J",
            "siths:start?" + "v" * 100_000,
        ],
    )
    def test_a_bad_link(self, siths: CommandLine, link: str) -> None:
        said = siths.run("login", "--json", "--", link)
        expect(said, Failure.BAD_LINK)
        assert "\x1b" not in said.out + said.err
        assert TOKEN not in said.out + said.err

    def test_an_unknown_service(self, siths: CommandLine) -> None:
        expect(siths.login(f"siths:start?v=1&s=elsewhere&t={TOKEN}"), Failure.UNKNOWN_SERVICE)

    def test_a_link_that_nobody_made(self, siths: CommandLine) -> None:
        expect(siths.login(f"siths:start?v=1&s=demo&t={TOKEN}"), Failure.CLAIM_REFUSED)
        assert tries(siths) == 3

    def test_a_link_that_is_used_twice_is_worth_nothing_to_either(self, siths: CommandLine, visitor: Visitor) -> None:
        witness = Witness(siths.stack.events)
        link = visitor.begin()
        first = siths.start_login(link)
        first.wait_for("Reference")
        expect(siths.login(link), Failure.CLAIM_REFUSED)
        assert "Inloggningen kunde inte kopplas till din webbläsare" in visitor.page()
        first.give(PIN1)
        said = first.end()
        assert said.failure in (Failure.ORDER_CANCELLED.number, Failure.ORDER_USED_TWICE.number)
        assert not any(event.event == "principal" for event in witness.events())
        assert tries(siths) == 3

    def test_a_finished_link_cannot_be_used_again(self, siths: CommandLine, visitor: Visitor) -> None:
        link = visitor.begin()
        assert siths.login(link).exit_code == 0
        expect(siths.login(link), Failure.CLAIM_REFUSED)


class TestCertificates:
    def test_an_expired_card(self, siths: CommandLine, visitor: Visitor, tmp_path: Path) -> None:
        pair = Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH, variant=LeafVariant.EXPIRED)
        with other_card(siths, tmp_path / "expired", CardOrder(pairs=(pair,))) as card:
            expect(siths.login(visitor.begin()), Failure.CERTIFICATE_EXPIRED)
            assert card.tries_left(AUTH) == 3

    def test_a_revoked_card(self, siths: CommandLine, visitor: Visitor) -> None:
        der = siths.stack.kit.card.spec.containers[0].certificate
        assert der is not None
        certificate = x509.load_der_x509_certificate(der)
        siths.stack.kit.pki.revoke(certificate)
        forget_answers(siths.stack)
        try:
            expect(siths.login(visitor.begin()), Failure.CERTIFICATE_INVALID)
        finally:
            siths.stack.kit.pki.reinstate(certificate)
        assert "Kortet är spärrat eller för gammalt" in visitor.page()
        assert tries(siths) == 3

    def test_nobody_gets_in_while_revocation_cannot_be_checked(self, siths: CommandLine, visitor: Visitor) -> None:
        server = siths.stack.kit.server
        server.ocsp_mode = server.crl_mode = StatusMode.DOWN
        forget_answers(siths.stack)
        expect(siths.login(visitor.begin()), Failure.STATUS_UNAVAILABLE)
        assert "giltighet kunde inte kontrolleras" in visitor.page()


class TestServices:
    def test_a_service_that_has_stopped(self, siths: CommandLine, visitor: Visitor, tmp_path: Path) -> None:
        kit = siths.stack.kit
        options = DemoOptions(anchors=kit.anchors, intermediates=kit.issuers, state_directory=tmp_path)
        with start_demo(options) as stopped:
            services = json.loads(stopped.trust_configuration.read_bytes())["services"]
        expect(
            siths.login(visitor.begin(), settings=siths.settings() | {"services": services}),
            Failure.SERVICE_UNREACHABLE,
        )
        assert tries(siths) == 3

    def test_a_service_that_speaks_in_anothers_name(self, siths: CommandLine, visitor: Visitor) -> None:
        settings = siths.settings()
        key = settings["services"][0]["order_keys"][0]
        stranger = jwk_of(ec.generate_private_key(ec.SECP256R1()).public_key())
        key["x"], key["y"] = stranger.x, stranger.y
        said = siths.login(visitor.begin(), settings=settings)
        expect(said, Failure.ORDER_SIGNATURE_INVALID)
        assert "Journalsystem" not in said.out + said.err
        assert tries(siths) == 3

    def test_a_demo_service_is_unknown_in_production(self, siths: CommandLine, visitor: Visitor) -> None:
        settings = siths.settings() | {"environment": "production"}
        expect(siths.login(visitor.begin(), settings=settings), Failure.UNKNOWN_SERVICE)

    def test_a_virtual_card_is_refused_in_production(self, siths: CommandLine, visitor: Visitor) -> None:
        card = str(siths.stack.kit.card_directory)
        settings = siths.settings() | {"environment": "production", "virtual_card": card}
        expect(siths.login(visitor.begin(), settings=settings), Failure.VIRTUAL_CARD_REFUSED)

    def test_settings_that_are_broken_are_named_and_left_out(self, siths: CommandLine, visitor: Visitor) -> None:
        said = siths.login(visitor.begin(), settings="{ broken")
        expect(said, Failure.UNKNOWN_SERVICE)
        assert "A904" in said.err
        assert "settings.json" in said.err

    def test_settings_that_cannot_be_followed(self, siths: CommandLine, visitor: Visitor) -> None:
        settings = siths.settings() | {"extra_ca": [str(siths.browser) + ".missing"]}
        expect(siths.login(visitor.begin(), settings=settings), Failure.SETTINGS_INVALID)


class TestReaders:
    def test_a_card_that_comes_late(self, siths: CommandLine, visitor: Visitor) -> None:
        assert siths.stack.reader is not None
        siths.stack.reader.remove()
        running = siths.start_login(visitor.begin())
        running.give(PIN1)
        running.wait_for("Insert your card")
        siths.stack.reader.insert()
        assert running.end().exit_code == 0
        assert "Anna Andersson" in visitor.come_back()

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_an_interruption_declines_the_order(
        self, siths: CommandLine, visitor: Visitor, number: signal.Signals
    ) -> None:
        assert siths.stack.reader is not None
        siths.stack.reader.remove()
        running = siths.start_login(visitor.begin())
        running.wait_for("Insert your card")
        running.stop(number)
        expect(running.end(), Failure.CANCELLED_BY_USER)
        assert "avbr" in visitor.page()

    def test_an_interruption_at_the_prompt_spends_nothing(self, siths: CommandLine, visitor: Visitor) -> None:
        running = siths.start_login(visitor.begin())
        running.wait_for("Reference")
        running.stop(signal.SIGINT)
        expect(running.end(), Failure.CANCELLED_BY_USER)
        assert tries(siths) == 3

    def test_a_card_that_is_pulled_while_it_signs(self, siths: CommandLine, visitor: Visitor) -> None:
        card, reader = siths.stack.kit.card, siths.stack.reader
        assert reader is not None
        card.latency = Latency(signature=1.0)
        signed = card.signatures
        running = siths.start_login(visitor.begin())
        running.give(PIN1)
        wait_until(lambda: card.signatures > signed)
        reader.remove()
        expect(running.end(), Failure.CARD_REMOVED)
        assert tries(siths) == 3

    def test_no_reader_service_is_waited_for_too(self, siths: CommandLine, visitor: Visitor, tmp_path: Path) -> None:
        running = siths.start_login(visitor.begin(), PCSCLITE_CSOCK_NAME=str(tmp_path / "nothing"))
        running.wait_for("Connect a card reader")
        running.stop(signal.SIGINT)
        expect(running.end(), Failure.CANCELLED_BY_USER)


@pytest.mark.skipif(not Path("/dev/ptmx").exists(), reason="needs pseudo-terminals")
class TestTerminal:
    def test_a_person_types_the_code(self, siths: CommandLine, visitor: Visitor) -> None:
        with TypingPerson(siths, visitor.begin()) as person:
            person.wait_for("3 attempts left")
            person.type(WRONG + "\r")
            person.wait_for("2 attempts left")
            person.type(PIN1 + "\r")
            shown, exit_code = person.end()
        assert exit_code == 0
        assert "Wrong code" in shown
        assert "You are identified" in shown
        assert shown.count("\u2022") == 12
        assert WRONG not in shown
        assert PIN1 not in shown
        assert "Anna Andersson" in visitor.come_back()
        assert tries(siths) == 3

    def test_a_prompt_ends_with_its_order(self, siths: CommandLine, visitor: Visitor) -> None:
        with TypingPerson(siths, visitor.begin()) as person:
            person.wait_for("3 attempts left")
            visitor.cancel()
            shown, exit_code = person.end()
        assert exit_code == Failure.ORDER_CANCELLED.exit_code
        assert "S503" in shown
        assert tries(siths) == 3


class TypingPerson:
    """Somebody at a real terminal, with `siths login` running in it."""

    def __init__(self, siths: CommandLine, link: str) -> None:
        self._shown = b""
        self._terminal, theirs = pty.openpty()
        command = [*SITHS, "login", link]
        self._process = subprocess.Popen(
            command, env=siths.environment, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        end(self._process)
        os.close(self._terminal)

    def wait_for(self, text: str) -> None:
        while text not in self._shown.decode("utf-8", "replace"):
            assert self._read(), self._shown

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def end(self) -> tuple[str, int]:
        while self._read():
            pass
        return self._shown.decode(), self._process.wait(20)

    def _read(self) -> bool:
        assert select.select([self._terminal], [], [], 30)[0], self._shown
        try:
            part = os.read(self._terminal, 1000)
        except OSError:  # Linux says so when the last program has left the terminal
            return False
        self._shown += part
        return bool(part)
