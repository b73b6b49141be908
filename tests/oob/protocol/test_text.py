# SPDX-License-Identifier: EUPL-1.2
"""Which names and texts may be shown (protocol section B11)."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.oob.protocol.text import TextFault, body_fault, display_body, display_name, name_fault

GOOD_NAMES = [
    "Journalsystem Exempel",
    "Region Örebro län – Öppenvård & Co (test)",
    "1177.se / Inera AB, e-tjänst #2",
    "Café Ærøskøbing Łódź",
    "Pris: 100 €™ §3 °C",
    unicodedata.normalize("NFD", "Västra Götaland"),
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_ordinary_names_pass(name: str) -> None:
    assert name_fault(name) is None


REFUSED_EVERYWHERE = [
    0x00, 0x07, 0x08, 0x0B, 0x0D, 0x1B, 0x7F, 0x80, 0x85, 0x9F,
    *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x061C, 0x200E, 0x200F,
    0x200B, 0x200C, 0x200D, *range(0x2060, 0x2065), 0xFEFF,
    0xE0000, 0xE0001, 0xE0041, 0xE007F,
    0xFFFE, 0xFFFF, 0x1FFFE, 0xFDD0, 0xE000, 0xF8FF, 0x10FFFD, 0x0378,
    0x2028, 0x2029, 0x00AD, 0x206A, 0xFFF9, 0x180E, 0x034F, 0x115F, 0x3164, 0xFFA0, 0xFE0F, 0xE0100, 0x2800,
]  # fmt: skip


@pytest.mark.parametrize("code", REFUSED_EVERYWHERE)
def test_signs_that_hide_or_reorder_are_refused(code: int) -> None:
    text = f"Logga{chr(code)}in"
    assert name_fault(text) is TextFault.REFUSED_CHARACTER
    assert body_fault(text) is TextFault.REFUSED_CHARACTER


def test_lone_surrogates_are_refused() -> None:
    assert body_fault("a\ud800b") is TextFault.REFUSED_CHARACTER


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("", TextFault.EMPTY),
        ("   ", TextFault.EMPTY),
        ("a" * 65, TextFault.TOO_LONG),
        (" Exempel", TextFault.EDGE_SPACE),
        ("Exempel ", TextFault.EDGE_SPACE),
        ("\u00a0Exempel", TextFault.EDGE_SPACE),
        ("Rad\nrad", TextFault.REFUSED_CHARACTER),
        ("Rad\trad", TextFault.REFUSED_CHARACTER),
        ("S\u0456THS", TextFault.SCRIPT),  # Cyrillic i
        ("B\u0430nken", TextFault.SCRIPT),  # Cyrillic a
        ("\u0391\u0392", TextFault.SCRIPT),  # Greek capitals that look Latin
        ("\U0001d5dc\U0001d5fb\U0001d5f2\U0001d5ff\U0001d5ee", TextFault.SCRIPT),  # mathematical letters
        ("\uff29\uff4e\uff45\uff52\uff41", TextFault.SCRIPT),  # full-width letters
        ("Region \u0661", TextFault.SCRIPT),  # Arabic digit
        ("Region\u2003X", TextFault.SCRIPT),  # em space
        ("Region \u2160", TextFault.SCRIPT),  # Roman numeral sign
        ("\u5dde", TextFault.SCRIPT),
        ("Region \U0001f512", TextFault.SCRIPT),  # a padlock is not the name's to show
        ("a\u0301\u0301\u0301\u0301", TextFault.COMBINING_MARKS),
    ],
)
def test_names_that_are_refused(name: str, fault: TextFault) -> None:
    assert name_fault(name) is fault


@pytest.mark.parametrize(
    "body",
    ["Logga in\noch läs", "a\tb", "1.\n\n\n2.", "Emoji \U0001f600 och \u4e2d\u6587", "e\u0301\u0302", "100\u00a0kr"],
)
def test_bodies_that_pass(body: str) -> None:
    assert body_fault(body) is None


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("", TextFault.EMPTY),
        ("\n\n", TextFault.EMPTY),
        ("a" * 40_001, TextFault.TOO_LONG),
        ("a\n\n\n\nb", TextFault.BLANK_LINES),
        ("a\n \n\u00a0\n \t\nb", TextFault.BLANK_LINES),
        ("a" + "\n" * 5000 + "b", TextFault.BLANK_LINES),
        ("a\rb", TextFault.REFUSED_CHARACTER),
        ("x\u0300\u0301\u0302\u0303", TextFault.COMBINING_MARKS),
    ],
)
def test_bodies_that_are_refused(body: str, fault: TextFault) -> None:
    assert body_fault(body) is fault


def test_the_length_is_the_callers_and_counts_the_composed_form() -> None:
    assert body_fault("a" * 1501, max_length=1500) is TextFault.TOO_LONG
    assert name_fault(unicodedata.normalize("NFD", "å" * 64)) is None


def test_display_forms() -> None:
    assert display_name("Cafe\u0301  X") == "Café X"
    assert display_body("\n a\n \n\n b \n") == "a\n\n b"


@given(st.text(max_size=80))
def test_what_passes_as_a_name_is_one_visible_line(name: str) -> None:
    if name_fault(name) is None:
        shown = display_name(name)
        assert shown.isprintable()
        assert 0 < len(shown) <= 64


@given(st.text(max_size=200))
def test_what_passes_as_a_body_has_no_invisible_signs(body: str) -> None:
    if body_fault(body) is None:
        assert not [sign for sign in body if unicodedata.category(sign) in ("Cf", "Cs", "Co", "Cn", "Zl", "Zp")]
