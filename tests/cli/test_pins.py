# SPDX-License-Identifier: EUPL-1.2
"""`siths pin`: the rules before the card, the card's answers, and the prompts."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from tests.parts.pcscd import PcscSlots
from tests.parts.siths import Siths
from tests.parts.virtual_card import CardFactory

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(sys.platform == "win32", reason="descriptors and terminals of Unix"),
]

PIN1, PIN2, PUK = DEMO_CODES.pin1, DEMO_CODES.pin2, DEMO_CODES.puk
NEW, WRONG = "275904", "606182"
REFERENCES = {"auth": 0x11, "sign": 0x83, "puk": 0x84}


@pytest.fixture
def siths(card: VirtualCard, make_card: CardFactory, tmp_path: Path) -> Siths:
    return Siths(make_card.directory(), tmp_path / "home")


def value(siths: Siths, role: str = "auth") -> str:
    return next(pin.value for pin in siths.card().spec.pins if pin.reference == REFERENCES[role])


def tries(siths: Siths) -> list[int]:
    card = siths.card()
    return [card.tries_left(reference) for reference in REFERENCES.values()]


def change(siths: Siths, old: str, new: str, *options: str) -> tuple[int, str]:
    result = siths.run("pin", "change", "--json", *options, codes={"--pin-fd": old, "--new-pin-fd": new})
    return result.exit_code, "" if result.exit_code == 0 else result.number


def unblock(siths: Siths, puk: str, new: str, *options: str) -> tuple[int, str]:
    result = siths.run("pin", "unblock", "--json", *options, codes={"--puk-fd": puk, "--new-pin-fd": new})
    return result.exit_code, "" if result.exit_code == 0 else result.number


def test_status(siths: Siths) -> None:
    codes = siths.run("pin", "status", "--json").data["codes"]
    assert [(code["role"], code["tries_left"], code["blocked"]) for code in codes] == [
        ("auth", 3, False),
        ("sign", 3, False),
        ("puk", 10, False),
    ]
    assert "Signing code (sign): 3 attempts left" in siths.run("pin", "status", "--role", "sign").out
    assert "Underskriftskod (sign)" in siths.run("pin", "status", LANG="sv_SE.UTF-8").out


@pytest.mark.parametrize(("role", "old", "untouched"), [("auth", PIN1, PIN2), ("sign", PIN2, PIN1)])
def test_change(siths: Siths, role: str, old: str, untouched: str) -> None:
    result = siths.run("pin", "change", "--role", role, "--json", codes={"--pin-fd": old + "\n", "--new-pin-fd": NEW})
    assert result.exit_code == 0
    assert (result.data["result"], result.data["code"]["role"]) == ("changed", role)
    assert result.data["warnings"] == ["codes-may-be-equal"]
    assert (value(siths, role), value(siths, "sign" if role == "auth" else "auth")) == (NEW, untouched)


def test_auth_is_meant_unless_another_is_named(siths: Siths) -> None:
    assert change(siths, PIN1, NEW) == (0, "")
    assert (value(siths), value(siths, "sign")) == (NEW, PIN2)


@pytest.mark.parametrize(
    ("old", "new", "number", "exit_code"),
    [
        ("80491", NEW, "P306", 65),
        ("8" * 17, NEW, "P306", 65),
        (PIN1, "27590", "P306", 65),
        (PIN1, "27 904", "P306", 65),
        (PIN1, PIN1, "P311", 70),
        (PIN1, "444444", "P313", 72),
        (PIN1, "234567", "P313", 72),
        (PIN1, "321098", "P313", 72),
        ("", NEW, "P308", 67),
        (PIN1, "", "P308", 67),
    ],
)
def test_broken_rules_never_reach_the_card(siths: Siths, old: str, new: str, number: str, exit_code: int) -> None:
    assert change(siths, old, new) == (exit_code, number)
    assert (tries(siths), value(siths)) == ([3, 3, 10], PIN1)
    # A wrong old code shows that the card was not even asked.
    if old == PIN1:
        assert change(siths, WRONG if new != PIN1 else new, new)[1] == number
        assert tries(siths) == [3, 3, 10]


def test_a_trivial_code_may_be_allowed(siths: Siths) -> None:
    assert change(siths, PIN1, "234567", "--allow-trivial") == (0, "")
    assert value(siths) == "234567"


def test_the_organisation_may_refuse_trivial_codes(siths: Siths) -> None:
    settings = Path(siths.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"refuse_easy_codes": True}))
    assert change(siths, PIN1, "234567", "--allow-trivial") == (72, "P313")
    assert (tries(siths)[0], value(siths)) == (3, PIN1)


def test_wrong_codes_count_down_and_the_last_try_needs_a_word(siths: Siths) -> None:
    assert change(siths, WRONG, NEW) == (60, "P301")
    assert change(siths, WRONG, NEW) == (60, "P301")
    assert change(siths, WRONG, NEW) == (64, "P305")
    assert tries(siths)[0] == 1
    assert change(siths, PIN1, NEW, "--last-try-ok") == (0, "")
    assert tries(siths)[0] == 3


def test_a_locked_code_is_unlocked_with_the_puk(siths: Siths) -> None:
    for _ in range(3):
        change(siths, WRONG, NEW, "--last-try-ok")
    locked = siths.run("pin", "change", codes={"--pin-fd": PIN1, "--new-pin-fd": NEW})
    assert (locked.exit_code, locked.number) == (61, "P302")
    assert "6XX" in locked.err
    assert "7XX" in locked.err
    shown = siths.run("pin", "status", "--json").data
    assert shown["codes"][0]["blocked"] is True
    assert len(shown["advice"]) == 4
    assert "siths pin unblock" in shown["advice"][-1]
    assert unblock(siths, "48162048", NEW) == (62, "P303")
    assert unblock(siths, PUK, NEW) == (0, "")
    assert (value(siths), tries(siths)) == (NEW, [3, 3, 10])


def test_unblocking_the_signing_code(siths: Siths) -> None:
    assert unblock(siths, PUK, NEW, "--role", "sign") == (0, "")
    assert (value(siths, "sign"), value(siths)) == (NEW, PIN1)


@pytest.mark.parametrize(
    ("puk", "new", "number"),
    [(PUK[:7], NEW, "P306"), (PUK, "27590", "P306"), (PUK, PUK, "P311"), (PUK, "987654", "P313")],
)
def test_broken_rules_of_unblocking_never_reach_the_card(siths: Siths, puk: str, new: str, number: str) -> None:
    assert unblock(siths, puk, new)[1] == number
    assert (tries(siths), value(siths)) == ([3, 3, 10], PIN1)


def test_the_end_of_the_puk_says_who_helps(siths: Siths) -> None:
    for left in range(9, 0, -1):
        assert unblock(siths, "48162048", NEW) == (62, "P303")
        assert tries(siths)[2] == left
    assert unblock(siths, "48162048", NEW) == (64, "P305")
    assert tries(siths)[2] == 1
    assert unblock(siths, "48162048", NEW, "--last-try-ok") == (66, "P307")
    data = siths.run("pin", "unblock", "--json", codes={"--puk-fd": PUK, "--new-pin-fd": NEW}).data
    assert data["error"]["number"] == "P307"
    advice = " ".join(data["error"]["advice"])
    assert "the card must be replaced" in advice
    assert "7XX: visit an ID administrator" in advice
    swedish = siths.run("pin", "status", LANG="sv_SE.UTF-8").out
    assert "7XX: besök en ID-administratör" in swedish


def test_both_codes_may_come_through_one_descriptor(siths: Siths) -> None:
    import os
    import subprocess

    read, write = os.pipe()
    os.write(write, f"{PIN1}\n{NEW}\n".encode())
    os.close(write)
    command = [sys.executable, "-m", "sithsapp.cli.main", "pin", "change"]
    options = ["--pin-fd", str(read), "--new-pin-fd", str(read)]
    done = subprocess.run([*command, *options], env=siths.environment, pass_fds=[read], check=False, timeout=30)
    os.close(read)
    assert done.returncode == 0
    assert value(siths) == NEW


def test_the_readers_name_is_checked(siths: Siths) -> None:
    assert siths.run("pin", "status", "--reader", "none", "--json").number == "R102"
    assert siths.run("pin", "status", "--reader", "SITHS Virtual Reader 0").exit_code == 0


class TestTerminal:
    def test_change(self, siths: Siths) -> None:
        answers = [
            ("Identification code (3 attempts left):", PIN1 + "\r"),
            ("New code (Identification code):", NEW + "\r"),
            ("once more:", NEW + "\r"),
        ]
        result = siths.at_terminal("pin", "change", answers=answers)
        assert result.exit_code == 0, result.err
        assert "The code is changed." in result.out
        assert "Use different codes" in result.err
        assert not any(code in result.err + result.out for code in (PIN1, NEW))
        assert value(siths) == NEW

    def test_the_new_code_must_be_typed_twice_alike(self, siths: Siths) -> None:
        answers = [("left):", WRONG + "\r"), ("New code", NEW + "\r"), ("once more:", "275905\r")]
        assert siths.at_terminal("pin", "change", answers=answers).number == "P312"
        assert (tries(siths), value(siths)) == ([3, 3, 10], PIN1)

    @pytest.mark.parametrize(("answer", "after"), [("no\n", PIN1), ("\n", PIN1), ("yes\n", "234567")])
    def test_a_trivial_code_needs_a_yes(self, siths: Siths, answer: str, after: str) -> None:
        answers = [("left):", PIN1 + "\r"), ("New code", "234567\r"), ("more:", "234567\r"), ("(yes/no)", answer)]
        result = siths.at_terminal("pin", "change", answers=answers)
        assert result.exit_code == (0 if after == "234567" else 72)
        assert value(siths) == after

    def test_giving_up(self, siths: Siths) -> None:
        answers = [("left):", PIN1 + "\r"), ("New code", "27\x03")]
        assert siths.at_terminal("pin", "change", answers=answers).number == "A905"
        assert value(siths) == PIN1

    def test_unblock(self, siths: Siths) -> None:
        answers = [("PUK code (10 attempts left):", PUK + "\r"), ("New code", NEW + "\r"), ("more:", NEW + "\r")]
        assert siths.at_terminal("pin", "unblock", answers=answers).exit_code == 0
        assert value(siths) == NEW


@pytest.mark.parametrize("option", ["--pin", "--new-pin", "--puk", "--new"])
def test_an_option_is_never_guessed(siths: Siths, option: str) -> None:
    assert siths.run("pin", "unblock" if option == "--puk" else "change", option, PIN1).exit_code == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="private pcscd")
def test_the_card_in_the_named_reader_is_changed(
    pcsc_slots: PcscSlots, make_card: CardFactory, tmp_path: Path
) -> None:
    cards = [make_card(), make_card()]
    first, second = (pcsc_slots.insert(card, slot) for slot, card in enumerate(cards))
    siths = Siths(make_card.directory(), tmp_path / "home", pcsc_socket=str(pcsc_slots.service.socket_path))
    assert change(siths, PIN1, NEW) == (42, "C213")
    assert change(siths, PIN1, NEW, "--reader", second) == (0, "")
    values = [next(pin.value for pin in card.spec.pins if pin.reference == 0x11) for card in cards]
    assert values == [PIN1, NEW]
    assert unblock(siths, PUK, "918273", "--reader", second) == (0, "")
    exported = siths.run("certs", "export", "--json")
    assert exported.number == "C213"
    assert siths.run("certs", "export", "--reader", first, "--id", "00", "--json").exit_code == 0


def test_without_a_terminal_nothing_is_asked(siths: Siths) -> None:
    assert siths.run("pin", "change", "--json").number == "P308"
