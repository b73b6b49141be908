# SPDX-License-Identifier: EUPL-1.2
"""A left screen is noticed: on a bus of the test's own with its own login manager, and on fakes of other systems."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from pytestqt.qtbot import QtBot

from sithsapp.desktop.presence import Presence
from sithsapp.desktop.session_macos import NAMES
from sithsapp.desktop.session_windows import (
    WM_POWERBROADCAST,
    WM_WTSSESSION_CHANGE,
    WindowMessage,
    meaning,
)
from sithsapp.ui.session.linux import _session_path
from sithsapp.ui.session.macos import MacSessionWatch
from sithsapp.ui.session.watch import SessionWatch
from sithsapp.ui.session.windows import WindowsSessionWatch
from tests.parts.dbus import PrivateBus, is_installed, private_bus
from tests.parts.lines import Child

LISTENER = """
import sys
from PySide6.QtCore import QCoreApplication, QSocketNotifier
from PySide6.QtDBus import QDBusConnection
from sithsapp.ui.session.watch import session_watch
application = QCoreApplication([])
watch = session_watch()
def say(word):
    if word in ("started", "listening"):  # not before the bus knows what is listened for
        for bus in (QDBusConnection.sessionBus(), QDBusConnection.systemBus()):
            bus.interface().isServiceRegistered("org.example.nobody")
    sys.stdout.write(word + "\\n")
    sys.stdout.flush()
watch.left.connect(lambda: say("left"))
watch.returned.connect(lambda: say("returned"))
ready = watch._listen_to_session
def listening(path):
    ready(path)
    say("listening")
watch._listen_to_session = listening
watch.start()
say("started")
notifier = QSocketNotifier(sys.stdin.fileno(), QSocketNotifier.Type.Read)
notifier.activated.connect(application.quit)
sys.exit(application.exec())
"""
on_a_bus = pytest.mark.skipif(not is_installed(), reason="needs dbus-daemon")


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with private_bus() as made:
        yield made


@pytest.fixture
def start(bus: PrivateBus) -> Iterator[Callable[..., Child]]:
    with ExitStack() as parts:

        def begin(*arguments: str, **environment: str) -> Child:
            variables = {name: value for name, value in os.environ.items() if name != "XDG_SESSION_ID"}
            child = Child([sys.executable, *arguments], variables | bus.environment | environment)
            parts.callback(child.end)
            return child

        yield begin


@pytest.mark.e2e
@on_a_bus
@pytest.mark.parametrize("session", ["c1", "34"])
def test_logind_tells_who_leaves_and_returns(start: Callable[..., Child], session: str) -> None:
    logind = start("-m", "tests.parts.fake_logind", session)
    assert logind.hear() == "ready"
    listener = start("-c", LISTENER)
    # Without a session id in the environment logind is asked for it.
    assert {listener.hear(), listener.hear()} == {"started", "listening"}
    for leaves, returns in (("lock", "unlock"), ("sleep", "wake"), ("inactive", "active"), ("hint", "unhint")):
        logind.say("other lock")  # another session's
        logind.say(leaves)
        assert listener.hear() == "left"
        logind.say(leaves)  # told again: what began at a locked screen ends too
        assert listener.hear() == "left"
        logind.say(returns)
        assert listener.hear() == "returned"


@pytest.mark.e2e
@on_a_bus
@pytest.mark.parametrize("name", ["org.freedesktop.ScreenSaver", "org.gnome.ScreenSaver"])
def test_a_screen_saver_tells(bus: PrivateBus, start: Callable[..., Child], name: str) -> None:
    listener = start("-c", LISTENER, XDG_SESSION_ID="c1")
    assert {listener.hear(), listener.hear()} == {"started", "listening"}
    for active, heard in (("true", "left"), ("false", "returned")):
        signal = ["dbus-send", "--session", "--type=signal", "/x", f"{name}.ActiveChanged", f"boolean:{active}"]
        subprocess.run(signal, env=os.environ | bus.environment, check=True, timeout=20)
        assert listener.hear() == heard


@pytest.mark.e2e
@on_a_bus
def test_a_login_manager_that_does_not_answer_is_left_out(bus: PrivateBus, start: Callable[..., Child]) -> None:
    listener = start("-c", LISTENER)
    assert listener.hear() == "started"
    signal = ["dbus-send", "--session", "--type=signal", "/x", "org.gnome.ScreenSaver.ActiveChanged", "boolean:true"]
    subprocess.run(signal, env=os.environ | bus.environment, check=True, timeout=20)
    assert listener.hear() == "left"


@pytest.mark.parametrize(
    ("session", "path"),
    [
        ("2", "/org/freedesktop/login1/session/_32"),
        ("c1", "/org/freedesktop/login1/session/c1"),
        ("34", "/org/freedesktop/login1/session/_334"),
        ("", ""),
        ("../x", ""),
        ("x" * 33, ""),
    ],
)
def test_the_path_of_the_session(session: str, path: str) -> None:
    assert _session_path(session) == path


class Heard:
    """What a watch said, in order."""

    def __init__(self, watch: SessionWatch) -> None:
        self.words: list[str] = []
        watch.left.connect(lambda: self.words.append("left"))
        watch.returned.connect(lambda: self.words.append("returned"))


def test_who_never_left_does_not_return(qtbot: QtBot) -> None:
    watch = SessionWatch()
    heard = Heard(watch)
    for presence in (Presence.RETURNED, Presence.LEFT, Presence.LEFT, Presence.RETURNED, Presence.RETURNED):
        watch.notice(presence)
    assert heard.words == ["left", "left", "returned"]


class Messages:
    """Windows' session messages, remembered."""

    def __init__(self) -> None:
        self.windows: list[int] = []

    def register(self, window: int) -> bool:
        self.windows.append(window)
        return True

    def unregister(self, window: int) -> None:
        self.windows.remove(window)


