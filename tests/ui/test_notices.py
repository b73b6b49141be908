# SPDX-License-Identifier: EUPL-1.2
"""Notes on the desktop: what is told, how often, and what a click on one does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from sithsapp.card.model import CardsState, Credential
from sithsapp.desktop.memory import ToldMemory
from sithsapp.desktop.notification_bus import Note, NotificationBus
from sithsapp.ui.notices.expiry import ending_soon
from sithsapp.ui.notices.notifier import Notifier
from sithsapp.ui.notices.telling import Telling
from sithsapp.ui.tray.tray import Tray
from tests.desktop.test_dbus_wire import SYSTEM_PYTHON, has_glib
from tests.parts.dbus import PrivateBus, is_installed, private_bus
from tests.parts.lines import ROOT, Child
from tests.ui import samples

NOTE = Note("Title åäö", "Text", "Open")
needs_service = [
    pytest.mark.e2e,
    pytest.mark.skipif(not (is_installed() and has_glib()), reason="needs dbus-daemon and python3-gi"),
]


class Service(Child):
    """A notification service on a bus of the test's own."""

    def __init__(self, bus: PrivateBus) -> None:
        program = str(ROOT / "tests" / "parts" / "fake_notifications.py")
        super().__init__([SYSTEM_PYTHON, program], bus.environment)
        assert self.hear() == "ready"

    def note(self) -> Any:
        return json.loads(self.hear())


class SpokenTray(Tray):
    """A tray that remembers its notes."""

    def __init__(self) -> None:
        super().__init__()
        self.notes: list[tuple[str, str]] = []
        self.shown = True

    @property
    def is_shown(self) -> bool:
        return self.shown

    def show_message(self, title: str, text: str) -> None:
        self.notes.append((title, text))


class Desk:
    """A notifier on a bus of the test's own, and what it said."""

    def __init__(self, bus: PrivateBus) -> None:
        self.tray = SpokenTray()
        self.notifier = Notifier(self.tray, lambda: NotificationBus(bus.address))
        self.chosen: list[tuple[str, str]] = []
        self.notifier.chosen.connect(lambda key, token: self.chosen.append((key, token)))


@pytest.fixture
def bus() -> Iterator[PrivateBus]:
    with private_bus() as made:
        yield made


@pytest.fixture
def service(bus: PrivateBus) -> Iterator[Service]:
    with ExitStack() as parts:
        made = Service(bus)
        parts.callback(made.end)
        yield made


@pytest.fixture
def desk(qtbot: QtBot, bus: PrivateBus) -> Iterator[Desk]:
    made = Desk(bus)
    yield made
    made.notifier.close()


class TestNotifier:
    """Against a real bus and a service by GLib, which is strict."""

    pytestmark = needs_service

    def _shown(self, qtbot: QtBot, desk: Desk, service: Service, key: str, note: Note = NOTE) -> Any:
        desk.notifier.tell(key, note)
        with ExitStack() as waiting:
            seen: list[Any] = []
            from threading import Thread

            reader = Thread(target=lambda: seen.append(service.note()))
            reader.start()
            waiting.callback(reader.join, 20)
            qtbot.waitUntil(lambda: bool(seen), timeout=20_000)
        return seen[0]

    def test_the_service_gets_texts_a_button_and_the_apps_icon(
        self, qtbot: QtBot, desk: Desk, service: Service
    ) -> None:
        note = self._shown(qtbot, desk, service, "expiry")
        assert (note["title"], note["text"], note["icon"]) == ("Title åäö", "Text", "sithsapp")
        assert note["actions"] == ["default", "Open", "open", "Open"]
        assert (note["replaces"], note["timeout"], note["hints"]["urgency"]) == (0, -1, 1)

    def test_a_press_on_the_button_is_told_with_the_token(self, qtbot: QtBot, desk: Desk, service: Service) -> None:
        first = self._shown(qtbot, desk, service, "expiry")
        other = self._shown(qtbot, desk, service, "request")
        service.say(f"token {other['id']} token-7")
        service.say(f"choose {other['id']}")
        qtbot.waitUntil(lambda: len(desk.chosen) == 1, timeout=20_000)
        service.say(f"choose {first['id']}")
        service.say("choose 999")  # another program's
        qtbot.waitUntil(lambda: len(desk.chosen) == 2, timeout=20_000)
        assert desk.chosen == [("request", "token-7"), ("expiry", "")]

    def test_a_note_of_the_same_kind_replaces_the_earlier_one(
        self, qtbot: QtBot, desk: Desk, service: Service
    ) -> None:
        first = self._shown(qtbot, desk, service, "request")
        qtbot.waitUntil(lambda: desk.notifier._bus is not None and bool(desk.notifier._bus._shown), timeout=20_000)
        again = self._shown(qtbot, desk, service, "request")
        assert (again["replaces"], again["id"]) == (first["id"], first["id"])

    def test_a_service_that_refuses_leaves_it_to_the_tray(self, qtbot: QtBot, desk: Desk, service: Service) -> None:
        service.say("refuse")
        assert service.hear() == "will refuse"
        desk.notifier.tell("request", NOTE)
        qtbot.waitUntil(lambda: bool(desk.tray.notes), timeout=20_000)
        desk.tray.message_clicked.emit()
        assert desk.chosen == [("request", "")]

    def test_a_bus_without_a_service_leaves_it_to_the_tray(self, qtbot: QtBot, desk: Desk) -> None:
        desk.notifier.tell("request", NOTE)
        qtbot.waitUntil(lambda: desk.tray.notes == [("Title åäö", "Text")], timeout=20_000)

    def test_signals_of_others_are_not_heard(
        self, qtbot: QtBot, desk: Desk, service: Service, bus: PrivateBus
    ) -> None:
        note = self._shown(qtbot, desk, service, "request")
        name = "org.freedesktop.Notifications.ActionInvoked"
        path = "/org/freedesktop/Notifications"
        forged = [
            "dbus-send",
            f"--bus={bus.address}",
            "--type=signal",
            path,
            name,
            f"uint32:{note['id']}",
            "string:x",
        ]
        subprocess.run(forged, check=True, timeout=20)
        service.say(f"choose {note['id']}")
        qtbot.waitUntil(lambda: bool(desk.chosen), timeout=20_000)
        assert desk.chosen == [("request", "")]


