# SPDX-License-Identifier: EUPL-1.2
"""Browsers' trust in a window, with a real NSS database: nothing is changed before the person has said yes."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from sithsapp.failures import Failure, SithsError
from sithsapp.ui.mtls.browsers import BrowsersPanel
from sithsapp.ui.mtls.browsers_presenter import present_browsers
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets.text import Text
from tests.parts.settings import store_of
from tests.ui.pointing import button, visible

CERTUTIL = shutil.which("certutil") or ""
pytestmark = pytest.mark.skipif(not CERTUTIL, reason="certutil is not installed")

SECONDS = 20_000
GIVE, TAKE_BACK = "Let the browsers trust the app …", "Take the trust back"


def certificates(home: Path) -> str:
    command = [CERTUTIL, "-L", "-d", f"sql:{home / '.pki' / 'nssdb'}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=20, check=True).stdout


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person with a browser of Chromium's kind."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    database = tmp_path / ".pki" / "nssdb"
    database.mkdir(parents=True)
    subprocess.run([CERTUTIL, "-N", "--empty-password", "-d", f"sql:{database}"], timeout=20, check=True)
    return tmp_path


def shown(qtbot: QtBot, *hosts: str) -> BrowsersPanel:
    targets = [{"name": host.split(".")[0], "host": host, "mode": "browser"} for host in hosts]
    panel = BrowsersPanel(store_of(environment="test", mtls={"targets": targets}))
    qtbot.addWidget(panel)
    panel.apply_theme(Theme(LIGHT))
    panel.retranslate()
    panel.show()
    panel.draw()
    panel.look()
    qtbot.waitUntil(lambda: not panel._work.is_running, timeout=SECONDS)
    return panel


def texts(panel: BrowsersPanel) -> str:
    return "\n".join(text.text() for text in visible(panel, Text))


def test_trust_is_given_after_a_question_and_taken_back_without_a_trace(qtbot: QtBot, home: Path) -> None:
    panel = shown(qtbot, "portal.example.se")
    qtbot.waitUntil(lambda: "does not trust the proxy" in texts(panel))
    button(panel, GIVE).click()
    assert "portal.example.se" in texts(panel)
    assert "390 days" in texts(panel)
    button(panel, "Cancel").click()
    assert "SITHS" not in certificates(home)
    button(panel, GIVE).click()
    button(panel, "Trust the app").click()
    qtbot.waitUntil(lambda: "Trusted until" in texts(panel), timeout=SECONDS)
    assert "SITHS" in certificates(home)
    assert [each.text() for each in visible(panel, type(button(panel, TAKE_BACK)))].count(GIVE) == 0
    button(panel, TAKE_BACK).click()
    qtbot.waitUntil(lambda: "does not trust the proxy" in texts(panel), timeout=SECONDS)
    assert "SITHS" not in certificates(home)


def test_a_missing_tool_is_told(qtbot: QtBot, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sithsapp.mtls.trust_nss.shutil.which", lambda *_args, **_names: None)
    panel = shown(qtbot, "portal.example.se")
    qtbot.waitUntil(lambda: Failure.TRUST_TOOL_MISSING.number in texts(panel))
    assert [each for each in visible(panel, Text) if each.text() == GIVE] == []


def test_a_server_cannot_be_opened_while_the_proxy_does_not_run(qtbot: QtBot, home: Path) -> None:
    panel = shown(qtbot, "portal.example.se", "other.example.se")
    button(panel, "Open portal.example.se").click()
    qtbot.waitUntil(lambda: Failure.PROXY_NOT_RUNNING.number in texts(panel), timeout=SECONDS)


def test_without_servers_for_browsers_there_is_nothing_to_see(qtbot: QtBot, home: Path) -> None:
    panel = BrowsersPanel(store_of(environment="test"))
    qtbot.addWidget(panel)
    panel.show()
    panel.draw()
    panel.look()
    assert panel.isHidden()
    assert not panel._work.is_running


def test_while_nothing_is_known_nothing_is_offered() -> None:
    page = present_browsers([("portal", "portal.example.se")], None)
    assert (page.give, page.take_back, page.stores) == ("", "", ())
    assert page.intro == "Looking into the browsers …"


def test_a_failure_of_the_last_action_goes_before() -> None:
    page = present_browsers([], SithsError(Failure.TRUST_TOOL_MISSING), SithsError(Failure.NO_BROWSER))
    assert page.notice is not None
    assert Failure.NO_BROWSER.number in page.notice.text
