# SPDX-License-Identifier: EUPL-1.2
"""A person's desk for end-to-end tests: a screen, the demo's parts, the app, and real browser profiles."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Event

import pytest
from playwright.sync_api import BrowserContext, Page, Playwright, sync_playwright

from demo.browser import Browser, find_browser
from demo.desktop import DesktopDemo
from demo.stack import Stack
from demo.witness import Witness
from tests.parts.xvfb import Screen, is_installed, wait_until, xvfb

OPEN_APP = "button:has-text('SITHS eID'):has-text('denna enhet')"
_DEAF_SECONDS = 0.8  # a window that has just come up takes no keys
_DIMMED = 0xD0  # of FF; the page's head is white
LAUNCH_LINK = "a[href^='siths:']"


class Desk:
    """One screen with the demo's parts behind it. `browse` opens the demo's own, default browser."""

    def __init__(self, screen: Screen, stack: Stack, playwright: Playwright, parts: ExitStack) -> None:
        self.screen = screen
        self.stack = stack
        self.witness = Witness(stack.events)
        self._playwright = playwright
        self._parts = parts
        self._browser = _browser(stack)
        self.demo = DesktopDemo(stack, self._browser)
        parts.callback(self.demo.stop_app)

    def browse(self) -> BrowserContext:
        """Open the default browser's profile: links from other programs come here."""
        return self._launch(self.stack.directory / "browser")

    def browse_elsewhere(self) -> BrowserContext:
        """Open another profile, as on another person's computer."""
        return self._launch(self.stack.directory / "elsewhere")

    def log_in_page(self, context: BrowserContext) -> Page:
        """Open the demo's page and press the button for this device."""
        page = context.pages[0] if context.pages else context.new_page()
        page.goto(self.stack.backend.rp_origin)
        page.click(OPEN_APP)
        page.wait_for_selector(LAUNCH_LINK)
        return page

    def allow_app(self) -> None:
        """Answer the browser's question about opening the app; the page behind it is dimmed while it stands."""
        wait_until(self._page_is_dimmed, 15)
        self.screen.run("xdotool", "key", "Tab")
        pause(1.0)  # the browser ignores a button that was pressed as soon as it appeared
        self.screen.run("xdotool", "key", "Return")
        self.wait_for_order_window()

    def _page_is_dimmed(self) -> bool:
        shown = self.screen.run("import", "-window", "root", "-crop", "1x1+100+190", "-colorspace", "Gray", "txt:-")
        return int(shown.rsplit("#", 1)[1][:2], 16) < _DIMMED

    def wait_for_order_window(self) -> None:
        """Wait until the order window is there and active."""
        wait_until(lambda: "vill att du" in self.screen.active_title(), 15)

    def type_code(self, code: str) -> None:
        """Type a code and press Return, once the window takes digits."""
        self.wait_for_order_window()
        pause(_DEAF_SECONDS)
        self.screen.run("xdotool", "type", "--delay", "20", code)
        self.screen.run("xdotool", "key", "Return")

    def press_key(self, key: str) -> None:
        """Press a key once the window takes any."""
        self.wait_for_order_window()
        pause(_DEAF_SECONDS)
        self.screen.run("xdotool", "key", key)

    def open_link(self, link: str) -> None:
        """Open a link as the desktop does."""
        subprocess.run(["/usr/bin/xdg-open", link], env=self.stack.environment, check=True, timeout=30)

    def command_line(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `siths` at this desk, without a terminal, and return what it says."""
        command = [sys.executable, "-m", "sithsapp.cli.main", *arguments]
        return subprocess.run(
            command, env=self.stack.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def _launch(self, profile: Path) -> BrowserContext:
        program, *flags = _browser(self.stack).command
        context = self._playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            headless=False,
            env=dict(self.stack.environment),
            args=[flag for flag in flags if not flag.startswith("--user-data-dir")],
            locale="sv-SE",
        )
        self._parts.callback(context.close)
        return context


def pause(seconds: float = 0.3) -> None:
    """Let a person's reaction time pass: a program cannot tell when another's window takes keys."""
    Event().wait(seconds)


def _browser(stack: Stack) -> Browser:
    found = find_browser(stack.directory / "browser")
    assert found is not None
    return found


@contextmanager
def desk(home: Path) -> Iterator[Desk]:
    """Set up a desk and clear it."""
    with ExitStack() as parts:
        screen = parts.enter_context(xvfb(home))
        environment = screen.environment | {"LANG": "sv_SE.UTF-8", "LANGUAGE": "sv"}
        stack = parts.enter_context(Stack(environment=environment))
        playwright = parts.enter_context(sync_playwright())
        yield Desk(screen, stack, playwright, parts)


@pytest.fixture
def person_at_desk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A desk with the app running; a picture of the screen is kept when the test fails."""
    if not is_installed():
        pytest.skip("needs Xvfb, openbox and xdotool")
    home = tmp_path / "home"
    home.mkdir()
    with desk(home) as set_up:
        set_up.demo.start_app()
        yield set_up
        keep = request.config.rootpath / "artefacts"
        keep.mkdir(exist_ok=True)
        set_up.screen.picture(keep / f"{request.node.name}.png")
