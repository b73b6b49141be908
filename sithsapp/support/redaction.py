# SPDX-License-Identifier: EUPL-1.2
"""Take what is personal or secret out of a text, by type, before it leaves the computer in a report.

The log is written without such things already; this is the second line of defence, and the first one for what a
person writes. Known values go first (this computer's user, host and the cards in the readers), then everything that
has the form of something private. What is taken out leaves a mark of its type, so that support can follow a text.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

_SHORTEST = 3
_SERIAL_PREFIX = 8
_RANDOM_CHANGES = 9  # between capitals, small letters, digits and the rest; a name of some words has fewer


@dataclass(frozen=True, slots=True, repr=False)
class Private:
    """A value that must not leave the computer, and the mark that stands in its place."""

    value: str
    mark: str


def serial_mark(serial: bytes) -> str:
    """Return a name for a card that tells it from others and does not lead back to its number."""
    return hashlib.sha256(b"sithsapp report\0" + serial).hexdigest()[:_SERIAL_PREFIX]


class Redactor:
    """Makes texts fit to be given away."""

    def __init__(self, private: Iterable[Private] = ()) -> None:
        """Take out `private` wherever it stands as a word of its own; values under three signs are left alone."""
        known: dict[str, str] = {}
        for each in private:
            value = _normal(each.value).strip()
            if len(value) >= _SHORTEST:
                known.setdefault(value.casefold(), each.mark)
        self._marks = known
        words = "|".join(re.escape(value) for value in sorted(known, key=len, reverse=True))
        self._known = re.compile(rf"(?<!\w)(?:{words})(?!\w)", re.IGNORECASE) if words else None

    def text(self, text: str) -> str:
        """Return `text` without anything private. Doing it twice changes nothing."""
        shown = _normal(text)
        if self._known is not None:
            shown = self._known.sub(self._mark, shown)
        for pattern, replacement in _FORMS:
            shown = pattern.sub(replacement, shown)
        return shown

    def _mark(self, match: re.Match[str]) -> str:
        return self._marks.get(match[0].casefold(), "<private>")


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def is_personal_number(text: str) -> bool:
    """Tell whether the digits of `text` are a personal or co-ordination number: 10 or 12 with a right checksum."""
    digits = [int(sign) for sign in text if sign.isdecimal()]
    if len(digits) not in (10, 12):
        return False
    month, day = 10 * digits[-8] + digits[-7], 10 * digits[-6] + digits[-5]
    if not 1 <= month <= 12 or not (1 <= day <= 31 or 61 <= day <= 91):
        return False
    doubled = [digit * (2 - place % 2) for place, digit in enumerate(digits[-10:])]
    return sum(number // 10 + number % 10 for number in doubled) % 10 == 0


def _personal_number(match: re.Match[str]) -> str:
    return "<personal-number>" if is_personal_number(match[0]) else match[0]


def _token(match: re.Match[str]) -> str:
    """Tell a random text from a long word and from the path of a file."""
    kinds = ["0" if sign.isdigit() else "A" if sign.isupper() else "a" for sign in match[0] if sign.isalnum()]
    if {"0", "A", "a"} <= set(kinds):
        return "<token>"
    changes = sum(one != other for one, other in pairwise(kinds))
    return "<token>" if changes >= _RANDOM_CHANGES and "/" not in match[0] else match[0]


def _command(match: re.Match[str]) -> str:
    """Keep the header of a card command, four octets that say what it does; what follows may be anything."""
    header = " ".join(match[0][at : at + 2] for at in range(0, 8, 2))
    return header if len(match[0]) == 8 else f"{header} <octets>"


def _digits(match: re.Match[str]) -> str:
    return "<personal-number>" if is_personal_number(match[0]) else "<digits>"


_INSTRUCTIONS: Final = "20|22|24|2A|2C|2E|46|47|70|87|A4|B0|C0|C2|CA|CB|D6|DB|E[0-9A-F]"
_FORMS: Final[tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...]] = (
    (re.compile(rf"(?<=sithsapp\.card\.iso7816 )(?:00|10|80|90)(?:{_INSTRUCTIONS})[0-9A-F]{{4,}}"), _command),
    (
        re.compile(r"-----BEGIN [A-Z0-9 ]{1,40}-----[^-]*(?:-----END [A-Z0-9 ]{1,40}-----)?"),
        "<certificate>",
    ),
    (re.compile(r"(?<![\w-])eyJ[\w-]{8,}(?:\.[\w-]*){0,4}"), "<token>"),
    (re.compile(r"//[^/@\s]{1,256}@"), "//<user>@"),
    (re.compile(r"[\w.+%-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), "<mail>"),
    (re.compile(r"(?<!\w)(?:SE|TST[A-Z]{1,5})\d{10}-[A-Za-z0-9]{1,18}(?!\w)", re.IGNORECASE), "<hsa-id>"),
    (re.compile(r"(?i)(/home/|/Users/|[A-Z]:\\Users\\)[^/\\\s:\"'<>]{1,128}"), r"\1<user>"),
    (re.compile(r"(?<!\d)\d{6}(?:\d{2})?[ \t]?[-+–−‐‑][ \t]?\d{4}(?!\d)"), _personal_number),
    (re.compile(r"(?<!\w)\d{3,}(?:[ \u00a0]\d{3,})+(?!\d)"), _digits),
    (re.compile(r"(?<!\w)\d{6,}(?!\w)"), _digits),
    # Codes in commands, keys and digests as a dump; the card's answer to reset is told apart by its own place.
    (re.compile(r"(?<![\w])(?:[0-9A-Fa-f]{2}[ :]){7,}[0-9A-Fa-f]{2}(?![\w])"), "<octets>"),
    (re.compile(r"(?<![\w])(?:0x)?[0-9A-Fa-f]{16,}(?![\w])"), "<hex>"),
    (re.compile(r"[A-Za-z0-9+/_=-]{20,}"), _token),
    (re.compile(r"(?<![\d])(?<!0x)\d{6,}(?!\d)"), _digits),
)
