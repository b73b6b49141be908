# SPDX-License-Identifier: EUPL-1.2
"""`siths status`, `readers`, `certs` and `demo-card` as processes of their own, over a real reader service."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from demo.stack import Stack
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON, DEMO_CODES, IssuerProfile, KeyPurpose
from sithsapp.card.virtual.personalise import CardOrder, Pair, new_card
from sithsapp.card.virtual.vpcd import VpcdCard
from sithsapp.failures import Failure
from tests.parts.command_line import CommandLine
from tests.parts.xvfb import wait_until

pytestmark = pytest.mark.e2e

ESCAPES = "\x1b[2J\x1b]0;owned\x07\r\x9b31m\u202e"
"""Clears the screen, names the window, begins the line again, turns red, and turns the text round."""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with Stack() as running:
        if running.why_no_reader is not None:
            pytest.skip(running.why_no_reader)
        yield running


@pytest.fixture
def siths(stack: Stack, tmp_path: Path) -> CommandLine:
    return CommandLine(stack, tmp_path)


@pytest.fixture
def escaping(siths: CommandLine, tmp_path: Path) -> Iterator[CommandLine]:
    """The command line, with a card in the second reader whose names speak to the terminal."""
    assert siths.stack.pcscd is not None
    person = replace(DEFAULT_PERSON, given_name=f"Eva{ESCAPES}", organisation=f"Region{ESCAPES}")
    order = CardOrder(person=person, pairs=(Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH),))
    card = new_card(tmp_path / "card", siths.stack.kit.pki, order, environment="demo")
    with VpcdCard(card, siths.stack.pcscd.port(1)):
        yield siths
    wait_until(lambda: len(cards_in(siths)) == 1)


def cards_in(siths: CommandLine) -> list[str]:
    """Return the readers with a card."""
    return [slot["reader"] for slot in siths.run("readers", "--json").data["readers"] if slot["status"] != "empty"]


class TestStatus:
    def test_json(self, siths: CommandLine) -> None:
        said = siths.run("status", "--json")
        first, second = said.data["readers"]
        assert (said.exit_code, said.data["environment"], said.data["service_running"]) == (0, "demo", True)
        assert (first["status"], second["status"]) == ("ready", "empty")
        assert first["certificates"] == 2
        assert first["atr"] == siths.stack.kit.card.atr.hex()
        assert {code["role"]: code["tries_left"] for code in first["codes"]} == {"auth": 3, "sign": 3, "puk": 10}
        assert said.err == ""

    def test_text(self, siths: CommandLine) -> None:
        said = siths.run("status")
        assert said.exit_code == 0
        assert "(demo)" in said.out
        assert "auth: 3 attempts left" in said.out
        assert said.err == ""

    def test_swedish(self, siths: CommandLine) -> None:
        assert "försök kvar" in siths.run("status", LANG="sv_SE.UTF-8").out

    def test_a_terminal_without_the_signs(self, siths: CommandLine) -> None:
        said = siths.run("status", LANG="sv_SE.UTF-8", PYTHONIOENCODING="ascii")
        assert (said.exit_code, "f?rs?k kvar" in said.out) == (0, True)
        assert siths.run("status", "--json", PYTHONIOENCODING="ascii").data["readers"]

    def test_no_reader_service(self, siths: CommandLine, tmp_path: Path) -> None:
        missing = {"PCSCLITE_CSOCK_NAME": str(tmp_path / "nothing")}
        failure = Failure.NO_READER_SERVICE
        said = siths.run("status", "--json", **missing)
        assert (said.exit_code, said.data["service_running"]) == (failure.exit_code, False)
        assert (said.data["failure"], said.data["readers"]) == ("R101", [])
        text = siths.run("status", **missing)
        assert text.exit_code == failure.exit_code
        assert "R101 The smart card service is not running" in text.err
        for command in ("readers", "certs"):
            said = siths.run(command, "--json", **missing)
            assert (said.exit_code, said.failure) == (failure.exit_code, "R101")

    def test_a_reader_without_a_card(self, stack: Stack, siths: CommandLine) -> None:
        assert stack.reader is not None
        stack.reader.remove()
        wait_until(lambda: not cards_in(siths))
        try:
            said = siths.run("status", "--json")
            assert (said.exit_code, said.data["failure"]) == (Failure.NO_CARD.exit_code, "R105")
            assert siths.run("certs", "--json").failure == "R105"
        finally:
            stack.reader.insert()


class TestReadersAndCertificates:
    def test_readers(self, siths: CommandLine) -> None:
        said = siths.run("readers")
        assert said.exit_code == 0
        assert [line.rpartition(": ")[2] for line in said.out.splitlines()] == ["ready", "empty"]

    def test_certificates(self, siths: CommandLine) -> None:
        found = siths.run("certs", "--json").data["certificates"]
        assert [certificate["code"] for certificate in found] == ["auth", "sign"]
        assert {certificate["hsaid"] for certificate in found} == {DEFAULT_PERSON.hsa_id}
        assert {certificate["holder"] for certificate in found} == {"Anna Andersson"}
        text = siths.run("certs")
        assert text.exit_code == 0
        assert text.out.count("Anna Andersson, Region Exempel") == 2

    @pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "JSON"])
    @pytest.mark.parametrize("command", ["certs", "status"])
    def test_names_cannot_speak_to_the_terminal(
        self, escaping: CommandLine, command: str, options: tuple[str, ...]
    ) -> None:
        said = escaping.run(command, *options)
        assert said.exit_code == 0
        assert all(sign == "\n" or sign.isprintable() for sign in said.out + said.err)
        assert "owned" not in said.out + said.err
        if command == "status":
            assert "C210" in said.out


@pytest.fixture
def two_cards(siths: CommandLine, tmp_path: Path) -> Iterator[list[str]]:
    """The readers' names, with a second person's card in the second."""
    assert siths.stack.pcscd is not None
    person = replace(DEFAULT_PERSON, given_name="Bertil")
    order = CardOrder(person=person, pairs=(Pair(IssuerProfile.HSA_ID_3, KeyPurpose.AUTH),))
    card = new_card(tmp_path / "card", siths.stack.kit.pki, order, environment="demo")
    with VpcdCard(card, siths.stack.pcscd.port(1)):
        wait_until(lambda: len(cards_in(siths)) == 2)
        yield cards_in(siths)
    wait_until(lambda: len(cards_in(siths)) == 1)


class TestUse:
    def test_a_card_is_chosen_for_the_commands_that_follow(self, siths: CommandLine, two_cards: list[str]) -> None:
        first, second = two_cards
        before = siths.run("pin", "status", "--json")
        assert (before.failure, before.exit_code) == ("C213", Failure.CHOICE_NEEDED.exit_code)
        said = siths.run("card", "use", second, "--json")
        assert (said.exit_code, said.data) == (0, {"active": second, "holder": "Bertil Andersson"})
        assert siths.run("pin", "status", "--json").data["reader"] == second
        assert siths.run("pin", "status", "--reader", first, "--json").data["reader"] == first
        listed = siths.run("card", "list", "--json").data["cards"]
        assert {card["holder"]: card["active"] for card in listed} == {
            "Anna Andersson": False,
            "Bertil Andersson": True,
        }
        assert "Bertil Andersson (active)" in siths.run("card", "list").out
        assert siths.run("card", "use", "--forget").exit_code == 0
        assert siths.run("pin", "status", "--json").failure == "C213"

    def test_a_reader_that_is_not_there_is_not_chosen(self, siths: CommandLine) -> None:
        said = siths.run("card", "use", "no such reader", "--json")
        assert (said.failure, said.exit_code) == ("R102", Failure.NO_READER.exit_code)
        assert siths.run("pin", "status").exit_code == 0


class TestDemoCard:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
    def test_it_is_in_the_reader_until_it_is_ended(
        self, siths: CommandLine, tmp_path: Path, number: signal.Signals
    ) -> None:
        assert siths.stack.pcscd is not None
        port = str(siths.stack.pcscd.port(1))
        running = siths.start("demo-card", str(tmp_path / "kit"), "--port", port, "--json")
        running.wait_for("first_codes", in_result=True)
        assert len(cards_in(siths)) == 2
        certificates = siths.run("certs", "--json").data["certificates"]
        assert len(certificates) == 4
        running.stop(number)
        said = running.end()
        assert said.exit_code == 130
        assert said.data["first_codes"]["auth"] == DEMO_CODES.pin1
        assert Path(said.data["anchors"]).is_file()
        assert said.err == ""
        wait_until(lambda: len(cards_in(siths)) == 1)

    def test_the_same_card_comes_again(self, siths: CommandLine, tmp_path: Path) -> None:
        assert siths.stack.pcscd is not None
        serials = []
        for _ in range(2):
            port = str(siths.stack.pcscd.port(1))
            running = siths.start("demo-card", str(tmp_path / "kit"), "--port", port, "--json")
            running.wait_for("first_codes", in_result=True)
            serials.append(siths.run("status", "--json").data["readers"][1]["serial"])
            running.stop(signal.SIGTERM)
            running.end()
            wait_until(lambda: len(cards_in(siths)) == 1)
        assert serials[0] == serials[1]

    def test_never_in_production(self, siths: CommandLine, tmp_path: Path) -> None:
        settings = siths.settings() | {"environment": "production"}
        said = siths.run("demo-card", str(tmp_path / "kit"), "--json", settings=settings)
        assert (said.failure, said.exit_code) == ("C211", Failure.VIRTUAL_CARD_REFUSED.exit_code)
        assert not (tmp_path / "kit").exists()
