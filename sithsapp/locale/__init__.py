# SPDX-License-Identifier: EUPL-1.2
"""Texts for people: English in the code, Swedish from the catalogue beside this file.

The catalogue is read at the first text that is shown, never at import.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gettext import NullTranslations

Language = Literal["sv", "en"]
LanguageChoice = Literal["sv", "en", "system"]

_DOMAIN = "sithsapp"
_chosen: LanguageChoice = "system"


def set_language(choice: LanguageChoice) -> None:
    """Choose the language of every text that is asked for from now on; `system` follows the desktop."""
    global _chosen
    _chosen = choice


def language() -> Language:
    """Return the language in use."""
    return _system_language() if _chosen == "system" else _chosen


def tr(text: str) -> str:
    """Return `text` (an English message id) in the language in use, or as it is when it has no translation."""
    return _catalogue(language()).gettext(text) if text else ""


def ngettext(singular: str, plural: str, number: int) -> str:
    """Return the form of a text that fits `number`; the placeholders are filled in by the caller."""
    return _catalogue(language()).ngettext(singular, plural, number)


@lru_cache(maxsize=2)
def _catalogue(chosen: Language) -> NullTranslations:
    from gettext import NullTranslations, translation

    if chosen == "en":
        return NullTranslations()
    return translation(_DOMAIN, Path(__file__).parent, [chosen], fallback=True)


def _system_language() -> Language:
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if value := os.environ.get(variable):
            return _nearest(value)
    import locale

    return _nearest(locale.getlocale()[0] or "")


def _nearest(name: str) -> Language:
    # Windows says "Swedish_Sweden", the others "sv_SE.UTF-8" or a list such as "sv:en".
    return "sv" if name.lower().startswith(("sv", "swedish")) else "en"