def test_a_bus_that_goes_away_leaves_it_to_the_tray(qtbot: QtBot) -> None:
    if not is_installed():
        pytest.skip("needs dbus-daemon")
    with private_bus() as bus:
        desk = Desk(bus)
        desk.notifier.tell("expiry", NOTE)
        qtbot.waitUntil(lambda: desk.notifier._bus is None or bool(desk.tray.notes), timeout=20_000)
    qtbot.waitUntil(lambda: desk.notifier._bus is None, timeout=20_000)
    desk.tray.notes.clear()
    desk.notifier.tell("request", NOTE)
    assert desk.tray.notes == [("Title åäö", "Text")]
    desk.notifier.close()


@pytest.mark.parametrize("address", ["", "tcp:host=localhost,port=1", "unix:path=/nowhere/at/all", "unix:", "x"])
def test_without_a_bus_the_tray_tells(qtbot: QtBot, address: str) -> None:
    tray = SpokenTray()
    Notifier(tray, lambda: NotificationBus(address)).tell("request", NOTE)
    assert tray.notes == [("Title åäö", "Text")]


def _ends(**days: int) -> Any:
    """Return when each credential ends, by its id."""
    return lambda credential: samples.TODAY + timedelta(days=days[f"c{credential.id}"])


def _cards(*credentials: Credential) -> CardsState:
    slot = samples.READY.slots[0]
    assert slot.card is not None
    return CardsState(True, (replace(slot, card=replace(slot.card, credentials=credentials)),))


def test_only_the_best_certificate_of_each_use_counts() -> None:
    slot = samples.READY.slots[0]
    assert slot.card is not None
    pattern = slot.card.credentials[0]
    old, new = replace(pattern, id="0", certificate=b"old"), replace(pattern, id="1", certificate=b"new")
    assert ending_soon(_cards(old, new), _ends(c0=5, c1=500), samples.TODAY) == []
    (ending,) = ending_soon(_cards(old, new), _ends(c0=5, c1=20), samples.TODAY)
    assert ending[0] == b"new"
    assert ending_soon(_cards(old), _ends(c0=-1), samples.TODAY) == []
    assert ending_soon(samples.EMPTY, _ends(), samples.TODAY) == []


class TestTelling:
    """What is told, and how often."""

    @pytest.fixture
    def tray(self, qtbot: QtBot) -> SpokenTray:
        return SpokenTray()

    def _telling(self, tray: SpokenTray, directory: Path) -> Telling:
        return Telling(Notifier(tray, lambda: NotificationBus("")), ToldMemory(directory))

    def test_reminders_come_once_a_level_over_restarts(self, tray: SpokenTray, tmp_path: Path) -> None:
        end = samples.TODAY + timedelta(days=25, hours=1)
        for _ in range(3):
            self._telling(tray, tmp_path).certificates_end([(b"certificate", end)], samples.TODAY)
        assert tray.notes == [("The certificates expire in 25 days", "Renew them on My pages in good time.")]
        self._telling(tray, tmp_path).certificates_end([(b"certificate", end)], end - timedelta(days=1))
        assert tray.notes[1:] == [("The certificates expire in 1 day", "Renew them on My pages in good time.")]

    def test_what_cannot_be_remembered_is_not_told(self, tray: SpokenTray, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        telling = self._telling(tray, tmp_path / "file" / "below")
        telling.certificates_end([(b"certificate", _soon())], samples.TODAY)
        telling.goes_on_in_background()
        assert tray.notes == []

    def test_what_nothing_can_show_is_told_later(self, tray: SpokenTray, tmp_path: Path) -> None:
        tray.shown = False
        self._telling(tray, tmp_path).certificates_end([(b"certificate", _soon())], samples.TODAY)
        self._telling(tray, tmp_path).goes_on_in_background()
        assert tray.notes == []
        tray.shown = True
        self._telling(tray, tmp_path).certificates_end([(b"certificate", _soon())], samples.TODAY)
        self._telling(tray, tmp_path).goes_on_in_background()
        assert len(tray.notes) == 2

    def test_the_background_is_told_of_once(self, tray: SpokenTray, tmp_path: Path) -> None:
        for _ in range(2):
            self._telling(tray, tmp_path).goes_on_in_background()
        assert [title for title, _ in tray.notes] == ["The app runs in the background"]

    def test_a_request_that_waits_is_told_each_time(self, tray: SpokenTray, tmp_path: Path) -> None:
        telling = self._telling(tray, tmp_path)
        telling.request_waits()
        telling.request_waits()
        assert [title for title, _ in tray.notes] == ["A service is waiting for you"] * 2


def _soon() -> datetime:
    return samples.TODAY + timedelta(days=5)