def _send(watch: WindowsSessionWatch, message: int, parameter: int, kind: bytes = b"windows_generic_MSG") -> None:
    packed = WindowMessage(None, message, parameter, 0)
    assert watch._filter.nativeEventFilter(kind, ctypes.addressof(packed)) == (False, 0)


@pytest.mark.parametrize(
    ("message", "leaves", "returns"),
    [
        (WM_WTSSESSION_CHANGE, 7, 8),  # lock, unlock
        (WM_WTSSESSION_CHANGE, 4, 3),  # remote disconnect, connect
        (WM_WTSSESSION_CHANGE, 2, 1),  # console disconnect, connect
        (WM_WTSSESSION_CHANGE, 9, 8),  # remote control
        (WM_POWERBROADCAST, 4, 18),  # suspend, resume
    ],
)
def test_windows_tells_who_leaves_and_returns(qtbot: QtBot, message: int, leaves: int, returns: int) -> None:
    messages = Messages()
    watch = WindowsSessionWatch(messages)
    heard = Heard(watch)
    watch.start()
    assert len(messages.windows) == 1
    _send(watch, message, leaves)
    _send(watch, message, 99)
    _send(watch, 0x0200, leaves)
    _send(watch, message, returns, b"xcb_generic_event_t")
    _send(watch, message, returns)
    assert heard.words == ["left", "returned"]
    watch.stop()
    assert messages.windows == []


def test_a_message_without_meaning_has_none() -> None:
    assert meaning(0, 7) is None
    assert meaning(WM_WTSSESSION_CHANGE, 5) is None


def test_macos_tells_who_leaves_and_returns(qtbot: QtBot) -> None:
    posts: dict[str, Callable[[], None]] = {}

    class Centre:
        def observe(self, name: str, callback: Callable[[], None]) -> bool:
            posts[name] = callback
            return True

    watch = MacSessionWatch(Centre())
    heard = Heard(watch)
    watch.start()
    assert set(posts) == set(NAMES)
    posts["com.apple.screenIsLocked"]()
    posts["com.apple.screenIsUnlocked"]()
    watch.stop()
    posts["com.apple.screenIsLocked"]()
    assert heard.words == ["left", "returned"]
