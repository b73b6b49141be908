# SPDX-License-Identifier: EUPL-1.2
"""The real app on a real screen, used by assistive technology alone: is my certificate revoked?"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509

from demo.stack import Stack
from sithsapp.card.virtual.ca_profile import DEFAULT_PERSON
from tests.parts.assistant import Assistant, assistant, is_installed, session_bus
from tests.parts.command_line import ROOT
from tests.parts.xvfb import Screen, end, wait_until, xvfb
from tests.parts.xvfb import is_installed as has_screen

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (has_screen() and is_installed()), reason="needs Xvfb, openbox, dbus-daemon and AT-SPI"),
]

SECONDS = 20


@dataclass
class Desk:
    """A screen with the app's window on it, an assistant beside it, and the card's issuer behind it."""

    screen: Screen
    assistant: Assistant
    stack: Stack

    def names(self) -> list[str]:
        """Return the names of all that is shown."""
        return [str(thing["name"]) for thing in self.assistant.tree() if "showing" in thing["states"]]

    def wait_for(self, name: str) -> None:
        """Wait until something of that name is shown."""
        wait_until(lambda: name in self.names(), SECONDS)

    def said(self, words: str) -> bool:
        """Tell whether the app had something with those words announced."""
        return any(words in text for text in self.assistant.announcements())

    def leaf(self) -> x509.Certificate:
        """Return the identification certificate on the card."""
        der = self.stack.kit.card.spec.containers[0].certificate
        assert der is not None
        return x509.load_der_x509_certificate(der)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    home = tmp_path / "home"
    home.mkdir()
    with (
        xvfb(home) as screen,
        session_bus(screen.environment | {"LANGUAGE": "sv"}) as environment,
        Stack(environment=environment) as stack,
        assistant(environment) as helper,
    ):
        settings = stack.xdg("CONFIG_HOME") / "sithsapp" / "settings.json"
        known = json.loads(settings.read_text()) | {"card_issuers": [str(stack.kit.anchors)]}
        settings.write_text(json.dumps(known))
        app = subprocess.Popen([sys.executable, "-m", "sithsapp"], env=stack.environment, cwd=ROOT)
        try:
            made = Desk(screen, helper, stack)
            made.wait_for("Certifikat")
            helper.press("Certifikat")
            made.wait_for("Visa detaljer: Legitimering")
            yield made
        finally:
            end(app)


def test_a_person_who_does_not_see_asks_whether_the_certificate_is_revoked(desk: Desk) -> None:
    desk.assistant.press("Visa detaljer: Legitimering")
    desk.wait_for(f"HSA-id: {DEFAULT_PERSON.hsa_id}")
    desk.assistant.press("Kontrollera spärrstatus")
    wait_until(lambda: desk.said("Certifikatet är giltigt och inte spärrat"), SECONDS)

    desk.stack.kit.pki.revoke(desk.leaf())
    desk.wait_for("Kontrollera spärrstatus")
    desk.assistant.press("Kontrollera spärrstatus")
    wait_until(lambda: desk.said("Spärrat sedan 20"), SECONDS)
    assert any("C207" in name for name in desk.names())


def test_everything_that_can_be_used_has_a_name(desk: Desk) -> None:
    desk.assistant.press("Visa detaljer: Legitimering")
    desk.wait_for(f"HSA-id: {DEFAULT_PERSON.hsa_id}")
    desk.wait_for("Visa övriga krav")
    shown = [thing for thing in desk.assistant.tree() if "showing" in thing["states"]]
    usable = [thing for thing in shown if "focusable" in thing["states"] and thing["role"] != "frame"]
    assert [thing for thing in usable if not thing["name"]] == []
    names = [thing["name"] for thing in usable if thing["role"] == "button"]
    assert len(names) == len(set(names))
