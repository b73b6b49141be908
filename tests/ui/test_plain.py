# SPDX-License-Identifier: EUPL-1.2
"""Texts from outside can neither hide signs nor turn their surroundings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sithsapp.ui import plain

HIDDEN = ["\u202e", "\u2066", "\u200b", "\ufeff", "\u061c", "\x00", "\x1b", "\U000e0041", "\ue000", "\u2028"]


@pytest.mark.parametrize("sign", HIDDEN)
def test_hidden_signs_are_made_visible(sign: str) -> None:
    assert plain.line(f"a{sign}b") == "a\ufffdb"
    assert plain.block(f"a{sign}b") == "a\ufffdb"


def test_a_line_stays_one_line() -> None:
    assert "\n" not in plain.line("Bank\nYou are safe")


def test_blank_lines_cannot_push_the_text_out_of_sight() -> None:
    assert plain.block("begin" + "\n" * 5000 + "end") == "begin\n\nend"
    assert plain.block("begin" + "\n \t" * 500 + "\nend") == "begin\n\nend"


def test_right_to_left_text_is_isolated() -> None:
    assert plain.line("שלום") == "\u2068שלום\u2069"
    assert plain.line("Journalen") == "Journalen"


def test_stacked_marks_are_cut() -> None:
    assert plain.line("a" + "\u0301" * 50).count("\u0301") == 2


def test_length_is_bounded() -> None:
    assert len(plain.line("x" * 1000, 64)) == 64
    assert len(plain.block("x" * 100_000, 40_000)) == 40_000


@given(st.text(max_size=300))
def test_any_text_can_be_shown(text: str) -> None:
    shown = plain.line(text, 64).strip("\u2068\u2069")
    assert len(shown) <= 64
    assert all(sign.isprintable() or sign == "\ufffd" for sign in shown)
