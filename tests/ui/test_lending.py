# SPDX-License-Identifier: EUPL-1.2
"""The helper in the tray: a real one with a card in process and a TLS server, the windows in this process."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sithsapp.failures import Failure, SithsError
from sithsapp.settings.store import SettingsStore, open_store
from sithsapp.ui.mtls.consents import Consents
from sithsapp.ui.mtls.lending import Lending
from sithsapp.ui.mtls.page import ProgramsPage
from sithsapp.ui.mtls.page_presenter import present_programs, session_line
from sithsapp.ui.mtls.window import ConsentWindow
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.tray.lending_menu import LendingMenu
from tests.mtls.desk import RIGHT, Desk, http_answer
from tests.mtls.parts import TlsServer
from tests.parts.settings import store_of
from tests.ui import samples
from tests.ui.mtls_samples import SESSION, TARGET, Lent
from tests.ui.pointing import button, code_field

SECONDS = 20


class Office:
    """Settings, a lending of their own, and a program that asks."""

    def __init__(self, qtbot: QtBot, desk: Desk, server: TlsServer, home: Path) -> None:
        self.qtbot, self.home, self.server, self.desk = qtbot, home, server, desk
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.write(targets=True)
        self.store: SettingsStore = open_store(home, home / "nothing")
        self.consents = Consents(self._make, lambda: False, lambda: desk.service.state)
        self.lending = Lending(self.store, desk.service, self.consents)
        self.answers: list[int] = []

    def write(self, *, targets: bool) -> None:
        ca, issuers = str(self.desk.files.certificate), str(self.desk.issuers)
        target = {"name": "server", "listen": self.port, "host": "localhost", "port": self.server.port, "ca": [ca]}
        mtls = {"targets": [target] if targets else [], "issuers": [issuers]}
        (self.home / "settings.json").write_text(json.dumps({"environment": "test", "mtls": mtls}))

    def _make(self) -> ConsentWindow:
        window = ConsentWindow(samples.describe, Theme(LIGHT), session_seconds=3600)
        self.qtbot.addWidget(window)
        return window

    @property
    def window(self) -> ConsentWindow:
        window = self.consents.window
        assert window is not None
        return window

    def open(self) -> None:
        self.lending.start()
        self.qtbot.waitUntil(lambda: bool(self.lending.status()), timeout=SECONDS * 1000)

    def request(self) -> threading.Thread:
        thread = threading.Thread(target=self._get)
        thread.start()
        return thread

    def _get(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        try:
            connection.request("GET", "/")
            self.answers.append(connection.getresponse().status)
        finally:
            connection.close()

    def asked(self) -> None:
        self.qtbot.waitUntil(lambda: self.consents.is_open, timeout=SECONDS * 1000)
        self.window._quiet._until = 0.0

    def enter(self, code: str = RIGHT) -> None:
        QTest.keyClicks(code_field(self.window), code)
        QTest.keyClick(code_field(self.window), Qt.Key.Key_Return)

    def finish(self, thread: threading.Thread) -> int:
        self.qtbot.waitUntil(lambda: not thread.is_alive(), timeout=SECONDS * 1000)
        return self.answers[-1]


@pytest.fixture
def office(qtbot: QtBot, desk: Desk, tmp_path: Path) -> Iterator[Office]:
    home = tmp_path / "home"
    home.mkdir()
    with TlsServer(desk.files.context(), http_answer) as server:
        made = Office(qtbot, desk, server, home)
        yield made
        made.lending.close()


def test_a_program_gets_through_once_the_person_has_said_yes(office: Office) -> None:
    office.open()
    thread = office.request()
    office.asked()
    office.enter()
    assert office.finish(thread) == 200
    office.qtbot.waitUntil(lambda: not office.window.isVisible())
    (session,) = office.lending.sessions()
    assert "python" in session.purpose.program.path
    assert office.finish(office.request()) == 200  # no new question


def test_a_wrong_code_is_told_and_the_next_one_works(office: Office) -> None:
    office.open()
    thread = office.request()
    office.asked()
    office.enter("111111")
    office.qtbot.waitUntil(lambda: office.consents.is_open, timeout=SECONDS * 1000)
    assert "Wrong identification code. You have 2 attempts left." in code_field(office.window).accessibleDescription()
    office.window._quiet._until = 0.0
    office.enter()
    assert office.finish(thread) == 200


def test_ending_a_session_leads_to_a_new_question(office: Office) -> None:
    office.open()
    thread = office.request()
    office.asked()
    office.enter()
    office.finish(thread)
    office.lending.end_session(office.lending.sessions()[0].id)
    office.qtbot.waitUntil(lambda: not office.lending.sessions())
    thread = office.request()
    office.asked()
    button(office.window, "Cancel").click()
    assert office.finish(thread) == 504


def test_leaving_the_screen_ends_sessions_and_questions(office: Office) -> None:
    office.open()
    thread = office.request()
    office.asked()
    office.enter()
    office.finish(thread)
    office.lending.session_left()
    office.qtbot.waitUntil(lambda: not office.lending.sessions())
    thread = office.request()
    office.asked()
    office.lending.session_left()
    assert office.finish(thread) == 504


def test_a_card_that_is_taken_out_ends_the_question(office: Office) -> None:
    office.open()
    office.desk.service.subscribe(lambda state: None)
    thread = office.request()
    office.asked()
    office.desk.readers.remove()
    office.qtbot.waitUntil(lambda: not office.desk.service.state.cards)
    office.lending.cards_changed(office.desk.service.state)
    assert office.finish(thread) in (502, 504)


def test_settings_open_and_close_the_ports(office: Office) -> None:
    office.write(targets=False)
    office.store.reload()
    office.lending.start()
    office.qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in office.lending._threads))
    assert office.lending.status() == ()
    office.write(targets=True)
    office.store.reload()
    office.qtbot.waitUntil(lambda: bool(office.lending.status()), timeout=SECONDS * 1000)
    office.write(targets=False)
    office.store.reload()
    office.qtbot.waitUntil(lambda: not office.lending.status(), timeout=SECONDS * 1000)
    office.qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in office.lending._threads))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", office.port), timeout=SECONDS)


@pytest.mark.parametrize(("name", "value"), [("proxy", "none"), ("environment", "qa"), ("mtls", {"targets": []})])
def test_what_a_helper_is_made_of_is_followed(office: Office, name: str, value: object) -> None:
    office.open()
    before = office.lending._helper
    office.store.set(name, value)
    office.qtbot.waitUntil(lambda: not any(thread.is_alive() for thread in office.lending._threads))
    assert office.lending._helper is not before


def test_a_port_that_is_taken_is_told_on_the_page(office: Office, qtbot: QtBot) -> None:
    with socket.create_server(("127.0.0.1", office.port)):
        office.lending.start()
        qtbot.waitUntil(lambda: office.lending.failure is not None, timeout=SECONDS * 1000)
    page = present_programs(office.lending.status(), office.lending.sessions(), office.lending.failure)
    assert page.notice is not None
    assert "A913" in page.notice.text


def test_the_page_tells_who_uses_the_card_for_how_long() -> None:
    page = present_programs((TARGET,), (SESSION,), None, now=1000.0)
    assert page.sessions[0].title == "curl at journal.example.se"
    assert page.sessions[0].details == "2 connections open, no new code for 10 minutes"
    assert page.nobody == ""
    assert page.end_all == ""
    assert page.targets[0].address == "http://127.0.0.1:9443"
    assert present_programs((), (), None).nobody == "No program uses the card."


def test_a_failure_has_its_number() -> None:
    page = present_programs((), (), SithsError(Failure.MTLS_UNAVAILABLE))
    assert page.notice is not None
    assert "A912" in page.notice.text


def test_the_page_ends_a_session_and_copies_an_address(qtbot: QtBot) -> None:
    lent = Lent(SESSION)
    page = ProgramsPage(cast("Lending", lent), store_of(environment="test"))
    qtbot.addWidget(page)
    page.apply_theme(Theme(LIGHT))
    page.retranslate()
    page.show()
    button(page, "Copy the address: journal").click()
    assert QGuiApplication.clipboard().text() == "http://127.0.0.1:9443"
    button(page, "End: curl at journal.example.se").click()
    assert lent.ended == ["1"]
    assert page._nobody.isVisible()


def test_the_trays_menu_shows_sessions_only_while_there_are_some(qtbot: QtBot) -> None:
    menu = LendingMenu()
    qtbot.addWidget(menu)
    assert not menu.menuAction().isVisible()
    ended: list[str] = []
    menu.end_wanted.connect(ended.append)
    menu.show_sessions([("1", session_line(SESSION)), ("2", "a & b")])
    assert menu.menuAction().isVisible()
    assert menu.title() == "2 programs use the card"
    assert [action.text() for action in menu.actions() if action.text()] == [
        "End curl · journal.example.se",
        "End a && b",
        "End all",
    ]
    for action in menu.actions():
        action.trigger()
    assert ended == ["1", "2", ""]
