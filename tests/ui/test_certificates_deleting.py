# SPDX-License-Identifier: EUPL-1.2
"""Deleting a certificate: on a real SoftHSM token through the card service, and each way in which it can go wrong."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from sithsapp.card.model import CardId, PinRole, PinState
from sithsapp.card.pin import Pin
from sithsapp.card.service import CardService
from sithsapp.failures import Failure, SithsError
from sithsapp.ui.certificates.deleting import DeleteWindow
from sithsapp.ui.certificates.deleting_presenter import Deletion, present_question
from sithsapp.ui.certificates.page import CertificatesPage
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.order.page import CodeBody, LastTryBody
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import LIGHT
from sithsapp.ui.widgets.text import Text
from tests.card.helpers import Watcher
from tests.parts.softhsm import USER_PIN, SoftHsm
from tests.ui import certificate_samples as made
from tests.ui import hosting, samples
from tests.ui.pointing import button, code_field, settle, visible

CODE = "804913"


class Cards:
    """A card service that answers when it is told to."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bool]] = []
        self.futures: list[Future[PinState]] = []

    def delete_certificate(
        self, card: CardId, credential_id: str, pin: Pin, *, last_try_ok: bool = False
    ) -> Future[PinState]:
        assert card == samples.CARD_ID
        with pin.once() as digits:
            self.sent.append((credential_id, bytes(digits), last_try_ok))
        self.futures.append(Future())
        return self.futures[-1]

    def fail(self, failure: Failure, tries_left: int | None = None) -> None:
        self.futures[-1].set_exception(SithsError(failure, tries_left=tries_left))


def deletion(tries: int | None = 3, *, blocked: bool = False, role: PinRole = PinRole.AUTH) -> Deletion:
    """Return the wish to delete the invented certificate."""
    entry = made.one("auth", role, deletes=True)
    assert entry.credential is not None
    pin = replace(samples.AUTH_PIN, role=role, tries_left=tries, blocked=blocked)
    card = made.card([entry.credential], deletes=True)
    return Deletion(card, entry.credential, entry.fields, pin)


class Screen:
    """The window, and a card that answers when it is told to."""

    def __init__(self, qtbot: QtBot, wish: Deletion | None = None) -> None:
        self.qtbot, self.cards = qtbot, Cards()
        self.window = DeleteWindow(self.cards, samples.describe, Theme(LIGHT))
        qtbot.addWidget(self.window)
        self.window.ask(wish or deletion())
        settle(self.window)

    def type(self, code: str = CODE) -> None:
        """Type a code and press Return."""
        QTest.keyClicks(code_field(self.window), code)
        QTest.keyClick(code_field(self.window), Qt.Key.Key_Return)

    def settle_with(self, failure: Failure, tries_left: int | None = None) -> None:
        """Let the card answer, from a thread of its own as it does."""
        with self.qtbot.waitSignal(self.window._settled, timeout=5000):
            self.cards.fail(failure, tries_left)
        settle(self.window)

    def texts(self) -> str:
        """Return the texts that can be seen."""
        return "\n".join(text.text() for text in visible(self.window, Text))


@pytest.fixture
def screen(qtbot: QtBot) -> Screen:
    return Screen(qtbot)


def test_what_is_lost_stands_before_the_code(screen: Screen) -> None:
    texts = screen.texts()
    assert "The certificate is lost for good" in texts
    assert "You can no longer identify yourself with it." in texts
    assert "TEST SITHS e-id Person HSA-id 3 CA v1" in texts
    signs = present_question(deletion(role=PinRole.SIGN), samples.describe).body
    assert isinstance(signs, CodeBody)
    assert "no longer sign" in signs.notices[0].text


def test_a_code_is_sent_once(screen: Screen) -> None:
    screen.type()
    assert screen.cards.sent == [("00", CODE.encode(), False)]
    assert "Deleting the certificate …" in screen.texts()
    QTest.keyClick(screen.window, Qt.Key.Key_Return)
    screen.window.reject()
    assert screen.window.isVisible()  # the card is at work
    assert len(screen.cards.sent) == 1
    with screen.qtbot.waitSignal(screen.window._settled, timeout=5000):
        screen.cards.futures[0].set_result(samples.AUTH_PIN)
    assert "The certificate was deleted" in screen.texts()
    button(screen.window, "Close").click()
    assert not screen.window.isVisible()


@pytest.mark.parametrize("way", ["cancel", "escape", "title bar"])
def test_leaving_sends_nothing(screen: Screen, way: str) -> None:
    QTest.keyClicks(code_field(screen.window), CODE)
    if way == "cancel":
        button(screen.window, "Cancel").click()
    elif way == "escape":
        QTest.keyClick(screen.window, Qt.Key.Key_Escape)
    else:
        screen.window.close()
    assert (screen.window.isVisible(), screen.cards.sent) == (False, [])


def test_a_short_code_is_not_sent(screen: Screen) -> None:
    screen.type("123")
    assert screen.cards.sent == []
    assert "No attempt was counted" in screen.texts()


