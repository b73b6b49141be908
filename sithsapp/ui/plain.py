# SPDX-License-Identifier: EUPL-1.2
"""Make text from outside fit to be shown: no hidden signs, bounded, apart from the text around it.

The service and the order checks refuse such texts already (protocol section B11); what is drawn does not
rely on them.
"""

from __future__ import annotations

import re
import unicodedata

_UNSHOWN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_RIGHT_TO_LEFT = frozenset({"R", "AL", "AN"})
_FIRST_STRONG_ISOLATE, _POP_ISOLATE = "\u2068", "\u2069"
_REPLACEMENT = "\ufffd"
_MARKS_IN_A_ROW = 2


def line(text: str, limit: int = 128) -> str:
    """Return `text` as one line of at most `limit` signs, hidden signs made visible, isolated if needed."""
    shown = " ".join(_visible(text[: limit + 1], keep="").split(" "))
    return isolate(_shorten(shown, limit))


def block(text: str, limit: int = 40_000) -> str:
    """Return `text` with its line breaks, hidden signs made visible; three or more breaks become two."""
    shown = _visible(text.replace("\r\n", "\n")[: limit + 1], keep="\n\t")
    return _shorten(re.sub(r"\n[ \t]*(?:\n[ \t]*)+", "\n\n", shown).strip("\n"), limit)


def isolate(text: str) -> str:
    """Return `text` between isolates if it has right-to-left signs, so that it cannot turn its neighbours."""
    if any(unicodedata.bidirectional(sign) in _RIGHT_TO_LEFT for sign in text):
        return f"{_FIRST_STRONG_ISOLATE}{text}{_POP_ISOLATE}"
    return text


def _visible(text: str, *, keep: str) -> str:
    shown: list[str] = []
    marks = 0
    for sign in text:
        category = unicodedata.category(sign)
        marks = marks + 1 if category == "Mn" else 0
        hidden = (category in _UNSHOWN and sign not in keep) or marks > _MARKS_IN_A_ROW
        shown.append(_REPLACEMENT if hidden else " " if category == "Zs" else sign)
    return "".join(shown)


def _shorten(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
