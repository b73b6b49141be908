# SPDX-License-Identifier: EUPL-1.2
"""Which names and texts may be shown to a person (protocol section B11).

Refused, never repaired: signs that hide, reorder or imitate. Beyond the list of B11 every other format character
and line separator is refused too, and names are held to Latin letters, ASCII digits, spaces and Western punctuation:
Python's character data has names and categories but no scripts, so "single script" is told by character names.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum
from typing import Final

MAX_NAME: Final = 64
MAX_AUTH_BODY: Final = 1_500
MAX_SIGN_BODY: Final = 40_000

_MAX_MARKS: Final = 2
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
# Letters and marks without any visible form: combining grapheme joiner, Hangul fillers, Khmer inherent vowels,
# Mongolian and other variation selectors, Braille blank.
_INVISIBLE: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_BLANK_LINES: Final = re.compile(r"\n(?:[^\S\n]*\n){3}")
_NAME_SYMBOLS: Final = re.compile("[\u0020-\u024f\u2010-\u2027\u2030-\u205e\u20a0-\u20cf\u2116\u2122]")


class TextFault(Enum):
    """Which rule a text breaks. Values go into logs and problem reports; the text itself never does."""

    EMPTY = "empty"
    TOO_LONG = "too long"
    REFUSED_CHARACTER = "refused character"
    COMBINING_MARKS = "too many combining marks"
    BLANK_LINES = "too many blank lines"
    EDGE_SPACE = "space at an edge"
    SCRIPT = "not in Latin script"


def name_fault(text: str, *, max_length: int = MAX_NAME) -> TextFault | None:
    """Return what is wrong with a name that is shown on one line, or None. The NFC form is what counts."""
    name = unicodedata.normalize("NFC", text)
    fault = _common_fault(name, max_length)
    if fault is not None:
        return fault
    if "\n" in name or "\t" in name:
        return TextFault.REFUSED_CHARACTER
    if name != name.strip():
        return TextFault.EDGE_SPACE
    return None if all(_fits_name(character) for character in name) else TextFault.SCRIPT


def body_fault(text: str, *, max_length: int = MAX_SIGN_BODY) -> TextFault | None:
    """Return what is wrong with a text of several lines, or None. The NFC form is what counts."""
    body = unicodedata.normalize("NFC", text)
    fault = _common_fault(body, max_length)
    if fault is not None:
        return fault
    return TextFault.BLANK_LINES if _BLANK_LINES.search(body) else None


def display_name(text: str) -> str:
    """Return the form of a name to show: NFC, on one line."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def display_body(text: str) -> str:
    """Return the form of a body to show: NFC, at most one blank line in a row, no blank ends."""
    body = unicodedata.normalize("NFC", text)
    return re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", body).strip()


def _common_fault(text: str, max_length: int) -> TextFault | None:
    if not text.strip():
        return TextFault.EMPTY
    if len(text) > max_length:
        return TextFault.TOO_LONG
    if any(_is_refused(character) for character in text) or _INVISIBLE.search(text):
        return TextFault.REFUSED_CHARACTER
    return TextFault.COMBINING_MARKS if _longest_mark_run(text) > _MAX_MARKS else None


def _is_refused(character: str) -> bool:
    return character not in "\n\t" and unicodedata.category(character) in _REFUSED_CATEGORIES


def _longest_mark_run(text: str) -> int:
    longest = run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character).startswith("M") else 0
        longest = max(longest, run)
    return longest


def _fits_name(character: str) -> bool:
    kind = unicodedata.category(character)
    if kind.startswith("L"):
        return unicodedata.name(character, "").startswith("LATIN ") or character in "ªº"
    if kind.startswith("M"):
        return unicodedata.name(character, "").startswith("COMBINING ")
    if kind.startswith("Z"):
        return character == " "
    if kind == "Nd":
        return character.isascii()
    return _NAME_SYMBOLS.match(character) is not None
