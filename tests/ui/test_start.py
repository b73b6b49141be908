# SPDX-License-Identifier: EUPL-1.2
"""The program from its command line: what it refuses, hands over, shows and logs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sithsapp import __version__
from sithsapp.__main__ import main
from sithsapp.failures import Failure
from tests.parts.xvfb import Screen, end, is_installed, wait_until, xvfb

ROOT = Path(__file__).parents[2]
LINK = "siths:start?v=1&s=demo&t=" + "A" * 43
APP = (sys.executable, "-m", "sithsapp")


@pytest.mark.parametrize(
    "url", ["", "siths:", "other:start?v=1", "--hidden", "siths:start?v=1&s=demo&t=short", LINK + "&x=1", LINK * 20]
)
def test_a_bad_link_is_refused_before_anything_else(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sithsapp.__main__._claim", lambda message: pytest.fail("went on"))
    monkeypatch.setattr("sithsapp.__main__._log_refusal", lambda error: None)
    shown: list[Failure] = []

    def show(failure: Failure) -> int:
        shown.append(failure)
        return failure.exit_code

    monkeypatch.setattr("sithsapp.__main__._show_refusal", show)
    assert main(["--url", url]) == Failure.BAD_LINK.exit_code
    assert "A901" in capsys.readouterr().err
    assert shown == [Failure.BAD_LINK]


def test_a_bad_link_leaves_a_line_for_support_without_its_token(tmp_path: Path) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(tmp_path)}
    token = "T" * 42
    link = f"siths:start?v=1&s=demo&t={token}"
    ended = subprocess.run(
        [*APP, "--hidden", "--url", link], cwd=ROOT, env=environment, capture_output=True, timeout=30
    )
    assert ended.returncode == Failure.BAD_LINK.exit_code
    log = (tmp_path / "sithsapp" / "log" / "link.log").read_text()
    assert "A901" in log
    assert token not in log


@pytest.mark.parametrize("arguments", [["--url"], ["--other"], ["siths:x"], ["--url", LINK, "--url", LINK]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_handing_over_needs_neither_qt_nor_the_network() -> None:
    code = (
        "import sys\n"
        "import sithsapp.__main__ as program\n"
        "from sithsapp.desktop.single_instance import HandedOver\n"
        "program._claim = lambda message: HandedOver()\n"
        f"assert program.main(['--url', '{LINK}']) == 0\n"
        "heavy = {'PySide6', 'msgspec', 'cryptography', 'smartcard', 'argparse', 'asyncio', 'ssl'}\n"
        "sys.exit(' '.join(heavy & set(sys.modules)) or None)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    if not is_installed():
        pytest.skip("needs Xvfb, openbox, xdotool, xprop")
    with xvfb(tmp_path_factory.mktemp("start")) as made:
        # Nobody's reader service: the path is valid and nothing listens there.
        made.environment["PCSCLITE_CSOCK_NAME"] = f"{made.environment['HOME']}/no-pcscd"
        yield made


def _run(screen: Screen, *arguments: str) -> int:
    return subprocess.run([*APP, *arguments], env=screen.environment, cwd=ROOT, timeout=30, check=False).returncode


@pytest.mark.e2e
def test_one_instance_shows_its_window_answers_links_and_ends_in_order(screen: Screen) -> None:
    process = subprocess.Popen(APP, env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: screen.active_title() == "SITHS eID-app", 20)
        assert _run(screen, "--hidden") == 0
        assert _run(screen, "--url", LINK) == 0
        wait_until(lambda: len(screen.windows("SITHS eID-app")) == 2)
        assert process.poll() is None
        process.terminate()
        assert process.wait(10) == 0
    finally:
        end(process)
    log = Path(screen.environment["XDG_STATE_HOME"]) / "sithsapp" / "log" / "tray.log"
    text = log.read_text()
    assert "A903" in text
    assert "AAAA" not in text
    assert "Traceback" not in text


@pytest.mark.e2e
def test_a_bad_link_is_shown_by_the_app_that_runs_in_one_window(screen: Screen) -> None:
    process = subprocess.Popen(APP, env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: screen.active_title() == "SITHS eID-app", 20)
        for _ in range(2):
            assert _run(screen, "--url", "siths:other") == Failure.BAD_LINK.exit_code
        wait_until(lambda: len(screen.windows("SITHS eID-app")) == 2)
    finally:
        end(process)


@pytest.mark.e2e
def test_a_bad_link_is_shown_when_nothing_runs(screen: Screen) -> None:
    process = subprocess.Popen([*APP, "--url", "siths:other"], env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: screen.active_title() == "SITHS eID-app", 20)
        screen.run("xdotool", "sleep", "1", "key", "Escape")
        assert process.wait(10) == Failure.BAD_LINK.exit_code
    finally:
        end(process)


@pytest.mark.e2e
def test_settings_from_the_command_line_reach_the_running_app(screen: Screen) -> None:
    command = [sys.executable, "-m", "sithsapp.cli.main", "settings"]
    process = subprocess.Popen(APP, env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: screen.active_title() == "SITHS eID-app", 20)
        for theme, is_dark in (("dark", True), ("light", False)):
            subprocess.run(
                [*command, "set", "theme", theme], env=screen.environment, cwd=ROOT, timeout=60, check=True
            )
            wait_until(lambda is_dark=is_dark: (_brightness(screen) < 0x60) is is_dark, 10)  # type: ignore[misc] # bound
        subprocess.run([*command, "reset", "--all"], env=screen.environment, cwd=ROOT, timeout=60, check=True)
    finally:
        end(process)


def _brightness(screen: Screen) -> int:
    """Return the grey of a spot in the middle of the active window's lower part, 0 to 255."""
    window = screen.run("xdotool", "getactivewindow").strip()
    shown = screen.run(
        "import", "-window", window, "-gravity", "south", "-crop", "1x1+60+8", "-colorspace", "Gray", "txt:-"
    )
    return int(shown.rsplit("#", 1)[1][:2], 16)


@pytest.mark.e2e
def test_what_keeps_it_from_starting_is_shown(screen: Screen) -> None:
    settings = Path(screen.environment["XDG_CONFIG_HOME"]) / "sithsapp" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps({"virtual_card": "/nowhere"}))
    process = subprocess.Popen(APP, env=screen.environment, cwd=ROOT)
    try:
        wait_until(lambda: screen.active_title() == "SITHS eID-app", 20)
        screen.run("xdotool", "sleep", "1", "key", "Escape")
        assert process.wait(10) == Failure.VIRTUAL_CARD_REFUSED.exit_code
    finally:
        end(process)
        settings.unlink()


def test_the_gnome_theme_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from sithsapp.ui import main_loop

    monkeypatch.setenv("XDG_CURRENT_DESKTOP", "ubuntu:GNOME")
    monkeypatch.setenv("QT_QPA_PLATFORMTHEME", "to be restored")
    monkeypatch.delenv("QT_QPA_PLATFORMTHEME")
    main_loop._prefer_light_platform_theme()
    assert os.environ["QT_QPA_PLATFORMTHEME"] == "gnome"
