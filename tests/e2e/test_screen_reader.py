# SPDX-License-Identifier: EUPL-1.2
"""The real app used by assistive technology alone: it reads, enters, presses and hears, and never learns the code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from demo.stack import Stack
from sithsapp.card.virtual.ca_profile import Codes
from sithsapp.card.virtual.personalise import CardOrder
from tests.parts.assistant import Assistant, assistant, is_installed, session_bus
from tests.parts.canaries import Canaries
from tests.parts.command_line import ROOT, CommandLine, Visitor
from tests.parts.xvfb import Screen, end, wait_until, xvfb
from tests.parts.xvfb import is_installed as has_screen

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (has_screen() and is_installed()), reason="needs Xvfb, openbox, dbus-daemon and AT-SPI"),
]

CODES = Codes(pin1="8049137265", pin2="5730281946", puk="204816327395")
WRONG = "6172839405"
SECRETS = Canaries({"PIN1": CODES.pin1, "wrong PIN": WRONG})
SECONDS = 20
_DEAF = "0.8"  # a window that has just come up takes no keys


@dataclass
class Desk:
    """A screen with the app on it, an assistant beside it, and the person's browser."""

    screen: Screen
    assistant: Assistant
    visitor: Visitor

    def focused(self) -> str:
        """Return the name of what has the focus."""
        try:
            return str(self.assistant.focused()["name"])
        except LookupError:
            return ""

    def settle(self) -> None:
        """Let the window's first moments pass."""
        self.screen.run("xdotool", "sleep", _DEAF)

    def said(self, words: str) -> bool:
        """Tell whether the app had something with those words announced."""
        return any(words in text for text in self.assistant.announcements())


@contextmanager
def _app(screen: Screen, stack: Stack, link: str) -> Iterator[None]:
    command = [sys.executable, "-m", "sithsapp"]
    app = subprocess.Popen([*command, "--hidden"], env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: any(stack.xdg("RUNTIME_DIR").rglob("*.sock")), SECONDS)
        subprocess.run([*command, "--url", link], env=screen.environment, cwd=ROOT, timeout=SECONDS, check=True)
        yield
    finally:
        end(app)


def _make_default_browser(stack: Stack, program: Path) -> None:
    entries = stack.xdg("DATA_HOME") / "applications"
    entries.mkdir()
    entry = f"[Desktop Entry]\nType=Application\nName=Browser\nExec={program} %u\nMimeType=x-scheme-handler/http;\n"
    (entries / "visitor.desktop").write_text(entry)
    defaults = "[Default Applications]\nx-scheme-handler/http=visitor.desktop\n"
    (stack.xdg("CONFIG_HOME") / "mimeapps.list").write_text(defaults)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir()
    with (
        xvfb(home) as screen,
        session_bus(screen.environment | {"LANGUAGE": "sv"}) as environment,
        Stack(environment=environment, card=CardOrder(codes=CODES)) as stack,
        assistant(environment) as helper,
    ):
        command_line = CommandLine(stack, tmp_path)
        visitor = Visitor(command_line, tmp_path)
        _make_default_browser(stack, command_line.browser)
        with _app(Screen(screen.display, stack.environment), stack, visitor.begin()):
            made = Desk(screen, helper, visitor)
            wait_until(lambda: made.focused() == "Legitimeringskod", SECONDS)
            yield made


def test_a_person_who_does_not_see_logs_in(desk: Desk) -> None:
    desk.settle()
    field = desk.assistant.focused()
    assert field["role"] == "password text"
    assert "vill att du legitimerar dig" in field["description"]
    assert "3 försök kvar" in field["description"]

    desk.assistant.enter(WRONG)
    assert set(desk.assistant.focused()["text"]) == {"●"}
    desk.assistant.press("Legitimera")
    wait_until(lambda: desk.said("2 försök kvar"), SECONDS)
    wait_until(lambda: desk.focused() == "Legitimeringskod", SECONDS)
    assert "Fel legitimeringskod" in desk.assistant.focused()["description"]

    desk.screen.run("xdotool", "type", "--delay", "20", CODES.pin1)
    wait_until(lambda: len(desk.assistant.focused()["text"]) == len(CODES.pin1), SECONDS)
    desk.assistant.press("Legitimera")
    wait_until(lambda: desk.said("Du är legitimerad"), SECONDS)
    assert "Anna Andersson" in desk.visitor.come_back()

    desk.assistant.tree()
    assert any(each.event.startswith("object:text-changed") for each in desk.assistant.heard)
    assert SECRETS.find(desk.assistant.everything, "accessibility bus") == set()


def test_the_tree_names_all_that_can_be_used(desk: Desk) -> None:
    shown = [thing for thing in desk.assistant.tree() if "showing" in thing["states"]]
    usable = [thing for thing in shown if "focusable" in thing["states"] and thing["role"] != "frame"]
    assert [thing for thing in usable if not thing["name"]] == []
    assert {thing["name"] for thing in usable} >= {"Legitimeringskod", "Visa koden", "Legitimera", "Avbryt"}
    words = " ".join(thing["name"] for thing in shown)
    for told in ("Anna Andersson", "vill att du legitimerar dig", "TSTNMT2321000156-1A2B"):
        assert told in words


def test_the_tab_key_goes_round_in_order(desk: Desk) -> None:
    desk.settle()
    seen = []
    for _ in range(5):
        before = desk.focused()
        desk.screen.run("xdotool", "key", "Tab")
        wait_until(lambda before=before: desk.focused() != before, SECONDS)  # type: ignore[misc] # a bound default
        seen.append(desk.focused())
    assert seen == ["Legitimera", "Avbryt", "Visa koden", "Jag startade inte det här", "Legitimeringskod"]
