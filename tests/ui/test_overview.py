# SPDX-License-Identifier: EUPL-1.2
"""The overview: what it says and offers in each state, and what its buttons ask the app for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from sithsapp.card.model import Card, CardsState, PinRole, Slot, SlotStatus
from sithsapp.desktop.memory import ToldMemory
from sithsapp.failures import Failure
from sithsapp.locale import set_language
from sithsapp.support.state import app_state
from sithsapp.ui.codes.task import Kind, Wish
from sithsapp.ui.main.place import Place
from sithsapp.ui.main.window import MainWindow
from sithsapp.ui.overview.presenter import CardLook, Overview, Task, present_overview
from sithsapp.ui.widgets.button import Button
from sithsapp.ui.widgets.text import Text
from sithsapp.ui.widgets.tile import Tile
from tests.ui import hosting, samples
from tests.ui.pointing import button, visible


def _cards(*cards: Card) -> CardsState:
    return CardsState(True, tuple(Slot(card.id.reader, SlotStatus.READY, card) for card in cards))


def _with(role: PinRole, **changes: object) -> CardsState:
    pins = tuple(replace(pin, **changes) if pin.role is role else pin for pin in samples.CARD.pins)  # type: ignore[arg-type] # fields of PinState
    return _cards(replace(samples.CARD, pins=pins))


def _overview(cards: CardsState) -> Overview:
    state = app_state(cards, lambda credential: samples.HOLDER.valid_until, samples.TODAY)
    return present_overview(state, cards, samples.describe)


@contextmanager
def _window(qtbot: QtBot, cards: CardsState) -> Iterator[tuple[MainWindow, hosting.Told]]:
    told = hosting.Told()
    services = hosting.services(cards, told=told)
    window = MainWindow(services)
    qtbot.addWidget(window)
    window.open()
    yield window, told
    window.hide()


def test_a_ready_card_can_be_managed() -> None:
    overview = _overview(samples.READY)
    assert [(offer.task, offer.enabled) for offer in overview.tiles] == [
        (Task.CHANGE_AUTH, True),
        (Task.CHANGE_SIGN, True),
        (Task.UNLOCK, True),
        (Task.CERTIFICATES, True),
    ]
    assert overview.prominent is None
    assert overview.holder == "Anna Andersson"
    assert overview.choices == ()
    facts = {fact.label: fact.value for fact in overview.facts}
    assert facts["Valid until"] == "2028-04-30"
    assert facts["Identification code"] == "3 attempts left"
    assert facts["Assurance level"] == "3"
    assert facts["Card number"] == "9752 2690 0000 0000 000"


def test_certificates_that_end_on_different_days_have_a_line_each() -> None:
    state = app_state(samples.READY, lambda credential: samples.HOLDER.valid_until, samples.TODAY)

    def ends(credential: object) -> object:
        until = samples.HOLDER.valid_until
        assert until is not None
        return (
            samples.HOLDER
            if credential == samples.AUTH
            else replace(samples.HOLDER, valid_until=until.replace(year=2029))
        )

    overview = present_overview(state, samples.READY, ends)  # type: ignore[arg-type] # a Describe of the test's own
    facts = {fact.label: fact.value for fact in overview.facts}
    assert facts["Identification"] == "Valid until 2028-04-30"
    assert facts["Signature"] == "Valid until 2029-04-30"


def test_a_locked_code_puts_the_unlocking_first_and_cannot_be_changed() -> None:
    overview = _overview(_with(PinRole.AUTH, blocked=True, tries_left=0))
    assert overview.look is CardLook.LOCKED
    assert overview.prominent is not None
    assert overview.prominent.task is Task.UNLOCK
    assert [offer.enabled for offer in overview.tiles] == [False, True, True, True]
    assert [role for role, _ in overview.unlockable] == [PinRole.AUTH]


def test_nothing_is_offered_that_a_locked_puk_would_need() -> None:
    overview = _overview(_with(PinRole.PUK, blocked=True))
    unlock = next(offer for offer in overview.tiles if offer.task is Task.UNLOCK)
    assert not unlock.enabled
    assert overview.unlockable == ()


def test_a_delivered_code_is_to_be_changed_first() -> None:
    overview = _overview(_with(PinRole.SIGN, never_changed=True))
    assert overview.prominent is not None
    assert overview.prominent.task is Task.CHANGE_SIGN


def test_without_a_card_there_is_help_and_reading_again() -> None:
    assert [offer.task for offer in _overview(CardsState()).rows] == [Task.HELP]
    assert [offer.task for offer in _overview(samples.EMPTY).rows] == [Task.REREAD, Task.HELP]
    assert _overview(samples.EMPTY).tiles == ()


def test_several_cards_are_offered_by_holder_and_reader() -> None:
    cards = replace(_cards(samples.CARD, samples.OTHER_CARD), chosen_id=samples.OTHER_CARD.id)
    choices = _overview(cards).choices
    assert [choice.current for choice in choices] == [False, True]
    assert choices[0].label == "Anna Andersson · Region Exempel · Virtual reader 00"


@pytest.mark.parametrize("failure", [Failure.CARD_MUTE, Failure.CARD_NOT_SUPPORTED, Failure.CARD_IN_USE])
def test_a_card_that_cannot_be_used_has_its_number(failure: Failure) -> None:
    overview = _overview(CardsState(True, (Slot("r", SlotStatus.FAILED, failure=failure),)))
    assert overview.look is CardLook.UNUSABLE
    assert failure.number in overview.number


def test_hostile_names_stay_one_line() -> None:
    card = replace(samples.CARD, product="a\nb" * 50, label="\u202ex")
    state = app_state(_cards(card), lambda credential: None, samples.TODAY)
    overview = present_overview(
        state, _cards(card), lambda credential: replace(samples.HOLDER, name="Eva\n\u202eavE")
    )
    assert "\n" not in overview.holder
    assert "\u202e" not in overview.holder
    assert all("\n" not in fact.value for fact in overview.facts)


def test_buttons_ask_for_what_they_say(qtbot: QtBot) -> None:
    with _window(qtbot, samples.READY) as (window, told):
        button(window, "Change identification code").click()
        button(window, "Change signing code").click()
        button(window, "Read the card again").click()
    assert told.wishes == [
        (Wish(Kind.CHANGE, PinRole.AUTH), samples.CARD_ID),
        (Wish(Kind.CHANGE, PinRole.SIGN), samples.CARD_ID),
        "reread",
    ]


def test_a_locked_code_is_unlocked_without_a_question(qtbot: QtBot) -> None:
    with _window(qtbot, _with(PinRole.SIGN, blocked=True)) as (window, told):
        button(window, "Unlock now").click()
    assert told.wishes[0][0] == Wish(Kind.UNBLOCK, PinRole.SIGN)  # type: ignore[index] # a pair


def test_where_no_code_is_locked_the_person_says_which(qtbot: QtBot) -> None:
    with _window(qtbot, samples.READY) as (window, told):
        button(window, "Unlock with PUK code").click()
        menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
        assert [action.text() for action in menu.actions()] == ["Identification code", "Signing code"]
        menu.actions()[1].trigger()
        menu.hide()
    assert told.wishes == [(Wish(Kind.UNBLOCK, PinRole.SIGN), samples.CARD_ID)]


def test_another_card_can_be_made_the_active_one(qtbot: QtBot) -> None:
    with _window(qtbot, _cards(samples.CARD, samples.OTHER_CARD)) as (window, _):
        button(window, "Switch card").click()
        menu = next(menu for menu in window.findChildren(QMenu) if menu.isVisible())
        menu.actions()[1].trigger()
        menu.hide()
        cards = window._services.cards
    assert isinstance(cards, hosting.StillCards)
    assert cards.used == ["Virtual reader 01"]


def test_swedish_uses_the_words_of_the_field(qtbot: QtBot) -> None:
    set_language("sv")
    with _window(qtbot, samples.READY) as (window, _):
        for label in ("Byt legitimeringskod", "Byt underskriftskod", "Lås upp med PUK-kod", "Läs om kortet"):
            assert button(window, label).isEnabled()


def test_the_guide_is_seen_once_and_can_be_skipped(qtbot: QtBot, tmp_path: Path) -> None:
    services = hosting.services()
    services.is_first_time = lambda: ToldMemory(tmp_path).first_time("welcome")
    window = MainWindow(services)
    qtbot.addWidget(window)
    window.open()
    button(window, "Skip").click()
    assert [b for b in visible(window, Button) if b.accessibleName() in ("Skip", "Next")] == []
    again = MainWindow(services)
    qtbot.addWidget(again)
    again.open()
    assert [b for b in visible(again, Button) if b.accessibleName() == "Next"] == []
    assert "Anna" not in (tmp_path / "told.json").read_text()
    for each in (window, again):
        each.hide()


def test_the_guide_has_three_steps(qtbot: QtBot) -> None:
    services = hosting.services()
    services.is_first_time = lambda: True
    window = MainWindow(services)
    qtbot.addWidget(window)
    window.open()
    shown = []
    for label in ("Next", "Next", "Done"):
        shown += [text.text() for text in visible(window, Text) if text.text().startswith("Step ")]
        button(window, label).click()
    assert shown == ["Step 1 of 3", "Step 2 of 3", "Step 3 of 3"]
    assert [b for b in visible(window, Button) if b.accessibleName() == "Done"] == []
    set_language("sv")
    window.retranslate()
    window.hide()


@pytest.mark.parametrize("width", [700, 780, 860, 1100])
def test_nothing_overlaps_or_is_cut_off_at_any_width(qtbot: QtBot, width: int) -> None:
    window = MainWindow(hosting.services())
    qtbot.addWidget(window)
    window.open()
    window.resize(width, 500)
    for _ in range(3):
        QApplication.processEvents()
    page = window.page(Place.OVERVIEW)
    assert page is not None
    for text in visible(page, Text):
        assert text.height() >= text.heightForWidth(text.width()), text.text()
    tiles = visible(page, Tile)
    for one in tiles:
        assert one.height() >= 46
        assert not any(one.geometry().intersects(other.geometry()) for other in tiles if _are_beside(one, other))
    window.hide()


def _are_beside(one: Tile, other: Tile) -> bool:
    return one is not other and one.parentWidget() is other.parentWidget()
