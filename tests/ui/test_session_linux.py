# SPDX-License-Identifier: EUPL-1.2
"""A locked screen is noticed, on a session bus of the test's own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sithsapp.ui.session_linux import _session_path

ROOT = Path(__file__).parents[2]
_LISTEN = """
import subprocess, sys
from PySide6.QtCore import QCoreApplication, QTimer
from sithsapp.ui.session_linux import SessionWatch
application = QCoreApplication([])
watch = SessionWatch()
watch.left.connect(lambda: application.exit(42))
watch.start()
for name, active in (("org.gnome.ScreenSaver", "false"), (sys.argv[1], "true")):
    subprocess.Popen(["dbus-send", "--session", "--type=signal", "/x", f"{name}.ActiveChanged", f"boolean:{active}"])
QTimer.singleShot(10000, application.quit)
sys.exit(application.exec())
"""


@pytest.mark.e2e
@pytest.mark.skipif(shutil.which("dbus-run-session") is None, reason="needs dbus")
@pytest.mark.parametrize("name", ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"])
def test_a_screen_saver_tells(name: str) -> None:
    command = ["dbus-run-session", "--", sys.executable, "-c", _LISTEN, name]
    assert subprocess.run(command, cwd=ROOT, timeout=40, check=False).returncode == 42


@pytest.mark.parametrize(
    ("session", "path"),
    [
        ("2", "/org/freedesktop/login1/session/_32"),
        ("c1", "/org/freedesktop/login1/session/c1"),
        ("34", "/org/freedesktop/login1/session/_334"),
        ("", ""),
        ("../x", ""),
    ],
)
def test_the_path_of_the_session(monkeypatch: pytest.MonkeyPatch, session: str, path: str) -> None:
    monkeypatch.setenv("XDG_SESSION_ID", session)
    assert _session_path() == path
