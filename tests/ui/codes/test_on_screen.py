# SPDX-License-Identifier: EUPL-1.2
"""A code is changed in the running app: a real X11 screen, real clicks and key strokes, a virtual card."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sithsapp.card.virtual.ca_profile import DEMO_CODES
from sithsapp.card.virtual.card import VirtualCard
from tests.parts.virtual_card import CardFactory
from tests.parts.xvfb import Screen, end, is_installed, wait_until, xvfb

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(not is_installed(), reason="needs Xvfb, openbox, xdotool, xprop")]

ROOT = Path(__file__).parents[3]
MAIN, CHANGE = "SITHS eID-app", "Change identification code"
OLD, NEW = DEMO_CODES.pin1, "275904"
PIN1 = 0x11


@pytest.fixture
def screen(tmp_path_factory: pytest.TempPathFactory, card: VirtualCard, make_card: CardFactory) -> Iterator[Screen]:
    """A screen whose app has the virtual card in its reader."""
    with xvfb(tmp_path_factory.mktemp("screen")) as made:
        made.environment["PCSCLITE_CSOCK_NAME"] = f"{made.environment['HOME']}/no-pcscd"
        settings = Path(made.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(
            json.dumps({"environment": "test", "pkcs11": False, "virtual_card": str(make_card.directory())})
        )
        yield made


@contextmanager
def _app(screen: Screen) -> Iterator[None]:
    log = Path(screen.environment["XDG_STATE_HOME"]) / "sithsapp" / "log" / "tray.log"
    process = subprocess.Popen([sys.executable, "-m", "sithsapp"], env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: screen.active_title() == MAIN, 30)
        wait_until(lambda: ": ready" in log.read_text(), 30)
        screen.run("xdotool", "sleep", "0.3")  # from the log to the screen
        yield
    finally:
        end(process)


def _value(directory: Path) -> str:
    card = VirtualCard.open(directory, environment="test")
    return next(pin.value for pin in card.spec.pins if pin.reference == PIN1)


def _tries(directory: Path) -> int:
    return VirtualCard.open(directory, environment="test").tries_left(PIN1)


def _open_change(screen: Screen) -> None:
    """Open the window by keyboard alone: without a tray the way to quit comes first, then the guide."""
    screen.run("xdotool", "key", *["Tab"] * 4, "sleep", "0.1", "key", "Return")
    wait_until(lambda: screen.active_title() == CHANGE, 10)


def _fill(screen: Screen, *codes: str) -> None:
    screen.run("xdotool", "sleep", "0.8")  # a window that has just come up takes no keys
    for code in codes:
        screen.run("xdotool", "type", "--delay", "20", code)
        screen.run("xdotool", "key", "Return")


def test_a_code_is_changed_by_keyboard_alone(screen: Screen, make_card: CardFactory) -> None:
    directory = make_card.directory()
    with _app(screen):
        _open_change(screen)
        _fill(screen, OLD, NEW, NEW)
        wait_until(lambda: _value(directory) == NEW, 15)
        screen.run("xdotool", "sleep", "0.5", "key", "Return")
        wait_until(lambda: not screen.windows(CHANGE), 10)


def test_a_wrong_code_costs_one_try_and_a_broken_rule_none(screen: Screen, make_card: CardFactory) -> None:
    directory = make_card.directory()
    with _app(screen):
        _open_change(screen)
        _fill(screen, OLD, NEW, NEW[::-1])
        screen.run("xdotool", "sleep", "0.5", "key", "Escape")
        wait_until(lambda: not screen.windows(CHANGE), 10)
        assert (_tries(directory), _value(directory)) == (3, OLD)
        wait_until(lambda: screen.active_title() == MAIN, 10)
        screen.run("xdotool", "key", "Return")  # the tile still has the focus
        wait_until(lambda: screen.active_title() == CHANGE, 10)
        _fill(screen, "606182", NEW, NEW)
        wait_until(lambda: _tries(directory) == 2, 15)
        assert _value(directory) == OLD
        assert screen.windows(CHANGE)
