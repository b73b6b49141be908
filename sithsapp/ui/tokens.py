# SPDX-License-Identifier: EUPL-1.2
"""Colours by what they are for: light, dark and high contrast. A test computes their contrast."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tokens:
    """One set of colours as #RRGGBB. `sign*` belongs to signing alone, so that nobody signs by habit."""

    bg: str
    surface: str
    sunken: str
    divider: str
    border: str
    text: str
    text2: str
    disabled: str
    primary: str
    primary_hover: str
    primary_press: str
    on_primary: str
    primary_soft: str
    primary_text: str
    sign: str
    sign_hover: str
    sign_press: str
    on_sign: str
    sign_soft: str
    sign_text: str
    ok: str
    ok_soft: str
    warn: str
    warn_soft: str
    err: str
    err_soft: str
    info: str
    info_soft: str
    focus: str


LIGHT = Tokens(
    bg="#FAF8F5",
    surface="#FFFFFF",
    sunken="#F3EFEA",
    divider="#E0D9D1",
    border="#857A72",
    text="#211B1F",
    text2="#5B5157",
    disabled="#8B8187",
    primary="#74275C",
    primary_hover="#5F1D4B",
    primary_press="#4B143A",
    on_primary="#FFFFFF",
    primary_soft="#F6EAF2",
    primary_text="#74275C",
    sign="#0E5566",
    sign_hover="#0B4452",
    sign_press="#07333E",
    on_sign="#FFFFFF",
    sign_soft="#E4F1F4",
    sign_text="#0E5566",
    ok="#1E6A3C",
    ok_soft="#E6F3EA",
    warn="#7D4B00",
    warn_soft="#FFF2D6",
    err="#AE2016",
    err_soft="#FCEAE7",
    info="#234F7D",
    info_soft="#E7EFF8",
    focus="#1257C8",
)

DARK = Tokens(
    bg="#191518",
    surface="#231E22",
    sunken="#2C262B",
    divider="#40383E",
    border="#9A8F96",
    text="#F4EFF2",
    text2="#C3B9BF",
    disabled="#8F858B",
    primary="#E3A6D0",
    primary_hover="#EDBDDD",
    primary_press="#D48FC0",
    on_primary="#2E0F24",
    primary_soft="#3D2636",
    primary_text="#E8B4D8",
    sign="#86CBDB",
    sign_hover="#A5DAE6",
    sign_press="#6AB8CA",
    on_sign="#04262E",
    sign_soft="#1B3238",
    sign_text="#93D2E0",
    ok="#80CE9B",
    ok_soft="#1C3325",
    warn="#F2C063",
    warn_soft="#3A2D12",
    err="#FF9F95",
    err_soft="#42201D",
    info="#9FC6F0",
    info_soft="#1E2E40",
    focus="#8AB8FF",
)

HIGH_CONTRAST = Tokens(
    bg="#000000",
    surface="#000000",
    sunken="#000000",
    divider="#FFFFFF",
    border="#FFFFFF",
    text="#FFFFFF",
    text2="#FFFFFF",
    disabled="#B8B8B8",
    primary="#FFD54A",
    primary_hover="#FFE38A",
    primary_press="#E6B800",
    on_primary="#000000",
    primary_soft="#000000",
    primary_text="#FFD54A",
    sign="#6FE3FF",
    sign_hover="#A6EEFF",
    sign_press="#3CC6E6",
    on_sign="#000000",
    sign_soft="#000000",
    sign_text="#6FE3FF",
    ok="#7CFFA8",
    ok_soft="#000000",
    warn="#FFD54A",
    warn_soft="#000000",
    err="#FF9A91",
    err_soft="#000000",
    info="#9FCBFF",
    info_soft="#000000",
    focus="#FFFFFF",
)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.1 relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
