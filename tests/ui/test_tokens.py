# SPDX-License-Identifier: EUPL-1.2
"""The palette has the contrast that WCAG 2.1 asks for, in every theme."""

from __future__ import annotations

import pytest

from sithsapp.ui.tokens import DARK, HIGH_CONTRAST, LIGHT, Tokens, contrast

TEXT = [
    *[(ink, ground) for ink in ("text", "text2") for ground in ("bg", "surface", "sunken")],
    *[("on_primary", ground) for ground in ("primary", "primary_hover", "primary_press")],
    *[("on_sign", ground) for ground in ("sign", "sign_hover", "sign_press")],
    *[(ink, ground) for ink in ("primary_text", "sign_text") for ground in ("bg", "surface")],
    ("primary_text", "primary_soft"),
    ("sign_text", "sign_soft"),
    *[(kind, f"{kind}_soft") for kind in ("ok", "warn", "err", "info")],
    *[("text", f"{kind}_soft") for kind in ("ok", "warn", "err", "info")],
    ("err", "bg"),
    ("warn", "bg"),
    ("err", "surface"),
]
CONTROLS = [
    *[(ink, ground) for ink in ("border", "focus") for ground in ("bg", "surface")],
    ("primary", "bg"),
    ("sign", "bg"),
    ("err", "bg"),
]
THEMES = pytest.mark.parametrize("tokens", [LIGHT, DARK, HIGH_CONTRAST], ids=["light", "dark", "high"])


@THEMES
@pytest.mark.parametrize(("ink", "ground"), TEXT)
def test_text_contrast(tokens: Tokens, ink: str, ground: str) -> None:
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 4.5


@THEMES
@pytest.mark.parametrize(("ink", "ground"), CONTROLS)
def test_control_contrast(tokens: Tokens, ink: str, ground: str) -> None:
    assert contrast(getattr(tokens, ink), getattr(tokens, ground)) >= 3.0


def test_known_ratios() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@THEMES
def test_signing_has_a_colour_of_its_own(tokens: Tokens) -> None:
    assert tokens.sign != tokens.primary
