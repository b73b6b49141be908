# SPDX-License-Identifier: EUPL-1.2
"""The main job with everything real: Chromium, the link, the app's window, the card in its reader, the way back."""

from __future__ import annotations

import re

import pytest

from demo.text_browser import TextBrowser
from sithsapp.card.virtual.ca_profile import DEMO_CODES
from tests.parts.desk import LAUNCH_LINK, Desk
from tests.parts.xvfb import wait_until

pytestmark = pytest.mark.e2e


def test_a_person_logs_in(person_at_desk: Desk) -> None:
    desk = person_at_desk
    context = desk.browse()
    page = desk.log_in_page(context)
    desk.allow_app()
    with context.expect_page(timeout=20_000) as returned:
        desk.type_code(DEMO_CODES.pin1)
    landed = returned.value
    landed.wait_for_url("**/me", timeout=15_000)
    text = landed.inner_text("main")
    assert "Anna Andersson" in text
    assert "TSTNMT2321000156-1A2B" in text
    assert "oob_verifier" not in landed.url
    event = desk.witness.wait_for_person(5)
    assert event is not None
    assert (event.binding, event.name) == ("return", "Anna Andersson")
    assert desk.stack.kit.card.tries_left(0x11) == 3
    page.wait_for_selector("text=Du har fortsatt i en annan flik", timeout=15_000)


def test_a_wrong_code_costs_one_try_and_the_next_one_logs_in(person_at_desk: Desk) -> None:
    desk = person_at_desk
    context = desk.browse()
    desk.log_in_page(context)
    desk.allow_app()
    desk.type_code("111222")
    wait_until(lambda: desk.stack.kit.card.tries_left(0x11) == 2)
    with context.expect_page(timeout=20_000) as returned:
        desk.type_code(DEMO_CODES.pin1)
    returned.value.wait_for_url("**/me", timeout=15_000)
    assert desk.stack.kit.card.tries_left(0x11) == 3


def test_a_link_that_somebody_else_started_does_not_log_him_in(person_at_desk: Desk) -> None:
    """Session fixation: the attacker starts, the victim opens the link and approves."""
    desk = person_at_desk
    attacker = TextBrowser(desk.stack.directory / "attacker.json")
    links = attacker.press(f"{desk.stack.backend.rp_origin}/login", how="same")
    context = desk.browse()
    desk.open_link(next(link for link in links if link.startswith("siths:")))
    with context.expect_page(timeout=30_000) as returned:
        desk.type_code(DEMO_CODES.pin1)
    landed = returned.value
    landed.wait_for_load_state()
    assert "annan webbläsare" in landed.inner_text("body")
    assert "Anna" not in landed.inner_text("body")
    assert desk.witness.wait_for("other_browser", 5) is not None
    assert desk.witness.wait_for_person(1) is None
    for path in ("/login", "/me", "/"):
        assert "Anna" not in " ".join(attacker.get(desk.stack.backend.rp_origin + path))


def test_the_wrong_profile_of_the_same_person_does_not_log_in(person_at_desk: Desk) -> None:
    desk = person_at_desk
    default, other = desk.browse(), desk.browse_elsewhere()
    page = desk.log_in_page(other)
    link = page.get_attribute(LAUNCH_LINK, "href")
    assert link is not None
    desk.open_link(link)
    with default.expect_page(timeout=30_000) as returned:
        desk.type_code(DEMO_CODES.pin1)
    returned.value.wait_for_load_state()
    assert "annan webbläsare" in returned.value.inner_text("body")
    assert desk.witness.wait_for_person(1) is None
    assert "Anna" not in page.inner_text("body")


def test_a_second_use_of_the_link_stops_the_order(person_at_desk: Desk) -> None:
    desk = person_at_desk
    context = desk.browse()
    page = desk.log_in_page(context)
    link = page.get_attribute(LAUNCH_LINK, "href")
    assert link is not None
    desk.allow_app()
    desk.wait_for_order_window()
    done = desk.command_line("login", link)
    assert done.returncode != 0
    assert re.search(r"S504", done.stderr)
    page.wait_for_selector("text=Börja om", timeout=15_000)
    assert desk.stack.kit.card.tries_left(0x11) == 3


def test_declining_tells_the_page(person_at_desk: Desk) -> None:
    desk = person_at_desk
    context = desk.browse()
    page = desk.log_in_page(context)
    desk.allow_app()
    desk.press_key("Escape")
    page.wait_for_selector("text=Åtgärden avbruten", timeout=15_000)
    assert desk.witness.wait_for_person(0.5) is None


def test_a_card_that_comes_late_and_leaves_is_waited_for(person_at_desk: Desk) -> None:
    desk = person_at_desk
    assert desk.stack.reader is not None
    desk.stack.reader.remove()
    context = desk.browse()
    desk.log_in_page(context)
    desk.allow_app()
    desk.stack.reader.insert()
    with context.expect_page(timeout=30_000) as returned:
        desk.type_code(DEMO_CODES.pin1)
    returned.value.wait_for_url("**/me", timeout=15_000)
