# SPDX-License-Identifier: EUPL-1.2
"""The order window: what it shows, what it posts, and what it never lets out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from sithsapp.failures import Failure
from sithsapp.locale import set_language
from sithsapp.oob.interaction import (
    CancelRequested,
    CredentialChosen,
    Event,
    Finished,
    MoreTimeRequested,
    PadChosen,
    PinEntered,
    Reported,
    WaitForCard,
    Working,
)
from sithsapp.oob.protocol.order import OrderType, RelyingParty
from sithsapp.ui.order.bodies import OrderPage
from sithsapp.ui.order.request_window import WindowOptions
from sithsapp.ui.order.window import OrderWindow
from sithsapp.ui.theme import Theme
from sithsapp.ui.tokens import DARK, HIGH_CONTRAST, LIGHT
from sithsapp.ui.widgets.pin_edit import PinEdit
from sithsapp.ui.widgets.text import Text
from tests.ui import samples
from tests.ui.pointing import button, code_field, order_window, settle, show, visible

SECRET = "804913"


@pytest.fixture
def window(qtbot: QtBot) -> OrderWindow:
    made = order_window()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def posted(window: OrderWindow) -> list[Event]:
    events: list[Event] = []
    window.posted.connect(events.append)
    return events


def test_a_code_is_posted_once_and_wiped(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter())
    QTest.keyClicks(code_field(window), SECRET)
    QTest.keyClick(code_field(window), Qt.Key.Key_Return)
    assert len(posted) == 1
    event = posted[0]
    assert isinstance(event, PinEntered)
    assert (event.card, event.credential, event.last_try_ok) == (samples.CARD_ID, "0", False)
    with event.pin.once() as digits:
        assert bytes(digits) == SECRET.encode()
    assert code_field(window).count == 0


def test_the_button_does_the_same(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter())
    QTest.keyClicks(code_field(window), SECRET)
    button(window, "Identify").click()
    assert [type(event) for event in posted] == [PinEntered]


def test_nothing_is_taken_for_the_first_moment(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter(), settled=False)
    QTest.keyClicks(code_field(window), SECRET)
    QTest.keyClick(code_field(window), Qt.Key.Key_Return)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    for label in ("Cancel", "Identify"):
        QTest.keyClick(button(window, label), Qt.Key.Key_Space)
    button(window, "Identify").click()
    assert posted == []
    assert code_field(window).count == 0
    assert window.isVisible()


@pytest.mark.parametrize(("typed", "answer"), [("", "Enter your identification code."), ("12345", "too short")])
def test_a_missing_or_short_code_is_answered_in_words(
    window: OrderWindow, posted: list[Event], typed: str, answer: str
) -> None:
    show(window, samples.enter())
    QTest.keyClicks(code_field(window), typed)
    button(window, "Identify").click()
    assert posted == []
    assert any(answer in label.text() for label in visible(window, Text))
    assert answer.rstrip(".") in code_field(window).accessibleDescription()


@pytest.mark.parametrize(
    "leave",
    [
        lambda window: button(window, "Cancel").click(),
        lambda window: QTest.keyClick(window, Qt.Key.Key_Escape),
        lambda window: window.close(),
    ],
    ids=["button", "escape", "close"],
)
def test_declining(window: OrderWindow, posted: list[Event], leave: Callable[[OrderWindow], None]) -> None:
    show(window, samples.enter())
    QTest.keyClicks(code_field(window), SECRET)
    field = code_field(window)
    leave(window)
    assert posted == [CancelRequested()]
    assert not window.isVisible()
    assert field.count == 0
    window.show_view(WaitForCard(samples.opened(), samples.EMPTY))
    window.show_view(Finished(samples.opened(), Failure.CANCELLED_BY_USER))
    assert not window.isVisible()
    show(window, samples.enter())
    assert window.isVisible()


def test_cancelling_while_the_card_works_keeps_the_window(window: OrderWindow, posted: list[Event]) -> None:
    show(window, Working(samples.opened()))
    button(window, "Cancel").click()
    assert posted == [CancelRequested()]
    assert window.isVisible()
    window.show_view(Finished(samples.opened()))
    assert button(window, "Close")


def test_closing_everything_is_not_held_up_but_by_a_working_card(window: OrderWindow) -> None:
    show(window, samples.enter())
    assert window.close()
    show(window, Working(samples.opened()))
    assert not window.close()
    assert window.isVisible()


def test_declining_is_as_prominent_as_approving(window: OrderWindow) -> None:
    show(window, samples.enter())
    decline, approve = button(window, "Cancel"), button(window, "Identify")
    assert decline.size() == approve.size()
    assert decline.x() < approve.x()


def test_reporting(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter())
    button(window, "I did not start this").click()
    assert posted == [Reported()]


def test_more_time_is_offered_near_the_end(window: OrderWindow, posted: list[Event]) -> None:
    show(window, replace(samples.enter(), open_order=samples.opened(seconds=150)))
    assert not [b for b in visible(window, QAbstractButton) if b.accessibleName() == "More time"]
    show(window, samples.views()["auth-ending"])
    button(window, "More time").click()
    assert posted == [MoreTimeRequested()]


def test_a_new_deadline_leaves_the_typed_code_alone(window: OrderWindow) -> None:
    view = samples.enter()
    show(window, view)
    QTest.keyClicks(code_field(window), "1234")
    later = replace(view.open_order, deadline=view.open_order.deadline + 180, can_extend=False)
    window.show_view(replace(view, open_order=later))
    assert code_field(window).count == 4


def test_card_removal_wipes_the_code(window: OrderWindow) -> None:
    show(window, samples.enter())
    field = code_field(window)
    QTest.keyClicks(field, SECRET)
    window.show_view(samples.views()["removed"])
    assert field.count == 0
    window.show_view(samples.enter())
    assert code_field(window).count == 0


def test_a_locked_session_wipes_the_code(window: OrderWindow) -> None:
    show(window, samples.enter())
    QTest.keyClicks(code_field(window), SECRET)
    window.forget_code()
    assert code_field(window).count == 0


def test_the_last_try_needs_a_yes(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter(tries=1))
    assert not visible(window, type(window._code.field.edit))
    assert window.focusWidget() is button(window, "Cancel")
    button(window, "Use the last attempt").click()
    QTest.keyClicks(code_field(window), SECRET)
    button(window, "Identify").click()
    assert isinstance(posted[0], PinEntered)
    assert posted[0].last_try_ok
    window.show_view(Working(samples.opened()))
    window.show_view(samples.enter(tries=1, failure=Failure.CARD_IN_USE))
    assert button(window, "Use the last attempt")


def test_another_card_can_be_chosen(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter())
    QTest.keyClicks(code_field(window), SECRET)
    menu = window._code._identity._menu
    assert [action.isChecked() for action in menu.actions()] == [True, False]
    menu.actions()[1].trigger()
    assert posted == [CredentialChosen(samples.OTHER_CARD.id, "0")]
    assert code_field(window).count == 0


def test_a_text_must_be_read_to_its_end_before_signing(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter(samples.order(OrderType.SIGN, "A line to read.\n" * 40)))
    QTest.keyClicks(code_field(window), SECRET)
    button(window, "Sign").click()
    assert posted == []
    box = visible(window, QPlainTextEdit)[0]
    assert isinstance(box, QPlainTextEdit)
    assert window.focusWidget() is box
    box.verticalScrollBar().setValue(box.verticalScrollBar().maximum())
    button(window, "Sign").click()
    assert [type(event) for event in posted] == [PinEntered]


def test_a_text_is_scrolled_by_keys_from_the_code_field(window: OrderWindow) -> None:
    show(window, samples.enter(samples.order(OrderType.SIGN, "A line to read.\n" * 40)))
    for _ in range(40):
        QTest.keyClick(code_field(window), Qt.Key.Key_PageDown)
    assert window._code._readings[0].was_read


def test_a_short_text_has_been_read_when_it_is_seen(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.enter(samples.order(OrderType.SIGN, "Yes.")))
    QTest.keyClicks(code_field(window), SECRET)
    button(window, "Sign").click()
    assert [type(event) for event in posted] == [PinEntered]


def test_done_closes_itself(qtbot: QtBot) -> None:
    window = order_window(options=WindowOptions(done_seconds=1))
    qtbot.addWidget(window)
    show(window, Finished(samples.opened()))
    assert window.isVisible()
    qtbot.waitUntil(lambda: not window.isVisible(), timeout=5000)


def test_done_stays_when_the_setting_or_a_screen_reader_says_so(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, window: OrderWindow
) -> None:
    kept = order_window(options=WindowOptions(done_seconds=0))
    qtbot.addWidget(kept)
    show(kept, Finished(samples.opened()))
    assert not kept._close_timer.isActive()
    monkeypatch.setattr("sithsapp.ui.order.request_window.is_heard", lambda: True)
    show(window, Finished(samples.opened()))
    assert not window._close_timer.isActive()


def test_the_binding_code_is_gone_with_the_window(window: OrderWindow) -> None:
    show(window, Finished(samples.opened(), code="482913"))
    assert window._close_timer.interval() == 120_000
    assert any(label.text() == "482 913" for label in visible(window, QLabel))
    button(window, "Close").click()
    assert not any("482" in label.text() for label in window.findChildren(QLabel))


def test_the_title_tells_who_asks(window: OrderWindow) -> None:
    show(window, samples.enter())
    assert window.windowTitle() == "Journalen asks you to identify yourself"
    assert code_field(window).accessibleName() == "Identification code"
    assert "Journalen asks you to identify yourself" in code_field(window).accessibleDescription()


def test_the_code_field_has_the_focus(window: OrderWindow) -> None:
    show(window, samples.enter())
    assert window.focusWidget() is code_field(window)


def test_the_order_of_the_tab_key(window: OrderWindow) -> None:
    show(window, samples.enter())
    seen = []
    for _ in range(5):
        window.focusNextChild()
        focused = window.focusWidget()
        seen.append(focused.accessibleName() if focused is not None else "")
    assert seen == ["Identify", "Cancel", "Show the code", "Switch card", "I did not start this"]


def test_switching_the_language_keeps_the_page(window: OrderWindow) -> None:
    show(window, samples.enter())
    set_language("sv")
    window.retranslate()
    assert button(window, "Legitimera")
    assert window.windowTitle() == "Journalen vill att du legitimerar dig"


HOSTILE = [
    "<b>Bold</b><img src='file:///etc/passwd'><a href='https://x.example'>x</a>",
    "# Heading [link](https://x.example)",
    "\u202eevil\u2066\u200b",
    "top" + "\n" * 5000 + "bottom",
    "x" * 40_000,
    "שלום עולם",
    "&amp; &Legit",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("kind", OrderType)
def test_hostile_texts_stay_text(window: OrderWindow, text: str, kind: OrderType) -> None:
    rp = RelyingParty(id="x", name=text[:64], origin="https://x.example.org")
    show(window, samples.enter(samples.order(kind, text, rp=rp)))
    assert window.width() == 456
    assert window.height() <= 712
    for label in window.findChildren(QLabel):
        assert label.textFormat() is Qt.TextFormat.PlainText
        assert not label.openExternalLinks()
    assert button(window, "Cancel").visibleRegion().boundingRect().height() == button(window, "Cancel").height()
    shown = window.windowTitle() + "".join(box.toPlainText() for box in window.findChildren(QPlainTextEdit))
    assert not {"\u202e", "\u2066", "\u200b"} & set(shown)
    assert "\n\n\n" not in shown


THEMES = {"light": LIGHT, "dark": DARK, "high": HIGH_CONTRAST}


@pytest.mark.parametrize(
    ("language", "theme", "scale"),
    [("sv", "light", 1.0), ("en", "dark", 1.0), ("en", "light", 2.0), ("sv", "high", 2.0)],
)
def test_every_page_fits_and_has_names(qtbot: QtBot, language: str, theme: str, scale: float) -> None:
    set_language("sv" if language == "sv" else "en")
    window = order_window(Theme(THEMES[theme], 15 * scale))
    qtbot.addWidget(window)
    limit = QGuiApplication.primaryScreen().availableGeometry().height()
    for name, view in samples.views().items():
        show(window, view)
        QGuiApplication.processEvents()
        assert window.height() <= limit, name
        for each in visible(window, Text):
            assert each.height() >= each.heightForWidth(each.width()), (name, each.accessibleName())
        for pressed in visible(window, QAbstractButton):
            assert pressed.accessibleName(), name
            assert pressed.width() >= pressed.minimumSizeHint().width(), (name, pressed.accessibleName())
        assert window.accessibleName() == ""
        assert window.windowTitle()
        assert not window.grab().isNull()
        window.hide()


def test_the_pages_of_a_usual_screen_need_no_scrolling(window: OrderWindow) -> None:
    """At 1366×768 everything but several texts at once is seen without scrolling."""
    for name, view in samples.views().items():
        show(window, view)
        for _ in range(2):  # buttons that were stacked on the page before are laid out anew by an event
            QGuiApplication.processEvents()
        page = window._stack.currentWidget()
        assert isinstance(page, OrderPage)
        scrolls = page.area.verticalScrollBar().maximum() > 0
        assert scrolls == (name in ("sign-documents",)), name


def test_the_window_is_used_again(window: OrderWindow) -> None:
    counted = []
    for _ in range(3):
        for view in samples.views().values():
            show(window, view)
            window.hide()
        counted.append(len(window.findChildren(QLabel)))
    assert counted[1] == counted[2] <= counted[0] + 8


def test_the_first_page_comes_before_the_others_are_made(window: OrderWindow) -> None:
    show(window, samples.views()["opening"])
    assert window.findChildren(PinEdit) == []
    window.prepare()
    assert len(window.findChildren(PinEdit)) == 1
    show(window, samples.enter())
    assert window.focusWidget() is code_field(window)


def test_return_presses_the_focused_button(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.views()["no-card"])
    settle(window)
    QTest.keyClick(window, Qt.Key.Key_Return)
    assert posted == [CancelRequested()]


def test_on_a_reader_with_keys_there_is_a_decision_and_no_field(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.on_keys(samples.enter()))
    assert not visible(window, PinEdit)
    assert window.focusWidget() is button(window, "Identify")
    QTest.keyClick(button(window, "Identify"), Qt.Key.Key_Return)
    assert posted == [PadChosen(samples.CARD_ID, "0", False)]
    show(window, samples.views()["auth-on-reader"])
    assert "Enter the code on the card reader" in [text.text() for text in visible(window, Text)]
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert isinstance(posted[-1], CancelRequested)


def test_what_is_signed_is_read_before_the_reader_asks(window: OrderWindow, posted: list[Event]) -> None:
    long = samples.order(OrderType.SIGN, "A line to read.\n" * 60)
    show(window, samples.on_keys(samples.enter(long)))
    QTest.keyClick(button(window, "Sign"), Qt.Key.Key_Return)
    assert posted == []


def test_the_last_try_on_a_reader_needs_a_yes(window: OrderWindow, posted: list[Event]) -> None:
    show(window, samples.on_keys(samples.enter(tries=1)))
    button(window, "Use the last attempt").click()
    button(window, "Identify").click()
    assert posted == [PadChosen(samples.CARD_ID, "0", True)]
