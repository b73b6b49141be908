# SPDX-License-Identifier: EUPL-1.2
"""What the order window says for each view, without Qt."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from sithsapp.failures import Failure
from sithsapp.locale import set_language
from sithsapp.oob.interaction import EnterPin, Finished, View, WaitForCard, Working
from sithsapp.oob.protocol.order import OnBehalfOf, OrderType, RelyingParty
from sithsapp.ui.elements import Accent
from sithsapp.ui.order.page import (
    Action,
    BindingCodeBody,
    CodeBody,
    LastTryBody,
    Page,
    Picture,
    ProblemBody,
    WaitingBody,
)
from sithsapp.ui.order.presenter import present
from tests.ui import samples


def _page(view: View, *, confirmed: bool = False) -> Page:
    return present(view, samples.describe, last_try_confirmed=confirmed)


def _code(view: EnterPin, *, confirmed: bool = False) -> CodeBody:
    body = _page(view, confirmed=confirmed).body
    assert isinstance(body, CodeBody)
    return body


@pytest.mark.parametrize("name", samples.views())
@pytest.mark.parametrize("language", ["sv", "en"])
def test_every_view_has_a_page_with_a_title(name: str, language: str) -> None:
    set_language("sv" if language == "sv" else "en")
    page = _page(samples.views()[name])
    assert page.title
    assert "{" not in repr(page.body)


def test_the_asker_is_the_title_and_the_largest_text() -> None:
    page = _page(samples.enter())
    assert page.title == "Journalen asks you to identify yourself"
    assert page.header is not None
    assert (page.header.who, page.header.accent) == ("Journalen", Accent.AUTH)


def test_signing_looks_and_reads_different() -> None:
    page = _page(samples.enter(samples.sign_order()))
    assert page.header is not None
    assert page.header.accent is Accent.SIGN
    assert isinstance(page.body, CodeBody)
    assert (page.body.approve, page.body.label) == ("Sign", "Signing code")
    assert page.body.readings[0].reminder


@pytest.mark.parametrize(
    ("environment", "badge"), [("production", ""), ("test", "Test"), ("qa", "QA"), ("demo", "Demo")]
)
def test_the_environment_is_told_unless_it_is_production(environment: str, badge: str) -> None:
    page = _page(replace(samples.enter(), open_order=samples.opened(environment=environment)))
    assert page.header is not None
    assert page.header.environment == badge


def test_tries_are_told_before_and_after_an_entry() -> None:
    assert "3 attempts left" in _code(samples.enter(tries=3)).hint
    wrong = _code(samples.enter(tries=2, failure=Failure.PIN_WRONG))
    assert wrong.error == "Wrong identification code. You have 2 attempts left."


def test_nothing_is_made_up_when_the_card_does_not_tell() -> None:
    body = _code(samples.enter(tries=None, failure=Failure.PIN_WRONG))
    assert body.hint == "6–8 digits"
    assert body.error == "Wrong identification code."


def test_the_last_try_is_asked_for_before_the_code() -> None:
    view = samples.enter(tries=1, failure=Failure.PIN_WRONG)
    body = _page(view).body
    assert isinstance(body, LastTryBody)
    assert "1 attempt left" in body.notice.title
    assert _code(view, confirmed=True).last_try_ok
    assert not _code(samples.enter()).last_try_ok


def test_a_new_deadline_alone_changes_the_header_and_not_the_body() -> None:
    view = samples.enter()
    later = replace(view, open_order=replace(view.open_order, deadline=view.open_order.deadline + 180))
    assert _page(view).body == _page(later).body
    assert _page(view).header != _page(later).header


def test_a_request_from_another_device_is_warned_of() -> None:
    body = _page(samples.views()["auth-other-device"]).body
    assert isinstance(body, CodeBody)
    assert body.notices
    assert any("Firefox" in fact.value for fact in body.facts)


def test_the_service_behind_is_told() -> None:
    body = _code(samples.enter(samples.order(on_behalf_of=OnBehalfOf(id="x", name="Provsvar"))))
    assert ("Service", "Provsvar") in [(fact.label, fact.value) for fact in body.facts]


def test_documents_and_hidden_data_are_told() -> None:
    body = _page(samples.views()["sign-documents"]).body
    assert isinstance(body, CodeBody)
    text = body.readings[1].text
    for part in ("intyg-2026-1127.pdf", "bilaga-1.pdf", "Document 2 of 2", "Data that is not shown", "hhhh"):
        assert part in text


def test_choices_are_offered_only_where_there_is_one() -> None:
    view = samples.enter()
    assert len(_code(view).identity.choices) == 2
    assert _code(replace(view, choices=view.choices[:1])).identity.choices == ()


@pytest.mark.parametrize(
    ("name", "picture", "title"),
    [
        ("no-service", Picture.NO_READER, "The smart card service is not running"),
        ("no-reader", Picture.NO_READER, "Connect a card reader"),
        ("no-card", Picture.NO_CARD, "Insert your card"),
        ("reading", Picture.SPINNER, "Reading the card …"),
        ("removed", Picture.NO_CARD, "The card was removed"),
        ("unsupported", Picture.CARD_PROBLEM, "This card cannot be used here"),
        ("working", Picture.SPINNER, "Identifying …"),
        ("done", Picture.DONE, "You are identified"),
        ("done-sign", Picture.DONE, "You have signed"),
    ],
)
def test_waiting_pages(name: str, picture: Picture, title: str) -> None:
    body = _page(samples.views()[name]).body
    assert isinstance(body, WaitingBody)
    assert (body.picture, body.title) == (picture, title)


def test_an_empty_reader_is_no_trouble_with_the_card() -> None:
    body = _page(WaitForCard(samples.opened(), samples.EMPTY, Failure.NO_CARD)).body
    assert isinstance(body, WaitingBody)
    assert body.title == "Insert your card"


def test_only_the_happy_end_closes_itself() -> None:
    closing = [name for name, view in samples.views().items() if getattr(_page(view).body, "closes_itself", False)]
    assert closing == ["done", "done-sign"]


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_number_cause_and_remedy(failure: Failure) -> None:
    body = _page(Finished(samples.opened(), failure)).body
    assert isinstance(body, ProblemBody)
    assert failure.number in body.number
    assert body.notice.title == failure.title
    assert failure.remedy in body.notice.text or failure is Failure.ORDER_EXPIRED


def test_the_binding_code_is_easy_to_read_and_to_hear() -> None:
    body = _page(Finished(samples.opened(), code="482913")).body
    assert isinstance(body, BindingCodeBody)
    assert (body.code, body.spoken_code, body.seconds) == ("482 913", "4 8 2 9 1 3", 120)


def test_an_end_has_no_countdown() -> None:
    header = _page(Finished(samples.opened())).header
    assert header is not None
    assert (header.deadline, header.more_time) == (None, "")


def test_declining_is_always_possible_before_the_end() -> None:
    for view in samples.views().values():
        body = _page(view).body
        if isinstance(view, WaitForCard | Working):
            assert isinstance(body, WaitingBody)
            assert body.action is Action.DECLINE


def test_hostile_names_are_made_harmless() -> None:
    rp = RelyingParty(id="x", name="<b>Bank</b>\u202eevil", origin="https://x.example.org")
    page = _page(samples.enter(samples.order(rp=rp)))
    assert page.title == "<b>Bank</b>\ufffdevil asks you to identify yourself"


def test_a_long_purpose_is_read_in_a_box_without_being_forced() -> None:
    body = _page(samples.views()["auth-long-purpose"]).body
    assert isinstance(body, CodeBody)
    assert body.readings[0].reminder == ""


def test_the_text_to_sign_never_stands_beside_words_of_ours() -> None:
    body = _code(samples.enter(samples.order(OrderType.SIGN, "Cancel\nNo attempt was counted")))
    assert body.readings[0].text == "Cancel\nNo attempt was counted"


def test_presenters_need_no_qt() -> None:
    code = (
        "import sys, sithsapp.ui.order.presenter, sithsapp.ui.overview.presenter, sithsapp.support.state\n"
        "sys.exit(any(name.startswith('PySide6') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
