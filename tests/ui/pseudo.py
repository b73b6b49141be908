# SPDX-License-Identifier: EUPL-1.2
"""A language for tests: each text is marked, spelt with accents and 40 % longer.

What is cut off in it will be cut off in some language, and what appears without it was never translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from unittest.mock import patch

from sithsapp.locale import set_language

BEGIN, END = "⟦", "⟧"
_PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ACCENTED = "ÀßÇÐÉƑĜĤÎĴĶĻṀÑÖÞǪŔŠŢÛṼŴẊÝŽàƀçðéƒĝĥîĵķļṁñöþǫŕšţûṽŵẋýž"
_TABLE = str.maketrans(_PLAIN, _ACCENTED)
_FIELD = re.compile(r"(\{\w*\})")
_GROWTH = 0.4
_WORD = 7


def pseudo(text: str) -> str:
    """Return the form of an English text; its placeholders stay as they are."""
    parts = _FIELD.split(text)
    spelt = "".join(part if _FIELD.fullmatch(part) else part.translate(_TABLE) for part in parts)
    more = round(_GROWTH * len(text))
    padding = " ".join("ẋ" * min(_WORD, more - start) for start in range(0, more, _WORD + 1))
    return f"{BEGIN}{spelt} {padding}{END}" if " " in text else f"{BEGIN}{spelt}{padding}{END}"


class PseudoTranslations(NullTranslations):
    """A catalogue that has every text."""

    def gettext(self, message: str) -> str:
        """Return the form of `message`."""
        return pseudo(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form that fits `n`, as in English."""
        return pseudo(msgid1 if n == 1 else msgid2)


@contextmanager
def pseudo_language() -> Iterator[None]:
    """Speak it as long as the block lasts."""
    catalogue = PseudoTranslations()
    with patch("sithsapp.locale._catalogue", lambda _language: catalogue):
        set_language("en")
        yield
