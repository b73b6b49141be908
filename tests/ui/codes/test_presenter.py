# SPDX-License-Identifier: EUPL-1.2
"""What the code window says in each state."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sithsapp.card.model import CardsState, PinRole, Slot, SlotStatus
from sithsapp.failures import Failure
from sithsapp.locale import set_language
from sithsapp.ui.codes.page import FormBody
from sithsapp.ui.codes.presenter import present
from sithsapp.ui.codes.task import Done, Enter, Kind, Send, Stopped, View, WaitForCard, Wish
from sithsapp.ui.order.page import Action, LastTryBody, Picture, ProblemBody, WaitingBody
from tests.ui import samples

CHANGE = Wish(Kind.CHANGE, PinRole.AUTH)
UNBLOCK = Wish(Kind.UNBLOCK, PinRole.SIGN)
ENTER = Enter(samples.CARD, samples.AUTH_PIN, samples.AUTH_PIN)
ENTER_PUK = Enter(samples.CARD, samples.PUK, samples.SIGN_PIN)


def _form(wish: Wish, view: View) -> FormBody:
    body = present(wish, view, samples.describe).body
    assert isinstance(body, FormBody), body
    return body


def _waiting(wish: Wish, view: View) -> WaitingBody:
    body = present(wish, view, samples.describe).body
    assert isinstance(body, WaitingBody), body
    return body


def test_a_change_asks_for_old_new_and_new_again() -> None:
    body = _form(CHANGE, ENTER)
    labels = [field.label for field in (body.known, body.new, body.again)]
    assert labels == ["Present identification code", "New identification code", "Repeat new identification code"]
    assert "3 attempts left" in body.known.hint
    assert "signing code" in body.intro
    assert body.facts == ()


def test_an_unlocking_asks_for_the_puk_and_says_what_to_do_without_one() -> None:
    body = _form(UNBLOCK, ENTER_PUK)
    assert body.known.label == "PUK code"
    assert "10 attempts left" in body.known.hint
    assert "ID administrator" in body.small_print
    assert present(UNBLOCK, ENTER_PUK, samples.describe).title == "Unlock signing code"


@pytest.mark.parametrize(
    ("wish", "view", "text"),
    [
        (CHANGE, replace(ENTER, failure=Failure.PIN_WRONG), "Wrong identification code. You have 3 attempts left."),
        (UNBLOCK, replace(ENTER_PUK, failure=Failure.PUK_WRONG), "After that the card must be replaced."),
    ],
)
def test_a_wrong_code_is_told_at_its_field_and_aloud(wish: Wish, view: Enter, text: str) -> None:
    page = present(wish, view, samples.describe)
    assert isinstance(page.body, FormBody)
    assert text in page.body.known.error
    assert text in page.spoken
    assert page.body.new.error == ""


def test_a_refused_new_code_is_told_at_the_new_code() -> None:
    body = _form(CHANGE, replace(ENTER, failure=Failure.NEW_PIN_REFUSED))
    assert body.new.error
    assert body.known.error == ""


def test_another_failure_is_told_above_the_fields() -> None:
    body = _form(CHANGE, replace(ENTER, failure=Failure.CARD_IN_USE))
    assert body.notice is not None
    assert "Another program" in body.notice.title


def test_the_last_try_is_asked_about_first() -> None:
    view = replace(ENTER, known=replace(samples.AUTH_PIN, tries_left=1))
    assert isinstance(present(CHANGE, view, samples.describe).body, LastTryBody)
    confirmed = present(CHANGE, view, samples.describe, last_try_confirmed=True).body
    assert isinstance(confirmed, FormBody)
    assert confirmed.last_try_ok


def test_the_last_try_of_the_puk_names_what_is_at_stake() -> None:
    view = replace(ENTER_PUK, known=replace(samples.PUK, tries_left=1), failure=Failure.PUK_WRONG)
    body = present(UNBLOCK, view, samples.describe).body
    assert isinstance(body, LastTryBody)
    assert body.notice.title == "Wrong PUK code. You have 1 attempt left."
    assert "must be replaced" in body.notice.text


def test_several_cards_are_told_apart_by_holder_and_reader() -> None:
    values = [fact.value for fact in _form(CHANGE, replace(ENTER, several=True)).facts]
    assert values == ["Anna Andersson", samples.READER]


def test_a_delivered_code_is_said_to_be_one() -> None:
    body = _form(CHANGE, replace(ENTER, code=replace(samples.AUTH_PIN, never_changed=True)))
    assert body.notice is not None
    assert "must be changed" in body.notice.title


@pytest.mark.parametrize(
    ("view", "picture", "title"),
    [
        (WaitForCard(CardsState(False)), Picture.NO_READER, "The smart card service is not running"),
        (WaitForCard(CardsState()), Picture.NO_READER, "No card reader"),
        (WaitForCard(samples.EMPTY), Picture.NO_CARD, "Insert your card"),
        (WaitForCard(samples.EMPTY, Failure.CARD_REMOVED), Picture.NO_CARD, "The card was removed"),
        (WaitForCard(samples.READY, Failure.CARD_CHANGED), Picture.CARD_PROBLEM, "Another card was inserted"),
        (
            WaitForCard(CardsState(True, (Slot("r", SlotStatus.FAILED, failure=Failure.CARD_MUTE),))),
            Picture.CARD_PROBLEM,
            "The card does not answer",
        ),
        (WaitForCard(CardsState(True, (Slot("r", SlotStatus.READING),))), Picture.SPINNER, "Reading the card …"),
        (Send(), Picture.SPINNER, "Changing the code …"),
        (Done(samples.AUTH_PIN), Picture.DONE, "The code is changed"),
    ],
)
def test_pages_that_tell(view: View, picture: Picture, title: str) -> None:
    body = _waiting(CHANGE, view)
    assert (body.picture, body.title) == (picture, title)


def test_while_the_card_works_there_is_nothing_to_press() -> None:
    assert _waiting(CHANGE, Send()).button == ""


def test_success_leads_on_to_the_other_code_that_was_delivered() -> None:
    body = _waiting(CHANGE, Done(samples.AUTH_PIN, (PinRole.SIGN,)))
    assert body.action is Action.CHANGE_OTHER
    assert "signing code must be changed as well" in body.text


@pytest.mark.parametrize("puk_helps", [True, False])
def test_a_locked_code_names_both_kinds_of_card_and_leads_to_the_puk(puk_helps: bool) -> None:
    body = present(CHANGE, Stopped(Failure.PIN_LOCKED, puk_helps), samples.describe).body
    assert isinstance(body, ProblemBody)
    assert body.notice.title == "The identification code is locked"
    assert any("6XX" in line for line in body.advice)
    assert any("7XX" in line for line in body.advice)
    assert (body.forward_action is Action.UNLOCK) == puk_helps


def test_a_locked_puk_says_who_can_help() -> None:
    body = present(UNBLOCK, Stopped(Failure.PUK_LOCKED), samples.describe).body
    assert isinstance(body, ProblemBody)
    assert any("replaced" in line for line in body.advice)
    assert body.forward == ""


def test_swedish_uses_the_words_of_the_field() -> None:
    set_language("sv")
    body = _form(CHANGE, ENTER)
    assert (body.title, body.confirm) == ("Byt legitimeringskod", "Byt kod")
    assert [f.label for f in (body.known, body.new, body.again)] == [
        "Nuvarande legitimeringskod",
        "Ny legitimeringskod",
        "Upprepa ny legitimeringskod",
    ]