def test_a_wrong_code_is_told_with_what_is_left(screen: Screen) -> None:
    screen.type()
    screen.settle_with(Failure.PIN_WRONG, 2)
    assert "You have 2 attempts left." in screen.texts()
    screen.type("111111")
    assert [sent[1] for sent in screen.cards.sent] == [CODE.encode(), b"111111"]


def test_the_last_try_needs_a_yes(screen: Screen) -> None:
    screen.type()
    screen.settle_with(Failure.PIN_WRONG, 1)
    assert len(screen.cards.sent) == 1
    button(screen.window, "Use the last attempt").click()
    settle(screen.window)
    screen.type()
    assert screen.cards.sent[-1] == ("00", CODE.encode(), True)


def test_a_card_that_wants_a_yes_is_believed(screen: Screen) -> None:
    screen.type()
    screen.settle_with(Failure.LAST_TRY_NOT_CONFIRMED)
    assert button(screen.window, "Use the last attempt").isVisible()
    body = present_question(deletion(tries=1), samples.describe).body
    assert isinstance(body, LastTryBody)


@pytest.mark.parametrize("failure", [Failure.CARD_REMOVED, Failure.CERTIFICATE_NOT_DELETABLE, Failure.PIN_LOCKED])
def test_other_failures_end_it(screen: Screen, failure: Failure) -> None:
    screen.type()
    screen.settle_with(failure)
    assert failure.number in screen.texts()
    button(screen.window, "Close").click()
    assert not screen.window.isVisible()


def test_an_unknown_failure_has_a_number(screen: Screen) -> None:
    screen.type()
    with screen.qtbot.waitSignal(screen.window._settled, timeout=5000):
        screen.cards.futures[0].set_exception(ValueError("secret"))
    assert "A999" in screen.texts()
    assert "secret" not in screen.texts()


def test_a_locked_code_is_not_asked_for(qtbot: QtBot) -> None:
    screen = Screen(qtbot, deletion(tries=0, blocked=True))
    assert "P302" in screen.texts()


def test_another_wish_waits_until_the_card_is_done(screen: Screen) -> None:
    screen.type()
    screen.window.ask(deletion(role=PinRole.SIGN))
    assert "Deleting the certificate …" in screen.texts()


def test_a_locked_screen_wipes_what_is_typed(qtbot: QtBot) -> None:
    entry = made.card([made.credential(0, made.invented()["auth"])], deletes=True)
    watched: list[str] = []
    services = hosting.services(made.seen(entry))
    services.protect = lambda: watched.append("watched")
    window = MainWindow(services)
    qtbot.addWidget(window)
    window.open(Place.CERTIFICATES)
    page = window.page(Place.CERTIFICATES)
    assert isinstance(page, CertificatesPage)
    with qtbot.waitSignal(page.work.looked, timeout=20_000):
        page.row_panel(0).toggle.click()
    button(window, "Delete the certificate …").click()
    assert page.deleting is not None
    qtbot.addWidget(page.deleting)
    settle(page.deleting)
    field = code_field(page.deleting)
    QTest.keyClicks(field, CODE)
    window.session_left()
    assert (watched, page.deleting.isVisible(), field.count) == (["watched"], False, 0)


@pytest.fixture
def service(softhsm: SoftHsm) -> Iterator[CardService]:
    made_service = CardService((), tokens=softhsm.tokens(may_delete=True))
    made_service.start()
    yield made_service
    made_service.close()


@pytest.mark.e2e
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="SoftHSM and pcscd of Linux")
def test_from_the_page_to_the_token(qtbot: QtBot, service: CardService) -> None:
    Watcher(service).card()
    services = hosting.services()
    services.cards = service
    window = MainWindow(services)
    qtbot.addWidget(window)
    window.open(Place.CERTIFICATES)
    page = window.page(Place.CERTIFICATES)
    assert isinstance(page, CertificatesPage)
    with qtbot.waitSignal(page.work.looked, timeout=20_000):
        page.row_panel(0).toggle.click()
    button(window, "Delete the certificate …").click()
    deleting = page.deleting
    assert deleting is not None
    qtbot.addWidget(deleting)
    settle(deleting)
    QTest.keyClicks(code_field(deleting), USER_PIN)
    with qtbot.waitSignal(deleting._settled, timeout=20_000):
        QTest.keyClick(code_field(deleting), Qt.Key.Key_Return)
    assert "The certificate was deleted" in "\n".join(text.text() for text in visible(deleting, Text))
    qtbot.waitUntil(lambda: not service.state.cards, timeout=20_000)
    page.refresh()
    assert not [name for name in ("Identification",) if name in [t.text() for t in visible(page, Text)]]


def test_nothing_is_offered_where_the_token_does_not_allow_it(qtbot: QtBot) -> None:
    services = hosting.services(made.usual())
    window = MainWindow(services)
    qtbot.addWidget(window)
    window.open(Place.CERTIFICATES)
    page = window.page(Place.CERTIFICATES)
    assert isinstance(page, CertificatesPage)
    with qtbot.waitSignal(page.work.looked, timeout=20_000):
        page.row_panel(0).toggle.click()
    detail = page.row_panel(0).detail
    assert detail is not None
    assert not detail.delete.isVisible()
